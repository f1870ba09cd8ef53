"""What should be there and is not: each kind of thing in turn, what explains it, and what is no absence.

The clean utility has 20 accounts and the readings of 29 October to 5 November 2026, its business date. Account 0310000001 has a
point in 3P4W wiring, account 0310000002 two in 3P3W; office 310103 has the accounts from 0310000017 to 0310000020.
"""

from __future__ import annotations

from datetime import date

import pytest

from include.quality.rules import Rule, load_rules
from tests.rules.staged import Staged

RULES: dict[str, Rule] = {rule.id: rule for rule in load_rules() if rule.area == "expected"}
FOUR_WIRES, THREE_WIRES = "031000000101", "031000000201"
METER = "(select meter_asset_no from {{met_measuring_point}} where mp_no = '031000000101')"
DAY = "2026-11-03"
DAYS = {"data_date": DAY}
CURVES = [
    *((FOUR_WIRES, channel) for channel in ("P T", "E+ T", "RQ1 T", "RQ4 T", "U A", "U B", "U C", "I A")),
    *((THREE_WIRES, channel) for channel in ("P T", "E+ T", "RQ1 T", "RQ4 T", "U A", "U C", "I A", "I C")),
]
REGISTERS = [
    *(("ACTIVE", rate) for rate in ("T", "SHARP", "PEAK", "FLAT", "VALLEY", "DEEP")),
    ("REACTIVE_Q1", "T"),
    ("REACTIVE_Q4", "T"),
]


def found(staged: Staged, *statements: str) -> dict[str, list[dict]]:
    """Rule -> the keys of its findings, after these statements."""
    staged.restart(list(statements))
    violations = {rule_id: staged.violations(rule) for rule_id, rule in RULES.items()}
    return {rule_id: [v["record_key"] for v in rows] for rule_id, rows in violations.items() if rows}


def silenced(point: str, day: str = DAY) -> list[str]:
    """Statements that take away all that a point and its meter delivered of a day."""
    meter = f"(select meter_asset_no from {{{{met_measuring_point}}}} where mp_no = '{point}')"
    return [
        f"delete from {{{{met_interval_96}}}} where mp_no = '{point}' and data_date = '{day}'",
        f"delete from {{{{met_voltage_daily}}}} where mp_no = '{point}' and data_date = '{day}'",
        f"delete from {{{{met_register_freeze}}}} where meter_asset_no = {meter}"
        f" and freeze_ts = (date '{day}' + 1)::timestamp at time zone 'Asia/Shanghai' and freeze_kind = 'DAY'",
    ]


@pytest.mark.parametrize(("point", "channel"), CURVES)
def test_a_curve_of_one_channel_that_never_came_is_found(staged: Staged, point: str, channel: str):
    data_type, phase = channel.split()
    where = f"mp_no = '{point}' and data_date = '{DAY}' and data_type = '{data_type}' and phase = '{phase}'"
    key = {"what": "curve", "mp_no": point, "data_type": data_type, "phase": phase, **DAYS}
    assert found(staged, f"delete from {{{{met_interval_96}}}} where {where}") == {"EXP-04": [key]}


@pytest.mark.parametrize("kind", ["DAY", "MONTH"])
@pytest.mark.parametrize(("energy", "rate"), REGISTERS)
def test_a_register_that_was_not_frozen_is_found(staged: Staged, kind: str, energy: str, rate: str):
    """00:00 of 1 November closes October, and its last day."""
    where = (
        f"meter_asset_no = {METER} and freeze_kind = '{kind}' and energy_kind = '{energy}' and rate = '{rate}'"
        " and freeze_ts = timestamptz '2026-11-01 00:00+08'"
    )
    what = "register" if kind == "DAY" else "month register"
    key = {
        "what": what,
        "mp_no": FOUR_WIRES,
        "meter_asset_no": "3130401234567890123457",
        "energy_kind": energy,
        "dir": "FWD",
        "rate": rate,
        "data_date": "2026-10-31",
        "freeze_ts": "2026-11-01T00:00:00+08:00",
    }
    assert found(staged, f"delete from {{{{met_register_freeze}}}} where {where}") == {"EXP-05": [key]}


@pytest.mark.parametrize(("point", "phase"), [*((FOUR_WIRES, p) for p in "ABC"), *((THREE_WIRES, p) for p in "AC")])
def test_a_phase_without_its_voltage_day_is_found(staged: Staged, point: str, phase: str):
    where = f"mp_no = '{point}' and data_date = '{DAY}' and phase = '{phase}'"
    key = {"what": "voltage", "mp_no": point, "phase": phase, **DAYS}
    assert found(staged, f"delete from {{{{met_voltage_daily}}}} where {where}") == {"EXP-06": [key]}


@pytest.mark.parametrize("month", ["202609", "202603"])
def test_a_month_without_a_bill_is_found(staged: Staged, month: str):
    where = f"cons_no = '0310000001' and bill_month = '{month}'"
    key = {"what": "bill", "cons_no": "0310000001", "bill_month": month}
    assert found(staged, f"delete from {{{{mkt_bill}}}} where {where}") == {"EXP-07": [key]}


@pytest.mark.parametrize("rate", ["SHARP", "PEAK", "FLAT", "VALLEY", "DEEP"])
def test_a_bill_without_the_line_of_one_rate_is_found(staged: Staged, rate: str):
    where = f"bill_no = '2026090310000001' and rate = '{rate}'"
    statement = f"delete from {{{{mkt_bill_line}}}} where {where}"
    assert found(staged, statement) == {"EXP-08": [{"what": "bill line", "bill_no": "2026090310000001"}]}
    (told,) = staged.violations(RULES["EXP-08"])
    assert (told["observed"], told["expected"]) == (f"no line of 031000000101 {rate}", "5 lines")
    assert (told["account_no"], told["business_date"]) == ("0310000001", date(2026, 9, 1))


CONTACT = [{"what": "contact", "cons_no": "0310000001"}]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from {{mkt_contact}} where cons_no = '0310000001'",
        "update {{mkt_contact}} set mobile = ' ', phone = null where cons_no = '0310000001'",
    ],
    ids=["no contact", "no number"],
)
def test_an_account_that_cannot_be_reached_is_found(staged: Staged, statement: str):
    assert found(staged, statement) == {"EXP-09": CONTACT}


def test_an_account_with_one_fixed_number_can_be_reached(staged: Staged):
    others = "delete from {{mkt_contact}} where cons_no = '0310000001' and contact_role <> 'FINANCE'"
    assert found(staged, others, "update {{mkt_contact}} set mobile = null where cons_no = '0310000001'") == {}


OUTAGE = [
    "update {{mkt_outage_plan}} set planned_start = timestamptz '2026-11-04 09:00+08' where plan_no = 'PL0000000062'"
]


def test_an_affected_account_without_a_notice_is_found(staged: Staged):
    """0310000005 is no key account, and the outage is temporary: a notice to the public is not enough."""
    removed = "delete from {{mkt_outage_notice}} where plan_no = 'PL0000000062' and cons_no = '0310000005'"
    key = {"what": "notice", "plan_no": "PL0000000062", "cons_no": "0310000005"}
    assert found(staged, removed) == {}, "the outage of January is not looked at any more"
    assert found(staged, *OUTAGE) == {"EXP-10": [key]}


def test_a_stage_that_is_absent_is_found_once(staged: Staged):
    """VERIFY is no required stage; FINAL_CHECK is one, and told by MKT-32."""
    optional = "delete from {{mkt_app_stage}} where app_no = 'AP0310000001N' and stage = 'VERIFY'"
    required = "delete from {{mkt_app_stage}} where app_no = 'AP0310000001N' and stage = 'FINAL_CHECK'"
    key = {"what": "stage", "app_no": "AP0310000001N", "stage_seq": 2}
    assert found(staged, optional) == {"EXP-11": [key]}
    staged.connection.rollback()
    assert found(staged, required) == {}


def test_a_terminal_without_a_result_of_collection_is_found(staged: Staged):
    terminal = "(select terminal_no from {{met_measuring_point}} where mp_no = '031000000101')"
    (number,) = staged.connection.execute(
        "select terminal_no from raw_metering.met_measuring_point where mp_no = '031000000101'"
    ).fetchone()
    lost = f"delete from {{{{met_collect_task}}}} where data_date = '{DAY}' and terminal_no = {terminal}"
    assert found(staged, lost) == {"EXP-12": [{"what": "collection result", "terminal_no": number, **DAYS}]}


@pytest.mark.parametrize(
    ("table", "rule_id", "what"),
    [("con_trade_settle", "EXP-13", "settlement"), ("con_trade_curve", "EXP-14", "trade curve")],
)
def test_a_month_on_the_market_that_lacks_a_part_is_found(staged: Staged, table: str, rule_id: str, what: str):
    """Settlements of September are due on 16 October, curves by the end of the month."""
    (number,) = staged.connection.execute(
        "select min(agree_no) from raw_contract.con_trade_settle where trade_month = '202609'"
    ).fetchone()
    lost = f"delete from {{{{{table}}}}} where trade_month = '202609' and agree_no = '{number}'"
    assert found(staged, lost) == {rule_id: [{"what": what, "agree_no": number, "trade_month": "202609"}]}


@pytest.mark.parametrize(
    ("lost", "observed"),
    [(slice(3), "no curve, register, voltage"), (slice(2), "no curve, voltage"), (slice(2, 3), "no register")],
    ids=["the meter", "the terminal's day", "the freeze"],
)
def test_a_silent_point_is_one_finding(staged: Staged, lost: slice, observed: str):
    assert found(staged, *silenced(FOUR_WIRES)[lost]) == {"EXP-03": [{"mp_no": FOUR_WIRES, **DAYS}]}
    (told,) = staged.violations(RULES["EXP-03"])
    assert (told["account_no"], told["observed"]) == ("0310000001", observed)
    assert told["expected"] == "curve, register, voltage"


OFFICE = "(select mp_no from {{met_measuring_point}} where cons_no between '0310000017' and '0310000020')"
OFFICE_METERS = (
    "(select meter_asset_no from {{met_measuring_point}} where cons_no between '0310000017' and '0310000020')"
)


def test_a_day_of_which_a_fifth_is_absent_is_one_finding_that_blocks(staged: Staged):
    """Four of twenty accounts; the registers of 5 November are frozen at 00:00 of the 6th."""
    lost = f"delete from {{{{met_register_freeze}}}} where freeze_ts > timestamptz '2026-11-05 12:00+08' and meter_asset_no in {OFFICE_METERS}"
    assert found(staged, lost) == {"EXP-01": [{"what": "register", "data_date": "2026-11-05"}]}
    (told,) = staged.violations(RULES["EXP-01"])
    assert (told["severity"], told["source_name"], told["table_name"]) == ("block", "metering", "met_register_freeze")
    assert told["expected"] == "at least 95 %"


def test_a_day_that_is_over_warns(staged: Staged):
    lost = f"delete from {{{{met_register_freeze}}}} where freeze_ts = timestamptz '2026-11-04 00:00+08' and meter_asset_no in {OFFICE_METERS}"
    assert found(staged, lost) == {"EXP-01": [{"what": "register", "data_date": DAY}]}
    assert [v["severity"] for v in staged.violations(RULES["EXP-01"])] == ["warn"]


def test_an_office_without_anything_is_one_finding_that_blocks(staged: Staged):
    """A limit of one half is kept by the utility and not by the office."""
    limit = "update staging.quality_parameters set value = 0.5 where rule_id = 'EXP-01' and name = 'block_below_share'"
    lost = f"delete from {{{{met_voltage_daily}}}} where data_date = '2026-11-05' and mp_no in {OFFICE}"
    key = {"what": "voltage", "org_no": "310103", "data_date": "2026-11-05"}
    assert found(staged, limit, lost) == {"EXP-01": [key]}
    (told,) = staged.violations(RULES["EXP-01"])
    assert (told["severity"], told["expected"]) == ("block", "something of office 310103")


def test_two_accounts_stop_no_night(staged: Staged):
    lost = "delete from {{met_voltage_daily}} where data_date = '2026-11-05' and phase = 'A' and mp_no < '0310000003'"
    points = ("031000000101", "031000000201", "031000000202")
    keys = [{"what": "voltage", "mp_no": point, "phase": "A", "data_date": "2026-11-05"} for point in points]
    assert found(staged, lost) == {"EXP-06": keys}


def test_energy_that_is_absent_is_told_by_met_23(staged: Staged):
    lost = f"delete from {{{{met_interval_96}}}} where data_date = '2026-11-05' and mp_no in {OFFICE}"
    assert found(staged, lost) == {}
    staged.restart([])
    assert [v["rule_id"] for v in staged.violations(next(r for r in load_rules() if r.id == "MET-23"))] == ["MET-23"]


def test_a_table_that_was_not_delivered_is_told_by_its_arrival(staged: Staged):
    lost = "delete from {{met_voltage_daily}} where data_date = '2026-11-05'"
    told = "quality.receipts where table_name = 'met_voltage_daily'"
    counted = f"delete from quality.delivered_rows where load_id in (select load_id from {told})"
    assert found(staged, lost, counted, f"delete from {told}") == {}


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("delete from {{mkt_contact}} where cons_no between '0310000001' and '0310000010'", {"what": "contact"}),
        (
            "delete from {{mkt_bill}} where bill_month = '202609' and cons_no between '0310000001' and '0310000010'",
            {"what": "bill", "bill_month": "202609"},
        ),
    ],
    ids=["contacts", "bills"],
)
def test_half_of_a_table_is_one_finding_that_blocks(staged: Staged, statement: str, what: dict):
    assert found(staged, statement) == {"EXP-02": [what]}
    (told,) = staged.violations(RULES["EXP-02"])
    assert (told["severity"], told["observed"]) == ("block", f"10 of 20 {what['what']}s")


# What is no absence


def joined(account: str, day: str) -> list[str]:
    """An account whose point, meter and tariff began on a day: nothing of the time before it was ever delivered."""
    point = f"{account}01"
    return [
        f"update {{{{mkt_customer}}}} set connect_date = '{day}', open_date = '{day}' where cons_no = '{account}'",
        f"update {{{{mkt_mp}}}} set valid_from = '{day}' where mp_no = '{point}'",
        f"update {{{{mkt_meter_install}}}} set install_date = '{day}' where mp_no = '{point}'",
        f"update {{{{mkt_tariff_assign}}}} set valid_from = '{day}' where mp_no = '{point}'",
        f"update {{{{met_it}}}} set valid_from = '{day}' where mp_no = '{point}'",
        f"update {{{{met_measuring_point}}}} set install_ts = '{day}' where mp_no = '{point}'",
        f"delete from {{{{mkt_bill}}}} where cons_no = '{account}' and bill_month < to_char(date '{day}', 'YYYYMM')",
    ]


BILL_OF_SEPTEMBER = "delete from {{mkt_bill}} where cons_no = '0310000001' and bill_month = '202609'"
BILL_OF_OCTOBER = "delete from {{mkt_bill}} where cons_no = '0310000001' and bill_month = '202610'"


def test_a_month_that_is_not_yet_due_is_not_absent(staged: Staged):
    """Bills of October are due on 11 November."""
    assert found(staged, BILL_OF_OCTOBER) == {}


@pytest.mark.parametrize(
    ("day", "lost", "is_absent"),
    [
        ("2026-10-20", BILL_OF_OCTOBER, False),  # the first bill is due 35 days after its month, on 6 December
        ("2026-09-20", BILL_OF_SEPTEMBER, True),  # ... that of September on 5 November
        ("2026-09-28", BILL_OF_SEPTEMBER, False),  # three days are billed with October
    ],
)
def test_an_account_that_joins_in_mid_month(staged: Staged, day: str, lost: str, is_absent: bool):
    key = {"what": "bill", "cons_no": "0310000001", "bill_month": "202609"}
    assert found(staged, *joined("0310000001", day), lost) == ({"EXP-07": [key]} if is_absent else {})


def test_a_point_that_joins_within_the_days_has_nothing_before(staged: Staged):
    statements = [s for day in range(29, 32) for s in silenced(FOUR_WIRES, f"2026-10-{day}")]
    month = f"delete from {{{{met_register_freeze}}}} where meter_asset_no = {METER} and freeze_kind = 'MONTH'"
    assert found(staged, *joined("0310000001", "2026-11-01"), *statements, month) == {}


def test_an_account_that_leaves_in_mid_month(staged: Staged):
    """It left on 20 September: a bill of September is due, one of October is not, and no reading and no contact."""
    ended = [
        "update {{mkt_customer}} set close_date = '2026-09-20', status = 'CLOSED' where cons_no = '0310000001'",
        "update {{mkt_mp}} set valid_to = '2026-09-19' where cons_no = '0310000001'",
        "update {{mkt_meter_install}} set remove_date = '2026-09-20' where cons_no = '0310000001'",
        "delete from {{met_interval_96}} where mp_no = '031000000101'",
        "delete from {{met_voltage_daily}} where mp_no = '031000000101'",
        f"delete from {{{{met_register_freeze}}}} where meter_asset_no = {METER}",
        "delete from {{mkt_contact}} where cons_no = '0310000001'",
        BILL_OF_OCTOBER,
    ]
    assert found(staged, *ended) == {}
    key = {"what": "bill", "cons_no": "0310000001", "bill_month": "202609"}
    assert found(staged, BILL_OF_SEPTEMBER) == {"EXP-07": [key]}


def event(name: str, at: str) -> str:
    return (
        "insert into {{met_power_event}} (_load_id, _business_date, _channel, _is_tombstone, _key, _hash, event_id, mp_no, event,"
        " event_ts, recv_ts, source, is_valid) values (1, '2026-11-05', 'auto', false,"
        f" md5('{name}')::uuid, md5('{name}')::uuid, '{name}', '{FOUR_WIRES}', '{name}',"
        f" timestamptz '{at}', timestamptz '{at}', 'METER', true)"
    )


@pytest.mark.parametrize(
    ("events", "is_silent"),
    [
        ([event("POWER_DOWN", "2026-11-02 20:00+08"), event("POWER_UP", "2026-11-04 06:00+08")], False),
        ([event("POWER_DOWN", "2026-11-03 00:30+08"), event("POWER_UP", "2026-11-04 06:00+08")], True),
        ([event("POWER_DOWN", "2026-11-02 20:00+08"), event("POWER_UP", "2026-11-03 23:30+08")], True),
    ],
    ids=["dark all day", "lit at first", "lit at last"],
)
def test_a_day_that_was_dark_as_a_whole_has_no_readings(staged: Staged, events: list[str], is_silent: bool):
    told = found(staged, *silenced(FOUR_WIRES), *events)
    assert told == ({"EXP-03": [{"mp_no": FOUR_WIRES, **DAYS}]} if is_silent else {})


def test_a_row_that_does_not_cast_has_arrived(staged: Staged):
    where = f"mp_no = '{FOUR_WIRES}' and data_date = '{DAY}' and data_type = 'E+'"
    text = f'{{"mp_no": "{FOUR_WIRES}", "data_date": "{DAY}", "data_type": "E+", "phase": "T", "v4": "x"}}'
    rejected = (
        "insert into quality.rejected_rows (load_id, source_name, table_name, column_name, reason, record_key, row_text)"
        f" select min(load_id), 'metering', 'met_interval_96', 'v4', 'is not a number', '{{}}', '{text}' from quality.receipts"
    )
    assert found(staged, rejected, f"delete from {{{{met_interval_96}}}} where {where}") == {}


def test_nothing_is_expected_before_collection_begins(staged: Staged):
    start = "update quality.current_run set collection_start = date '2026-11-04'"
    assert found(staged, start, *silenced(FOUR_WIRES)) == {}


def test_what_nobody_of_a_connection_delivers_is_not_collected(staged: Staged):
    """Curves of reactive energy of the fourth quadrant, of three wires: those of four wires are expected still."""
    three = "(select mp_no from {{met_measuring_point}} where wiring = '3P3W')"
    assert found(staged, f"delete from {{{{met_interval_96}}}} where data_type = 'RQ4' and mp_no in {three}") == {}
    one = f"delete from {{{{met_interval_96}}}} where data_type = 'RQ4' and mp_no = '{FOUR_WIRES}' and data_date = '{DAY}'"
    assert list(found(staged, one)) == ["EXP-04"]


def test_later_nights_look_at_the_new_days_and_at_what_is_absent(staged: Staged):
    """After the night of 4 November 23 points are looked at on the 5th, and one of them on the 3rd too, where a curve is absent."""
    finding = (
        "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,"
        " record_key) select 900, run_id, 'opened', now(), 'EXP-04', 'missing', 'warn', 'metering', 'met_interval_96',"
        f" jsonb_build_object('what', 'curve', 'mp_no', '{FOUR_WIRES}', 'data_date', '{DAY}') from quality.current_run"
    )
    staged.restart(
        [
            "insert into quality.runs (business_date, state, last_load_id) values ('2026-11-04', 'published', 1000000)",
            finding,
            "update {{mkt_mp}} set mp_no = mp_no",
        ]
    )
    points = staged.connection.execute(
        "select period_date, count(distinct owner_no), bool_and(is_whole) from staging.int_expected_things"
        " where what_code = 'curve' group by 1 order by 1"
    ).fetchall()
    assert points == [(date(2026, 11, 3), 1, False), (date(2026, 11, 5), 23, True)]
