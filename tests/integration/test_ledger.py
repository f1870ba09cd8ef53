"""The ledger tells an intact record from one that somebody changed, and finds each way of changing it."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest

from include.errors import LedgerBroken, UsageError
from include.records import ledger, ledger_key
from include.records.database import connect
from include.records.ledger_check import GENESIS, Entry, digest_of
from tests.synthetic_marts import JULY, JUNE, Night
from tests.tampering import entries, give_digest, tamper, unguarded

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def head_file(database: str, tmp_path: Path) -> Path:
    """The head of a ledger that has no entry but that of its key."""
    kept = tmp_path / "ledger.head"
    assert ledger.write_head(database, kept)
    return kept


@pytest.fixture
def own_key(written: str, head_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ledger_key.Key:
    """A key of a home of this test alone; the ledger's sixth entry says that the one before was lost."""
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    assert ledger.write_head(written, head_file)
    return ledger_key.given()


@pytest.fixture
def written(database: str, head_file: Path) -> str:
    """A ledger of five entries whose head is kept."""
    for number in range(2, 6):
        with connect(database) as conn:
            ledger.append(
                conn, "load", {"load_id": number, "rows": 10 * number, "share": 0.1, "day": date(2026, 7, 1)}, "tester"
            )
    assert ledger.write_head(database, head_file)
    return database


def number_and_digest(head_file: Path) -> tuple[int, str]:
    kept = ledger.read_head(head_file)
    return kept.entry_no, kept.digest


def test_an_intact_ledger_has_no_problem(written: str, head_file: Path) -> None:
    assert ledger.verify(written, head_file) == []
    assert ledger.head(written) == number_and_digest(head_file)
    assert ledger.head(written)[0] == 5


def test_an_empty_ledger_has_no_problem(database: str, head_file: Path) -> None:
    assert ledger.verify(database, head_file) == []
    ledger.write_head(database, head_file)
    assert ledger.verify(database, head_file) == []


@pytest.mark.parametrize(
    "statement",
    [
        "update quality.ledger set detail = detail || '{\"rows\": 31}' where entry_no = 3",
        "update quality.ledger set actor = 'somebody' where entry_no = 3",
        "update quality.ledger set event = 'verdict' where entry_no = 3",
        "update quality.ledger set at = at + interval '1 microsecond' where entry_no = 3",
    ],
)
def test_an_edited_entry_is_found(written: str, head_file: Path, statement: str) -> None:
    tamper(written, statement)
    assert any("entry 3" in problem and "was edited" in problem for problem in ledger.verify(written, head_file))


def test_an_edited_entry_with_a_new_digest_is_found(written: str, head_file: Path) -> None:
    with connect(written) as conn, unguarded(conn):
        conn.execute("update quality.ledger set detail = detail || '{\"rows\": 31}' where entry_no = 3")
        give_digest(conn, 3)
    assert ledger.verify(written, head_file) == [
        "entry 4 (load) does not follow the entry before it: one of them was changed or moved."
    ]


def test_a_deleted_entry_is_found(written: str, head_file: Path) -> None:
    tamper(written, "delete from quality.ledger where entry_no = 2")
    assert "entry 2 is missing." in ledger.verify(written, head_file)
    tamper(written, "delete from quality.ledger where entry_no = 3")
    assert "entries 2 to 3 are missing." in ledger.verify(written, head_file)


def test_a_deleted_entry_whose_gap_was_closed_is_found(written: str, head_file: Path) -> None:
    tamper(
        written,
        "delete from quality.ledger where entry_no = 2",
        *(f"update quality.ledger set entry_no = {n - 1} where entry_no = {n}" for n in (3, 4, 5)),
    )
    problems = ledger.verify(written, head_file)
    assert any("does not follow" in problem for problem in problems)
    assert any("tail was cut" in problem for problem in problems)


@pytest.mark.parametrize("number", [0, 6])
def test_an_inserted_entry_is_found(written: str, head_file: Path, number: int) -> None:
    tamper(
        written,
        f"insert into quality.ledger select {number}, at, actor, event, detail, previous_digest, digest"
        " from quality.ledger where entry_no = 3",
    )
    assert any(f"entry {number}" in problem for problem in ledger.verify(written, head_file))


def test_an_entry_added_behind_the_head_with_a_right_chain_is_found(written: str, head_file: Path) -> None:
    with connect(written) as conn:
        ledger.append(conn, "waiver", {"rule_id": "MET-01"}, "somebody")
    assert any("entries after 5 are not in the head file" in problem for problem in ledger.verify(written, head_file))


def test_reordered_entries_are_found(written: str, head_file: Path) -> None:
    tamper(
        written,
        "update quality.ledger set entry_no = 99 where entry_no = 2",
        "update quality.ledger set entry_no = 2 where entry_no = 3",
        "update quality.ledger set entry_no = 3 where entry_no = 99",
    )
    assert any("does not follow" in problem for problem in ledger.verify(written, head_file))


def test_a_cut_tail_is_found_and_its_evidence_stays(written: str, head_file: Path) -> None:
    tamper(written, "delete from quality.ledger where entry_no > 3")
    cut = ["the tail was cut: the head file knows entry 5, the ledger ends at 3."]
    assert ledger.verify(written, head_file) == cut
    assert not ledger.write_head(written, head_file)
    assert ledger.verify(written, head_file) == cut
    for number in range(3):
        with connect(written) as conn:
            ledger.append(conn, "load", {"load_id": number})
    assert not ledger.write_head(written, head_file)
    assert any("the chain was written anew" in problem for problem in ledger.verify(written, head_file))


def test_a_lost_head_file_is_told(written: str, head_file: Path) -> None:
    head_file.write_text("")
    assert any("missing or unreadable" in problem for problem in ledger.verify(written, head_file))


def test_a_head_that_is_made_anew_leaves_an_entry_for_good(written: str, head_file: Path) -> None:
    tamper(written, "delete from quality.ledger where entry_no > 3")
    head_file.unlink()
    assert ledger.write_head(written, head_file)
    assert number_and_digest(head_file) == ledger.head(written)
    assert ledger.write_head(written, head_file)
    with connect(written) as conn:
        lost = conn.execute(
            "select entry_no, detail ->> 'reason' from quality.ledger where event = 'head_lost'"
        ).fetchall()
    assert lost == [
        (4, "the head file ledger.head was missing or unreadable: a tail that was cut before this entry cannot be seen")
    ]
    assert ledger.verify(written, head_file) == []


# -- who writes, and what nobody may


def test_the_session_is_the_actor_and_the_person_is_what_the_program_says(written: str) -> None:
    with connect(written) as conn:
        last = entries(conn)[-1]
        conn.execute("set role kaw_loader")
        ledger.append(conn, "load", {"load_id": 9}, "somebody else")
        conn.execute("reset role")
        assert (last.actor, last.entered_by, last.form) == ("kaw", "tester", 2)
        assert entries(conn)[-1].actor == "kaw"


@pytest.mark.parametrize(
    "statement", ["update quality.ledger set at = at", "delete from quality.ledger", "truncate quality.ledger"]
)
def test_the_ledger_only_grows_even_for_its_owner(written: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="ledger only grows"), connect(written) as conn:
        conn.execute(statement)


def test_nothing_is_published_on_a_tampered_ledger(database: str, tmp_path: Path) -> None:
    night = Night(database, tmp_path)
    night.publish()
    night.fill(2, [JUNE, JULY])
    tamper(database, "update quality.ledger set actor = 'somebody' where entry_no = 2")
    with pytest.raises(LedgerBroken, match=r"the ledger was tampered with: entry 2 \(verdict\) was edited") as refused:
        night.publish()
    assert refused.value.exit_code == 1
    assert night.seen() == {(JUNE, 1), (JULY, 1)}
    with connect(database) as conn:
        assert entries(conn)[-1].event == "publish_refused"


def test_an_entry_of_before_is_still_verified_and_none_may_follow_a_new_one(written: str, head_file: Path) -> None:
    """Form 1 with the digest typed in of an entry that the code of before wrote."""
    of_before = Entry(
        1,
        datetime(2026, 7, 11, 2, 0, tzinfo=UTC),
        "night",
        None,
        "load",
        '{"rows": 10, "名称": "用户"}',
        GENESIS,
        "",
        1,
    )
    assert digest_of(of_before) == "1e0210b2b358b1910c1bbbd5a70e91f6d0da4780f5c3851419cc5032698bcdea"
    with connect(written) as conn:
        conn.execute("select 1")
    tamper(
        written,
        "insert into quality.ledger select 6, at, actor, event, detail, digest, digest from quality.ledger where entry_no = 5",
    )
    with connect(written) as conn, unguarded(conn):
        give_digest(conn, 6)
    assert "entry 6 (load) was edited: its content does not give its digest." in ledger.verify(written, head_file)


# -- the key


def test_the_first_entry_announces_the_key_and_the_home_keeps_it_to_itself(written: str) -> None:
    key = ledger_key.given()
    with connect(written) as conn:
        first = entries(conn)[0]
    assert (first.event, json.loads(first.detail)) == ("key", {"public_key": key.public})
    assert ledger_key.key_file().stat().st_mode & 0o777 == 0o600
    assert ledger_key.key_file().parent.stat().st_mode & 0o777 == 0o700


def test_a_key_is_exchanged_with_the_signatures_of_both(written: str, head_file: Path, own_key: ledger_key.Key) -> None:
    with connect(written) as conn:
        assert ledger.append(conn, "load", {"load_id": 8})[0] == 7  # after the entry of the key of this home
    made = ledger.rotate(written, head_file=head_file)
    assert ledger_key.given().public == made.public != own_key.public
    assert ledger.verify(written, head_file) == []
    with connect(written) as conn:
        assert entries(conn)[-1].event == "key_rotation"
    tamper(written, "update quality.ledger set detail = detail || '{\"signed\": \"\"}' where event = 'key_rotation'")
    assert any("not signed with both keys" in problem for problem in ledger.verify(written, head_file))


def test_a_lost_key_is_said_for_good(written: str, head_file: Path, own_key: ledger_key.Key) -> None:
    ledger_key.key_file().unlink()
    assert ledger.write_head(written, head_file)
    assert ledger.verify(written, head_file) == []
    notes = ledger.look_at(written, head_file).notes
    assert "entry 7: the key was lost; nothing before it can be held to the key of today." in notes


def test_a_key_that_is_none_is_a_usage_error(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAW_LEDGER_KEY", "not a key")
    with pytest.raises(UsageError, match="it is no Ed25519 key") as error:
        ledger.write_head(written)
    assert "not a key" not in str(error.value)


def test_a_key_of_the_environment_signs_and_its_home_has_none(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAW_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("KAW_LEDGER_KEY", base64.b64encode(bytes(range(32))).decode())
    tamper(database, "truncate quality.ledger")
    assert ledger.write_head(database)
    assert ledger.verify(database) == []
    assert (
        ledger.look_at(database).keys.newest == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
    )  # RFC 8032, 00 01 … 1f
    assert not (tmp_path / "home" / "keys").exists()


# -- concurrency


def test_numbers_have_no_gap_when_processes_append_at_once(database: str, head_file: Path) -> None:
    code = (
        "import sys; from include.records import ledger; from include.records.database import connect\n"
        "for number in range(20):\n"
        "    with connect(sys.argv[1]) as conn: ledger.append(conn, 'load', {'load_id': number})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, database], cwd=ROOT) for _ in range(3)]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    ledger.write_head(database, head_file)
    assert ledger.verify(database, head_file) == []
    assert ledger.head(database)[0] == 61


def test_an_entry_of_a_transaction_that_failed_leaves_no_gap(database: str, head_file: Path) -> None:
    def fail() -> None:
        with connect(database) as conn:
            ledger.append(conn, "load", {"load_id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with connect(database) as conn:
        assert ledger.append(conn, "load", {"kwh": Decimal("12.50"), "big": 1e22, "名称": "用户"})[0] == 2
    ledger.write_head(database, head_file)
    assert ledger.verify(database, head_file) == []


def test_the_digest_of_findings_follows_their_content(database: str) -> None:
    def digest() -> str:
        with connect(database) as conn:
            return ledger.findings_digest(conn)

    empty = digest()
    tamper(
        database,
        """
        insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key) values (1, 1, 'opened', now(), 'MET-01', 'mismatch', 'block', 'metering', 't', '{"a": 1}')
    """,
    )
    opened = digest()
    tamper(
        database,
        """
        insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key) values (1, 2, 'fixed', now(), 'MET-01', 'mismatch', 'block', 'metering', 't', '{"a": 1}')
    """,
    )
    assert empty != opened
    assert digest() == empty
