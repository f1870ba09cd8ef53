"""The page's search index: in which rows of findings.csv an account, a part of a record key or a state stands.

The list is sorted by rule, so rule, table and office need only the number of rows of each. A row is that of a spreadsheet:
the heading is row 1.
"""

from __future__ import annotations

import json

from numpy import base_repr

BUDGET = {"account numbers": 800_000, "record keys": 700_000}  # bytes of each on the page, which may have 5 MB in all
FIRST_ROW = 2


class SearchIndex:
    """Filled row by row in the order of the list. What no longer fits its budget is left out from there on, and that is told."""

    def __init__(self) -> None:
        self._kinds = {kind: _Terms(room) for kind, room in BUDGET.items()}
        self._names: dict[str, int] = {}  # of rules, tables and offices, in order of their first row
        self._groups: list[list[int]] = []  # rule, table and office by name, and rows
        self.rows = 0

    def add(self, finding: dict) -> None:
        group = [
            self._names.setdefault(finding[name] or "", len(self._names))
            for name in ("rule_id", "table_name", "office")
        ]
        if not self._groups or self._groups[-1][:3] != group:
            self._groups.append([*group, 0])
        self._groups[-1][3] += 1
        row = FIRST_ROW + self.rows
        self.rows += 1
        account, state = finding["account_no"], finding["state"]
        parts = {str(part) for part in finding["record_key"].values() if part is not None} - {account}
        self._kinds["account numbers"].add(row, [account] if account else [])
        self._kinds["record keys"].add(row, sorted(parts) + [state] * (state != "open"))

    @property
    def is_complete(self) -> bool:
        return all(terms.last_row is None for terms in self._kinds.values())

    @property
    def coverage(self) -> dict[str, int]:
        """Kind -> the last row whose terms of this kind are all in the index."""
        return {
            kind: FIRST_ROW - 1 + self.rows if t.last_row is None else t.last_row for kind, t in self._kinds.items()
        }

    def content(self) -> dict:
        """`names`; `groups` of [rule, table, office, rows]; `terms`, and to each its rows as steps in base 36, the first from 0."""
        terms = [item for kind in self._kinds.values() for item in sorted(kind.rows.items())]
        return {
            "names": list(self._names),
            "groups": self._groups,
            "terms": [term for term, _ in terms],
            "rows": [" ".join(steps) for _, (steps, _) in terms],
        }


class _Terms:
    """Term -> its rows as steps, and the last of them; nothing is added once `room` bytes are full."""

    def __init__(self, room: int) -> None:
        self.rows: dict[str, tuple[list[str], int]] = {}
        self.last_row: int | None = None
        self._room = room

    def add(self, row: int, terms: list[str]) -> None:
        if self.last_row is not None:
            return
        steps = {term: base_repr(row - self.rows.get(term, ([], 0))[1], 36).lower() for term in terms}
        new = sum(len(json.dumps(term)) + len(', "", ') for term in terms if term not in self.rows)
        self._room -= new + sum(len(step) + 1 for step in steps.values())
        if self._room < 0:
            self.last_row = row - 1
            return
        for term, step in steps.items():
            before, _ = self.rows.get(term, ([], 0))
            before.append(step)
            self.rows[term] = (before, row)
