"""Bills that were wrong: taken back by a negative one, billed anew, and the money moved to the new bill."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from include.lab.simulator.billing import Bills, Payments
from include.lab.simulator.editing import Editor
from include.lab.simulator.hashing import uniform
from include.lab.simulator.world import World

_ZONE = ZoneInfo("Asia/Shanghai")
_SHARE = 0.006
_NEGATED = (
    "kwh_total",
    "kwh_sharp",
    "kwh_peak",
    "kwh_flat",
    "kwh_valley",
    "kwh_deep",
    "kvarh_fwd",
    "kvarh_rev",
    "pf_adj_base",
    "basic_qty",
    "basic_charge",
    "energy_charge",
    "fund_charge",
    "line_loss_charge",
    "system_op_charge",
    "pf_adj_charge",
    "kwh_per_kva",
    "md_discount_charge",
    "total_charge",
)
_NEGATED_LINE = ("kwh_read", "tran_loss_kwh", "line_loss_kwh", "add_sub_kwh", "kwh_billed", "charge")


def rebill(
    world: World, bills: Bills, payments: Payments, made: dict[str, pa.Table], business_date: np.datetime64
) -> dict[str, pa.Table]:
    """mkt_bill, mkt_bill_line and mkt_payment with one bill in 170 issued to the wrong title at first.

    Only bills that were paid at once and in time, so that nothing but the money moves; the amounts stay what they were.
    """
    edit = Editor({("marketing", name): table for name, table in made.items()})
    draw = uniform(world.seed, "rebilled", bills.account, bills.month.astype(int))
    plain = (payments.late_days + payments.late_days_next_year == 0) & np.isnat(payments.second) & ~payments.bounced
    lines: dict[str, list[int]] = {}
    for row, number in enumerate(made["mkt_bill_line"]["bill_no"].to_pylist()):
        lines.setdefault(number, []).append(row)
    paid = {number: row for row, number in enumerate(made["mkt_payment"]["bill_no"].to_pylist())}
    for n in np.flatnonzero((draw < _SHARE) & plain).tolist():
        number = edit.value("mkt_bill", n, "bill_no")
        day = (bills.issued_on[n] + 40 + int(draw[n] * 10_000)).item()
        if day > business_date.item():
            continue
        evening = np.datetime64(day, "s") + np.timedelta64(70_000, "s")
        booked = _local(evening)
        edit.set("mkt_bill", n, status="REVERSED", src_updated_at=booked)
        negative = {column: edit.value("mkt_bill", n, column) for column in _NEGATED}
        negative = {column: None if value is None else -value for column, value in negative.items()}
        dated = {"orig_bill_no": number, "issued_on": day, "due_on": day + timedelta(days=20), "src_updated_at": booked}
        edit.copy("mkt_bill", n, **dated, **negative, bill_no=f"{number}R", status="REVERSED")
        edit.copy("mkt_bill", n, **dated, bill_no=f"{number}N", status="PAID")
        for row in lines.get(number, ()):
            minus = {column: edit.value("mkt_bill_line", row, column) for column in _NEGATED_LINE}
            minus = {column: None if value is None else -value for column, value in minus.items()}
            edit.copy("mkt_bill_line", row, bill_no=f"{number}R", src_updated_at=booked, **minus)
            edit.copy("mkt_bill_line", row, bill_no=f"{number}N", src_updated_at=booked)
        first = paid[number]
        amount = edit.value("mkt_payment", first, "amount")
        moves = [(number, "5", -amount, evening), (f"{number}N", "6", amount, evening)]
        for bill, tag, moved, moment in moves:
            edit.copy(
                "mkt_payment",
                first,
                pay_no=f"P{number}{tag}",
                bill_no=bill,
                amount=moved,
                paid_at=_local(moment),
                reversed_pay_no=f"P{number}1" if tag == "5" else None,
                src_updated_at=_local(
                    moment.astype("datetime64[D]").astype("datetime64[s]") + np.timedelta64(79_200, "s")
                ),
            )
    edit.apply()
    return {name: edit.table(name) for name in ("mkt_bill", "mkt_bill_line", "mkt_payment")}


def _local(moment: np.datetime64) -> datetime:
    """A local instant as the tables hold it."""
    return moment.astype("datetime64[s]").item().replace(tzinfo=_ZONE)
