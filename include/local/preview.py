"""`./kaw preview` on a terminal: the steps with their times, then what the next night would show."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from include import progress
from include.errors import KawError
from include.local.console import Progress, output_to
from include.local.run import only_one
from include.preview import Preview, preview
from include.preview.compare import MartChange
from include.preview.estimate import Estimate
from include.preview.plan import Plan, Planned, plan
from include.records.warehouse import Warehouse
from include.settings import settings

COLUMNS_SHOWN = 12


def preview_and_print(warehouse: Warehouse, seeds: list[Path], as_of: date | None, *, as_json: bool) -> None:
    log = settings().home / "logs" / "preview.log"
    with output_to(log, on_stderr=as_json) as console:
        hear = Progress(console)
        progress.listen(hear)

        def tell(estimate: Estimate) -> None:
            console.print(
                f"  at most {estimate.models} models, {estimate.bytes / 1e6:,.0f} MB beside the marts,"
                f" about {max(estimate.seconds, 1):,.0f} s",
                highlight=False,
            )

        try:
            with only_one(warehouse.address):
                found = preview(warehouse, seeds=seeds, as_of=as_of, step=hear.step, say=hear, tell=tell)
        except KawError as error:
            error.where = error.where or str(log)
            raise
        finally:
            progress.listen(None)
        if not as_json:
            for line in lines(found):
                console.print(line, highlight=False, markup=False, soft_wrap=True)
    if as_json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=1, default=str))


def plan_and_print(warehouse: Warehouse, *, as_json: bool) -> None:
    with output_to(settings().home / "logs" / "plan.log", on_stderr=True):  # what dbt says while it reads
        found = plan(warehouse)
    print(json.dumps(found.as_dict(), indent=1) if as_json else "\n".join(plan_lines(found)))


def plan_lines(found: Plan) -> list[str]:
    if not (found.seeds or found.anew):
        return [
            f"Code and seeds are those of the last build: the next night builds what arrives, in {found.others} models."
        ]
    told = [f"Seeds that are loaded: {', '.join(found.seeds)}"] if found.seeds else []
    told += _planned("Built anew, their code or what it rests on is another", found.anew)
    told += _planned("Compared whole, for they read one of these", found.whole)
    told.append(
        f"Of {found.others} others what arrives, and what differs in what they read."
        f" About {max(found.estimate.seconds, 1):,.0f} s more than a night without a change."
    )
    return told


def _planned(what: str, models: list[Planned]) -> list[str]:
    if not models:
        return []
    size = sum(each.bytes for each in models)
    listed = [f"  {each.model:<36} {each.rows:>14,} rows {each.bytes / 1e6:>10,.1f} MB" for each in models]
    return [f"{what}: {len(models)} models, {size / 1e6:,.1f} MB", *listed]


def lines(found: Preview) -> list[str]:
    changes = found.changes
    told = [
        f"{what}: {', '.join(names)}"
        for what, names in (
            ("Seeds", sorted(changes.seeds)),
            ("Models", changes.models),
            ("Rules", _few(changes.rules)),
            ("Rules that are gone", changes.gone),
        )
        if names
    ]
    if changes.are_none:
        return [f"Nothing differs from the night of {found.business_date}: no seed, model, rule or threshold."]
    head = f"What the next night would show, compared with that of {found.business_date} (nothing was published)"
    shown = [head, *(f"  {line}" for line in told)]
    shown += (
        [""] + [line for mart in found.marts for line in _mart(mart)] if found.marts else ["No published row changes."]
    )
    if found.findings:
        shown += ["", f"{'Open findings of rule':<34}{'before':>10}{'after':>10}"]
        shown += [f"  {rule:<32}{before:>10,}{after:>10,}" for rule, (before, after) in found.findings.items()]
    else:
        shown.append("No open finding comes or goes.")
    if found.withheld:
        shown.append(f"{'Rows and values withheld':<34}{found.withheld[0]:>10,}{found.withheld[1]:>10,}")
    shown += [
        f"  {rule} tests no row: it tests what lands or has an open finding; rows of before are not judged again"
        for rule, rows in found.rules_tested.items()
        if not rows
    ]
    for rule, rows in found.blocking.items():
        shown.append(f"{rule} would stop the night ({rows:,}): nothing of this would be published.")
    shown.append(f"Done in {found.seconds:.0f} s.")
    return shown


def _few(names: tuple[str, ...]) -> list[str]:
    return [*names[:10], *([f"and {len(names) - 10} more"] if len(names) > 10 else [])]


def _mart(mart: MartChange) -> list[str]:
    head = f"{mart.mart}: {mart.changed:,} of {mart.rows_before:,} rows change, {mart.new:,} come, {mart.gone:,} go"
    told = [head, f"  {'column':<40}{'rows':>8}  {'':<5}{'before':>22}{'after':>22}"] if mart.columns else [head]
    for column in mart.columns[:COLUMNS_SHOWN]:
        numbers = f"{_number(column.before):>22}{_number(column.after):>22}" if column.agg else ""
        told.append(f"  {column.name:<40}{column.rows:>8,}  {column.agg or '':<5}{numbers}".rstrip())
    if len(mart.columns) > COLUMNS_SHOWN:
        told.append(f"  and {len(mart.columns) - COLUMNS_SHOWN} more columns; --json has all")
    return told


def _number(value) -> str:
    return "-" if value is None else f"{value:,}"
