"""`./kaw replay` on a terminal: the steps with their times, then what became of the findings that were asked for."""

from __future__ import annotations

from include import progress
from include.errors import KawError
from include.local import scheduler
from include.local.console import Progress, output_to
from include.local.run import only_one
from include.quality.findings import Selection
from include.records import ledger
from include.records.warehouse import Warehouse
from include.replay import Replayed, dry_run, replay
from include.settings import settings


def replay_and_print(warehouse: Warehouse, selection: Selection, *, is_dry_run: bool) -> None:
    """The command: steps with their times, then what became of the selection and what is left of it."""
    scheduler.refuse_while_up()
    work = dry_run if is_dry_run else replay
    log = settings().home / "logs" / "replay.log"
    with output_to(log) as console:
        hear = Progress(console)
        progress.listen(hear)
        try:
            with only_one(warehouse.address):
                done = work(warehouse, selection, hear.step, hear)
        except KawError as error:
            error.where = error.where or str(log)
            raise
        finally:
            progress.listen(None)
            if not is_dry_run:
                ledger.write_head(warehouse.address)
        for line in _lines(done, selection, is_dry_run):
            console.print(line, highlight=False, markup=False)


def _lines(done: Replayed, selection: Selection, is_dry_run: bool) -> list[str]:
    if not done.selected:
        return [f"No open finding is selected ({selection}): nothing to replay."]
    would, is_now = ("would be ", " (nothing was changed)") if is_dry_run else ("", "")
    lines = [
        f"{'Dry run' if is_dry_run else 'Replay'} of {done.business_date}, findings selected: {selection}{is_now}",
        f"  {would}fixed        {len(done.fixed):>8,}",
        f"  {would}waived       {len(done.waived):>8,}",
        f"  {would}still open   {len(done.open):>8,}",
    ]
    if done.not_judged:
        lines.append(f"  only a replay tells {len(done.not_judged):,} (rules over other findings or over marts)")
    lines.append(
        f"  rows {would}admitted: {done.quarantined_admitted:,} quarantined, {done.blocked_admitted:,} blocked by parent"
    )
    if done.open:
        lines.append(
            "Next: let the source deliver what is still open; ./kaw worklists DIR writes it down for each office."
        )
    return lines
