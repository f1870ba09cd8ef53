"""Values at the edge of a limit: (rule, what stands at the edge, statements on raw tables, the severity found or None)."""
# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

CASES: list[tuple[str, str, list[str], str | None]] = [
]
