"""Texts that a page or a spreadsheet shows as they are."""

from __future__ import annotations

from decimal import Decimal

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # full-width signs too
CLIPPED = 160  # characters of a value on the page


def safe_cell(value: object) -> str | int | Decimal:
    """A value as a cell that a spreadsheet shows and does not execute: a text's first character of a formula gets a leading '."""
    if isinstance(value, int | Decimal):
        return value
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def clip(value: object, length: int = CLIPPED) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"
