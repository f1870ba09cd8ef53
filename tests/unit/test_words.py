"""The glossary holds: no retired word of docs/reference/glossary.md occurs in code, messages, rules, seeds, models or documents."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
BINARY = {".gz", ".jpg", ".pdf", ".png", ".svg", ".webp", ".xlsx", ".zip"}


def tables() -> list[list[list[str]]]:
    """The body rows of each table of the glossary, cell by cell."""
    found: list[list[list[str]]] = []
    for block in re.findall(r"(?:^\|.*\n)+", GLOSSARY.read_text("utf-8"), re.MULTILINE):
        found.append([[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]])
    return found


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def pattern(word: str) -> re.Pattern[str]:
    """A word between letters; a space is any white space, a star any letters."""
    inner = re.escape(word).replace(r"\ ", r"\s+").replace(r"\*", "[a-z]*")
    return re.compile(rf"(?<![a-z]){inner}(?![a-z])", re.IGNORECASE)


def retired() -> list[str]:
    return [word for *_, cell in tables()[0] for word in spans(cell)]


def exceptions() -> set[tuple[str, str]]:
    """(file, retired word)."""
    return {(spans(file)[0], word) for file, words, reason in tables()[1] for word in spans(words) if reason}


def occurrences() -> Counter[tuple[str, str]]:
    """How often each retired word occurs in each file of the repository, but for the glossary and this test."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    patterns = {word: pattern(word) for word in retired()}
    found: Counter[tuple[str, str]] = Counter()
    for name in listed.strip("\0").split("\0"):
        path = ROOT / name
        if path in (GLOSSARY, Path(__file__)) or path.suffix in BINARY or not path.is_file():
            continue
        text = f"{name}\n{path.read_text('utf-8')}".lower()
        likely = [
            word for word in patterns if re.split(r"[ *]", word.lower())[0] in text
        ]  # cheaper than a pattern each
        found.update({(name, word): n for word in likely if (n := len(patterns[word].findall(text)))})
    return found


def test_no_retired_word_occurs() -> None:
    excepted = exceptions()
    left = {where: n for where, n in occurrences().items() if where not in excepted}
    per_word = Counter({word: sum(n for (_, w), n in left.items() if w == word) for _, word in left})
    lines = [f"{n:4} {name}: {word}" for (name, word), n in sorted(left.items())]
    assert not left, "\n".join([*(f"{n:4} {word}" for word, n in per_word.most_common()), "", *lines])


def test_every_exception_is_needed() -> None:
    assert sorted(exceptions() - set(occurrences())) == []


def test_a_word_is_found_in_an_identifier_and_over_a_line_break_and_not_in_a_longer_word() -> None:
    assert pattern("held_back").search("the HELD_BACK_ROWS of")
    assert pattern("held back").search("are held\n    back where")
    assert pattern("pract*").search("it is practised")
    assert not pattern("told").search("untold")
    assert not pattern("me").search("amend, recommended")
