"""Waivers: who may pass what until when, and what is refused before anything is entered."""

from __future__ import annotations

import os
import pwd
from datetime import date

import pytest

from include.errors import UsageError
from include.local import cli
from include.quality.approvals import move_pointers_as_answered, waive_as_answered
from include.quality.waivers import confirm_waiver, end_waiver, identity, proposed_waiver, waits_for_second, waive
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse
from tests import databases
from tests.databases import with_logins
from tests.synthetic_marts import Night
from tests.tampering import tamper

GOOD = {"scope": "all", "approver": "the approver", "reason": "known fault", "until": "2026-07-31"}


@pytest.fixture
def blocked(database: str) -> str:
    """A warehouse whose run of 2026-07-10 evaluated MET-01."""
    with connect(database) as conn:
        conn.execute("insert into quality.runs (business_date) values ('2026-07-10')")
        conn.execute(
            "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
            " values (1, '2026-07-10', 'gate', 0, '2026-06-01')"
        )
        conn.execute(
            "insert into quality.rule_results (run_id, rule_id, tested_rows, failed_rows, severity, seconds)"
            " values (1, 'MET-01', 10, 1, 'block', 0)"
        )
    return database


def waiver_for(url: str, table: str, account: str | None, key: str, day: str, rule: str = "MET-01") -> int | None:
    with connect(url) as conn:
        return conn.execute(
            "select quality.waiver_for(%s, %s, %s, %s, %s)", [rule, table, account, key, day]
        ).fetchone()[0]


@pytest.mark.parametrize(
    ("scope", "covered", "not_covered"),
    [
        ("all", ("met_meter", "A1", '{"mp_no": "1"}'), None),
        ("table=met_meter", ("met_meter", None, '{"mp_no": "1"}'), ("t2", "A1", '{"mp_no": "1"}')),
        ("account=A1", ("met_meter", "A1", '{"mp_no": "1"}'), ("met_meter", "A2", '{"mp_no": "1"}')),
        ("account=A1", ("met_meter", "A1", '{"mp_no": "1"}'), ("met_meter", None, '{"mp_no": "1"}')),
        (
            'key={"mp_no": "1"}',
            ("met_meter", "A1", '{"mp_no": "1", "data_date": "2026-07-10"}'),
            ("met_meter", "A1", '{"mp_no": "2"}'),
        ),
    ],
)
def test_a_waiver_covers_its_scope_and_nothing_else(
    blocked: str, scope: str, covered: tuple, not_covered: tuple | None
) -> None:
    number = waive(blocked, "MET-01", **{**GOOD, "scope": scope})
    assert waiver_for(blocked, *covered, "2026-07-10") == number
    assert waiver_for(blocked, *covered, "2026-07-10", rule="MET-02") is None
    if not_covered:
        assert waiver_for(blocked, *not_covered, "2026-07-10") is None


def test_a_waiver_ends_after_its_last_day(blocked: str) -> None:
    number = waive(blocked, "MET-01", **GOOD)
    assert waiver_for(blocked, "met_meter", None, "{}", "2026-07-31") == number
    assert waiver_for(blocked, "met_meter", None, "{}", "2026-08-01") is None
    with connect(blocked) as conn:
        assert conn.execute("select waiver_id from quality.active_waivers").fetchall() == [(number,)]
        conn.execute("update quality.current_run set business_date = '2026-08-01'")
        assert conn.execute("select waiver_id from quality.active_waivers").fetchall() == []


def test_a_waiver_that_was_ended_lets_nothing_through_and_stays_as_it_was_signed(blocked: str) -> None:
    """Another of the same rule goes on."""
    first, second = waive(blocked, "MET-01", **GOOD), waive(blocked, "MET-01", **GOOD | {"scope": "account=A1"})
    assert end_waiver(blocked, first, " the chief ", " wrong scope ", "the clerk") == first
    assert waiver_for(blocked, "met_meter", None, "{}", "2026-07-10") is None
    assert waiver_for(blocked, "met_meter", "A1", "{}", "2026-07-10") == second
    with connect(blocked) as conn:
        assert conn.execute("select waiver_id from quality.active_waivers").fetchall() == [(second,)]
        assert conn.execute("select approver, valid_until from quality.waivers where waiver_id = 1").fetchall() == [
            ("the approver", date(2026, 7, 31))
        ]
        assert conn.execute(
            "select entry_no, entered_by, detail from quality.ledger where event = 'waiver_end'"
        ).fetchall() == [
            (
                4,
                "the clerk",
                {"waiver_id": 1, "rule_id": "MET-01", "scope": "all", "approver": "the chief", "reason": "wrong scope"},
            )
        ]


@pytest.fixture
def costly(blocked: str) -> Warehouse:
    """Two open findings of MET-01: of A1 with 1,000,000 yuan at stake, of A2 with one more; by the logins of the roles."""
    with connect(blocked) as conn:
        for finding, cny in ((1, 1_000_000), (2, 1_000_001)):
            conn.execute(
                "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name,"
                " table_name, record_key, account_no, exposure_cny) values (%(n)s, 1, 'opened', now(), 'MET-01', 'invalid', 'block',"
                " 'metering', 'met_meter', jsonb_build_object('mp_no', %(n)s::text), 'A' || %(n)s::text, %(cny)s)",
                {"n": finding, "cny": cny},
            )
    return with_logins(blocked)


def test_a_waiver_above_the_limit_of_money_needs_a_second_different_approver(costly: Warehouse, blocked: str) -> None:
    """The limit is 1,000,000 yuan: at it one person is enough."""
    small = waive(costly, "MET-01", **GOOD | {"scope": "account=A1"})
    assert waiver_for(blocked, "met_meter", "A1", "{}", "2026-07-10") == small
    assert waits_for_second(costly, small) is None
    large = waive(costly, "MET-01", **GOOD | {"scope": "account=A2"}, entered_by="airflow:7")
    assert waits_for_second(costly, large) == 1_000_001
    assert waiver_for(blocked, "met_meter", "A2", "{}", "2026-07-10") is None
    for approver, entered_by in (
        ("the approver", "airflow:8"),
        ("THE approver ", "airflow:8"),
        ("another", "airflow:7"),
    ):
        with pytest.raises(UsageError, match="the second approver must be another person"):
            confirm_waiver(costly, large, approver, "seen", entered_by)
    assert waiver_for(blocked, "met_meter", "A2", "{}", "2026-07-10") is None
    assert confirm_waiver(costly, large, "another", "seen", "airflow:8") == large
    assert waiver_for(blocked, "met_meter", "A2", "{}", "2026-07-10") == large
    with pytest.raises(UsageError, match=f"Waiver {large} waits for no second approver"):
        confirm_waiver(costly, large, "a third", "seen", "airflow:9")
    with connect(blocked) as conn:
        assert conn.execute(
            "select entered_by, detail ->> 'approver' from quality.ledger where event = 'waiver_second'"
        ).fetchall() == [("airflow:8", "another")]


def test_a_waiver_of_all_sums_up_what_it_lets_through_and_is_confirmed_in_airflow(
    costly: Warehouse, blocked: str
) -> None:
    number = waive_as_answered(costly, ASKED | {"scope": "all"}, APPROVED)
    assert waits_for_second(costly, number) == 2_000_001
    confirm = {"rule": None, "scope": None, "until": None, "end": None, "confirm": number, "reason": "seen"}
    with pytest.raises(UsageError, match="must be another person"):
        waive_as_answered(costly, confirm, APPROVED)
    other = APPROVED | {"responded_by_user": {"id": "8", "name": "another"}}
    assert waive_as_answered(costly, confirm, other) == number
    assert waiver_for(blocked, "met_meter", "A2", "{}", "2026-07-10") == number


def test_the_identity_of_a_person_is_the_own_login_or_the_user_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert identity() == ledger.current_actor()
    monkeypatch.setenv("KAW_LOGIN_APPROVER", "postgresql://warehouse_approver:x@db/warehouse")  # everybody's
    assert identity() == ledger.current_actor()
    monkeypatch.setenv("KAW_LOGIN_APPROVER", "postgresql://chief%40office:x@db/warehouse")
    assert identity() == "login:chief@office"


def test_only_a_waiver_that_is_in_force_can_be_ended(blocked: str) -> None:
    waive(blocked, "MET-01", **GOOD)
    with pytest.raises(UsageError, match="There is no waiver 2"):
        end_waiver(blocked, 2, "the chief", "why")
    end_waiver(blocked, 1, "the chief", "why")
    with pytest.raises(UsageError, match="ended already, by ledger entry 3"):
        end_waiver(blocked, 1, "the chief", "why")
    waive(blocked, "MET-01", **GOOD)
    with connect(blocked) as conn:
        conn.execute("update quality.current_run set business_date = '2026-08-01'")
    with pytest.raises(UsageError, match="was over on 2026-07-31"):
        end_waiver(blocked, 2, "the chief", "why")
    assert ledger.head(blocked)[0] == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--end", "1", "--until", "2026-07-31"], "--until cannot be given with --end"),
        (["MET-01", "--end", "1"], "RULE cannot be given with --end"),
        (["MET-01"], "--scope, --until must be given"),
    ],
)
def test_a_new_waiver_or_an_end_is_asked_for_and_not_both(published: str, capsys, arguments: list[str], said: str):
    before = ledger.head(published)
    assert cli.main(["waive", *arguments, "--approver", "who", "--reason", "why"]) == 2
    assert said in capsys.readouterr().err
    assert ledger.head(published) == before


def test_a_waiver_is_recorded_with_its_signature(blocked: str) -> None:
    waive(blocked, "MET-01", **{**GOOD, "until": date(2026, 7, 31)}, entered_by="the clerk")
    with connect(blocked) as conn:
        assert conn.execute("select approver, reason, valid_until, entered_by from quality.waivers").fetchall() == [
            ("the approver", "known fault", date(2026, 7, 31), "the clerk")
        ]
        assert conn.execute(
            "select event, entered_by, detail ->> 'rule_id' from quality.ledger where event <> 'key'"
        ).fetchall() == [("waiver", "the clerk", "MET-01")]
    assert ledger.head(blocked)[0] == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scope": "everything"}, "Invalid --scope"),
        ({"scope": "table="}, "Invalid --scope"),
        ({"scope": "table=met_metre"}, "There is no table 'met_metre'"),
        ({"scope": "account= "}, "Invalid --scope"),
        ({"scope": "key=mp_no"}, "needs a JSON object"),
        ({"scope": "key={}"}, "needs a JSON object"),
        ({"scope": 'key={"a": [1]}'}, "needs a JSON object"),
        ({"approver": " "}, "--approver is empty"),
        ({"reason": ""}, "--reason is empty"),
        ({"until": "2026-02-30"}, "is not a day"),
        ({"until": "31.07.2026"}, "is not a day"),
        ({"until": "2026-07-09"}, "would be over already"),
        ({"rule_id": "MET-999"}, "There is no rule"),
    ],
)
def test_a_wrong_waiver_is_refused_and_enters_nothing(blocked: str, wrong: dict, message: str) -> None:
    given = {"rule_id": "MET-01", **GOOD, **wrong}
    with pytest.raises(UsageError, match=message) as refused:
        waive(blocked, **given)
    assert refused.value.exit_code == 2
    with connect(blocked) as conn:
        assert conn.execute("select count(*) from quality.waivers").fetchone() == (0,)
    assert ledger.head(blocked)[0] == 1


# -- sign-off: an approver and a reason, and a ledger entry with the user who entered it

SIGNED = (
    ["waive", "MET-01", "--scope", "all", "--until", "2026-07-31"],
    ["waive", "--end", "1"],
    ["rollback"],
    ["rollback", "--release"],
)
EVENTS = ("waiver", "waiver_end", "roll_back", "release")


@pytest.fixture
def published(blocked: str, tmp_path, fresh_home, monkeypatch) -> str:
    """The blocked warehouse with two published versions, as the home's own."""
    ledger.write_head(blocked)
    night = Night(blocked, tmp_path)
    night.publish()
    night.execute("update candidate.mart_energy set energy_kwh = 2")
    night.publish(date(2026, 7, 11))
    databases.use(monkeypatch, blocked)
    return blocked


def test_every_sign_off_is_a_ledger_entry_with_approver_reason_and_user(published: str, monkeypatch, capsys):
    for variable in ("LOGNAME", "USER", "LNAME", "USERNAME", "AIRFLOW_CTX_DAG_OWNER"):
        monkeypatch.setenv(variable, "somebody else")
    for number, command in enumerate(SIGNED):
        assert cli.main([*command, "--approver", " the approver ", "--reason", f"reason {number}"]) == 0
    with connect(published) as conn:
        entries = conn.execute(
            "select event, entered_by, trim(detail ->> 'approver'), detail ->> 'reason' from quality.ledger"
            " where event = any(%s) order by entry_no",
            [list(EVENTS)],
        ).fetchall()
    user = pwd.getpwuid(os.getuid()).pw_name
    assert entries == [(event, user, "the approver", f"reason {number}") for number, event in enumerate(EVENTS)]
    assert ledger.verify(published) == []


@pytest.mark.parametrize("command", SIGNED, ids=EVENTS)
@pytest.mark.parametrize(
    "unsigned",
    [
        ["--reason", "why"],
        ["--approver", "who"],
        ["--approver", " ", "--reason", "why"],
        ["--approver", "who", "--reason", ""],
    ],
)
def test_nothing_is_signed_off_without_an_approver_and_a_reason(
    published: str, capsys, command: list[str], unsigned: list[str]
):
    before = ledger.head(published)
    try:
        code = cli.main([*command, *unsigned])
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert ledger.head(published) == before


ASKED = {"rule": "MET-01", "scope": "table=met_meter", "reason": "known fault", "until": "2026-07-31", "end": None}
END = {"rule": None, "scope": None, "reason": "the meter was replaced", "until": None, "end": 1}


@pytest.mark.parametrize(
    "change",
    [
        "update quality.waivers set valid_until = '2026-08-31'",
        "update quality.waivers set scope = 'all'",
        "update quality.waivers set reason = 'another'",
        "update quality.waivers set approver = 'another'",
        "delete from quality.ledger where event = 'waiver'",
    ],
)
def test_a_waiver_that_is_not_as_the_ledger_has_it_lets_nothing_through(blocked: str, change: str):
    waive(blocked, "MET-01", **GOOD | {"scope": "table=met_meter"})
    assert waiver_for(blocked, "met_meter", None, "{}", "2026-07-10") == 1
    tamper(blocked, change)
    assert waiver_for(blocked, "met_meter", None, "{}", "2026-07-10") is None
    with connect(blocked) as conn:
        assert conn.execute("select count(*) from quality.active_waivers").fetchone() == (0,)


APPROVED = {"chosen_options": ["Approve"], "params_input": {}, "responded_by_user": {"id": "7", "name": "the approver"}}
REFUSED = [
    (
        {"chosen_options": ["Reject"], "responded_by_user": {"id": "7", "name": "the approver"}},
        "Rejected; nothing changed",
    ),
    ({"chosen_options": ["Approve"], "responded_by_user": None}, "--approver is empty"),
]


def test_a_waiver_approved_in_airflow_bears_the_name_of_who_approved_it(blocked: str):
    number = waive_as_answered(blocked, ASKED, APPROVED)
    with connect(blocked) as conn:
        assert conn.execute(
            "select waiver_id, rule_id, scope, approver, reason, valid_until, entered_by from quality.waivers"
        ).fetchall() == [
            (number, "MET-01", "table=met_meter", "the approver", "known fault", date(2026, 7, 31), "airflow:7")
        ]
        assert conn.execute(
            "select event, entered_by, detail ->> 'approver' from quality.ledger where event <> 'key'"
        ).fetchall() == [("waiver", "airflow:7", "the approver")]


def test_an_end_approved_in_airflow_bears_the_name_of_who_approved_it(blocked: str):
    waive_as_answered(blocked, ASKED, APPROVED)
    with pytest.raises(UsageError, match="RULE cannot be given with --end"):
        waive_as_answered(blocked, END | {"rule": "MET-01"}, APPROVED)
    with pytest.raises(UsageError, match="must be given"):
        waive_as_answered(blocked, END | {"end": None}, APPROVED)
    assert waive_as_answered(blocked, END, APPROVED) == 1
    with connect(blocked) as conn:
        assert conn.execute(
            "select event, entered_by, detail ->> 'approver', detail ->> 'reason' from quality.ledger order by entry_no desc limit 1"
        ).fetchone() == ("waiver_end", "airflow:7", "the approver", "the meter was replaced")


@pytest.mark.parametrize(("answer", "said"), REFUSED)
def test_a_refused_or_nameless_answer_enters_nothing(blocked: str, answer: dict, said: str):
    with pytest.raises(UsageError, match=said):
        waive_as_answered(blocked, ASKED, answer)
    assert ledger.head(blocked)[0] == 1


def test_a_rollback_and_its_release_approved_in_airflow_bear_the_name_of_who_approved_them(published: str):
    for action in ("roll back", "release"):
        assert move_pointers_as_answered(
            Warehouse(published), {"action": action, "reason": "wrong file"}, APPROVED
        ) == ["2026-06", "2026-07"]
    with connect(published) as conn:
        assert conn.execute(
            "select event, entered_by, detail ->> 'approver', detail ->> 'reason' from quality.ledger order by entry_no desc limit 2"
        ).fetchall() == [(event, "airflow:7", "the approver", "wrong file") for event in ("release", "roll_back")]


@pytest.mark.parametrize(("answer", "said"), REFUSED)
def test_a_refused_or_nameless_answer_moves_no_pointer(published: str, answer: dict, said: str):
    before = ledger.head(published)
    with pytest.raises(UsageError, match=said):
        move_pointers_as_answered(Warehouse(published), {"action": "roll back", "reason": "wrong file"}, answer)
    assert ledger.head(published) == before


@pytest.mark.parametrize(
    ("rule_id", "tables", "scope"),
    [
        ("PIP-03", {"met_meter"}, "table=met_meter"),
        ("PIP-03", {"met_meter", "mkt_bill"}, "all"),
        ("MART-24", {"account x month x advice"}, "all"),
    ],
)
def test_a_blocked_gate_proposes_a_waiver_that_can_be_entered(rule_id: str, tables: set[str], scope: str):
    assert proposed_waiver(rule_id, tables, date(2026, 7, 31)) == (
        f"./kaw waive {rule_id} --scope {scope} --approver NAME --reason TEXT --until 2026-07-31"
    )
