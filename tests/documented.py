"""What README and the pages of `docs/` show as code: fences, the commands in them, and what the parser of `./kaw` says of these.

A fence of commands is `sh`, and is run by tests/integration/test_documented_commands.py; or it is `sh not-run: REASON`, and is only
held to the parser. So is `sql`; `yaml` and `json` are read. Output is `text`.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from include.local.cli import parser
from include.local.documents.commands import children

ROOT = Path(__file__).parents[1]
HARMLESS = (  # what a test may run in a home and an empty folder of its own; everything else is marked
    "alert",
    "check-sources",
    "findings",
    "pending list",
    "replay --dry-run",
    "report",
    "simulate",
    "sql",
    "status",
    "trace",
    "worklists",
)
PLACEHOLDERS = {"NO": "1", "DATE": "2026-11-30", "D": "2026-11-30"}  # what a reader writes a value for
_FENCE = re.compile(r"^( *)```([^\n`]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = re.compile(r"not-run: (\S.*)")


@dataclass(frozen=True)
class Fence:
    """`reason` is why its commands are not run, None where they are or where there are none."""

    where: str
    language: str
    reason: str | None
    text: str


def pages() -> list[Path]:
    return [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).exists()),
        *sorted((ROOT / "docs").rglob("*.md")),
    ]


@cache
def fences() -> tuple[Fence, ...]:
    found = []
    for page in pages():
        text = page.read_text(encoding="utf-8")
        for fence in _FENCE.finditer(text):
            language, _, rest = fence[2].partition(" ")
            reason = _NOT_RUN.fullmatch(rest)
            assert not rest or reason, (
                f"{page.relative_to(ROOT)}: after the language stands nothing or not-run: REASON; {rest!r}"
            )
            where = f"{page.relative_to(ROOT)}:{text[: fence.start()].count(chr(10)) + 1}"
            found.append(Fence(where, language, reason[1] if reason else None, fence[3]))
    return tuple(found)


def commands(text: str) -> list[list[str]]:
    """The words of each line, without comments; settings before a command are left out."""
    text = re.sub(r"\$\([^)]*\)", "VALUE", text.replace("\\\n", " "))
    lines = [shlex.split(line, comments=True) for line in text.splitlines()]
    found = []
    for words in lines:
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0], re.DOTALL):
            words = words[1:]
        if words:
            found.append(words)
    return found


def run_by_a_test() -> list[tuple[str, list[str]]]:
    """Where, and the words of each command that is not marked `not-run`, each command once."""
    found: dict[tuple[str, ...], str] = {}
    for fence in fences():
        if fence.language == "sh" and fence.reason is None:
            for words in commands(fence.text):
                found.setdefault(tuple(words), fence.where)
    return [(where, list(words)) for words, where in found.items()]


def is_harmless(words: list[str]) -> bool:
    notes = {"assign", "comment", "return", "--test"} & set(words)
    return (
        words[0] == "./kaw"
        and f"{' '.join(words[1:])} ".startswith(tuple(f"{name} " for name in HARMLESS))
        and not notes
    )


def refused(arguments: list[str]) -> str | None:
    """What the parser says against a command of `./kaw`, None where it takes it. Upper-case words stand for a value."""
    given = [PLACEHOLDERS.get(word, word) for word in arguments]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
            known, rest = parser().parse_known_args(given)
    except SystemExit as end:
        return said.getvalue().strip().splitlines()[-1] if end.code else None
    return f"unrecognized: {rest}" if rest and "pytest_arguments" not in known else None


def unknown(span: str) -> str | None:
    """What is no command or option in a mention such as `./kaw bi manager`, which may leave values out."""
    at = parser()
    for word in span.split()[1:]:
        if word in children(at):
            at = children(at)[word][0]
        elif word.startswith("-"):
            if word.startswith("--") and word.split("=")[0] not in _options(at):
                return word
        elif at.prog == "./kaw" and word != "COMMAND":
            return word
    return None


def _options(at: argparse.ArgumentParser) -> set[str]:
    return {option for action in at._actions for option in action.option_strings}
