"""The ways a command can end badly, each with its exit code.

A message answers what happened, where, and what to do next, in one piece; the command line prints it and nothing else.
"""

from __future__ import annotations


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
