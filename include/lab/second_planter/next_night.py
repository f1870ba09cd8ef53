"""What only a second night shows: a delivery that lacks what the one before held, or writes anew what was closed.

Its records are tables (of an office), not rows: one sentence should say how many rows of what, not a thousand findings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal

from include.contracts import all_tables
from include.lab.second_planter.days import ZONE
from include.lab.second_planter.desk import Desk, Row
from include.lab.second_planter.kinds import INVENTED, LATE, MISMATCHED, MISSING, Kind, Planted
from include.lab.second_planter.manifests import SPOILT
from include.lab.simulator.simulation import Simulation


def _of_table(desk: Desk, kind: Kind, table: str, **more: str) -> None:
    key = {"table_name": table, **more}
    desk.note(replace(kind, table=table), next(desk.rows(table)), ({"table_name": table},), key, is_in_place=False)


def _left_out(tables: tuple[str, ...], stride: int) -> Callable[[Desk, Kind], None]:
    """Every `stride`-th record of the tables is not delivered."""

    def spoil(desk: Desk, kind: Kind) -> None:
        for table in tables:
            desk.edit.delete(table, list(range(0, desk.edit.table(table).num_rows, stride)))
            _of_table(desk, kind, table)

    return spoil


def _office_left_out(desk: Desk, kind: Kind) -> None:
    """Everything of one office is missing from five tables."""
    office = sorted(set(desk.column("mkt_customer", "org_no")))[desk.seed % 6]
    customers = {r["cons_no"] for r in desk.find("mkt_customer", org_no=office)}
    for table in ("mkt_supply_security", "mkt_account", "mkt_tariff_assign", "mkt_meter_install", "con_contract"):
        desk.edit.delete(table, [n for n, cons_no in enumerate(desk.column(table, "cons_no")) if cons_no in customers])
        _of_table(desk, kind, table, org_no=office)


def _written_anew(desk: Desk, kind: Kind) -> None:
    """A tenth or more of the records in force of five tables, each with a small change that is plausible by itself."""
    evening = datetime.combine(desk.business_date, time(19, 30), ZONE)
    day = desk.business_date - timedelta(days=4)
    changes: dict[str, tuple[Callable[[Row], bool], Callable[[Row], dict]]] = {
        "mkt_bill": (
            lambda r: r.number % 9 == 0 and r["status"] == "PAID",
            lambda r: {"due_on": r["due_on"] + timedelta(days=1)},
        ),
        "mkt_payment": (
            lambda r: r.number % 8 == 0,
            lambda r: {"channel": "COUNTER" if r["channel"] != "COUNTER" else "BANK"},
        ),
        "mkt_ticket": (
            lambda r: r.number % 3 == 0 and r["satisfaction"] is not None,
            lambda r: {"satisfaction": 5 if r["satisfaction"] < 5 else 4},
        ),
        "con_trade_settle": (
            lambda r: r.number % 7 == 0 and r["penalty_yuan"] is not None,
            lambda r: {"penalty_yuan": r["penalty_yuan"] + Decimal("1.00"), "version": r["version"] + 1},
        ),
        "met_voltage_daily": (
            lambda r: r["data_date"] == day and r.number % 2 == 0,
            lambda r: {"u_avg": r["u_avg"] + Decimal("0.0100"), "version": r["version"] + 1, "collect_way": "RECALL"},
        ),
    }
    for table, (is_chosen, values) in changes.items():
        cursor = all_tables()[table].cursor_column
        for row in desk.rows(table):
            if is_chosen(row):
                new = {**values(row), cursor: evening}
                if "version" in new:
                    desk.edit.copy(table, row.number, **new)
                else:
                    desk.edit.set(table, row.number, **new)
        _of_table(desk, kind, table)


def _manifests(desk: Desk, kind: Kind) -> None:
    """The records are as they were; `spoil_manifests` changes what their files say of themselves, once they are written."""
    for table in SPOILT:
        _of_table(desk, kind, table)


def _kind(code: str, mechanism: str, explained: tuple[str, ...], words: str, spared: str, cost: str, spoil) -> Kind:
    return Kind(code, mechanism, "mkt_contact", (), explained, words, spared, cost, spoil)


NEXT_NIGHT = (
    _kind(
        "half-of-a-table-left-out",
        "M1",
        (MISSING, LATE),
        "The export of five tables broke off: every second record is missing, the manifest counts what is there.",
        "the other tables, which are whole",
        "half of contacts, messages, assignments, tiers and instrument transformers would be withdrawn",
        _left_out(("mkt_contact", "mkt_notification", "mkt_manager_assign", "mkt_service_tier", "met_it"), 2),
    ),
    _kind(
        "a-tenth-of-a-table-left-out",
        "M1",
        (MISSING, LATE),
        "A filter in the export of five tables lost every tenth record.",
        "the other tables, which are whole",
        "a tenth of five archives would be withdrawn",
        _left_out(
            ("mkt_transformer", "mkt_application", "mkt_app_stage", "mkt_inspection", "mkt_manager_assessment"), 10
        ),
    ),
    _kind(
        "an-office-left-out",
        "M1",
        (MISSING, LATE),
        "One office was not selected: nothing of its customers is in five tables.",
        "the other offices",
        "a sixth of five archives would be withdrawn",
        _office_left_out,
    ),
    _kind(
        "a-tenth-written-anew",
        "M12",
        (MISMATCHED, INVENTED, LATE),
        "A correction script ran over closed months: a tenth of five tables is delivered with small changes.",
        "records that were not delivered anew",
        "unknown: closed months change",
        _written_anew,
    ),
    _kind(
        "manifest-that-says-what-nobody-knows",
        "M13",
        (LATE, MISSING, MISMATCHED),
        "The manifests of five tables say what no reader knows: slots labelled by their middle, a zone for a whole table, keys in"
        " another spelling.",
        "the other tables, whose manifests are as they should be",
        "what the files of five tables mean is a guess",
        _manifests,
    ),
)


def plant_next_night(simulation: Simulation, seed: int) -> list[Planted]:
    """Spoil the delivery of the business date after one that was landed whole; what was planted, a table each."""
    desk = Desk(simulation.tables, simulation.business_date, simulation.days, seed)
    for kind in NEXT_NIGHT:
        kind.spoil(desk, kind)
    return desk.apply()
