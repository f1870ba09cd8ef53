"""Customers that join and leave: no row of theirs lies outside their time, and what was theirs ends with it.

The other modules build every account as if it had always been there; here the rows before its connection and after its
closure are taken away, and the archives are closed. Bills and payments of what was used before stay.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.contracts import all_tables
from include.lab.simulator import tables
from include.lab.simulator.delivery_text import EVENT_COLUMNS, local_days
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.world import World

# what happens on a day, beside the tables that are delivered by their event date
_DATED = {
    **{name: column for name, column in EVENT_COLUMNS.items() if not name.startswith("con_") or "trade" in name},
    "mkt_ticket": "accepted_at",
    "mkt_notification": "queued_at",
    "mkt_inspection": "due_on",
    "mkt_outage_notice": "planned_start",
    "mkt_violation": "found_on",
    "con_trade_agreement": "valid_from",
    "mkt_manager_assign": "valid_from",
}
_UNDATED = {"mkt_payment", "mkt_bill_line"}  # a customer that left still pays
# what ends when its customer leaves: column of the end, whether the day after the last one is meant, and other columns
_ENDING: dict[str, tuple[str, int, dict]] = {
    "mkt_mp": ("valid_to", -1, {}),
    "mkt_meter_install": ("remove_date", 0, {}),
    "mkt_tariff_assign": ("valid_to", -1, {}),
    "mkt_manager_assign": ("valid_to", -1, {}),
    "met_it": ("valid_to", -1, {}),
    "met_measuring_point": ("remove_ts", 0, {}),
    "met_meter": ("", 0, {"status": "REMOVED"}),
    "con_contract": ("valid_to", -1, {"status": "TERMINATED"}),
    "con_trade_agreement": ("valid_to", -1, {}),
    "mkt_customer": ("close_date", 0, {"status": "CLOSED", "running_cap_kva": 0}),
    "mkt_transformer": ("state_to", -1, {}),
}


def within_lives(world: World, made: dict[str, pa.Table], business_date: np.datetime64) -> dict[str, pa.Table]:
    """The tables without rows of customers before their connection or after their closure."""
    today = business_date.item()
    if all(a.is_settled(today) and a.connect_on < date(2023, 6, 1) for a in world.accounts):
        return made
    number_of = _numbers(world)
    begin = np.array([a.connect_on for a in world.accounts], dtype="datetime64[D]")
    end = np.array([a.closed_on or date.max for a in world.accounts], dtype="datetime64[D]")
    kept = {}
    for name, table in made.items():
        who = _who(name, table, number_of)
        if who is None:
            kept[name] = table
            continue
        row_begin, row_end = (
            np.where(who < 0, np.datetime64("0001-01-01"), begin[who]),
            np.where(who < 0, np.datetime64("9999-12-31"), end[who]),
        )
        inside = row_begin <= business_date
        if name == "mkt_application":  # a customer to come has no number yet
            cons = np.where(inside, np.array(table["cons_no"].to_pylist(), dtype=object), None)
            column = table.schema.get_field_index("cons_no")
            kept[name] = table.set_column(column, "cons_no", pa.array(cons, pa.string()))
            continue
        if name in _DATED and name not in _UNDATED:
            first, last = _days(name, table)
            row_end = row_end + 1 if name == "met_register_freeze" else row_end
            inside &= (last >= row_begin) & (first < row_end)
        kept[name] = table.filter(pa.array(inside)) if not inside.all() else table
    kept["mkt_app_stage"] = made["mkt_app_stage"]
    for name, key, whole in (
        ("mkt_bill_line", "bill_no", "mkt_bill"),
        ("mkt_payment", "bill_no", "mkt_bill"),
        ("mkt_penalty", "bill_no", "mkt_bill"),
        ("mkt_hazard", "insp_no", "mkt_inspection"),
        ("con_trade_settle", "agree_no", "con_trade_agreement"),
        ("con_trade_curve", "agree_no", "con_trade_agreement"),
    ):
        kept[name] = kept[name].filter(pc.is_in(kept[name][key], kept[whole][key].combine_chunks()))
    for name, column in (
        ("mkt_survey", "ticket_no"),
        ("mkt_manager_visit", "case_no"),
        ("mkt_corrective_action", "case_no"),
    ):
        kept[name] = _of_kept_cases(kept, name, column)
    plans = _outside_plans(kept["mkt_outage_plan"], kept["mkt_outage_affected"], number_of, begin, end)
    kept["mkt_outage_affected"] = kept["mkt_outage_affected"].filter(pa.array(plans))
    for name, (column, shift, values) in _ENDING.items():
        kept[name] = _ended(world, name, kept[name], column, shift, values, number_of, today)
    return kept


def _numbers(world: World) -> dict[str, int]:
    """Account by the numbers of itself, its terminal, its points and its meters."""
    p = world.points
    number_of = {a.cons_no: a.number for a in world.accounts}
    number_of |= dict(zip(world.terminal_no, range(len(world.accounts)), strict=True))
    number_of |= dict(zip(p.mp_no, p.account.tolist(), strict=True))
    return number_of | dict(zip(p.meter_no, p.account.tolist(), strict=True))


def _who(name: str, table: pa.Table, number_of: dict[str, int]) -> np.ndarray | None:
    """Account of each row, -1 where it has none; None for a table without accounts."""
    if name in ("mkt_bill_line", "mkt_payment", "mkt_penalty", "mkt_hazard", "mkt_app_stage", "mkt_corrective_action"):
        return None
    columns = table.column_names
    named = next((c for c in ("cons_no", "mp_no", "meter_asset_no", "terminal_no") if c in columns), None)
    if named:
        texts = table[named].combine_chunks().dictionary_encode()
        known = [number_of.get(text, -1) for text in texts.dictionary.to_pylist()]
    elif "contract_no" in columns or "agree_no" in columns:
        texts = table["contract_no" if "contract_no" in columns else "agree_no"].combine_chunks().dictionary_encode()
        known = [number_of.get(text[-10:], -1) for text in texts.dictionary.to_pylist()]
    else:
        return None
    index = texts.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
    return np.array([*known, -1])[index]


def _days(name: str, table: pa.Table) -> tuple[np.ndarray, np.ndarray]:
    """First and last day of each row: one and the same, but of a month."""
    column = table[_DATED[name]]
    if pa.types.is_string(column.type):
        month = np.array([f"{t[:4]}-{t[4:]}" for t in column.to_pylist()], dtype="datetime64[M]")
        return month.astype("datetime64[D]"), (month + 1).astype("datetime64[D]") - 1
    day = column.to_numpy().astype("datetime64[D]") if pa.types.is_date(column.type) else local_days(column)
    return day, day


def _of_kept_cases(kept: dict[str, pa.Table], name: str, column: str) -> pa.Table:
    cases = {
        *kept["mkt_ticket"]["ticket_no"].to_pylist(),
        *kept["mkt_inspection"]["insp_no"].to_pylist(),
        *kept["mkt_application"]["app_no"].to_pylist(),
        *kept["mkt_outage_plan"]["plan_no"].to_pylist(),
        None,
    }
    return kept[name].filter(pa.array([case in cases for case in kept[name][column].to_pylist()]))


def _outside_plans(plans: pa.Table, affected: pa.Table, number_of, begin, end) -> np.ndarray:
    """Which of the affected customers were customers on the day of the plan."""
    day_of = dict(zip(plans["plan_no"].to_pylist(), local_days(plans["planned_start"]), strict=True))
    day = np.array([day_of[plan] for plan in affected["plan_no"].to_pylist()], dtype="datetime64[D]")
    who = np.array([number_of[cons] for cons in affected["cons_no"].to_pylist()], dtype=int)
    return (day >= begin[who]) & (day < end[who])


def _ended(
    world: World, name: str, table: pa.Table, column: str, shift: int, values: dict, number_of, today: date
) -> pa.Table:
    """The rows of customers that left, ended; a transformer of theirs is removed."""
    who = _who(name, table, number_of)
    gone = [n >= 0 and (world.accounts[n].closed_on or date.max) <= today for n in who.tolist()]
    if not any(gone):
        return table
    rows = []
    for row, n in zip(table.filter(pa.array(gone)).to_pylist(), who[gone].tolist(), strict=True):
        closed = world.accounts[n].closed_on
        last = closed + timedelta(days=shift)
        noted = {"src_updated_at": at_evening(closed, n)}
        if not column:
            rows.append(row | values | noted)
        elif column == "remove_ts":
            rows.append(row | noted | {column: np.datetime64(closed, "s") + np.timedelta64(34_000, "s")})
        elif name == "con_contract" and row["status"] == "AMENDED":
            rows.append(row)
        elif name == "con_contract" and not row["auto_renew"]:  # it ran out
            rows.append(row | values | noted | {"status": "EXPIRED"})
        elif (
            name == "con_contract" or row[column] is None or row[column] > last
        ):  # a contract had renewed itself up to here
            rows.append(row | {column: last} | values | noted)
        else:
            rows.append(row)
        if name == "mkt_transformer" and rows[-1][column] == last:
            rows.append(row | noted | {"state_from": closed, "state_to": None, "state": "REMOVED"})
    instants = [c.name for c in all_tables()[name].columns if pa.types.is_timestamp(table.schema.field(c.name).type)]
    for row in rows:
        for instant in instants:
            if hasattr(row[instant], "tzinfo"):
                row[instant] = np.datetime64(row[instant].replace(tzinfo=None), "s")
    rest = table.filter(pa.array([not g for g in gone]))
    return pa.concat_tables([rest, tables.from_rows(all_tables()[name].source, name, rows)]).combine_chunks()
