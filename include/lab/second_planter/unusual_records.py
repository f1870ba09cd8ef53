"""Valid but unusual records of service, money and contracts: at once, at the last minute, of nothing, of all, in
parts.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import Unusual, unusual

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _answered_at_once(row, _) -> dict:
    at = row["accepted_at"]
    times = ("dispatched_at", "first_contact_at", "replied_at", "closed_at")
    return {
        **{c: at + (n + 1) * 20 * SECOND for n, c in enumerate(times)},
        "work_min": 1,
        "src_updated_at": at + 2 * MINUTE,
    }


def _caller_unknown(desk: Desk, kind: Unusual) -> None:
    def is_alone(row):
        number = row["ticket_no"]
        return row["reopen_of"] is None and not (
            desk.find("mkt_survey", ticket_no=number)
            or desk.find("mkt_manager_visit", case_no=number)
            or desk.find("mkt_corrective_action", case_no=number)
            or desk.find("mkt_ticket", reopen_of=number)
        )

    for row in desk.draw(kind, "mkt_ticket", is_alone, ticket_type="ENQUIRY"):
        desk.spoil(kind, row, cons_no=None)


def _inspected_on_a_sunday(desk: Desk, kind: Unusual) -> None:
    def is_free(row):
        return (
            row["done_on"] is not None
            and row["done_on"].weekday() == 5
            and not desk.find("mkt_hazard", insp_no=row["insp_no"])
        )

    for row in desk.draw(kind, "mkt_inspection", is_free):
        later = row["src_updated_at"] + DAY
        desk.spoil(kind, row, done_on=row["done_on"] + DAY, src_updated_at=later)


def _rectified_on_the_spot(desk: Desk, kind: Unusual) -> None:
    for row in desk.draw(kind, "mkt_hazard", lambda r: r["rectified_on"] is not None and r["recheck_result"] == "PASS"):
        found = desk.one("mkt_inspection", insp_no=row["insp_no"])["done_on"]
        desk.spoil(kind, row, rectified_on=found)


def _paid_to_the_last_fen(desk: Desk, kind: Unusual) -> None:
    """A bill paid in two parts, of which the second is one fen."""

    def has_two(row):
        parts = desk.find("mkt_payment", bill_no=row["bill_no"]) if row["bill_no"] else []
        return len(parts) == 2 and all(p["reversed_pay_no"] is None and p["amount"] > 1 for p in parts)

    for row in desk.draw(kind, "mkt_payment", has_two):
        first, second = sorted(
            desk.find("mkt_payment", bill_no=row["bill_no"]), key=lambda p: (p["paid_at"], p["pay_no"])
        )
        total = first["amount"] + second["amount"]
        desk.fit(kind, first, amount=total - Decimal("0.01"))
        desk.fit(kind, second, amount=Decimal("0.01"))
        desk.note(kind, second, (first.key,), second.key)


def _paid_in_the_last_second(desk: Desk, kind: Unusual) -> None:
    def fits(row):
        return row["bill_no"] is not None and row["reversed_pay_no"] is None and row["amount"] > 0

    for row in desk.draw(kind, "mkt_payment", fits):
        late = row["paid_at"].replace(hour=23, minute=59, second=58)
        desk.spoil(kind, row, paid_at=late, src_updated_at=late + 90 * SECOND)


def _paid_before_any_bill(desk: Desk, kind: Unusual) -> None:
    for row in desk.draw(kind, "mkt_payment", lambda r: r["bill_no"] is not None and r["amount"] > 0):
        desk.add(
            kind, row, pay_no=row["pay_no"] + "Y", bill_no=None, amount=Decimal("5000.00"), paid_at=row["paid_at"] + DAY
        )


def _exactly_as_agreed(desk: Desk, kind: Unusual) -> None:
    """Months without a trade curve, which would have to change too."""

    def has_no_curve(row):
        return not desk.find("con_trade_curve", agree_no=row["agree_no"], trade_month=row["trade_month"])

    for row in desk.draw(kind, "con_trade_settle", has_no_curve):
        desk.spoil(kind, row, contract_mwh=row["actual_mwh"], deviation_mwh=Decimal(0), penalty_yuan=Decimal(0))


def _signed_on_its_first_day(desk: Desk, kind: Unusual) -> None:
    def is_first(row):
        return row["status"] == "EFFECTIVE" and row["version"] == 1

    for row in desk.draw(kind, "con_contract", is_first):
        desk.spoil(kind, row, signed_on=row["valid_from"])


KINDS = [
    unusual(
        "enquiry-answered-at-once",
        "mkt_ticket.closed_at",
        "accepted, answered and closed within eighty seconds",
        "a question about a bill is answered while the caller waits",
        _answered_at_once,
        lambda r: r["closed_at"] is not None and r["reopen_of"] is None,
        equals={"ticket_type": "ENQUIRY"},
        columns=("dispatched_at", "first_contact_at", "replied_at", "work_min"),
    ),
    Unusual(
        "caller-is-no-customer",
        "mkt_ticket",
        ("cons_no",),
        "a ticket without a customer",
        "null if the caller is not a known customer",
        _caller_unknown,
        "contract of mkt_ticket",
    ),
    Unusual(
        "inspected-on-a-sunday",
        "mkt_inspection",
        ("done_on",),
        "an inspection on a Sunday",
        "works are inspected when they stand still",
        _inspected_on_a_sunday,
    ),
    Unusual(
        "rectified-on-the-spot",
        "mkt_hazard",
        ("rectified_on",),
        "rectified on the day it was found",
        "a missing label is put on at once",
        _rectified_on_the_spot,
    ),
    unusual(
        "action-closed-on-the-day",
        "mkt_corrective_action.closed_on",
        "found and closed on one day",
        "the missing record lay on the desk",
        lambda r, n: {"closed_on": r["found_on"]},
        lambda r: r["closed_on"] is not None,
    ),
    unusual(
        "full-marks-in-one-dimension",
        "mkt_manager_assessment.raw_score",
        "100.00",
        "the highest score can be reached",
        lambda r, n: {"raw_score": Decimal("100.00")},
        equals={"dimension": "ETHICS"},
    ),
    unusual(
        "no-training-yet",
        "mkt_manager.training_hours_12m",
        "0 hours of training",
        "a year without a course is a fact, not a gap",
        lambda r, n: {"training_hours_12m": Decimal(0)},
        lambda r: r["status"] == "ACTIVE",
    ),
    Unusual(
        "paid-but-for-one-fen",
        "mkt_payment",
        ("amount",),
        "a second payment of 0.01 yuan",
        "a difference of rounding is paid later",
        _paid_to_the_last_fen,
        near=(("bill_no",),),
    ),
    Unusual(
        "paid-two-seconds-to-midnight",
        "mkt_payment",
        ("paid_at",),
        "23:59:58",
        "payment on line never closes",
        _paid_in_the_last_second,
    ),
    Unusual(
        "paid-before-any-bill",
        "mkt_payment",
        ("bill_no",),
        "a payment that names no bill",
        "null for a prepayment",
        _paid_before_any_bill,
        "contract of mkt_payment",
    ),
    unusual(
        "penalty-waived-with-a-long-reason",
        "mkt_penalty.waive_reason",
        "a paragraph",
        "who waives should say why",
        lambda r, n: {
            "waive_reason": r["waive_reason"] + ";客户因银行系统升级代扣失败,次日主动补缴,经分管负责人批准" * 3
        },
        lambda r: r["waive_reason"] is not None,
    ),
    unusual(
        "notice-delivered-in-the-same-second",
        "mkt_outage_notice.delivered_at",
        "sent and delivered in one second",
        "the gateway answers at once",
        lambda r, n: {"delivered_at": r["sent_at"]},
        lambda r: r["delivered_at"] is not None and r["confirmed_at"] is None,
        equals={"channel": "APP"},
    ),
    unusual(
        "plan-over-midnight",
        "mkt_outage_plan.planned_end",
        "planned to end the day after",
        "work on a cable joint takes the night; it ended earlier",
        lambda r, n: {"planned_end": r["planned_end"] + 14 * HOUR},
        lambda r: r["status"] == "DONE",
    ),
    unusual(
        "message-sent-in-the-second-it-was-queued",
        "mkt_notification.sent_at",
        "queued and sent in one second",
        "an empty queue",
        lambda r, n: {"sent_at": r["queued_at"]},
        lambda r: r["sent_at"] is not None,
    ),
    Unusual(
        "settled-exactly-as-agreed",
        "con_trade_settle",
        ("contract_mwh", "deviation_mwh"),
        "deviation 0, penalty 0",
        "the contract quantity was set after the fact, as the rules of the market allow at month's end",
        _exactly_as_agreed,
        near=(("agree_no", "trade_month"),),
    ),
    unusual(
        "spread-below-zero",
        "con_trade_agreement.price_yuan_mwh",
        "-12.5 yuan per MWh",
        "a spread may be negative",
        lambda r, n: {"price_yuan_mwh": Decimal("-12.5000") - n},
        lambda r: r["price_kind"] == "SPREAD" and r["valid_to"] is not None and r["valid_to"] < date(2024, 10, 1),
        source="contract of con_trade_agreement: price, or spread for SPREAD",
    ),
    unusual(
        "all-green",
        "con_trade_agreement.green_share",
        "a green share of 1",
        "some exporters buy green energy only",
        lambda r, n: {"green_share": Decimal(1)},
        lambda r: r["green_share"] is not None,
    ),
    Unusual(
        "signed-on-its-first-day",
        "con_contract",
        ("signed_on",),
        "signed on the first day of validity",
        "signed at the desk on the day of connection",
        _signed_on_its_first_day,
    ),
    unusual(
        "eleven-kva",
        "mkt_supply_security.sensitive_load_kva",
        "11 kVA, twice the same digit",
        "one rack of controls; a UPS of 11 kVA is a catalogue size",
        lambda r, n: {"sensitive_load_kva": Decimal(11), "ups_kva": Decimal(11)},
        lambda r: r["sensitive_load_kva"] is not None,
        columns=("ups_kva",),
    ),
    unusual(
        "own-generation-of-eleven-kva",
        "con_contract.self_gen_kva",
        "11 kVA",
        "an emergency set for lighting",
        lambda r, n: {"self_gen_kva": Decimal(11)},
        lambda r: r["status"] == "EFFECTIVE" and r["self_gen_kva"] == 0 and r["security_load_kva"] == 0,
    ),
]
