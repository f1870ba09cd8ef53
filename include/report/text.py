"""Texts that a page or a spreadsheet shows as they are, and texts in two languages."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache

from include import seeds

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width signs too
CLIPPED = 160  # characters of a value on the page

LABELS = "code_labels"  # what dim_codes is made from


class Text(str):
    """A text in English, which knows itself in Chinese: where nobody asks for `zh`, it is a string like others."""

    zh: str

    def __new__(cls, en: str, zh: str) -> Text:
        made = super().__new__(cls, en)
        made.zh = zh
        return made

    @property
    def en(self) -> str:
        return str(self)

    def of(self, language: str) -> str:
        return self.zh if language == "zh" else self.en

    def __eq__(self, other: object) -> bool:
        return str.__eq__(self, other) and (not isinstance(other, Text) or self.zh == other.zh)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__


def plural(count: int, one: str, several: str | None = None) -> str:
    """A number with its noun, as English counts."""
    return f"{count:,} {one if count == 1 else several or one + 's'}"


def money(value: Decimal | float) -> Text:
    """Yuan to three figures, in the units that each language counts by."""
    number = float(value)
    en = next((f"{_three(number / unit)} {name}" for unit, name in _ENGLISH if abs(number) >= unit), f"{number:,.0f}")
    zh = next((f"{_three(number / unit)} {name}" for unit, name in _CHINESE if abs(number) >= unit), f"{number:,.0f} ")
    return Text(f"{en} yuan", f"{zh}元")


_ENGLISH = ((1e9, "billion"), (1e6, "million"))
_CHINESE = ((1e8, "亿"), (1e4, "万"))


def _three(number: float) -> str:
    digits = max(0, 3 - len(str(int(abs(number)))))
    return f"{number:,.{digits}f}"


def code_label(column: str, code: str) -> Text:
    """What a code means, as dim_codes has it; a code without a label is shown as it is."""
    return _labels().get((column, code)) or Text(code.replace("_", " "), code)


def labelled_columns() -> set[str]:
    """Columns of whose codes dim_codes says what they mean."""
    return {column for column, _ in _labels()}


def _labels() -> dict[tuple[str, str], Text]:
    return _labels_of(seeds.text(LABELS))


@lru_cache(maxsize=8)
def _labels_of(text: str) -> dict[tuple[str, str], Text]:
    return {(row["column_name"], row["code"]): Text(row["name_en"], row["name_zh"]) for row in seeds.parsed(text)}


def safe_cell(value: object) -> str | int | Decimal:
    """A value as a cell that a spreadsheet shows and does not execute: a text's first character of a formula gets a leading '."""
    if isinstance(value, int | Decimal):
        return value
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def clip(value: object, length: int = CLIPPED) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"
