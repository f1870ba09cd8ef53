"""Findings added up: how many are new, repeated and gone since the night before, and with which error and exposure in yuan."""

from __future__ import annotations

import heapq
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

ZERO = Decimal(0)
SINCE = ("new", "repeated", "gone")


@dataclass
class Money:
    """Error and exposure, each record once with its largest: two rules on one bill do not make two bills of it."""

    by_record: dict[tuple, list] = field(default_factory=dict)

    def add(self, finding: dict) -> None:
        record = (finding["source_name"], finding["table_name"], finding["key_text"])
        held = self.by_record.setdefault(record, [None] * 4)
        for place, name in enumerate(("error_cny", "exposure_cny", "error_kwh", "exposure_kwh")):
            held[place] = max((v for v in (held[place], finding[name]) if v is not None), default=None)

    def _sum(self, place: int) -> Decimal | None:
        known = [held[place] for held in self.by_record.values() if held[place] is not None]
        return sum(known, ZERO) if known else None

    @property
    def error_cny(self) -> Decimal | None:
        return self._sum(0)

    @property
    def exposure_cny(self) -> Decimal | None:
        return self._sum(1)

    @property
    def error_kwh(self) -> Decimal | None:
        return self._sum(2)

    @property
    def without_amount(self) -> int:
        """Records of which neither error nor exposure is known in yuan."""
        return sum(held[0] is None and held[1] is None for held in self.by_record.values())


@dataclass
class Tally:
    """Open findings of a rule, of an office or of all, counted by what they are since the night before; waived ones apart."""

    name: str = ""
    counts: Counter = field(default_factory=Counter)
    open: Money = field(default_factory=Money)
    new: Money = field(default_factory=Money)
    gone: Money = field(default_factory=Money)
    oldest: int = 0

    def add(self, finding: dict) -> None:
        state, since = finding["state"], finding["since"]
        self.counts[since] += since == "gone" or state == "open"
        if since == "gone":
            self.gone.add(finding)
        if state == "waived":
            self.counts["waived"] += 1
        elif state == "open":
            self.counts["open"] += 1
            self.open.add(finding)
            self.oldest = max(self.oldest, finding["age_days"] or 0)
            if since == "new":
                self.new.add(finding)


class Tallies:
    """Of all findings, of each rule and of each office, as a list is read row by row; dependants count with their root."""

    def __init__(self, room: int) -> None:
        self.all = Tally()
        self._rules: dict[str, Tally] = {}
        self._offices: dict[str, Tally] = {}
        self._room = room
        self._largest: list[tuple] = []
        self._seen = 0

    def add(self, finding: dict) -> None:
        if finding["state"] == "dependant":
            return
        self.all.add(finding)
        self._rules.setdefault(finding["rule_id"], Tally(finding["rule_id"])).add(finding)
        self._offices.setdefault(finding["office"], Tally(finding["office"])).add(finding)
        self._seen += 1
        entry = (finding["severity"] == "block", *rank(finding), -self._seen, finding)
        if len(self._largest) < self._room:
            heapq.heappush(self._largest, entry)
        else:
            heapq.heappushpop(self._largest, entry)

    @property
    def rules(self) -> list[Tally]:
        return _ranked(self._rules)

    @property
    def offices(self) -> list[Tally]:
        return _ranked(self._offices)

    @property
    def listed(self) -> int:
        """Findings of which `largest` shows as many as there is room for."""
        return self._seen

    @property
    def largest(self) -> list[dict]:
        """The findings for the page, the most yuan first; those that block the night are among them whatever they cost."""
        return [entry[-1] for entry in sorted(self._largest, key=lambda e: (*e[1:4], e[4]), reverse=True)]


def rank(finding: dict) -> tuple:
    """Larger is graver: error, then exposure, then age."""
    return (finding["error_cny"] or ZERO, finding["exposure_cny"] or ZERO, finding["age_days"] or 0)


def _ranked(tallies: dict[str, Tally]) -> list[Tally]:
    def key(tally: Tally) -> tuple:
        return (-(tally.open.error_cny or ZERO), -(tally.open.exposure_cny or ZERO), -tally.counts["open"], tally.name)

    return sorted(tallies.values(), key=key)
