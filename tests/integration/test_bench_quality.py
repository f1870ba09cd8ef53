"""The quality bench at its smallest: it is good as the rules are, and it is seen to fail where one rule is blind."""

from __future__ import annotations

import json

import pytest

from include.errors import UsageError
from include.lab import score as truth
from include.lab.bench import quality
from include.lab.defects.plant import classes
from include.local import cli
from include.settings import ROOT

CELL = (
    "bench",
    "quality",
    "--seeds",
    "1",
    "--shares",
    "0.001",
    "--accounts",
    "150",
    "--days",
    "7",
    "--least",
    "3",
    "--second-seeds",
    "0",
    "--json",
)
# planted codes that name a table's or a person's part, beside X1 to X16 and the rules' own ids
PARTS = {
    "P boundary",
    "P capacity",
    "P date",
    "P email",
    "P mobile",
    "P name",
    "C address",
    "C mobile",
    "C stage",
    "I application",
    "I standard",
    "X8 unsigned",
}
RULES = {
    *(f"MET-{n}" for n in ("01", "02", "04", "05", "06", "08", "10", "11", "16", "21", "27", "31", "32")),
    *(f"MKT-{n}" for n in ("01", "13", "21", "23")),
    *(f"CON-{n}" for n in ("01", "02", "04", "08")),
}


@pytest.fixture
def bench(database, fresh_home, monkeypatch, capfd):
    """Runs the bench on a server of the session; exit code, what it measured and what it told meanwhile."""
    monkeypatch.setenv("KAW_WAREHOUSE", database)

    def run(*more: str) -> tuple[int, dict, str]:
        code = cli.main([*CELL, *more])
        printed = capfd.readouterr()
        return code, json.loads(printed.out), printed.err

    return run


def test_the_documented_classes_are_those_that_are_planted():
    planted = {d.code for d in classes()}
    assert planted == PARTS | RULES | {f"X{n}" for n in range(1, 17)}
    document = (ROOT / "docs" / "appendix" / "quality-bench.md").read_text(encoding="utf-8")
    lines = document.split("\n## Classes\n")[1].split("\n## ")[0].splitlines()
    listed = [line.split("|")[1].strip() for line in lines if line.startswith("| ")][1:]
    assert sorted(listed) == sorted(planted)
    assert {d.code for d in classes() if d.is_statistical} == {"MET-10", "MET-11"}


@pytest.mark.timeout(600)
def test_every_planted_record_is_found_for_its_reason_and_no_other(bench):
    code, measured, told = bench("--clean-days", "1")
    assert measured["shortfalls"] == []
    assert "every figure reaches its bar" in told
    assert code == 0
    (cell,) = measured["cells"]
    assert len(cell["figures"]) == 49
    assert {
        f["name"]: (f["recall"], f["precision"]) for f in cell["figures"] if (f["recall"], f["precision"]) != (1.0, 1.0)
    } == {}
    assert min(f["records"] for f in cell["figures"]) == 3
    assert cell["missed"] == []
    assert measured["clean_days"][0]["severities"] == {}


@pytest.mark.timeout(600)
def test_a_blind_rule_is_seen(faulty_night, monkeypatch, capsys):
    """A night with planted defects, of which the findings of one rule are taken away: the bench fails, and says of which class."""
    planted = faulty_night.deliver(defects=7).truth
    faulty_night.rows("delete from quality.finding_events where rule_id = 'XSR-03' returning 1")
    scored = truth.score(faulty_night.url, planted)
    cell = quality.Cell(1, 0.001, scored.figures, scored.missed, scored.misnamed, scored.stray)
    monkeypatch.setattr(quality, "measure", lambda plan, *_, **__: quality.Outcome(plan, [cell], []))
    code, measured = cli.main([*CELL]), json.loads(capsys.readouterr().out)
    assert code == 1
    figures = {f["name"]: f for f in measured["cells"][0]["figures"]}
    assert (figures["X3"]["planted"], figures["X3"]["found"], figures["X3"]["recall"]) == (3, 0, 0.0)
    assert figures["X1"]["recall"] == 1.0
    assert [said for said in measured["shortfalls"] if "recall of class X3 is 0.000" in said] != []


@pytest.mark.parametrize("ends", [UsageError("too small", next_step="give more."), RuntimeError("the disk is full")])
def test_what_earlier_seeds_measured_outlives_a_later_one_that_fails(database, fresh_home, monkeypatch, capfd, ends):
    """Of three seeds the third fails: the file in the home holds the first two as the command would have printed them."""
    monkeypatch.setenv("KAW_WAREHOUSE", database)
    kept = fresh_home.home / "logs" / "bench_quality.json"
    seen = []

    def cell(plan, seed, share, *_):
        seen.append([c["seed"] for c in json.loads(kept.read_text(encoding="utf-8"))["cells"]])
        if seed == 6:
            raise ends
        return quality.Cell(seed, share, [truth.Figure("X3", 20, 20, 19, 1, 18)], [], [], [("MET-99", "{}", "warn")])

    monkeypatch.setattr(quality, "_cell", cell)
    command = [
        "bench",
        "quality",
        "--seeds",
        "3",
        "--first-seed",
        "4",
        "--shares",
        "0.01",
        "--clean-days",
        "0",
        "--json",
    ]
    assert cli.main([*command, "--second-seeds", "0"]) != 0
    assert capfd.readouterr().out == ""
    assert seen == [[], [4], [4, 5]]
    measured = json.loads(kept.read_text(encoding="utf-8"))
    assert [(c["seed"], c["figures"][0]["recall"], c["stray"][0][0]) for c in measured["cells"]] == [
        (4, 0.95, "MET-99"),
        (5, 0.95, "MET-99"),
    ]
    assert [path.name for path in kept.parent.glob("bench_quality.*") if path.suffix != ".log"] == [
        "bench_quality.json"
    ]


def test_a_record_that_nobody_planted_and_one_for_another_reason_count_against_their_class():
    figure = truth.Figure("X3", records=20, planted=20, found=19, stray=1, right=18)
    assert figure.recall == 0.95
    assert figure.precision == 0.95
    assert round(figure.reason, 4) == 0.9474
    assert truth.Figure("X3", 20, 20, 0, 0, 0).recall == 0.0


def test_wrong_shares_are_wrong_usage(capsys):
    for shares in ("much", "0", "0.2", ""):
        with pytest.raises(SystemExit) as end:
            cli.main(["bench", "quality", "--shares", shares])
        assert end.value.code == 2
        assert "list of shares up to 0.05" in capsys.readouterr().err


def test_a_utility_too_small_for_the_second_hand_is_wrong_usage(bench_second):
    code, said = bench_second("--second-accounts", "20")
    assert code == 2
    assert "the utility is too small" in said
    assert "--second-accounts" in said


@pytest.fixture
def bench_second(database, fresh_home, monkeypatch, capsys):
    """Runs the second hand's part of the bench alone; exit code and what was said."""
    monkeypatch.setenv("KAW_WAREHOUSE", database)

    def run(*more: str) -> tuple[int, str]:
        code = cli.main(["bench", "quality", "--seeds", "0", "--clean-days", "0", "--second-seeds", "1", *more])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return run
