"""One problem of the tree, as every step of `./kaw lint` reports it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MOST_LISTED = 24  # a longer list of what is allowed is shortened to the names that are most like the wrong one
AGAIN = "fix it and repeat ./kaw lint"


@dataclass(frozen=True, order=True)
class Problem:
    """`file` is relative to the tree, `line` counts from 1; `allowed` is empty where nothing can be listed."""

    file: str
    line: int
    what: str
    allowed: str = ""
    next_step: str = AGAIN

    def __str__(self) -> str:
        allowed = f"; allowed: {self.allowed}" if self.allowed else ""
        return f"{self.file}:{self.line}: {self.what}{allowed}; Next: {self.next_step}"


def one_line(text: object) -> str:
    return " ".join(str(text).split()).rstrip(".;")


def choices(wrong: str, known: Iterable[str]) -> str:
    """The known names: all of them, or of a long list those that are most like the wrong one and the number of all."""
    names = list(dict.fromkeys(known))
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    close = difflib.get_close_matches(wrong, names, n=8, cutoff=0.5) or sorted(names)[:8]
    return f"{', '.join(close)}, ... ({len(names)} in all)"


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]}?" if close else ""


def line_of(path: Path, needle: str) -> int:
    """The first line that contains the text, 1 where none does."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if needle in line:
            return number
    return 1
