"""Months of bills that came early or are due today, rows that are over at points that changed hands or that end before they begin,
texts that holders share within 400 days, and contracts that renew themselves, by a second hand.

What each case gives was worked out from the requirement, the contracts and the seeds, without the rules' SQL. The world is the
clean utility of the rule tests (synthetic): business date 2026-11-05, a Thursday; 20 accounts, each with a bill of September and,
early, one of October. Bills of October are due on 11 November: ten days after the month.
"""

from __future__ import annotations

import pytest

from include.quality.base_rules import load_base_rules
from include.quality.rules import load_rules
from tests.rules.cases import statement
from tests.rules.staged import Staged

EXPECTED = {rule.id: rule for rule in load_rules() if rule.id in ("EXP-02", "EXP-07", "EXP-08")}
MADE = {rule.id: rule for rule in load_base_rules()}

# -- EXP-02: a month of bills is whole


def due(days: int) -> str:
    """Bills are due these days after their month: 4 makes those of October due today, 5 tomorrow, 3 yesterday."""
    return f"update staging.expected_things set due_days = {days} where what_code = 'bill'"


def lost(month: str, last_account: int, first_account: int = 1, table: str = "mkt_bill") -> str:
    """The bills of a month, or their lines, of these accounts."""
    accounts = f"between '03100000{first_account:02}' and '03100000{last_account:02}'"
    if table == "mkt_bill":
        return f"delete from {{{{mkt_bill}}}} where bill_month = '{month}' and cons_no {accounts}"
    bills = f"select bill_no from {{{{mkt_bill}}}} where bill_month = '{month}' and cons_no {accounts}"
    return f"delete from {{{{{table}}}}} where bill_no in ({bills})"


def found(staged: Staged, *statements: str) -> dict[str, list[tuple]]:
    """Rule -> severity, what was observed and the month of each finding; of EXP-07 and EXP-08 the number of findings."""
    staged.restart(list(statements))
    told = {rule_id: staged.violations(rule) for rule_id, rule in EXPECTED.items()}
    months = [(v["severity"], v["observed"], v["record_key"].get("bill_month")) for v in told.pop("EXP-02")]
    return {"EXP-02": sorted(months)} | {rule_id: len(rows) for rule_id, rows in told.items()}


def says(*months: tuple[str, str, str], bills: int = 0, lines: int = 0) -> dict:
    return {"EXP-02": sorted(months), "EXP-07": bills, "EXP-08": lines}


HALF_OF_OCTOBER = ("block", "10 of 20 bills", "202610")
HALF_OF_SEPTEMBER = ("block", "10 of 20 bills", "202609")


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([due(5), lost("202610", 10)], says()),
        ([due(4), lost("202610", 10)], says(HALF_OF_OCTOBER)),
        ([due(3), lost("202610", 10)], says(HALF_OF_OCTOBER)),
        ([due(4), lost("202610", 3)], says(("block", "17 of 20 bills", "202610"))),
        ([due(4), lost("202610", 2)], says(bills=2)),
        ([due(4), lost("202610", 10), lost("202609", 10)], says(HALF_OF_OCTOBER, ("warn", *HALF_OF_SEPTEMBER[1:]))),
    ],
    ids=["due tomorrow", "due today", "overdue", "three accounts", "two accounts", "and the month before"],
)
def test_a_month_of_bills_blocks_from_the_day_on_which_it_is_due(staged: Staged, statements: list[str], told: dict):
    assert found(staged, *statements) == told


@pytest.mark.parametrize(
    ("statements", "told"),
    [
        ([lost("202610", 10)], says()),
        ([lost("202610", 20)], says()),
        ([lost("202609", 10)], says(HALF_OF_SEPTEMBER)),
        ([lost("202610", 10), lost("202609", 10)], says(HALF_OF_SEPTEMBER)),
        ([lost("202610", 20), lost("202609", 10)], says(HALF_OF_SEPTEMBER)),
        ([lost("202610", 1)], says()),
    ],
    ids=[
        "half came early",
        "none came early",
        "a whole month came early and half is absent of the one that is due",
        "half came early and half is absent of the one that is due",
        "none came early and half is absent of the one that is due",
        "nineteen of twenty came early, which is not more than 0.95",
    ],
)
def test_bills_that_came_early_take_the_place_of_no_month_that_is_due(
    staged: Staged, statements: list[str], told: dict
):
    assert found(staged, *statements) == told


@pytest.mark.parametrize(
    ("days", "severity"), [(5, "block"), (4, "warn"), (3, "warn")], ids=["tomorrow", "today", "yesterday"]
)
def test_the_month_before_stops_no_night_once_a_whole_month_is_due(staged: Staged, days: int, severity: str):
    """October is whole and due tomorrow, today or yesterday; of September half is absent."""
    assert found(staged, due(days), lost("202609", 10)) == says((severity, *HALF_OF_SEPTEMBER[1:]))


def test_one_office_that_lacks_an_early_bill_makes_no_month_before_it_an_old_one(staged: Staged):
    """Nineteen of twenty early bills are enough of all offices, and less than 0.95 of the one that lacks it."""
    limit = "update staging.quality_parameters set value = 0.94 where rule_id = 'EXP' and name = 'run_share'"
    told = found(staged, limit, lost("202610", 1), lost("202609", 10))
    assert told == says(HALF_OF_SEPTEMBER, bills=1)


def test_lines_of_the_month_that_is_due_stop_the_night_though_a_whole_month_came_early(staged: Staged):
    told = found(staged, lost("202609", 10, table="mkt_bill_line"))
    assert [(severity, month) for severity, _, month in told["EXP-02"]] == [("block", "202609")]


def test_an_early_month_whose_run_is_over_lacks_what_is_absent(staged: Staged):
    """Nineteen of twenty are more than 0.94: the twentieth is expected before it is due. One account stops no night."""
    limit = "update staging.quality_parameters set value = 0.94 where rule_id = 'EXP' and name = 'run_share'"
    assert found(staged, limit, lost("202610", 1)) == says(bills=1)


@pytest.mark.parametrize(
    ("statements", "months", "lines"),
    [
        ([lost("202610", 10, table="mkt_bill_line")], [("block", "202610")], 0),
        ([lost("202610", 12, 11, table="mkt_bill_line"), lost("202610", 10)], [], 2),
    ],
    ids=["of a whole month", "of two accounts of a month of which half came early"],
)
def test_lines_of_bills_that_came_early(staged: Staged, statements: list[str], months: list[tuple], lines: int):
    """Lines come with their bill, early or not; one or two accounts are findings of their own."""
    told = found(staged, *statements)
    assert [(severity, month) for severity, _, month in told["EXP-02"]] == months
    assert (told["EXP-07"], told["EXP-08"]) == (0, lines)


# -- REF: a row that is over, at a point that is another customer's since


def handed_over(day_before: str, day: str) -> list[str]:
    """The point 031000000101 is another customer's from a day on."""
    point = "mp_no = '031000000101'"
    new = {"valid_from": day, "valid_to": None, "cons_no": "0310000020"}
    return [
        statement({"add": "mkt_mp", "like": point, "set": new}),
        f"update {{{{mkt_mp}}}} set valid_to = '{day_before}' where {point} and valid_from < '{day}'",
    ]


ROWS_OF_THE_POINT = [
    ("met_measuring_point", "remove_ts", "2026-11-04 10:00+08"),
    ("mkt_meter_install", "remove_date", "2026-11-04"),
    ("mkt_tariff_assign", "valid_to", "2026-11-04"),
]


@pytest.mark.parametrize(("table", "end", "last"), ROWS_OF_THE_POINT)
def test_a_row_that_is_over_is_of_the_customer_of_its_time(staged: Staged, table: str, end: str, last: str):
    """The point changed hands on 5 November; the same row without an end names a customer that the point no longer has."""
    for at in handed_over("2026-11-04", "2026-11-05"):
        staged.plant(at)
    staged.stage()
    rule = MADE[f"REF-{table}"]
    assert "cons_no" in staged.columns(rule)
    staged.plant(f"update {{{{{table}}}}} set {end} = '{last}' where mp_no = '031000000101'")
    assert "cons_no" not in staged.columns(rule)


@pytest.mark.parametrize(("table", "end", "last"), ROWS_OF_THE_POINT)
def test_a_row_that_is_over_and_never_was_of_the_customer_it_names_is_told(
    staged: Staged, table: str, end: str, last: str
):
    """The point never changed hands."""
    staged.plant(f"update {{{{{table}}}}} set cons_no = '0310000020', {end} = '{last}' where mp_no = '031000000101'")
    assert "cons_no" in staged.columns(MADE[f"REF-{table}"])


def test_a_meter_removed_on_the_day_on_which_its_point_changes_hands_is_of_the_customer_before(staged: Staged):
    """The row of an installation is valid up to its day of removal, without it."""
    for at in handed_over("2026-08-31", "2026-09-01"):
        staged.plant(at)
    new = {"install_date": "2026-09-01", "cons_no": "0310000020"}
    staged.plant(statement({"add": "mkt_meter_install", "like": "mp_no = '031000000101'", "set": new}))
    staged.plant(
        "update {{mkt_meter_install}} set remove_date = '2026-09-01' where mp_no = '031000000101' and install_date < '2026-09-01'"
    )
    staged.stage()
    assert "cons_no" not in staged.columns(MADE["REF-mkt_meter_install"])


# -- REF: a row in force refers to a row that is in force on no day, for it ends before it begins


@pytest.mark.parametrize("table", ["mkt_meter_install", "mkt_tariff_assign"])
@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ("'2020-02-29'", {"031000000101, in force on no day"}),
        ("'2019-01-01'", {"031000000101, in force on no day"}),
        ("'2020-03-01'", {"031000000101, in force {[2020-03-01,2020-03-02)}"}),
        ("null", set()),
    ],
    ids=["the day before it begins", "a year before it begins", "on the day on which it begins", "not at all"],
)
def test_a_point_whose_validity_is_inverted_is_in_force_on_no_day(
    staged: Staged, table: str, ends: str, told: set[str]
):
    """One point, which begins on 1 March 2020: where it ends on that day, that is its only one."""
    period = f"valid_from = '2020-03-01', valid_to = {ends}"
    staged.plant(f"update {{{{mkt_mp}}}} set {period} where mp_no = '031000000101'")
    staged.stage()
    found = staged.violations(MADE[f"REF-{table}"])
    assert {v["observed"] for v in found if v["column_name"] == "mp_no"} == told


def test_beside_a_row_that_is_inverted_the_one_that_is_in_force_counts(staged: Staged):
    """The point has a second row, of the days before, that ends before it begins."""
    point = "mp_no = '031000000101'"
    new = {"valid_from": "2019-12-31", "valid_to": "2019-12-30"}
    staged.plant(statement({"add": "mkt_mp", "like": point, "set": new}))
    staged.stage()
    assert "mp_no" not in staged.columns(MADE["REF-mkt_tariff_assign"])


# -- SHA: one text of several customers within 400 days, 2 October 2025 to 5 November 2026

TEXTS = {
    "SHA-mkt_manager_visit": ("mkt_manager_visit", "summary", "visited_at"),
    "SHA-mkt_inspection": ("mkt_inspection", "result_text", "due_on"),
}
FIVE_RECENT = [(f"H{n}", f"2026-0{n}-15") for n in range(1, 6)]
FIRST_DAY, DAY_BEFORE, TODAY = "2025-10-02", "2025-10-01", "2026-11-05"


def share(staged: Staged, rule_id: str, entries: list[tuple[str, str]]) -> None:
    """Of the rows of the table only so many have a text, the same one, of these customers on these days."""
    table, column, day = TEXTS[rule_id]
    raw = f"raw_marketing.{table}"
    staged.connection.execute(f"update {raw} set {column} = null")
    for place, (holder, on) in enumerate(entries):
        row = f"(select _raw_id from {raw} order by _raw_id offset {place} limit 1)"
        at = f"{on} 10:00+08" if day == "visited_at" else on
        statement = f"update {raw} set {column} = repeat('字', 20), cons_no = %s, {day} = %s where _raw_id = {row}"
        assert staged.connection.execute(statement, (holder, at)).rowcount == 1


@pytest.mark.parametrize("rule_id", TEXTS)
@pytest.mark.parametrize(
    ("entries", "is_told"),
    [
        (FIVE_RECENT, False),
        ([*FIVE_RECENT, ("H6", "2026-06-15")], True),
        ([*FIVE_RECENT, ("H5", "2026-06-15")], False),
        ([*FIVE_RECENT[:4], ("H5", TODAY), ("H6", FIRST_DAY)], True),
        ([*FIVE_RECENT[:4], ("H5", TODAY), ("H6", DAY_BEFORE)], False),
        ([*FIVE_RECENT, ("H6", TODAY), ("H7", DAY_BEFORE)], True),
        ([*FIVE_RECENT[:3], ("H4", DAY_BEFORE), ("H5", DAY_BEFORE), ("H6", DAY_BEFORE)], False),
    ],
    ids=[
        "five customers",
        "six customers",
        "six texts of five customers",
        "six across 400 days",
        "six across 401 days",
        "six within and one before",
        "three within and three before",
    ],
)
def test_six_customers_share_no_text_within_400_days(
    staged: Staged, rule_id: str, entries: list[tuple[str, str]], is_told: bool
):
    share(staged, rule_id, entries)
    assert staged.columns(MADE[rule_id]) == ({TEXTS[rule_id][1]} if is_told else set())


@pytest.mark.parametrize("is_new", [True, False])
def test_the_sixth_customer_of_a_text_comes_nights_after_the_others(staged: Staged, is_new: bool):
    """Visits are looked at when they are new: the sixth is told of although the five others passed before it."""
    share(staged, "SHA-mkt_manager_visit", [*FIVE_RECENT, ("H6", TODAY)])
    raw = "raw_marketing.mkt_manager_visit"
    staged.connection.execute("update quality.current_run set last_passed_load_id = 1000")
    if is_new:
        sixth = f"select _raw_id from {raw} where cons_no = 'H6'"
        for rows in (raw, "staging.stg_marketing__manager_visits"):
            staged.connection.execute(f"update {rows} set _load_id = 1001 where _raw_id in ({sixth})")
    assert staged.columns(MADE["SHA-mkt_manager_visit"]) == ({"summary"} if is_new else set())


# -- SHA, REF, EQU: a contract that renews itself is in force past its last day, which is the last one inclusive

# First and last day, whether it renews itself, its status; whether it is in force on 5 November 2026.
CONTRACTS = {
    "without an end": ("2020-01-01", "null", "false", "EFFECTIVE", True),
    "to the end of the year": ("2020-01-01", "2026-12-31", "false", "EFFECTIVE", True),
    "its last day": ("2020-01-01", "2026-11-05", "false", "EFFECTIVE", True),
    "over since yesterday": ("2020-01-01", "2026-11-04", "false", "EFFECTIVE", False),
    "over since yesterday, unknown whether it renews itself": ("2020-01-01", "2026-11-04", "null", "EFFECTIVE", False),
    "renewed yesterday": ("2020-01-01", "2026-11-04", "true", "EFFECTIVE", True),
    "renewed for years": ("2016-01-01", "2018-12-31", "true", "EFFECTIVE", True),
    "would renew itself, but is terminated": ("2020-01-01", "2026-11-04", "true", "TERMINATED", False),
    "would renew itself, but another version took its place": ("2020-01-01", "2026-11-04", "true", "AMENDED", False),
    "would renew itself, but is expired": ("2016-01-01", "2018-12-31", "true", "EXPIRED", False),
    "renews itself, from tomorrow on": ("2026-11-06", "2027-11-05", "true", "EFFECTIVE", False),
}
OF_EACH_CONTRACT = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def of_contract(contract: tuple) -> str:
    first, last, renews, status, _ = contract
    return f"valid_from = '{first}', valid_to = {last if last == 'null' else repr(last)}, auto_renew = {renews}, status = '{status}'"


@OF_EACH_CONTRACT
def test_one_signer_of_six_payers_is_told_while_the_sixth_contract_is_in_force(staged: Staged, contract: tuple):
    """At most five payers share a signer. Of the six contracts those in force are told, the sixth not where it is over."""
    staged.plant("update {{mkt_account}} set payer_name = cons_no")
    six = "contract_no between 'HT0310000001' and 'HT0310000006'"
    staged.plant(
        f"update {{{{con_contract}}}} set signer = '合成甲', {of_contract(CONTRACTS['without an end'])} where {six}"
    )
    staged.plant(f"update {{{{con_contract}}}} set {of_contract(contract)} where contract_no = 'HT0310000006'")
    told = {v["record_key"]["contract_no"] for v in staged.violations(MADE["SHA-con_contract"])}
    six_contracts = {f"HT031000000{n}" for n in range(1, 7)}
    assert told == (six_contracts if contract[-1] else set())


@OF_EACH_CONTRACT
def test_of_seven_contracts_of_one_signer_only_those_in_force_are_told(staged: Staged, contract: tuple):
    """Six others are in force, too many as they are."""
    staged.plant("update {{mkt_account}} set payer_name = cons_no")
    seven = "contract_no between 'HT0310000001' and 'HT0310000007'"
    staged.plant(
        f"update {{{{con_contract}}}} set signer = '合成甲', {of_contract(CONTRACTS['without an end'])} where {seven}"
    )
    staged.plant(f"update {{{{con_contract}}}} set {of_contract(contract)} where contract_no = 'HT0310000007'")
    told = {v["record_key"]["contract_no"] for v in staged.violations(MADE["SHA-con_contract"])}
    assert told == {f"HT031000000{n}" for n in range(1, 8 if contract[-1] else 7)}


@OF_EACH_CONTRACT
def test_a_number_of_two_customers_is_told_while_both_contracts_are_in_force(staged: Staged, contract: tuple):
    """The number of a contract, and that of a mandate, stand for one customer at a time; who had them before may be another.

    Of the second contract itself it is told first at its number that it has no annex.
    """
    one = "contract_no = 'HT0310000001'"
    staged.plant(f"update {{{{con_contract}}}} set {of_contract(CONTRACTS['without an end'])} where {one}")
    staged.plant(statement({"add": "con_contract", "like": one, "set": {"cons_no": "0310000002", "version": 99}}))
    staged.plant(f"update {{{{con_contract}}}} set {of_contract(contract)} where {one} and version = 99")
    found = [v for v in staged.violations(MADE["REF-con_contract"]) if "different cons_no" in v["observed"]]
    told = {(v["record_key"]["version"], v["column_name"], v["observed"]) for v in found}
    mandate = {(version, "signer_mandate_no", "SQ0310000001 of 2 different cons_no") for version in (1, 99)}
    both = {(1, "contract_no", "HT0310000001 of 2 different cons_no"), *mandate}
    assert told == (both if contract[-1] else set())


@OF_EACH_CONTRACT
def test_what_a_contract_states_holds_whether_it_is_in_force_or_not(staged: Staged, contract: tuple):
    """A contract demand of 1.3 times the capacity, more than 1.2 times, and as many points as are in its annex."""
    one = "contract_no = 'HT0310000001'"
    staged.plant(
        f"update {{{{con_contract}}}} set contract_md_kw = 1.3 * contract_cap_kva, {of_contract(contract)} where {one}"
    )
    staged.stage()
    assert staged.columns(MADE["EQU-con_contract"]) == {"contract_md_kw"}
