"""The tables of bills, bill lines, payments and penalties as they stand at the end of the business date."""

from __future__ import annotations

from datetime import date

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.billing import TOU_RATES, Bills, Payments
from include.lab.simulator.hashing import integers, uniform
from include.lab.simulator.tables import Fixed
from include.lab.simulator.world import World


def evening(seed: int, stream: str, day: np.ndarray, *keys) -> np.ndarray:
    """An instant between 18:00 and 22:30 of a day, when the marketing system closes its books."""
    return day.astype("datetime64[s]") + integers(seed, stream, 64_800, 81_000, *keys).astype("timedelta64[s]")


def bill_numbers(world: World, bills: Bills) -> np.ndarray:
    """YYYYMM and the customer number."""
    cons = np.array([a.cons_no for a in world.accounts])
    return np.char.add(tables.months_as_text(bills.month), cons[bills.account])


def build_bill_tables(
    world: World, bills: Bills, payments: Payments, business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_bill, mkt_bill_line, mkt_payment and mkt_penalty."""
    numbers = bill_numbers(world, bills)
    last = payments.last
    is_paid = last <= business_date
    taken_back = payments.bounced & (payments.first + 2 <= business_date) & ~is_paid
    started = (payments.first <= business_date) & ~taken_back
    issue = evening(world.seed, "bill evening", bills.issued_on, bills.account)
    moments = _payment_moments(world, bills, payments)
    # what is bounced is paid in full until the bank takes it back
    status = np.where(is_paid | (started & payments.bounced), "PAID", np.where(started, "PARTIAL", "ISSUED"))
    booked = np.where(is_paid, last, np.where(taken_back, payments.first + 2, payments.first))
    booked = booked.astype("datetime64[s]") + np.timedelta64(79_200, "s")
    changed = np.where(started | taken_back, booked, issue)
    return {
        "mkt_bill": _bill_table(world, bills, payments, numbers, status, changed),
        "mkt_bill_line": _line_table(world, bills, numbers, issue),
        "mkt_payment": _payment_table(world, bills, payments, numbers, moments, business_date),
        "mkt_penalty": _penalty_table(world, bills, payments, numbers, business_date),
    }


def _bill_table(world, bills, payments, numbers, status, changed) -> pa.Table:
    accounts, b = world.accounts, bills.bill
    of = lambda read: np.array([read(a) for a in accounts], dtype=object)[bills.account]  # noqa: E731
    is_tou = of(lambda a: a.is_tou).astype(bool)
    has_basic = b["mode"] != "NONE"
    begin = np.array([a.connect_on for a in accounts], dtype="datetime64[D]")[bills.account]
    end = np.array([a.closed_on or date.max for a in accounts], dtype="datetime64[D]")[bills.account]
    rates = {f"kwh_{rate.lower()}": Fixed(b[rate], 4, ~is_tou) for rate in TOU_RATES}
    return tables.build(
        "marketing",
        "mkt_bill",
        {
            "bill_no": numbers,
            "cons_no": of(lambda a: a.cons_no),
            "acct_no": of(lambda a: a.acct_no),
            "bill_month": tables.months_as_text(bills.month),
            "read_from": np.maximum(bills.month.astype("datetime64[D]"), begin),
            "read_to": np.minimum((bills.month + 1).astype("datetime64[D]"), end),
            "kwh_total": Fixed(b["kwh"], 4),
            **rates,
            "kvarh_fwd": Fixed(b["kvarh_fwd"], 4),
            "kvarh_rev": Fixed(b["kvarh_rev"], 4),
            "pf_actual": Fixed(b["factor"], 4),
            "pf_standard": of(lambda a: a.pf_standard),
            "pf_adj_pct": Fixed(b["percent"], 4),
            "pf_adj_base": Fixed(b["base"], 2),
            "basic_mode": b["mode"],
            "basic_qty": Fixed(b["quantity"], 4, ~has_basic),
            "basic_price": Fixed(b["basic_price"], 2, ~has_basic),
            "basic_charge": Fixed(b["basic"], 2),
            "md_actual_kw": Fixed(b["demand"], 4),
            "energy_charge": Fixed(b["energy"], 2),
            "fund_charge": Fixed(b["fund"], 2),
            "line_loss_charge": Fixed(b["line_loss"], 2),
            "system_op_charge": Fixed(b["system"], 2),
            "pf_adj_charge": Fixed(b["adjustment"], 2),
            "kwh_per_kva": b["per_kva"],
            "md_discount_charge": Fixed(b["discount"], 2),
            "total_charge": Fixed(b["total"], 2),
            "issued_on": bills.issued_on,
            "due_on": payments.due,
            "status": status,
            "src_updated_at": changed,
        },
    )


def _line_table(world, bills, numbers, issue) -> pa.Table:
    points, line = world.points, bills.line
    bill = line["bill"]
    first = np.flatnonzero(np.diff(bill, prepend=-1))
    sizes = np.diff(np.append(first, len(bill)))
    number = np.arange(len(bill)) - np.repeat(first, sizes) + 1
    return tables.build(
        "marketing",
        "mkt_bill_line",
        {
            "bill_no": numbers[bill],
            "line_no": number,
            "mp_no": np.array(points.mp_no)[line["point"]],
            "meter_asset_no": np.array(points.meter_no)[line["point"]],
            "rate": np.array(("T", *TOU_RATES))[line["rate"]],
            "prev_reading": Fixed(line["prev"], 4),
            "curr_reading": Fixed(line["curr"], 4),
            "multiplier": points.multiplier[line["point"]].astype(float),
            "kwh_read": Fixed(line["read"], 4),
            "tran_loss_kwh": Fixed(line["loss"], 4),
            "line_loss_kwh": Fixed(np.zeros(len(bill), np.int64), 4),
            "add_sub_kwh": Fixed(np.zeros(len(bill), np.int64), 4),
            "kwh_billed": Fixed(line["billed"], 4),
            "price": Fixed(line["price"], 6),
            "charge": Fixed(line["charge"], 2),
            "src_updated_at": issue[bill],
        },
    )


def _payment_moments(world, bills, payments) -> tuple[np.ndarray, np.ndarray]:
    seconds = [
        integers(world.seed, "pay time", 32_400, 61_200, bills.account, bills.month.astype(int), n) for n in (1, 2)
    ]
    first = payments.first.astype("datetime64[s]") + seconds[0].astype("timedelta64[s]")
    second = payments.second.astype("datetime64[s]") + seconds[1].astype("timedelta64[s]")
    return first, np.where(np.isnat(second), first, second)


def _payment_table(world, bills, payments, numbers, moments, business_date) -> pa.Table:
    in_parts, bounced = ~np.isnat(payments.second), np.flatnonzero(payments.bounced)
    owed = bills.bill["total"] + payments.owed_penalty
    down = np.where(in_parts, bills.bill["total"] * 6 // 10, owed)
    day = np.timedelta64(86_400, "s")
    whole, rest = np.arange(len(bills)), np.flatnonzero(in_parts)
    bill = np.concatenate([whole, rest, bounced, bounced])
    part = np.concatenate(
        [np.ones(len(whole), int), np.full(len(rest), 2), np.full(len(bounced), 3), np.full(len(bounced), 4)]
    )
    paid_at = np.concatenate(
        [moments[0], moments[1][rest], moments[0][bounced] + 2 * day, moments[0][bounced] + 5 * day]
    )
    amount = np.concatenate([down, (owed - down)[rest], -owed[bounced], owed[bounced]])
    order = np.lexsort((part, bill))
    order = order[paid_at[order].astype("datetime64[D]") <= business_date]
    bill, part, paid_at, amount = bill[order], part[order], paid_at[order], amount[order]
    accounts = world.accounts
    acct = np.array([a.acct_no for a in accounts])[bills.account[bill]]
    channels = np.array(["BANK", "ONLINE", "COUNTER", "TRANSFER"])
    chosen = (uniform(world.seed, "pay channel", bills.account[bill]) * 4).astype(int)
    number = np.char.add(np.char.add("P", numbers[bill]), part.astype(str))
    first = np.char.add(np.char.add("P", numbers[bill]), "1")
    return tables.build(
        "marketing",
        "mkt_payment",
        {
            "pay_no": number,
            "bill_no": numbers[bill],
            "acct_no": acct,
            "paid_at": paid_at,
            "amount": Fixed(amount, 2),
            "channel": channels[chosen],
            "reversed_pay_no": np.where(part == 3, first, None),
            "src_updated_at": paid_at.astype("datetime64[D]").astype("datetime64[s]") + np.timedelta64(79_200, "s"),
        },
    )


def _penalty_table(world, bills, payments, numbers, business_date) -> pa.Table:
    paid = payments.last <= business_date
    rows = []
    for n in np.flatnonzero(paid & (payments.late_days + payments.late_days_next_year > 0)):
        day = payments.due[n] + 1
        for days, fen, rate in (
            (payments.late_days[n], payments.penalty[n], "0.002"),
            (payments.late_days_next_year[n], payments.penalty_next_year[n], "0.003"),
        ):
            if days:
                rows.append(
                    {
                        "bill_no": numbers[n],
                        "from_date": day,
                        "to_date": day + days - 1,
                        "late_days": days,
                        "penalty_rate": rate,
                        "penalty_yuan": f"{fen // 100}.{fen % 100:02d}",
                        "waived": bool(payments.waived[n]),
                        "waive_reason": "首次逾期,已说明原因" if payments.waived[n] else None,
                        "src_updated_at": payments.last[n].astype("datetime64[s]") + np.timedelta64(79_200, "s"),
                    }
                )
                day = day + days
    return tables.from_rows("marketing", "mkt_penalty", rows)
