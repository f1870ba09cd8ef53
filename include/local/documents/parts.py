"""What pages that are made from the code share: cells of a Markdown table."""

from __future__ import annotations


def cell(text: object) -> str:
    """As one line that ends no cell, and whose `<` begins no tag."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
