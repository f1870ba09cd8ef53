"""What dbt left in a warehouse against what a full build makes of the same records: the proof of building only what changed."""

from __future__ import annotations

from include import night
from include.records.warehouse import Warehouse
from include.transform.clusters import cluster_loads
from include.transform.dbt import run_dbt

# what counts findings or runs as they were when gate 1 had not judged yet, by hand: their full build in a later moment is another
ONLY_THEN: set[str] = set()


def built_whole(copy: Warehouse) -> None:
    """Builds every model of a copy of a warehouse anew, in the order and the phases of a night."""
    _set_phase(copy, "gate")
    run_dbt(["run", "--full-refresh", "--select", "tag:staging"], copy)
    _set_phase(copy, "admit")
    run_dbt(["run", "--full-refresh", "--select", *night.staging_with_withheld_rows(copy), "tag:warehouse", "--exclude", "tag:after_clusters", "tag:as_delivered"], copy)
    cluster_loads(copy)
    run_dbt(["run", "--full-refresh", "--select", "tag:after_clusters", "tag:marts"], copy)


def contents(warehouse: Warehouse) -> dict[str, dict[int, int]]:
    """Model -> hash of a row -> how often it is there."""
    with warehouse.connect() as connection:
        models = connection.execute(
            "select pg_class.oid::regclass::text from transform.models"
            " inner join pg_class on models.model = pg_class.relname"
            " where relnamespace::regnamespace::text in ('staging', 'warehouse', 'candidate') and kind = 'model' order by 1"
        ).fetchall()
        return {
            name: dict(
                connection.execute(
                    f"select hash_record_extended(told, 0), count(*) from {name} as told group by 1"
                ).fetchall()
            )
            for (name,) in models
        }


def differences(warehouse: Warehouse, copy: Warehouse) -> dict[str, tuple[int, int]]:
    """Model -> rows that it has and a full build has not, and the other way round, where there are any."""
    ours, whole = contents(warehouse), contents(copy)
    found = {}
    for name in sorted(ours.keys() | whole.keys()):
        own, other = ours.get(name, {}), whole.get(name, {})
        more = sum(max(0, count - other.get(row, 0)) for row, count in own.items())
        fewer = sum(max(0, count - own.get(row, 0)) for row, count in other.items())
        if more or fewer:
            found[name] = (more, fewer)
    return found


def _set_phase(warehouse: Warehouse, phase: str) -> None:
    with warehouse.connect() as connection:
        connection.execute("update quality.current_run set phase = %s", (phase,))
