"""Texts that a page or a spreadsheet shows as they are."""

from __future__ import annotations

CLIPPED = 160  # characters of a value on the page


def safe_cell(value: object) -> str:
    """A value as a CSV cell that a spreadsheet shows and does not execute: a formula's first character gets a leading '."""
    text = "" if value is None else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def clip(value: object, length: int = CLIPPED) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"
