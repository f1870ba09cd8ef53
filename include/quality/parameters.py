"""The thresholds of the rules, dated, as the seed `quality_parameters` states them, and how a sentence shows one.

SQL reads the same seed once dbt has loaded it (`quality.parameter`); what rules say of their thresholds is read here, so
that a rule can be shown where no warehouse runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from include import seeds

SEED = "quality_parameters"
FORMS = ("", "words", "times")  # 3, three, three times
_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]


@dataclass(frozen=True)
class Parameter:
    """One value of a parameter. `valid_from` is inclusive, `valid_to` exclusive; an open end is None.

    `source` and `clause` tell where the number comes from; `confidence` is V (read in public), M (well known) or M? (to be confirmed).
    """

    rule_id: str
    name: str
    value: Decimal
    unit: str
    valid_from: date
    valid_to: date | None
    source: str = ""
    clause: str = ""
    confidence: str = ""


def parameters() -> tuple[Parameter, ...]:
    """Every value of the seed, in its order."""
    return _parsed(seeds.text(SEED))


@lru_cache(maxsize=8)
def _parsed(text: str) -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            rule_id=row["rule_id"],
            name=row["name"],
            value=Decimal(row["value"]),
            unit=row["unit"],
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_to=date.fromisoformat(row["valid_to"]) if row["valid_to"] else None,
            source=row["source_doc"],
            clause=row["clause"],
            confidence=row["confidence"],
        )
        for row in seeds.parsed(text)
    )


def names_of(rule_id: str) -> list[str]:
    """Names of the parameters that the seed has of a rule."""
    return sorted({p.name for p in parameters() if p.rule_id == rule_id})


def parameter_on(rule_id: str, name: str, day: date) -> Parameter:
    """The value in force on a day, as `quality.parameter` finds it. Raises LookupError where there is none."""
    found = [
        p
        for p in parameters()
        if (p.rule_id, p.name) == (rule_id, name) and p.valid_from <= day and (p.valid_to is None or day < p.valid_to)
    ]
    if not found:
        raise LookupError(f"the seed quality_parameters has no {name} of {rule_id} on {day}")
    return max(found, key=lambda p: p.valid_from)


def shown(parameter: Parameter, form: str = "") -> str:
    """A value as a reader writes it: shares as percent, dates and hours as such; small counts in words where asked for."""
    value, unit = parameter.value, parameter.unit
    if unit.startswith("fraction"):
        return f"{_plain(value * 100)} %"
    if unit.startswith("percent"):
        return f"{_plain(value)} %"
    if unit == "date as YYYYMMDD":
        return date.fromisoformat(str(int(value))).isoformat()
    if unit.startswith("hour of"):
        return f"{int(value):02}:00"
    if form == "times":
        return {1: "once", 2: "twice"}.get(value, f"{_word(value)} times")
    return _word(value) if form == "words" else _plain(value)


def _word(value: Decimal) -> str:
    return _WORDS[int(value)] if value == int(value) and 0 <= value < len(_WORDS) else _plain(value)


def _plain(value: Decimal) -> str:
    return f"{value.normalize():,f}"
