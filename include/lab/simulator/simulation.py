"""What a simulated utility delivers, and the truth about what was planted in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa

from include.lab.simulator.world import World


@dataclass(frozen=True)
class Truth:
    """One record on which a planted defect breaks rules; `record_key` holds the key columns of the contract."""

    defect_class: str
    source_name: str
    table_name: str
    record_key: dict
    column_name: str
    right_value: str | None
    rule_ids: list[str]


@dataclass
class Simulation:
    """What the utility would deliver at the end of `business_date`; synthetic, all of it.

    `form_units` maps the unit that fills forms to the accounts whose inspections and visits it reports, `form_days` to the
    day of its last forms.
    """

    business_date: date
    days: int
    tables: dict[tuple[str, str], pa.Table]
    form_tables: list[tuple[str, str]]
    form_units: dict[str, list[str]]
    form_days: dict[str, date]
    world: World
    truth: list[Truth] = field(default_factory=list)
