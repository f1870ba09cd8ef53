"""The ledger tells an intact record from one that somebody changed, and finds each way of changing it."""

from __future__ import annotations

import random
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from psycopg.types.json import Jsonb

from include.records import ledger
from include.records.database import connect

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def head_file(database: str, tmp_path: Path) -> Path:
    """The head of a ledger that is empty yet."""
    kept = tmp_path / "ledger.head"
    assert ledger.write_head(database, kept)
    return kept


@pytest.fixture
def written(database: str, head_file: Path) -> str:
    """A ledger of five entries whose head is kept."""
    for number in range(1, 6):
        with connect(database) as conn:
            ledger.append(
                conn, "load", {"load_id": number, "rows": 10 * number, "share": 0.1, "day": date(2026, 7, 1)}, "tester"
            )
    assert ledger.write_head(database, head_file)
    return database


def change(url: str, *statements: str) -> None:
    with connect(url) as conn:
        for statement in statements:
            conn.execute(statement)


def test_an_intact_ledger_has_no_problem(written: str, head_file: Path) -> None:
    assert ledger.verify(written, head_file) == []
    assert ledger.head(written) == ledger.read_head(head_file)
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
    change(written, statement)
    assert any("entry 3" in problem and "was edited" in problem for problem in ledger.verify(written, head_file))


def test_an_edited_entry_with_a_new_digest_is_found(written: str, head_file: Path) -> None:
    with connect(written) as conn:
        number, at, actor, event, detail, previous = conn.execute(
            "select entry_no, at, actor, event, detail, previous_digest from quality.ledger where entry_no = 3"
        ).fetchone()
        detail["rows"] = 31
        digest = ledger.digest_of(number, at, actor, event, detail, previous)
        conn.execute(
            "update quality.ledger set detail = detail || '{\"rows\": 31}', digest = %s where entry_no = 3", [digest]
        )
    assert ledger.verify(written, head_file) == [
        "entry 4 (load) does not follow the entry before it: one of them was changed or moved."
    ]


def test_a_deleted_entry_is_found(written: str, head_file: Path) -> None:
    change(written, "delete from quality.ledger where entry_no = 2")
    assert "entry 2 is missing." in ledger.verify(written, head_file)
    change(written, "delete from quality.ledger where entry_no = 3")
    assert "entries 2 to 3 are missing." in ledger.verify(written, head_file)


def test_a_deleted_entry_whose_gap_was_closed_is_found(written: str, head_file: Path) -> None:
    change(
        written,
        "delete from quality.ledger where entry_no = 2",
        *(f"update quality.ledger set entry_no = {n - 1} where entry_no = {n}" for n in (3, 4, 5)),
    )
    problems = ledger.verify(written, head_file)
    assert any("does not follow" in problem for problem in problems)
    assert any("tail was cut" in problem for problem in problems)


@pytest.mark.parametrize("number", [0, 6])
def test_an_inserted_entry_is_found(written: str, head_file: Path, number: int) -> None:
    change(
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
    change(
        written,
        "update quality.ledger set entry_no = 99 where entry_no = 2",
        "update quality.ledger set entry_no = 2 where entry_no = 3",
        "update quality.ledger set entry_no = 3 where entry_no = 99",
    )
    assert any("does not follow" in problem for problem in ledger.verify(written, head_file))


def test_a_cut_tail_is_found_and_its_evidence_stays(written: str, head_file: Path) -> None:
    change(written, "delete from quality.ledger where entry_no > 3")
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
    with connect(written) as conn:
        conn.execute("delete from quality.ledger where entry_no > 3")
    head_file.unlink()
    assert ledger.write_head(written, head_file)
    assert ledger.read_head(head_file) == ledger.head(written)
    assert ledger.write_head(written, head_file)
    with connect(written) as conn:
        lost = conn.execute(
            "select entry_no, detail ->> 'reason' from quality.ledger where event = 'head_lost'"
        ).fetchall()
    assert lost == [
        (4, "the head file ledger.head was missing or unreadable: a tail that was cut before this entry cannot be seen")
    ]
    assert ledger.verify(written, head_file) == []


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
    assert ledger.head(database)[0] == 60


def test_an_entry_of_a_transaction_that_failed_leaves_no_gap(database: str, head_file: Path) -> None:
    def fail() -> None:
        with connect(database) as conn:
            ledger.append(conn, "load", {"load_id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with connect(database) as conn:
        assert ledger.append(conn, "load", {"kwh": Decimal("12.50"), "big": 1e22, "名称": "用户"})[0] == 1
    ledger.write_head(database, head_file)
    assert ledger.verify(database, head_file) == []


def test_the_digest_of_findings_follows_their_content(database: str) -> None:
    def digest() -> str:
        with connect(database) as conn:
            return ledger.findings_digest(conn)

    empty = digest()
    change(
        database,
        """
        insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key) values (1, 1, 'opened', now(), 'MET-01', 'mismatch', 'block', 'metering', 't', '{"a": 1}')
    """,
    )
    opened = digest()
    change(
        database,
        """
        insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name,
            record_key) values (1, 2, 'fixed', now(), 'MET-01', 'mismatch', 'block', 'metering', 't', '{"a": 1}')
    """,
    )
    assert empty != opened
    assert digest() == empty


# -- a thousand random tamperings

ENTRIES = 50
CONTENT = ("at", "actor", "event", "detail")
EVENTS = ("load", "verdict", "waiver", "publish", "roll_back", "release")


class Tampering:
    """One random change of a ledger of 50 entries. Each way returns what the first problem must name: the first entry that
    cannot be true. A forger who gives his entry a digest of its own content is caught at the entry after it, or by the head.
    """

    def __init__(self, conn: psycopg.Connection, choice: random.Random) -> None:
        self.conn, self.choice = conn, choice

    def edited(self) -> str:
        number = self.choice.randint(1, ENTRIES)
        column = self.choice.choice((*CONTENT, "previous_digest", "digest"))
        value = {
            "at": "at + interval '1 microsecond'",
            "actor": "actor || '.'",
            "event": "reverse(event)",
            "detail": "jsonb_set(detail, '{rows}', to_jsonb((detail ->> 'rows')::bigint + 1))",
            "previous_digest": "md5(previous_digest) || md5(digest)",
            "digest": "md5(digest) || md5(previous_digest)",
        }[column]
        self._do(f"update quality.ledger set {column} = {value} where entry_no = %s", number)
        if column in CONTENT and self.choice.random() < 0.5:
            return self._forge_digest(number)
        return f"entry {number} "

    def deleted(self) -> str:
        number = self.choice.randint(1, ENTRIES - 1)
        self._do("delete from quality.ledger where entry_no = %s", number)
        if self.choice.random() < 0.5:
            self._renumber(number, -1)
        return f"entry {number} "

    def inserted(self) -> str:
        number = self.choice.randint(1, ENTRIES + 1)
        model = self.choice.choice([n for n in range(1, ENTRIES + 1) if n != number])
        copy = self.conn.execute(
            "select at, actor, event, detail, previous_digest, digest from quality.ledger where entry_no = %s", [model]
        ).fetchone()
        self._renumber(number, 1)
        self._do(
            "insert into quality.ledger values (%s, %s, %s, %s, %s, %s, %s)",
            number,
            *copy[:3],
            Jsonb(copy[3]),
            *copy[4:],
        )
        if self.choice.random() < 0.5:
            self._do(
                "update quality.ledger set previous_digest = coalesce("
                "(select digest from quality.ledger where entry_no = %s), %s) where entry_no = %s",
                number - 1,
                ledger.GENESIS,
                number,
            )
            return self._forge_digest(number)
        return f"entry {number} "

    def reordered(self) -> str:
        first, second = sorted(self.choice.sample(range(1, ENTRIES + 1), 2))
        for old, new in ((first, -1), (second, first), (-1, second)):
            self._do("update quality.ledger set entry_no = %s where entry_no = %s", new, old)
        return f"entry {first} "

    def cut(self) -> str:
        last = self.choice.randint(0, ENTRIES - 1)
        self._do("delete from quality.ledger where entry_no > %s", last)
        if self.choice.random() < 0.5:
            return f"ends at {last}."
        for _ in range(last, ENTRIES):
            ledger.append(self.conn, "load", {"rows": self.choice.randint(1, 1000)}, "forger")
        return f"entry {ENTRIES} is not the one"

    def _forge_digest(self, number: int) -> str:
        entry = self.conn.execute(
            "select entry_no, at, actor, event, detail, previous_digest from quality.ledger where entry_no = %s",
            [number],
        ).fetchone()
        self._do("update quality.ledger set digest = %s where entry_no = %s", ledger.digest_of(*entry), number)
        if number > ENTRIES:
            return f"entries after {ENTRIES} "
        return (
            f"entry {number} is not the one"
            if number == ENTRIES and not self._has(ENTRIES + 1)
            else f"entry {number + 1} "
        )

    def _has(self, number: int) -> bool:
        return self.conn.execute("select 1 from quality.ledger where entry_no = %s", [number]).fetchone() is not None

    def _renumber(self, first: int, by: int) -> None:
        self._do("update quality.ledger set entry_no = -(entry_no + %s) where entry_no >= %s", by, first)
        self._do("update quality.ledger set entry_no = -entry_no where entry_no < 0")

    def _do(self, statement: str, *values) -> None:
        self.conn.execute(statement, values)


def test_a_tampered_ledger_is_detected_a_thousand_times_in_a_thousand(database: str, head_file: Path) -> None:
    choice = random.Random(20261123)
    for number in range(1, ENTRIES + 1):
        with connect(database) as conn:
            detail = {"load_id": number, "rows": choice.randint(1, 1000), "table": "met_interval_96", "名称": "用户"}
            ledger.append(conn, choice.choice(EVENTS), detail, choice.choice(("night", "airflow:kaw")))
    ledger.write_head(database, head_file)
    kept = ledger.read_head(head_file)
    kinds = ("edited", "deleted", "inserted", "reordered", "cut")
    undetected, misnamed = [], []
    with connect(database) as conn:
        assert ledger.problems_in(conn, kept) == []
        for trial in range(1000):
            kind = kinds[trial % len(kinds)]
            with conn.transaction(force_rollback=True):
                expected = getattr(Tampering(conn, choice), kind)()
                problems = ledger.problems_in(conn, kept)
            if not problems:
                undetected.append((trial, kind, expected))
            elif expected not in problems[0]:
                misnamed.append((trial, kind, expected, problems[0]))
        assert ledger.problems_in(conn, kept) == []
    assert undetected == []
    assert misnamed == []
