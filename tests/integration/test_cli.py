"""The commands of ./kaw: exit codes and messages. What goes wrong is told in one message, never in a traceback."""

from __future__ import annotations

import csv
import io
import json
import socket
from datetime import date, timedelta

import psycopg
import pytest

from include.errors import InfrastructureError
from include.local import cli
from include.quality.findings import note_rule_book
from include.quality.rules import load_rules
from include.settings import default_business_date
from tests import databases
from tests.synthetic_marts import JULY, JUNE, Night

COMMANDS = (
    "run",
    "simulate",
    "check-sources",
    "findings",
    "worklists",
    "replay",
    "trace",
    "waive",
    "report",
    "rollback",
    "status",
    "sql",
    "bench",
    "up",
    "down",
    "test",
)


@pytest.fixture
def kaw(capsys):
    """Runs a command in this process: exit code, what it printed, what it said on the error stream."""

    def run(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(list(arguments))
        except SystemExit as end:  # argparse ends the process
            code = end.code
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return code, said.out, said.err

    return run


@pytest.fixture
def warehouse(database, fresh_home, monkeypatch) -> str:
    """A warehouse with every table and no row, and a home of its own."""
    databases.use(monkeypatch, database)
    return database


# -- wrong usage: exit 2, and nothing is touched


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "--dat", "2026-03-29", "--nosuch"], "unrecognized arguments: --nosuch"),
        (["run", "--date", "2026-02-30"], "'2026-02-30' is not a date YYYY-MM-DD"),
        (["run", "--accounts", "0"], "'0' is not a number from 1"),
        (["run", "--accounts", "many"], "'many' is not a number from 1"),
        (["run", "--defects", "7", "--defects-blocking"], "not allowed with argument"),
        (["run", "--from", "2026-03-01"], "--from and --to together"),
        (["run", "--to", "2026-03-01"], "--from and --to together"),
        (["run", "--date", "2026-03-01", "--from", "2026-03-01", "--to", "2026-03-02"], "Give either --date"),
        (["run", "--from", "2026-03-02", "--to", "2026-03-01"], "is later than"),
        (["waive", "MET-02"], "--scope"),
        (["nosuch"], "invalid choice"),
        ([], "COMMAND"),
    ],
    ids=lambda value: " ".join(value) or "nothing" if isinstance(value, list) else "",
)
def test_wrong_usage(kaw, fresh_home, arguments, said):
    code, out, error = kaw(*arguments)
    assert (code, out) == (2, "")
    assert said in error
    assert not fresh_home.home.exists()


def test_a_day_that_is_not_over_yet(kaw, fresh_home):
    today = default_business_date() + timedelta(days=1)
    for arguments in (["--date", f"{today}"], ["--from", "2026-03-01", "--to", f"{today}"]):
        code, _, error = kaw("run", *arguments)
        assert code == 2
        assert f"{today} is not complete yet" in error
        assert f"give {default_business_date()}" in error
    assert not fresh_home.home.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["findings"],
        ["sql", "select 1"],
        ["report"],
        ["rollback", "--approver", "A", "--reason", "B"],
        ["worklists", "lists"],
        ["replay", "--dry-run"],
        ["trace", "two_rates", "account_no=1"],
    ],
    ids=lambda value: value[0],
)
def test_a_home_without_a_warehouse(kaw, fresh_home, arguments):
    code, out, error = kaw(*arguments)
    assert (code, out) == (2, "")
    assert "There is no warehouse in this home yet." in error
    assert "Next: make one with ./kaw run." in error
    assert not fresh_home.home.exists()


def test_down_where_nothing_runs(kaw, fresh_home):
    assert kaw("down") == (0, "Nothing was running.\n", "")


# -- infrastructure: exit 3, one message


def test_a_warehouse_that_does_not_answer(kaw, fresh_home, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("KAW_WAREHOUSE", f"postgresql://kaw:verysecret@127.0.0.1:{port}/warehouse")
    for arguments in (["status"], ["run"], ["sql", "select 1"]):
        code, _, error = kaw(*arguments)
        assert code == 3
        assert error.startswith("kaw: ")
        assert f"127.0.0.1:{port}" in error
        assert "KAW_WAREHOUSE" in error
        assert "verysecret" not in error


def test_a_wrong_password(kaw, database, fresh_home, monkeypatch):
    user, rest = database.split("://")[1].split("@")
    monkeypatch.setenv("KAW_WAREHOUSE", f"postgresql://{user.split(':')[0]}:wrong1234@{rest}")
    code, _, error = kaw("status")
    assert code == 3
    assert "password" in error
    assert "wrong1234" not in error


def test_an_error_that_nobody_foresaw_is_one_message_and_a_log(kaw, warehouse, fresh_home, monkeypatch):
    def broken(_):
        raise RuntimeError("at postgresql://kaw:verysecret@host/warehouse")

    monkeypatch.setattr("include.publish.status", broken)
    code, _, error = kaw("status")
    assert code == 3
    assert error.startswith("kaw: RuntimeError: ")
    log = fresh_home.home / "logs" / "error.log"
    assert f"Where: {log}" in error
    assert "RuntimeError" in log.read_text()
    assert "verysecret" not in error + log.read_text()


# -- reading


def test_the_status_of_an_empty_warehouse(kaw, warehouse):
    code, out, error = kaw("status", "--json")
    assert (code, error) == (0, "")
    status = json.loads(out)
    assert status["business_date"] is None
    assert all(mart["rows"] == 0 for mart in status["marts"].values())


def test_the_findings_of_an_empty_warehouse(kaw, warehouse):
    assert kaw("findings", "--json") == (0, "[]\n", "")
    assert kaw("findings")[1].endswith("0 findings\n")


def test_sql_prints_a_table(kaw, warehouse):
    code, out, error = kaw("sql", "select 42 as answer, null as nothing")
    assert (code, error) == (0, "")
    assert [line.split() for line in out.splitlines()] == [["answer", "nothing"], ["42"]]


def test_sql_prints_csv_that_a_program_reads(kaw, warehouse):
    code, out, _ = kaw(
        "sql", "select 'a,\"b\"' as text, '客户' as name, 1.50::numeric as amount, null as nothing", "--csv"
    )
    assert code == 0
    assert list(csv.reader(io.StringIO(out))) == [["text", "name", "amount", "nothing"], ['a,"b"', "客户", "1.50", ""]]


def test_sql_prints_values_as_they_are(kaw, warehouse):
    query = (
        """select '[/b]' as "[x]", 0.000000001::numeric as small, '{"mp_no": "1"}'::jsonb as key, e'a\\nb' as lines"""
    )
    code, out, _ = kaw("sql", query)
    assert code == 0
    assert [line.rstrip().split(maxsplit=3) for line in out.splitlines()] == [
        ["[x]", "small", "key", "lines"],
        ["[/b]", "0.000000001", '{"mp_no":', '"1"}  a\\nb'],
    ]
    assert list(csv.reader(io.StringIO(kaw("sql", query, "--csv")[1])))[1] == [
        "[/b]",
        "0.000000001",
        '{"mp_no": "1"}',
        "a\nb",
    ]


def test_sql_keeps_short_columns_whole_and_shortens_long_ones(kaw, warehouse):
    _, out, _ = kaw("sql", "select 'MET-27' as rule_id, repeat('x', 300) as observed, repeat('y', 300) as expected")
    head, line = out.splitlines()
    assert head.split() == ["rule_id", "observed", "expected"]
    assert line.split()[0] == "MET-27"
    assert len(line) <= 200
    assert line.count("…") == 2


def test_sql_prints_many_columns_below_one_another(kaw, warehouse):
    columns = ", ".join(f"'value number {n:02d}' as column_{n:02d}" for n in range(30))
    out = kaw("sql", f"select {columns} from generate_series(1, 2)")[1].splitlines()
    assert out[:2] == ["-- row 1", "column_00  value number 00"]
    assert out[30:32] == ["column_29  value number 29", "-- row 2"]
    assert len(out) == 62


@pytest.mark.parametrize(
    "query",
    [
        "delete from quality.waivers",
        "create table quality.mine (n int)",
        "with gone as (delete from quality.runs returning 1) select * from gone",
        "commit; set default_transaction_read_only = off; insert into quality.runs (business_date) values ('2026-03-29')",
        "rollback; begin read write; insert into quality.runs (business_date) values ('2026-03-29'); commit",
    ],
)
def test_sql_refuses_to_write(kaw, warehouse, query):
    code, _, error = kaw("sql", query)
    assert code == 2
    assert "The query was refused" in error
    with psycopg.connect(warehouse) as connection:
        assert connection.execute("select count(*) from quality.runs").fetchone() == (0,)


def test_sql_of_nothing(kaw, warehouse):
    code, _, error = kaw("sql", " ")
    assert code == 2
    assert "The query is empty." in error


@pytest.mark.parametrize("command", [["findings"], ["replay", "--dry-run"]], ids=lambda value: value[0])
def test_an_unknown_rule_is_not_one_without_findings(kaw, warehouse, command):
    with psycopg.connect(warehouse) as connection:
        note_rule_book(connection, load_rules()[:3], date(2026, 11, 23))
        known, office = connection.execute("select rule_id, owner from quality.rule_book limit 1").fetchone()
    code, _, error = kaw(*command, "--rule", "NOSUCH-01")
    assert code == 2
    assert "There is no rule 'NOSUCH-01'." in error
    if command == ["findings"]:
        assert kaw("findings", "--rule", known, "--office", office)[0] == 0
        code, _, error = kaw("findings", "--office", "nobody")
        assert code == 2
        assert "There is no office 'nobody'.\nWhere: --office\nNext: give one of: " in error
        assert office in error


@pytest.mark.parametrize(
    "options", [["--accounts", "40"], ["--seed", "0"], ["--rich"], ["--defects", "7"], ["--defects-blocking"]], ids=str
)
def test_options_of_the_simulated_utility_are_not_ignored_on_sources_of_ones_own(
    kaw, fresh_home, monkeypatch, tmp_path, options
):
    for source in ("METERING", "MARKETING", "CONTRACT"):
        monkeypatch.setenv(f"KAW_SOURCE_{source}", str(tmp_path))
    code, _, error = kaw("run", *options, "--fresh")
    assert code == 2
    assert "all three sources here are yours" in error
    assert not fresh_home.home.exists()


@pytest.mark.parametrize("command", ["worklists", "simulate"])
def test_a_folder_that_is_a_file(kaw, warehouse, tmp_path, command):
    (tmp_path / "taken").touch()
    for path in (tmp_path / "taken", tmp_path / "taken" / "below"):
        code, _, error = kaw(command, str(path))
        assert code == 2
        assert f"{path} is not a folder." in error


def test_the_status_tells_a_pinned_month(kaw, warehouse, tmp_path):
    night = Night(warehouse, tmp_path)
    night.publish()
    night.fill(2, [JUNE, JULY])
    night.publish()
    assert "pinned" not in kaw("status")[1]
    assert kaw("rollback", "--approver", "the approver", "--reason", "wrong")[0] == 0
    assert "2026-07 is rolled back and pinned: version 1 until ./kaw rollback --release" in kaw("status")[1]


def test_an_error_tells_the_place_that_is_added_on_its_way():
    error = InfrastructureError("It failed.", next_step="repeat the command.")
    error.where = "log run.log"
    assert str(error) == "It failed.\nWhere: log run.log\nNext: repeat the command."


def test_sql_that_is_wrong_says_what_is_wrong(kaw, warehouse):
    code, _, error = kaw("sql", "select nosuch from quality.runs")
    assert code == 2
    assert "nosuch" in error


# -- help


def test_the_help_names_every_command_and_shows_examples(kaw):
    code, out, _ = kaw("--help")
    assert code == 0
    listed = {line.split()[0] for line in out.splitlines() if line.startswith("    ") and line[4:5].strip()}
    assert listed >= set(COMMANDS)
    assert "./kaw run " in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(kaw, fresh_home, command):
    code, out, error = kaw(command, "--help")
    assert (code, error) == (0, "")
    assert f"usage: ./kaw {command}" in out
    sentence = out.split("\n\n")[1].strip()
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert max(len(line) for line in out.splitlines()) <= 130
    assert not fresh_home.home.exists()


def test_every_option_of_run_is_explained(kaw):
    _, out, _ = kaw("run", "--help")
    for option in (
        "--date",
        "--from",
        "--to",
        "--accounts",
        "--days",
        "--seed",
        "--rich",
        "--defects",
        "--defects-blocking",
        "--fresh",
    ):
        assert option in out
