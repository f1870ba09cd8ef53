"""One problem of the tree, as every step of `./kaw lint` reports it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def line_of(path: Path, needle: str) -> int:
    """The first line that contains the text, 1 where none does."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if needle in line:
            return number
    return 1
