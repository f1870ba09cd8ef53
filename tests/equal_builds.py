"""What dbt left in a warehouse against what a full build makes of the same records: the proof of building only what changed."""

from __future__ import annotations

from include import night
from include.records.warehouse import Warehouse
from include.transform.clusters import cluster_loads
from include.transform.dbt import run_dbt

# built before gate 1 of the days that it tests: the days of rows with a finding, which it has opened or closed since
ONLY_THEN = {
    f"staging.{name}"
    for name in (
        "int_point_days_touched",
        "int_rate_runs",
        "int_register_days",
        "int_curve_days",
        "int_curve_days_explained",
        "int_curve_slots_apart",
        "int_apparent_days",
    )
}


def built_whole(copy: Warehouse) -> None:
    """Builds every model of a copy of a warehouse anew, in the order and the phases of a night."""
    _set_phase(copy, "gate")
    run_dbt(["run", "--full-refresh", "--select", "tag:staging"], copy)
    _set_phase(copy, "admit")
    admitted = [*night.staging_with_withheld_rows(copy), "tag:warehouse"]
    run_dbt(
        ["run", "--full-refresh", "--select", *admitted, "--exclude", "tag:after_clusters", "tag:as_delivered"], copy
    )
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
    for name in sorted((ours.keys() | whole.keys()) - ONLY_THEN):
        own, other = ours.get(name, {}), whole.get(name, {})
        more = sum(max(0, count - other.get(row, 0)) for row, count in own.items())
        fewer = sum(max(0, count - own.get(row, 0)) for row, count in other.items())
        if more or fewer:
            found[name] = (more, fewer)
    return found


def _set_phase(warehouse: Warehouse, phase: str) -> None:
    with warehouse.connect() as connection:
        connection.execute("update quality.current_run set phase = %s", (phase,))
