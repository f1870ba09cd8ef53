"""Files as utilities write them: each is mapped right, or what is not sure of it is named; none is wrong in silence.

What is expected of each copy was typed in with the copy (`tests/deformed/copies.py`), before there was a mapper.
"""

from __future__ import annotations

import random
from datetime import date
from decimal import Decimal, InvalidOperation

import pytest

from include.contracts import all_tables
from include.landing.mapping import parsed, read_mapped
from include.onboarding.propose import CURVES, dumped, propose
from tests.deformed import truth
from tests.deformed.copies import RIGHT, Copy, copies

TODAY = date(2026, 6, 30)
NO_FILE_SAYS = {"intervals.is_primary"}  # asked of every file of intervals: no deformation, a question to a person
COPIES = copies()
NUMBERS = (*truth.AMOUNTS, "contract_cap_kva", "running_cap_kva")


def read(copy: Copy, proposed) -> tuple[list[dict], int | None]:
    """Rows of a copy by its proposal, with every doubt confirmed as it was chosen."""
    entry = proposed.entry(copy.file)
    for doubt in entry["doubts"]:
        doubt["confirmed"] = True
    source = all_tables()[copy.table].source
    mapping = parsed(source, dumped({"source": source, "tables": {copy.table: entry}}), "here")[copy.table]
    rows, _, minutes = read_mapped(copy.content, all_tables()[copy.table], mapping)
    return rows.to_pylist(), minutes


def is_same(name: str, got: str | None, wanted: str) -> bool:
    if name in NUMBERS and got and wanted:
        try:
            return Decimal(got) == Decimal(wanted)
        except InvalidOperation:
            return False
    return (got or "") == wanted


def wrong_settings(copy: Copy, proposed) -> set[str]:
    """The columns whose values are not those of the truth, as settings."""
    rows, minutes = read(copy, proposed)
    if copy.table != CURVES:
        wrong = {
            f"columns.{name}"
            for got, wanted in zip(rows, copy.rows, strict=False)
            for name, value in wanted.items()
            if not is_same(name, got[name], value)
        }
        return wrong | ({"rows.last"} if len(rows) != len(copy.rows) else set())
    got = {
        (row["mp_no"], row["data_date"], slot, row["data_type"]): Decimal(row[f"v{slot}"])
        for row in rows
        for slot in range(1, 97)
        if row[f"v{slot}"] is not None
    }
    wanted = {}
    for row in copy.rows:  # the value of a half hour is in the second of its quarters
        slot = (row["start"].hour * 60 + row["start"].minute + copy.minutes) // 15
        wanted |= {(row["mp_no"], f"{row['start']:%Y-%m-%d}", slot, q): row[q] for q in ("E+", "RQ1") if q in row}
    return set() if got == wanted and minutes == max(copy.minutes, 15) else {"intervals"}


@pytest.mark.parametrize("copy", COPIES, ids=lambda copy: copy.name)
def test_a_copy_is_mapped_right_or_what_is_doubtful_is_named(copy):
    proposed = propose(all_tables()[copy.table].source, copy.file, copy.content, TODAY)
    doubts = set(proposed.doubts) - NO_FILE_SAYS
    assert (proposed.table, proposed.problem) == (copy.table, None)
    if copy.expected == RIGHT:
        assert doubts == set(), proposed.doubts
        assert wrong_settings(copy, proposed) == set()
    else:
        assert set(copy.expected) <= doubts
        silent = {
            setting
            for setting in wrong_settings(copy, proposed)
            if not any(doubt.startswith((setting, "format.")) for doubt in doubts)
        }
        assert silent == set()


def test_at_least_forty_copies_and_three_quarters_of_them_without_a_doubt():
    assert len(COPIES) >= 40
    assert len({copy.name for copy in COPIES}) == len(COPIES)
    assert sum(copy.expected == RIGHT for copy in COPIES) >= 0.75 * len(COPIES)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_copy_is_proposed_or_told_and_never_an_error(seed):
    drawn = random.Random(seed)
    for copy in drawn.sample(COPIES, 8):
        content = bytearray(copy.content)
        for _ in range(20):
            content[drawn.randrange(len(content))] = drawn.randrange(256)
        lines = bytes(content[: drawn.randrange(len(content) // 2, len(content))]).split(b"\n")
        drawn.shuffle(lines)
        for damaged in (bytes(content), b"\n".join(lines), b"", b"\n\n", b"a;b\n"):
            proposed = propose(all_tables()[copy.table].source, copy.file, damaged, TODAY)
            assert proposed.table or proposed.problem


def test_a_file_of_which_only_a_number_of_many_tables_is_known_is_said_to_be_of_a_doubtful_table():
    content = b"account_number,street,label\n" + b"".join(
        b"35012787%d,1 Some Way %d,Some place\n" % (n, n) for n in range(100, 110)
    )
    proposed = propose("marketing", "places.csv", content)
    assert [name for name, column in proposed.columns.items() if "from" in column] == ["cons_no"]
    chosen, why = proposed.doubts["table"]
    assert (chosen, "cons_no alone" in why) == (proposed.table, True)


def test_a_value_that_was_changed_in_a_copy_is_seen():
    """The check itself fails where a mapping reads another value than the truth has."""
    copy = next(copy for copy in COPIES if copy.name == "decimal comma")
    proposed = propose("marketing", copy.file, copy.content.replace(b"8123,45", b"8123,46"), TODAY)
    assert wrong_settings(
        Copy(copy.name, copy.table, copy.file, copy.content.replace(b"8123,45", b"8123,46"), RIGHT, copy.rows), proposed
    ) == {"columns.kwh_total"}
