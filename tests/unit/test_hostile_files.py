"""Every file of tests/data/hostile_files.csv is loaded exactly, refused, ignored or warned of, with its true reason."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.landing.cast import check_types, rounded
from include.landing.delivery import Delivery, Ignored
from include.landing.folders import Landed, outside_of_tables, read_folder
from tests.hostile import MAKERS, TABLE, cases
from tests.landing import DAY, READER

CASES = {case["case"]: case for case in cases()}


def outcome(root: Path, table_name: str = TABLE) -> tuple[set[str], int, str]:
    """How what lies in a source's folder is taken, the good rows, and all that is said of it."""
    table, states, rows, said = all_tables()[table_name], set(), 0, []
    for found in [*outside_of_tables(root, "metering"), *read_folder(READER, root, table, DAY, Landed())]:
        if isinstance(found, Delivery):
            rejected = check_types(table, found.rows)
            notices = found.notices + rounded(table, found.rows)
            bad = [each.reason for each in rejected] + ["does not split" for _ in found.malformed]
            states.add("rows" if bad else "warned" if notices else "landed")
            rows += found.rows.num_rows - len(rejected)
            said += bad + notices
        else:
            states.add("ignored" if isinstance(found, Ignored) else "refused")
            said.append(f"{found.file_name}: {found.problem}")
    return states, rows, "; ".join(said)


def peak_mib(pid: int) -> int:
    """The most memory that a reader held so far; 0 of one that is gone."""
    status = Path(f"/proc/{pid}/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text() if status.exists() else "")
    return int(found[1]) >> 10 if found else 0


def test_every_hostile_file_is_made():
    assert (len(CASES), set(CASES)) == (len(cases()), set(MAKERS))
    assert len(CASES) >= 72


@pytest.mark.parametrize("case", CASES)
def test_it_is_loaded_exactly_or_refused_or_warned_of_with_its_true_reason(tmp_path, case):
    root = tmp_path / "source"
    (root / TABLE).mkdir(parents=True)
    try:
        MAKERS[case](root)
    except PermissionError:
        pytest.skip("only root makes devices")
    expected = CASES[case]
    READER.start()
    pid = READER._child.pid
    states, rows, said = outcome(root, "mkt_payment" if "decimals" in case else TABLE)
    assert expected["words"].lower() in said.lower()
    assert (states - {"ignored"} or states) == {expected["expected"]}
    assert rows == int(expected["rows"] or 0)
    said.encode()
    assert peak_mib(pid) <= 512
    assert said.isprintable()
    assert {path.name for path in tmp_path.iterdir()} <= {"source", "outside"}
