"""营销, money: bills, their lines, payments and penalties as they are corrected, typed twice or made to agree."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from include.lab.second_planter.desk import Desk, Row
from include.lab.second_planter.kinds import INVENTED, LATE, MISMATCHED, MISSING, Kind, slip

DAY = timedelta(days=1)
THOUSAND = Decimal(1000)


def _is_plain(row: Row) -> bool:
    """An issued bill of this year that corrects none and is corrected by none."""
    return row["orig_bill_no"] is None and row["status"] in ("PAID", "ISSUED") and row["bill_month"] >= "202512"


def _is_closed_plain(row: Row) -> bool:
    return _is_plain(row) and row["status"] == "PAID" and row["kwh_total"] > 1000


def _lines(desk: Desk, row: Row) -> tuple[dict, ...]:
    return tuple(r.key for r in desk.find("mkt_bill_line", bill_no=row["bill_no"]))


def _bill_of(desk: Desk, row: Row) -> Row:
    return desk.one("mkt_bill", bill_no=row["bill_no"])


def _on_plain_bill(desk: Desk):
    return lambda row: _is_closed_plain(_bill_of(desk, row)) and row["kwh_read"] > 100


def _newest_bill_missing(desk: Desk, kind: Kind) -> None:
    newest = max(desk.column("mkt_bill", "bill_month"))

    def runs_on(row):
        return row["orig_bill_no"] is None and desk.one("mkt_customer", cons_no=row["cons_no"])["status"] == "NORMAL"

    for row in desk.draw(kind, "mkt_bill", runs_on, bill_month=newest):
        desk.remove(kind, row, ({"cons_no": row["cons_no"], "bill_month": newest},))
        for table in ("mkt_bill_line", "mkt_payment", "mkt_penalty"):
            desk.drop(kind, desk.find(table, bill_no=row["bill_no"]))


def _settlement_account_lost_a_digit(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_bill", _is_closed_plain):
        desk.spoil(kind, row, acct_no=row["acct_no"][:2] + row["acct_no"][3:])


def _same_month_billed_twice(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_bill", _is_closed_plain):
        number = row["bill_no"] + "9"
        desk.add(kind, row, (row.key,), bill_no=number, status="ISSUED")
        for line in desk.find("mkt_bill_line", bill_no=row["bill_no"]):
            desk.edit.copy("mkt_bill_line", line.number, bill_no=number)


def _line_of_one_rate_missing(desk: Desk, kind: Kind) -> None:
    draws = _on_plain_bill(desk)
    for row in desk.draw(kind, "mkt_bill_line", draws, rate="VALLEY"):
        desk.remove(kind, row, ({"bill_no": row["bill_no"]},))


def _previous_reading_then_made_good(desk: Desk, kind: Kind) -> None:
    """The clerk typed a wrong previous reading and corrected the energy by an addition."""
    for row in desk.draw(kind, "mkt_bill_line", _on_plain_bill(desk), rate="PEAK"):
        step = Decimal("1.0000")
        energy = step * Decimal(str(row["multiplier"]))
        desk.spoil(
            kind,
            row,
            prev_reading=row["prev_reading"] - step,
            kwh_read=row["kwh_read"] + energy,
            add_sub_kwh=row["add_sub_kwh"] - energy,
        )


def _payment_of_another_account(desk: Desk, kind: Kind) -> None:
    others = desk.shuffled(kind, "mkt_account", {})
    for row in desk.draw(kind, "mkt_payment", _is_ordinary):
        desk.spoil(kind, row, acct_no=next(r["acct_no"] for r in others if r["acct_no"] != row["acct_no"]))


def _is_ordinary(row: Row) -> bool:
    return row["bill_no"] is not None and row["reversed_pay_no"] is None and row["amount"] > 100


def _entered_twice(desk: Desk, kind: Kind) -> None:
    def is_never_reversed(row):
        return _is_ordinary(row) and not desk.find("mkt_payment", reversed_pay_no=row["pay_no"])

    for row in desk.draw(kind, "mkt_payment", is_never_reversed):
        desk.add(kind, row, (row.key,), pay_no=row["pay_no"] + "7", paid_at=row["paid_at"] + timedelta(minutes=3))


def _paid_before_the_bill(desk: Desk, kind: Kind) -> None:
    def is_paid_alone(row):
        return _is_ordinary(row) and len(desk.find("mkt_payment", bill_no=row["bill_no"])) == 1

    for row in desk.draw(kind, "mkt_payment", is_paid_alone):
        issued = _bill_of(desk, row)["issued_on"]
        days = (row["paid_at"].date() - issued).days + 12
        desk.spoil(kind, row, ({"bill_no": row["bill_no"]},), paid_at=row["paid_at"] - days * DAY)


def _read_period_with_a_gap(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_bill", _is_closed_plain):
        desk.spoil(kind, row, ({"cons_no": row["cons_no"]},), read_from=row["read_from"] + 3 * DAY)


CLASSES = [
    Kind(
        "newest-bill-missing",
        "M2",
        "mkt_bill",
        (),
        (MISSING, LATE),
        "The month's run stopped at an exception; bills of a handful of customers were never issued, with "
        "all their lines.",
        "customers whose first bill is not due yet",
        "a month's revenue of each customer",
        _newest_bill_missing,
        near=(("cons_no", "bill_month"), ("cons_no",)),
    ),
    slip(
        "two-parts-of-a-bill-compensate",
        "M4",
        "mkt_bill.energy_charge",
        (MISMATCHED,),
        "A thousand yuan were moved from funds to the energy charge so that the total need not be reversed.",
        lambda r, n: {"energy_charge": r["energy_charge"] + THOUSAND, "fund_charge": r["fund_charge"] - THOUSAND},
        lambda r: _is_closed_plain(r) and (r["fund_charge"] or 0) > 1500,
        columns=("fund_charge", "pf_adj_base"),
        others=("mkt_bill_line.charge", "mkt_bill.total_charge"),
        spared="the total of the bill, which is right",
        cost="0 yuan for the customer; 1,000 yuan of funds not passed on",
    ),
    slip(
        "energy-moved-between-rates",
        "M4",
        "mkt_bill.kwh_peak",
        (MISMATCHED,),
        "Peak and valley of the bill's head were exchanged at printing; the lines and the total are right.",
        lambda r, n: {"kwh_peak": r["kwh_valley"], "kwh_valley": r["kwh_peak"]},
        lambda r: _is_closed_plain(r) and r["kwh_peak"] is not None and r["kwh_peak"] > r["kwh_valley"] + 100,
        columns=("kwh_valley",),
        others=("mkt_bill_line.kwh_billed",),
        cost="0 yuan; shares of rates wrong",
    ),
    slip(
        "due-before-issued",
        "M5",
        "mkt_bill.due_on",
        (MISMATCHED,),
        "The term was counted backwards at a re-issue: the bill was due before it was issued.",
        lambda r, n: {"due_on": r["issued_on"] - 5 * DAY},
        _is_closed_plain,
        columns=("issued_on",),
        cost="25 days of penalty that are not owed",
    ),
    Kind(
        "bill-of-a-settlement-account-nobody-has",
        "M3",
        "mkt_bill",
        ("acct_no",),
        (MISMATCHED, MISSING),
        "The settlement account of one bill lost a digit on its way from the cashier's sheet.",
        "the bill's energy and amount, and the other bills of the account",
        "error 0; the payment of one bill cannot be matched",
        _settlement_account_lost_a_digit,
        others=("mkt_account.acct_no", "mkt_payment.acct_no"),
    ),
    Kind(
        "three-days-between-two-bills",
        "M2",
        "mkt_bill",
        ("read_from", "read_to"),
        (MISMATCHED, MISSING),
        "The reading day was moved by hand: three days are between the bill before and this one.",
        "the energy of the bill, which is right",
        "0 kWh; three days without a bill on paper",
        _read_period_with_a_gap,
        others=("met_register_freeze.reading",),
    ),
    slip(
        "power-factor-better-than-its-energy",
        "M4",
        "mkt_bill.pf_actual",
        (MISMATCHED,),
        "The power factor on the bill was typed from the month before: active and reactive energy give a worse one.",
        lambda r, n: {"pf_actual": Decimal("0.9900")},
        lambda r: _is_closed_plain(r) and r["pf_actual"] is not None and r["pf_actual"] < Decimal("0.93"),
        columns=("kvarh_fwd", "kvarh_rev", "pf_adj_pct"),
        others=("mkt_bill.pf_adj_charge",),
        cost="the adjustment of another power factor, up to some per cent of the bill",
    ),
    slip(
        "energy-per-kva-in-another-unit",
        "M4",
        "mkt_bill.kwh_per_kva",
        (MISMATCHED, INVENTED),
        "Energy per kVA was computed by MVA: a thousand times too high, above the bound for the discount.",
        lambda r, n: {"kwh_per_kva": r["kwh_per_kva"] * 1000},
        lambda r: _is_closed_plain(r) and r["kwh_per_kva"] is not None and 0 < r["kwh_per_kva"] < 200,
        columns=("kwh_total", "md_discount_charge"),
        cost="a tenth of the demand charge, were the discount given",
    ),
    slip(
        "basic-charge-is-not-quantity-times-price",
        "M4",
        "mkt_bill.basic_price",
        (MISMATCHED,),
        "The price of the other basic mode was printed beside the quantity; the charge is that of the right price.",
        lambda r, n: {"basic_price": r["basic_price"] * 2},
        lambda r: _is_closed_plain(r) and r["basic_price"] is not None and r["basic_charge"] > 1000,
        columns=("basic_charge", "basic_qty", "basic_mode"),
        cost="0 yuan; the bill cannot be explained",
    ),
    Kind(
        "same-month-billed-twice",
        "M8",
        "mkt_bill",
        ("bill_no", "bill_month", "read_from"),
        (INVENTED, MISMATCHED),
        "A run was repeated after a fault: the month's bill appears a second time under another number, "
        "correcting none.",
        "a corrected bill that names the one it corrects",
        "a whole month's bill too many",
        _same_month_billed_twice,
        near=(("cons_no", "bill_month"),),
    ),
    Kind(
        "line-of-one-rate-missing",
        "M2",
        "mkt_bill_line",
        (),
        (MISSING, MISMATCHED),
        "The valley line of a bill was lost in transfer; the head of the bill still counts it.",
        "the other lines of the bill",
        "0 yuan for the customer; the line's energy cannot be explained",
        _line_of_one_rate_missing,
        near=(("bill_no",),),
    ),
    slip(
        "price-with-the-point-moved",
        "M4",
        "mkt_bill_line.price",
        (MISMATCHED, INVENTED),
        "The price of a line was printed as a tenth; its charge is that of the right price.",
        lambda r, n: {"price": r["price"] / 10},
        lambda r: r["charge"] is not None and r["charge"] > 500 and r["bill_no"] >= "2026",
        columns=("charge", "kwh_billed"),
        cost="0 yuan; the line cannot be explained",
    ),
    slip(
        "present-reading-transposed",
        "M4",
        "mkt_bill_line.curr_reading",
        (MISMATCHED,),
        "Two digits of the present reading were exchanged on paper; the energy was computed from the right one.",
        lambda r, n: {"curr_reading": r["curr_reading"] + 27},
        lambda r: r["bill_no"] >= "2026" and r["kwh_read"] > 100,
        equals={"rate": "FLAT"},
        columns=("kwh_read", "prev_reading"),
        others=("met_register_freeze.reading",),
        near=(("bill_no",), ("meter_asset_no",)),
        cost="27 kWh of register times the multiplier, if the next bill starts from it",
    ),
    Kind(
        "previous-reading-made-good-by-an-addition",
        "M7",
        "mkt_bill_line",
        ("prev_reading", "add_sub_kwh", "kwh_read"),
        (MISMATCHED,),
        "A wrong previous reading was typed and the energy corrected by an addition: the line adds up, the "
        "readings do not join.",
        "the billed energy and the charge, which are right",
        "0 kWh, 0 yuan",
        _previous_reading_then_made_good,
        others=("met_register_freeze.reading", "mkt_bill_line.curr_reading"),
        near=(("bill_no",),),
    ),
    Kind(
        "payment-of-another-account",
        "M3",
        "mkt_payment",
        ("acct_no", "bill_no"),
        (MISMATCHED,),
        "The cashier picked the bill of one customer and the settlement account of another.",
        "the bill and both accounts",
        "the amount is credited to the wrong account",
        _payment_of_another_account,
        others=("mkt_bill.acct_no",),
    ),
    Kind(
        "payment-entered-twice",
        "M8",
        "mkt_payment",
        ("pay_no", "amount", "paid_at", "bill_no"),
        (INVENTED, MISMATCHED),
        "The screen froze and the cashier entered the payment again: three minutes later, under a new number.",
        "bills that are paid in two parts",
        "one payment too many",
        _entered_twice,
        near=(("bill_no",),),
        others=("mkt_bill.total_charge",),
    ),
    Kind(
        "paid-before-the-bill-was-issued",
        "M5",
        "mkt_payment",
        ("paid_at",),
        (MISMATCHED, INVENTED),
        "The date of a payment was typed a month early: the bill was paid before it was issued.",
        "prepayments, which name no bill",
        "0 yuan; days of delay",
        _paid_before_the_bill,
        others=("mkt_bill.issued_on",),
    ),
    slip(
        "payment-a-hundredfold",
        "M6",
        "mkt_payment.amount",
        (MISMATCHED, INVENTED),
        "The bank's file is in fen, this line was taken for yuan: a hundred times the bill.",
        lambda r, n: {"amount": r["amount"] * 100},
        lambda r: _is_ordinary(r) and r["amount"] < 5_000_000,
        columns=("bill_no",),
        others=("mkt_bill.total_charge", "mkt_bill.status"),
        near=(("bill_no",),),
        cost="99 times the payment",
    ),
    slip(
        "reversal-with-a-plus",
        "M4",
        "mkt_payment.amount",
        (MISMATCHED, INVENTED),
        "A reversal was booked with a plus: it pays the bill again instead of taking the payment back.",
        lambda r, n: {"amount": -r["amount"]},
        lambda r: r["reversed_pay_no"] is not None and r["amount"] < 0,
        columns=("reversed_pay_no",),
        others=("mkt_bill.status", "mkt_bill.total_charge"),
        near=(("bill_no",),),
        cost="twice the payment",
    ),
    slip(
        "penalty-days-are-not-the-days",
        "M4",
        "mkt_penalty.late_days",
        (MISMATCHED,),
        "Days of penalty were counted in working days; the period and the amount are in calendar days.",
        lambda r, n: {"late_days": r["late_days"] * 5 // 7},
        lambda r: r["late_days"] >= 7,
        columns=("from_date", "to_date", "penalty_yuan"),
        cost="0 yuan while the amount is right",
    ),
    slip(
        "penalty-rate-in-percent",
        "M6",
        "mkt_penalty.penalty_rate",
        (MISMATCHED, INVENTED),
        "The daily rate of two per mille was typed as two per cent; the amount is by the right rate.",
        lambda r, n: {"penalty_rate": r["penalty_rate"] * 10},
        columns=("penalty_yuan",),
        cost="nine times the penalty, were it computed again",
    ),
    slip(
        "waived-without-a-reason",
        "M2",
        "mkt_penalty.waive_reason",
        (MISSING, INVENTED, MISMATCHED),
        "A penalty was waived and the reason left empty.",
        lambda r, n: {"waive_reason": None},
        lambda r: r["waived"] and r["waive_reason"] is not None,
        columns=("waived", "penalty_yuan"),
        cost="the penalty that was waived",
    ),
]
