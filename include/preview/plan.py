"""`./kaw run --plan`: what the next night builds beside what arrives, because code or seeds are another than last night's."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass

from include.preview.changes import changes_of, read_by
from include.preview.estimate import Estimate
from include.records.warehouse import Warehouse
from include.settings import settings
from include.transform.dbt import parsed_beside
from include.transform.schemas import BUILT


@dataclass(frozen=True)
class Planned:
    """A model with the rows and bytes of its table as it is now; both are 0 where there is none."""

    model: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Plan:
    """`seeds` are loaded, `anew` are made anew, of `whole` all rows are compared because they read one of these; `others` is the
    number of models of which only what arrives is built."""

    seeds: list[str]
    anew: list[Planned]
    whole: list[Planned]
    others: int

    @property
    def estimate(self) -> Estimate:
        """Of what is built anew and compared whole, at most: what a change does not reach is compared and left as it is."""
        return Estimate(len(self.anew) + len(self.whole), sum(each.bytes for each in [*self.anew, *self.whole]))

    def as_dict(self) -> dict:
        return asdict(self) | {"seconds": round(self.estimate.seconds, 1)}


def plan(warehouse: Warehouse) -> Plan:
    """Reads the project and compares it with what the warehouse notes of its last builds; changes nothing.

    Raises InfrastructureError where dbt cannot read the project.
    """
    folder = settings().home / "dbt" / "plan"
    try:
        manifest = parsed_beside(warehouse, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    changes = changes_of(warehouse, manifest, (), [])
    read = read_by(manifest)
    changed = {*changes.models, *changes.seeds}
    whole = {model for model, parents in read.items() if model not in changed and parents & changed}
    return Plan(
        sorted(changes.seeds),
        _as_they_are(warehouse, changes.models),
        _as_they_are(warehouse, whole),
        len(read.keys() - changed - whole),
    )


def _as_they_are(warehouse: Warehouse, models) -> list[Planned]:
    with warehouse.connect() as connection:
        found = connection.execute(
            "select wanted.name, greatest(coalesce(pg_class.reltuples, 0), 0)::bigint,"
            " coalesce(pg_total_relation_size(pg_class.oid), 0)"
            " from unnest(%s::text[]) as wanted (name) left join pg_class"
            " on pg_class.relname = wanted.name and pg_class.relnamespace::regnamespace::text = any (%s)"
            " order by 3 desc, 1",
            (sorted(models), list(BUILT)),
        )
        return [Planned(*row) for row in found]
