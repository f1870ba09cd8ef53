"""营销, service: applications and their stages, tickets, surveys and messages."""

from __future__ import annotations

from datetime import timedelta

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, Kind, slip

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def _stages(desk: Desk, row) -> list:
    return sorted(desk.find("mkt_app_stage", app_no=row["app_no"]), key=lambda r: r["stage_seq"])


def _accepted_after_the_first_stage(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_application", lambda r: r["status"] == "DONE"):
        first = _stages(desk, row)[0]
        desk.spoil(kind, row, (first.key,), accepted_at=first["end_at"] + 2 * DAY)


def _done_without_its_last_stage(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_app_stage", lambda r: r["end_at"] is not None, stage="ARCHIVE"):
        desk.remove(kind, row, ({"app_no": row["app_no"]},))


def _a_stage_in_the_middle_missing(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_app_stage", lambda r: r["return_to_stage"] is None, stage="VERIFY"):
        desk.remove(kind, row, ({"app_no": row["app_no"]},))


def _begins_before_the_one_before_ends(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_app_stage", lambda r: r["stage_seq"] >= 3 and r["end_at"] is not None):
        before = next(r for r in _stages(desk, row) if r["stage_seq"] == row["stage_seq"] - 1)
        desk.spoil(kind, row, (before.key,), start_at=before["start_at"] + HOUR / 2)


def _all_at_a_minute_to_midnight(desk: Desk, kind: Kind) -> None:
    """Every stage that one handler ended, of those that no other class has touched."""
    handlers = [h for h in desk.column("mkt_app_stage", "handler_no") if h]
    busiest = max(sorted(set(handlers)), key=handlers.count)
    for row in desk.find("mkt_app_stage", handler_no=busiest):
        if row["end_at"] is None or ("mkt_app_stage", row.number) in desk.claimed:
            continue
        after = [r for r in _stages(desk, row) if r["stage_seq"] == row["stage_seq"] + 1]
        if any(r["start_at"].date() == row["end_at"].date() for r in after):
            continue
        desk.claim(row, kind)
        desk.spoil(
            kind,
            row,
            ({"handler_no": busiest},),
            end_at=row["end_at"].replace(hour=23, minute=59, second=0, microsecond=0),
        )


def _ticket_typed_again(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_ticket", lambda r: r["cons_no"] is not None and r["closed_at"] is not None):
        desk.add(kind, row, (row.key,), ticket_no=row["ticket_no"] + "A", accepted_at=row["accepted_at"] + 2 * MINUTE)


def _arrivals_a_minute_before_the_promise(desk: Desk, kind: Kind) -> None:
    """44 minutes after acceptance to the second, for a dozen faults in town whose crews came later or earlier."""

    def fits(row):
        return (
            row["arrived_at"] is not None
            and row["restored_at"] > row["accepted_at"] + 45 * MINUTE
            and row["dispatched_at"] < row["accepted_at"] + 40 * MINUTE
        )

    for row in desk.draw(kind, "mkt_ticket", fits, 12, ticket_type="FAULT", apart=False):
        desk.spoil(kind, row, ({"dept_no": row["dept_no"]},), arrived_at=row["accepted_at"] + 44 * MINUTE)


def _reopens_a_ticket_of_somebody_else(desk: Desk, kind: Kind) -> None:
    others = [r for r in desk.shuffled(kind, "mkt_ticket", {}) if r["reopen_of"] is None and r["cons_no"]]
    for row in desk.draw(kind, "mkt_ticket", lambda r: r["reopen_of"] is not None):
        other = next(r for r in others if r["cons_no"] != row["cons_no"] and r["accepted_at"] < row["accepted_at"])
        desk.spoil(kind, row, reopen_of=other["ticket_no"])


def _survey_about_somebody_else(desk: Desk, kind: Kind) -> None:
    others = [r["cons_no"] for r in desk.shuffled(kind, "mkt_customer", {})]
    for row in desk.draw(kind, "mkt_survey", lambda r: r["ticket_no"] is not None, q_code="Q1"):
        desk.spoil(kind, row, cons_no=next(c for c in others if c != row["cons_no"]))


def _survey_before_its_ticket(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_survey", lambda r: r["ticket_no"] is not None, q_code="Q2"):
        ticket = desk.one("mkt_ticket", ticket_no=row["ticket_no"])
        desk.spoil(kind, row, (ticket.key,), answered_at=ticket["accepted_at"] - 2 * DAY)


def _full_marks_by_one_collector(desk: Desk, kind: Kind) -> None:
    """One collector answers for the customers: three tens for each of fourteen customers, in one evening."""
    collectors = desk.column("mkt_survey", "collector_no")
    busiest = max(sorted(set(collectors)), key=collectors.count)
    surveys = desk.draw(kind, "mkt_survey", lambda r: r["collector_no"] == busiest, 14, q_code="Q3")
    evening = max(r["answered_at"] for r in surveys).replace(hour=20, minute=0, second=0)
    for number, first in enumerate(surveys):
        for row in desk.find("mkt_survey", survey_id=first["survey_id"]):
            values = {"score": 10, "answered_at": evening + number * MINUTE}
            if row.number == first.number:
                desk.spoil(kind, row, ({"collector_no": busiest},), **values)
            elif ("mkt_survey", row.number) not in desk.claimed:
                desk.fit(kind, row, **values)


CLASSES = [
    Kind(
        "accepted-after-its-first-stage",
        "M5",
        "mkt_application",
        ("accepted_at",),
        (MISMATCHED, INVENTED),
        "The date of acceptance was moved so that the promise was kept; the first stage had ended two days earlier.",
        "the stages, whose times are right",
        "none in kWh; two days of a service clock",
        _accepted_after_the_first_stage,
        others=("mkt_app_stage.start_at", "mkt_app_stage.end_at"),
    ),
    Kind(
        "done-without-its-last-stage",
        "M2",
        "mkt_app_stage",
        (),
        (MISSING, MISMATCHED),
        "Applications are done and were never archived: the last stage has no record.",
        "applications that are still open",
        "none in kWh",
        _done_without_its_last_stage,
        near=(("app_no",),),
    ),
    Kind(
        "survey-of-the-site-skipped",
        "M2",
        "mkt_app_stage",
        (),
        (MISSING, MISMATCHED),
        "The verification on site never took place and has no record; the scheme follows at once.",
        "the stages that took place",
        "none in kWh",
        _a_stage_in_the_middle_missing,
        near=(("app_no",),),
    ),
    slip(
        "clock-stopped-longer-than-the-stage",
        "M4",
        "mkt_app_stage.suspend_min",
        (MISMATCHED, INVENTED),
        "To keep the promise the clock was stopped for more minutes than the stage lasted.",
        lambda r, n: {"suspend_min": int((r["end_at"] - r["start_at"]).total_seconds() // 60) + 600},
        lambda r: r["end_at"] is not None,
        columns=("start_at", "end_at"),
        cost="none in kWh; a missed promise counts as kept",
    ),
    Kind(
        "begins-before-the-stage-before-ended",
        "M5",
        "mkt_app_stage",
        ("start_at",),
        (MISMATCHED, INVENTED),
        "Stages were typed afterwards from memory: one starts while the one before still runs.",
        "stages that follow at once",
        "none in kWh; hand-over times below zero",
        _begins_before_the_one_before_ends,
        others=("mkt_app_stage.end_at",),
        near=(("app_no",),),
    ),
    Kind(
        "stages-ended-at-a-minute-to-midnight",
        "M8",
        "mkt_app_stage",
        ("end_at",),
        (INVENTED,),
        "One handler closes all stages at 23:59 of the last allowed day.",
        "the stages of other handlers",
        "none in kWh; working times are invented",
        _all_at_a_minute_to_midnight,
    ),
    Kind(
        "ticket-typed-again",
        "M8",
        "mkt_ticket",
        ("ticket_no", "accepted_at", "cons_no"),
        (INVENTED, MISMATCHED),
        "A call was typed a second time two minutes later; both tickets were closed with the same times.",
        "a ticket that reopens another",
        "a complaint or a fault counted twice",
        _ticket_typed_again,
    ),
    Kind(
        "arrivals-a-minute-before-the-promise",
        "M8",
        "mkt_ticket",
        ("arrived_at",),
        (INVENTED,),
        "Arrivals were typed at the desk: 44 minutes after acceptance, a minute before the promise of 45, a "
        "dozen times.",
        "arrivals that happen to take 44 minutes once",
        "none in kWh; the share of promises kept",
        _arrivals_a_minute_before_the_promise,
        near=(("dept_no",),),
    ),
    slip(
        "working-time-longer-than-the-ticket",
        "M4",
        "mkt_ticket.work_min",
        (MISMATCHED, INVENTED),
        "Working time was entered in seconds: more minutes than there are between acceptance and closure.",
        lambda r, n: {"work_min": int((r["closed_at"] - r["accepted_at"]).total_seconds() // 60) * 3 + 5000},
        lambda r: r["closed_at"] is not None and r["work_min"] is not None,
        columns=("closed_at",),
    ),
    Kind(
        "reopens-a-ticket-of-somebody-else",
        "M3",
        "mkt_ticket",
        ("reopen_of", "cons_no"),
        (MISMATCHED,),
        "The number of the reopened ticket was read off the wrong line: it belongs to another customer.",
        "the ticket that is named",
        "none in kWh; the reopening rate of another customer",
        _reopens_a_ticket_of_somebody_else,
    ),
    slip(
        "score-above-its-scale",
        "M4",
        "mkt_survey.score",
        (MISMATCHED, INVENTED),
        "Old questionnaires have five points; the answers were entered on the scale of ten.",
        lambda r, n: {"score_scale": 5},
        lambda r: r["score"] > 6,
        equals={"score_scale": 10},
        columns=("score_scale",),
    ),
    Kind(
        "survey-about-somebody-else",
        "M3",
        "mkt_survey",
        ("cons_no", "ticket_no"),
        (MISMATCHED,),
        "The customer number of a survey was typed from the list; the ticket it asks about is another customer's.",
        "the ticket",
        "none in kWh; satisfaction of two customers",
        _survey_about_somebody_else,
        others=("mkt_ticket.cons_no",),
        near=(("survey_id",),),
    ),
    Kind(
        "answered-before-the-call",
        "M5",
        "mkt_survey",
        ("answered_at",),
        (MISMATCHED, INVENTED),
        "A survey was answered two days before the customer called.",
        "the ticket",
        "none in kWh",
        _survey_before_its_ticket,
        others=("mkt_ticket.accepted_at", "mkt_ticket.closed_at"),
    ),
    Kind(
        "one-collector-full-marks-one-evening",
        "M8",
        "mkt_survey",
        ("score", "answered_at", "collector_no"),
        (INVENTED,),
        "A collector filled in fourteen questionnaires at home: all tens, a minute apart, in one evening.",
        "customers who are content",
        "none in kWh; the satisfaction of an office",
        _full_marks_by_one_collector,
        near=(("collector_no",),),
    ),
    slip(
        "message-sent-before-it-was-queued",
        "M5",
        "mkt_notification.sent_at",
        (MISMATCHED, INVENTED),
        "The gateway's clock is wrong: a message was sent hours before it was queued.",
        lambda r, n: {"sent_at": r["queued_at"] - 5 * HOUR},
        lambda r: r["sent_at"] is not None,
        columns=("queued_at",),
    ),
]
