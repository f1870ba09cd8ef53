"""How alike the name of a file's column and a column of the contract are, in English and Chinese."""

from __future__ import annotations

import difflib
import re
import unicodedata
from functools import cache
from pathlib import Path

import yaml

from include.contracts import Column, Table

WORDS = Path(__file__).with_name("words.yaml")
SURE, POSSIBLE = 0.9, 0.66
_NEAR = POSSIBLE / 0.75
_NOISE = {"the", "of", "a"}


@cache
def words() -> dict:
    return yaml.safe_load(WORDS.read_text(encoding="utf-8"))


@cache
def plain(name: str) -> str:
    """Lower case, one blank between words; a unit in brackets is no part of it."""
    text = unicodedata.normalize("NFKC", name)
    text = re.sub(r"[(\[][^)\]]*[)\]]", " ", text)
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower()
    return " ".join(re.sub(r"[^\w\u4e00-\u9fff]|_", " ", text).split())


@cache
def names_of(column: Column) -> tuple[tuple[str, str], ...]:
    """Every name that a column goes by, in plain form, and where it is from."""
    known = [
        (column.name, "the contract's name"),
        (column.name_en, "its name in English"),
        (column.name_zh, "its name in Chinese"),
    ]
    known += [(name, "a name that exports use") for name in words()["columns"].get(column.name, [])]
    return tuple((plain(name), origin) for name, origin in known if name)


@cache
def likeness(header: str, column: Column) -> tuple[float, str]:
    """From 0 to 1, and by what."""
    own, best = plain(header), (0.0, "")
    for name, origin in names_of(column):
        score = _alike(own, name)
        if score > best[0]:
            best = (score, f"{header!r} is {origin}" if score >= 0.97 else f"{header!r} is like {name!r}")
    return best


def _alike(own: str, name: str) -> float:
    if own == name:
        return 1.0
    if not own or not name:
        return 0.0
    if own.replace(" ", "") == name.replace(" ", ""):
        return 0.99
    mine, theirs = set(own.split()) - _NOISE, set(name.split()) - _NOISE
    if mine == theirs and mine:
        return 0.97
    if re.search(r"[\u4e00-\u9fff]", own + name):
        short, long = sorted((own.replace(" ", ""), name.replace(" ", "")), key=len)
        return 0.7 + 0.2 * len(short) / len(long) if short in long and len(short) > 1 else 0.0
    if len(theirs) > 1 and theirs <= mine:
        return 0.86 + 0.1 * len(theirs) / len(mine)
    shared = 2 * len(mine & theirs) / (len(mine) + len(theirs)) if mine and theirs else 0
    matcher = difflib.SequenceMatcher(None, own, name)
    is_near = matcher.real_quick_ratio() >= _NEAR and matcher.quick_ratio() >= _NEAR  # each is cheaper than the next
    return max(0.8 * shared, 0.75 * matcher.ratio() if is_near else 0)


def table_likeness(file_name: str, table: Table) -> float:
    """How well the name of a file or its folder names a table."""
    own = plain(re.sub(r"\.\w+$", "", file_name))
    known = [plain(table.name), plain(table.name_en), plain(table.name_zh)]
    known += [plain(name) for name in words()["tables"].get(table.name, [])]
    squeezed = own.replace(" ", "")
    return float(any(name and name.replace(" ", "") in squeezed for name in known))
