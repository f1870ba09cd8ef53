"""营销, the utility's own people and what they inspect: managers, visits, inspections, hazards, violations, ratings,
access.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from include.lab.second_planter.days import ZONE
from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, UNNAMED, Kind, slip

MINUTE, DAY, YEAR = timedelta(minutes=1), timedelta(days=1), timedelta(days=365)


def _two_first_managers(desk: Desk, kind: Kind) -> None:
    def was_followed(row):
        later = desk.find("mkt_manager_assign", cons_no=row["cons_no"], assign_role="PRIMARY")
        return row["valid_to"] is not None and any(r["valid_from"] == row["valid_to"] + DAY for r in later)

    for row in desk.draw(kind, "mkt_manager_assign", was_followed, assign_role="PRIMARY"):
        later = tuple(
            r.key
            for r in desk.find("mkt_manager_assign", cons_no=row["cons_no"], assign_role="PRIMARY")
            if r.number != row.number
        )
        desk.spoil(kind, row, later, valid_to=None)


def _managed_by_one_who_left(desk: Desk, kind: Kind) -> None:
    gone = [r for r in desk.rows("mkt_manager") if r["status"] == "LEFT"]
    for number, row in enumerate(
        desk.draw(kind, "mkt_manager_assign", lambda r: r["valid_to"] is None, assign_role="BACKUP")
    ):
        desk.spoil(kind, row, (row.key,), manager_no=gone[number % len(gone)]["manager_no"])


def _visits_on_the_hour(desk: Desk, kind: Kind) -> None:
    """Every visit of one manager that no other class has touched: at nine sharp, sixty minutes."""
    managers = desk.column("mkt_manager_visit", "manager_no")
    busiest = max(sorted(set(managers)), key=managers.count)
    for row in desk.find("mkt_manager_visit", manager_no=busiest):
        if ("mkt_manager_visit", row.number) in desk.claimed or row["case_no"] is not None:
            continue
        desk.claim(row, kind)
        nine = row["visited_at"].replace(hour=9, minute=0, second=0, microsecond=0)
        desk.spoil(kind, row, ({"manager_no": busiest},), visited_at=nine, work_min=60)


def _one_summary_for_all(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_manager_visit", lambda r: r["summary"] is not None, 10):
        desk.spoil(kind, row, summary="客户用电正常,无意见,已告知安全用电注意事项,客户表示满意")


def _visit_for_a_case_of_another(desk: Desk, kind: Kind) -> None:
    tickets = [r for r in desk.shuffled(kind, "mkt_ticket", {}) if r["cons_no"]]
    for row in desk.draw(kind, "mkt_manager_visit", lambda r: True, case_kind="TICKET"):
        other = next(t for t in tickets if t["cons_no"] != row["cons_no"] and t["accepted_at"] < row["visited_at"])
        desk.spoil(kind, row, case_no=other["ticket_no"])


def _visited_before_the_manager_was_posted(desk: Desk, kind: Kind) -> None:
    def fits(row):
        return row["case_no"] is None

    for row in desk.draw(kind, "mkt_manager_visit", fits):
        posted = desk.one("mkt_manager", manager_no=row["manager_no"])["posted_on"]
        before = datetime(posted.year, posted.month, posted.day, 10, 17, 41, tzinfo=ZONE) - 100 * DAY
        desk.spoil(kind, row, ({"manager_no": row["manager_no"]},), visited_at=before)


def _same_result_for_all(desk: Desk, kind: Kind) -> None:
    """One inspector, one text, eight customers."""
    inspectors = desk.column("mkt_inspection", "inspector_no")
    busiest = max(sorted({i for i in inspectors if i}), key=inspectors.count)
    for row in desk.draw(kind, "mkt_inspection", lambda r: r["result_text"] is not None, 8, inspector_no=busiest):
        desk.spoil(
            kind,
            row,
            ({"inspector_no": busiest},),
            result_text="检查正常:各设备运行良好,实测温度40度,接地电阻4.0欧,未发现隐患",
        )


def _rectified_before_it_was_found(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_hazard", lambda r: r["rectified_on"] is not None):
        found = desk.one("mkt_inspection", insp_no=row["insp_no"])["done_on"]
        desk.spoil(kind, row, ({"insp_no": row["insp_no"]},), rectified_on=found - 6 * DAY)


def _scores_of_the_quarter_before(desk: Desk, kind: Kind) -> None:
    """All six dimensions of five managers repeat those of the quarter before."""
    newest = max(desk.column("mkt_manager_assessment", "period"))
    earlier = max(p for p in desk.column("mkt_manager_assessment", "period") if p < newest)

    def has_both(row):
        return len(desk.find("mkt_manager_assessment", manager_no=row["manager_no"], period=earlier)) == 6

    for first in desk.draw(kind, "mkt_manager_assessment", has_both, period=newest, dimension="KNOWLEDGE"):
        for row in desk.find("mkt_manager_assessment", manager_no=first["manager_no"], period=newest):
            like = desk.one(
                "mkt_manager_assessment", manager_no=first["manager_no"], period=earlier, dimension=row["dimension"]
            )
            if row.number == first.number:
                desk.spoil(kind, row, (like.key,), raw_score=like["raw_score"])
            else:
                desk.fit(kind, row, raw_score=like["raw_score"])


def _two_tiers_at_once(desk: Desk, kind: Kind) -> None:
    def was_followed(row):
        later = desk.find("mkt_service_tier", cons_no=row["cons_no"])
        return row["valid_to"] is not None and any(r["valid_from"] == row["valid_to"] + DAY for r in later)

    for row in desk.draw(kind, "mkt_service_tier", was_followed):
        later = tuple(r.key for r in desk.find("mkt_service_tier", cons_no=row["cons_no"]) if r.number != row.number)
        desk.spoil(kind, row, later, valid_to=row["valid_to"] + 45 * DAY)


def _diagram_of_another(desk: Desk, kind: Kind) -> None:
    others = [r["diagram_no"] for r in desk.shuffled(kind, "mkt_supply_security", {}) if r["diagram_no"]]
    for row in desk.draw(kind, "mkt_supply_security", lambda r: r["diagram_no"] is not None):
        desk.spoil(kind, row, diagram_no=next(d for d in others if d != row["diagram_no"]))


def _action_of_a_case_nobody_has(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_corrective_action", lambda r: r["case_no"][-1] != "X"):
        desk.spoil(kind, row, case_no=row["case_no"][:-3] + "X" + row["case_no"][-2:])


CLASSES = [
    slip(
        "left-before-posted",
        "M5",
        "mkt_manager.left_on",
        (MISMATCHED,),
        "The first and the last day of a manager were entered into each other's field.",
        lambda r, n: {"left_on": r["posted_on"], "posted_on": r["left_on"]},
        lambda r: r["left_on"] is not None and r["posted_on"] is not None,
        columns=("posted_on",),
    ),
    Kind(
        "two-first-managers",
        "M4",
        "mkt_manager_assign",
        ("valid_to", "manager_no", "valid_from"),
        (MISMATCHED,),
        "At the hand-over the old assignment was opened again: two first managers at a time.",
        "the deputy",
        "none in kWh; nobody or both are responsible",
        _two_first_managers,
        near=(("cons_no",),),
    ),
    Kind(
        "managed-by-one-who-left",
        "M3",
        "mkt_manager_assign",
        ("manager_no", "valid_to"),
        (MISMATCHED,),
        "A colleague who left years ago was picked as deputy, the name being familiar.",
        "assignments that ended when the manager left",
        "none in kWh; nobody answers",
        _managed_by_one_who_left,
        others=("mkt_manager.left_on", "mkt_manager.status"),
    ),
    Kind(
        "visits-at-nine-sharp",
        "M8",
        "mkt_manager_visit",
        ("visited_at", "work_min"),
        (INVENTED,),
        "A manager writes the month's visits in one evening: all at nine sharp, all of sixty minutes.",
        "visits of other managers",
        "none in kWh; coverage of visits",
        _visits_on_the_hour,
    ),
    Kind(
        "one-summary-for-ten-customers",
        "M8",
        "mkt_manager_visit",
        ("summary",),
        (INVENTED,),
        "The summary of a visit was pasted for ten customers of different trades.",
        "short summaries that say what happened",
        "none in kWh",
        _one_summary_for_all,
        near=(("manager_no",),),
    ),
    Kind(
        "visit-for-a-case-of-another",
        "M3",
        "mkt_manager_visit",
        ("case_no", "cons_no"),
        (MISMATCHED,),
        "The case to which a visit belongs was picked from the wrong line: a ticket of another customer.",
        "the ticket",
        "none in kWh; tracking of two cases",
        _visit_for_a_case_of_another,
        others=("mkt_ticket.cons_no",),
    ),
    Kind(
        "visited-before-the-manager-was-posted",
        "M5",
        "mkt_manager_visit",
        ("visited_at", "manager_no"),
        (MISMATCHED, INVENTED),
        "The year of a visit was mistyped: the manager was not yet in the post.",
        "visits of the manager's own time",
        "none in kWh",
        _visited_before_the_manager_was_posted,
        others=("mkt_manager.posted_on",),
    ),
    slip(
        "inspected-by-nobody",
        "M2",
        "mkt_inspection.inspector_no",
        (MISSING,),
        "Inspections are done and signed, the inspector's number is empty.",
        lambda r, n: {"inspector_no": None},
        lambda r: r["done_on"] is not None and r["inspector_no"] is not None,
        columns=("done_on",),
    ),
    slip(
        "inspected-next-year",
        "M6",
        "mkt_inspection.done_on",
        (INVENTED, MISMATCHED),
        "The year of an inspection was mistyped: it was done in the future.",
        lambda r, n: {"done_on": r["done_on"] + 2 * YEAR},
        lambda r: r["done_on"] is not None,
        columns=("due_on",),
    ),
    Kind(
        "one-result-for-eight-customers",
        "M8",
        "mkt_inspection",
        ("result_text",),
        (INVENTED,),
        "An inspector pasted one result, measured values included, for eight customers.",
        "results that are alike but for their values",
        "none in kWh; hazards that nobody looked for",
        _same_result_for_all,
    ),
    Kind(
        "rectified-before-it-was-found",
        "M5",
        "mkt_hazard",
        ("rectified_on",),
        (MISMATCHED,),
        "To close a hazard the form's first date was taken: it was rectified before the inspection found it.",
        "hazards rectified on the day of the inspection",
        "none in kWh",
        _rectified_before_it_was_found,
        others=("mkt_inspection.done_on",),
    ),
    slip(
        "hazard-without-a-word",
        "M6",
        "mkt_hazard.hazard_desc",
        (INVENTED, MISSING),
        "The description of a hazard says 无, none.",
        lambda r, n: {"hazard_desc": "无"},
    ),
    slip(
        "passed-and-never-rectified",
        UNNAMED,
        "mkt_hazard.recheck_result",
        (MISMATCHED, MISSING),
        "The recheck passed, and the hazard was never rectified.",
        lambda r, n: {"rectified_on": None},
        lambda r: r["recheck_result"] == "PASS" and r["rectified_on"] is not None,
        columns=("rectified_on",),
    ),
    slip(
        "recovered-energy-in-mwh",
        "M6",
        "mkt_violation.recover_kwh",
        (MISMATCHED, INVENTED),
        "Recovered energy was entered in MWh: six hundred yuan a kilowatt-hour.",
        lambda r, n: {"recover_kwh": r["recover_kwh"] / 1000},
        lambda r: r["recover_kwh"] is not None and r["recover_kwh"] > 100,
        columns=("recover_yuan",),
        cost="0 yuan; 999 of 1,000 recovered kWh are not counted",
    ),
    slip(
        "automatic-and-never-qualified",
        "M2",
        "mkt_access_list.qualified_on",
        (MISSING, MISMATCHED),
        "Units deliver automatically although they never qualified: the date is empty.",
        lambda r, n: {"qualified_on": None},
        lambda r: r["qualified_on"] is not None,
        equals={"access_mode": "AUTO"},
        columns=("access_mode",),
    ),
    slip(
        "expected-every-zero-hours",
        "M6",
        "mkt_access_list.expected_freq_hours",
        (INVENTED, MISMATCHED),
        "The agreed time between deliveries was filled with 0: a unit that can never be late.",
        lambda r, n: {"expected_freq_hours": 0},
        equals={"access_mode": "AUTO"},
    ),
    slip(
        "weights-that-do-not-add-up",
        "M4",
        "mkt_manager_assessment.weight",
        (MISMATCHED,),
        "The digits of a weight were exchanged: the six weights of a manager's quarter add up to more than one.",
        lambda r, n: {"weight": Decimal("0.5100")},
        equals={"dimension": "SKILL"},
        near=(("manager_no", "period"),),
    ),
    slip(
        "score-of-eight-hundred",
        "M6",
        "mkt_manager_assessment.raw_score",
        (INVENTED, MISMATCHED),
        "The decimal point of a score was lost.",
        lambda r, n: {"raw_score": r["raw_score"] * 10},
        lambda r: r["raw_score"] is not None and r["raw_score"] > 50,
        equals={"dimension": "ETHICS"},
    ),
    Kind(
        "scores-of-the-quarter-before",
        "M8",
        "mkt_manager_assessment",
        ("raw_score",),
        (INVENTED,),
        "The assessment did not take place; all six scores of the quarter before were carried over.",
        "a score that happens to be the same",
        "none in kWh",
        _scores_of_the_quarter_before,
        near=(("manager_no", "period"), ("manager_no",)),
    ),
    Kind(
        "two-tiers-at-once",
        "M4",
        "mkt_service_tier",
        ("valid_to", "valid_from", "tier"),
        (MISMATCHED,),
        "The old rating was closed weeks after the new one began: a customer with two tiers at a time.",
        "the new rating",
        "none in kWh; rights of two tiers",
        _two_tiers_at_once,
        near=(("cons_no",),),
    ),
    slip(
        "sensitive-load-in-va",
        "M6",
        "mkt_supply_security.sensitive_load_kva",
        (MISMATCHED, INVENTED),
        "The customer's sheet is in VA: sensitive load a thousand times, far above the contract's capacity.",
        lambda r, n: {"sensitive_load_kva": r["sensitive_load_kva"] * 1000},
        lambda r: r["sensitive_load_kva"] is not None,
        columns=("ups_kva",),
        others=("mkt_customer.contract_cap_kva",),
    ),
    Kind(
        "diagram-of-another-customer",
        "M3",
        "mkt_supply_security",
        ("diagram_no",),
        (MISMATCHED,),
        "The number of the one-line diagram was copied with the template: it is another customer's.",
        "the customer whose diagram it is",
        "none in kWh; the wrong switch in an emergency",
        _diagram_of_another,
    ),
    Kind(
        "action-of-a-case-nobody-has",
        "M3",
        "mkt_corrective_action",
        ("case_no",),
        (MISMATCHED, MISSING),
        "The case of a corrective action was typed with a letter too many: no system knows it.",
        "the other actions",
        "none in kWh",
        _action_of_a_case_nobody_has,
    ),
]
