"""The ways a command can end badly, each with its exit code.

A message answers what happened, where, and what to do next, in one piece; the command line prints it and nothing else.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

MOST_LISTED = 24  # a longer list of what is allowed is shortened to the names that are most like the wrong one


class KawError(Exception):
    """An expected failure. `exit_code` is what the process ends with; `str(error)` is the whole message for the reader."""

    exit_code = 3

    def __init__(
        self, what: str, *, where: str | None = None, next_step: str | None = None, public: str | None = None
    ) -> None:
        """`public` is what an alert says instead, where `what` may quote a value of the data."""
        super().__init__(what)
        self.public = public
        self.what = what
        self.where = where
        self.next_step = next_step

    def __str__(self) -> str:
        """Made when it is read: who passes an error on may add where it happened."""
        parts = [self.what.rstrip()]
        if self.where:
            parts.append(f"Where: {self.where}")
        if self.next_step:
            parts.append(f"Next: {self.next_step}")
        return "\n".join(parts)


class GateBlocked(KawError):
    """A gate stopped the night: the data, not the machinery, need somebody's hand."""

    exit_code = 1


class NotReproduced(KawError):
    """What was reproduced is not what the ledger has, or what the caller expected."""

    exit_code = 1


class LedgerBroken(KawError):
    """The ledger was tampered with, or its heads and key do not agree with it: nothing is published on it."""

    exit_code = 1


class UsageError(KawError):
    """The command or a setting was wrong; nothing was touched."""

    exit_code = 2


class InfrastructureError(KawError):
    """A server, file system, network or installation failed."""

    exit_code = 3


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
