"""营销, planned outages: plans, the customers they touch and the notices they owe."""

from __future__ import annotations

from datetime import timedelta

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, LATE, MISMATCHED, MISSING, UNNAMED, Kind, slip

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _plan(desk: Desk, row):
    return desk.one("mkt_outage_plan", plan_no=row["plan_no"])


def _customer_on_another_feeder(desk: Desk, kind: Kind) -> None:
    points = [r for r in desk.shuffled(kind, "mkt_mp", {}) if r["valid_to"] is None]
    for row in desk.draw(kind, "mkt_outage_affected", lambda r: r["exception_code"] is None):
        feeder = _plan(desk, row)["feeder_no"]
        stranger = next(
            p
            for p in points
            if all(q["feeder_no"] != feeder for q in desk.find("mkt_mp", cons_no=p["cons_no"]))
            and not desk.find("mkt_outage_affected", plan_no=row["plan_no"], cons_no=p["cons_no"])
        )
        desk.add(kind, row, cons_no=stranger["cons_no"], exception_code="OWN_REQUEST")


def _customer_forgotten(desk: Desk, kind: Kind) -> None:
    def was_told(row):
        return row["exception_code"] is None and _plan(desk, row)["status"] == "DONE"

    for row in desk.draw(kind, "mkt_outage_affected", was_told):
        notices = desk.find("mkt_outage_notice", plan_no=row["plan_no"], cons_no=row["cons_no"])
        desk.drop(kind, notices)
        desk.remove(kind, row)


def _tells_another_hour(desk: Desk, kind: Kind) -> None:
    def is_current(row):
        plan = _plan(desk, row)
        return plan["plan_version"] == row["plan_version"] and plan["planned_start"] == row["planned_start"]

    for row in desk.draw(kind, "mkt_outage_notice", is_current, channel="SMS"):
        desk.spoil(kind, row, ({"plan_no": row["plan_no"]},), planned_start=row["planned_start"] + HOUR)


def _call_never_made(desk: Desk, kind: Kind) -> None:
    """The call half an hour before: deleted, with every other call to the customer about the plan."""
    for row in desk.draw(kind, "mkt_outage_notice", lambda r: _plan(desk, r)["status"] == "DONE", channel="PHONE"):
        calls = desk.find("mkt_outage_notice", plan_no=row["plan_no"], cons_no=row["cons_no"], channel="PHONE")
        desk.drop(kind, [call for call in calls if call.number != row.number])
        desk.remove(kind, row, ({"plan_no": row["plan_no"], "cons_no": row["cons_no"]},))


CLASSES = [
    slip(
        "done-and-nobody-knows-when",
        "M2",
        "mkt_outage_plan.actual_start",
        (MISSING, MISMATCHED),
        "A plan was closed as done, the actual times were never entered.",
        lambda r, n: {"actual_start": None, "actual_end": None},
        lambda r: r["status"] == "DONE" and r["actual_start"] is not None,
        columns=("actual_end", "status"),
        cost="none in kWh; the hours of an outage",
    ),
    Kind(
        "customer-of-another-feeder-on-the-list",
        "M10",
        "mkt_outage_affected",
        ("cons_no",),
        (MISMATCHED, INVENTED),
        "The list of affected customers was made before re-hanging: a customer of another feeder is on it.",
        "customers with a second supply from the feeder",
        "none in kWh; a customer is warned for nothing",
        _customer_on_another_feeder,
        others=("mkt_mp.feeder_no", "mkt_outage_plan.feeder_no", "met_measuring_point.feeder_no"),
        near=(("plan_no",),),
    ),
    Kind(
        "customer-of-the-feeder-forgotten",
        "M10",
        "mkt_outage_affected",
        (),
        (MISSING, MISMATCHED),
        "A customer of the feeder is missing from the list and was never told; his meter was dark all the same.",
        "customers who asked for no notices",
        "none in kWh; an outage without notice",
        _customer_forgotten,
        near=(("plan_no", "cons_no"), ("cons_no",)),
    ),
    Kind(
        "notice-tells-another-hour",
        "M10",
        "mkt_outage_notice",
        ("planned_start",),
        (MISMATCHED,),
        "The message was typed by hand and tells an hour later than the plan of the same version.",
        "notices of the plan's earlier version",
        "none in kWh; a works that stops an hour too late",
        _tells_another_hour,
        others=("mkt_outage_plan.planned_start",),
    ),
    slip(
        "delivered-before-it-was-sent",
        "M5",
        "mkt_outage_notice.delivered_at",
        (MISMATCHED, INVENTED),
        "The provider's receipt carries another clock: delivered twenty minutes before it was sent.",
        lambda r, n: {"delivered_at": r["sent_at"] - 20 * MINUTE},
        lambda r: r["delivered_at"] is not None and r["confirmed_at"] is None,
        columns=("sent_at",),
    ),
    slip(
        "confirmed-by-the-caller",
        UNNAMED,
        "mkt_outage_notice.confirmed_by",
        (INVENTED, MISMATCHED),
        "Nobody answered; the operator entered the own staff number as the person who confirmed.",
        lambda r, n: {"confirmed_by": r["operator_no"]},
        lambda r: r["confirmed_at"] is not None and r["operator_no"] is not None,
        columns=("operator_no",),
    ),
    Kind(
        "call-never-made",
        "M2",
        "mkt_outage_notice",
        (),
        (MISSING, LATE),
        "The call before a planned outage was never made: of all notices that the customer was owed it is "
        "the one missing.",
        "customers who asked for no notices",
        "none in kWh; a promise to a key account",
        _call_never_made,
        near=(("plan_no", "cons_no"),),
    ),
]
