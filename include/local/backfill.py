"""`./kaw backfill` on a terminal: the DAGs of the nights, month by month, and about how long the rest takes."""

from __future__ import annotations

from datetime import date

from include.backfill import Backfilled, Left, backfill, stages
from include.lab import source as simulated
from include.landing.addresses import FUNCTION
from include.local import scheduler
from include.local.run import build, land, nights_of
from include.settings import SOURCE_NAMES, settings


def backfill_and_print(first: date, last: date) -> int:
    scheduler.refuse_while_up()
    given = settings()
    any_simulated = any(simulated.is_simulated(name) for name in SOURCE_NAMES)
    if any_simulated:
        simulated.choose(None, None, None, None, None, False, False)
    with nights_of(given, f"backfill_{last}.log") as (warehouse, hear, console):
        console.print(f"Backfill of {first} to {last}: {_counted(len(stages(first, last)))} to build", highlight=False)

        def build_month(day: date) -> None:
            console.print(f"[bold]As of {day}[/bold]", highlight=False)
            build(warehouse.address, day, hear)

        def tell(left: Left) -> None:
            if left.done < left.of:
                console.print(
                    f"{left.done} of {_counted(left.of)}, the last one in {left.seconds:,.0f} s;"
                    f" about {left.seconds_left / 60:,.0f} minutes to go",
                    highlight=False,
                )

        stated = [settings().source(name) or "" for name in (*SOURCE_NAMES, "forms")]
        found = backfill(
            warehouse,
            first,
            last,
            land=lambda day: land(warehouse.address, day, hear),
            build=build_month,
            is_by_day=any_simulated or any(address.startswith(FUNCTION) for address in stated),
            tell=tell,
        )
        for line in _lines(found):
            console.print(line, highlight=False, markup=False, soft_wrap=True)
    return 0


def _counted(days: int) -> str:
    return f"{days} {'day' if days == 1 else 'days'}"


def _lines(found: Backfilled) -> list[str]:
    shown = [
        f"{found.new_rows:,} rows landed; {_counted(len(found.built))} built, {len(found.done_before)} published before"
    ]
    for day, tables in found.not_built.items():
        few = ", ".join(tables[:5]) + (f" and {len(tables) - 5} more" if len(tables) > 5 else "")
        shown.append(f"  {day} is not built by itself: until then nothing of {few} had been delivered")
    return shown
