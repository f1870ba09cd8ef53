"""Deliveries that arrive after a later one become history at their own date: the order of landing changes nothing.

Each case is worked by hand: what the files of three days say of a meter, and from which day on which maker is known (None:
withdrawn).
"""

from __future__ import annotations

from datetime import date
from itertools import groupby, permutations
from pathlib import Path

import pytest

from tests.integration.test_landing import freeze, meter
from tests.landing import Utility, new_utility

ORDERS = list(permutations((18, 19, 20)))
# The maker of a meter in the files of the 18th, 19th and 20th (None: the file does not hold it), and what is known from when.
WHOLE_TABLES = {
    "changed and back": (("A", "B", "A"), [(18, "A"), (19, "B"), (20, "A")]),
    "the same on all days": (("A", "A", "A"), [(18, "A")]),
    "changed in the middle and kept": (("A", "B", "B"), [(18, "A"), (19, "B")]),
    "another every day": (("A", "B", "C"), [(18, "A"), (19, "B"), (20, "C")]),
    "absent in the middle": (("A", None, "A"), [(18, "A"), (19, None), (20, "A")]),
    "absent in the middle, another then": (("A", None, "B"), [(18, "A"), (19, None), (20, "B")]),
    "in the middle only": ((None, "A", None), [(19, "A"), (20, None)]),
    "new in the middle": ((None, "A", "A"), [(19, "A")]),
    "gone in the middle": (("A", None, None), [(18, "A"), (19, None)]),
    "changed, then gone": (("A", "B", None), [(18, "A"), (19, "B"), (20, None)]),
    "on the first day only": (("A", None, None), [(18, "A"), (19, None)]),
    "on the last day only": ((None, None, "A"), [(20, "A")]),
}
# The same by form, which withdraws nothing.
FORMS = {
    "changed and back": (("A", "B", "A"), [(18, "A"), (19, "B"), (20, "A")]),
    "the same on all days": (("A", "A", "A"), [(18, "A")]),
    "changed in the middle and kept": (("A", "B", "B"), [(18, "A"), (19, "B")]),
    "changed in the middle, absent after": (("A", "B", None), [(18, "A"), (19, "B")]),
    "absent in the middle": (("A", None, "A"), [(18, "A")]),
    "in the middle only": ((None, "A", None), [(19, "A")]),
    "new in the middle": ((None, "A", "A"), [(19, "A")]),
    "on the last day only": ((None, None, "A"), [(20, "A")]),
}


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def by_form(utility: Utility) -> Utility:
    return Utility(utility.url, utility.folder.parent / "forms")


def write(utility: Utility, name: str, makers: dict[str, str]) -> Path:
    return utility.write("met_meter", name, [meter(number, maker) for number, maker in makers.items()])


def write_announced(utility: Utility, day: int) -> None:
    """The whole table of a day; a manifest announces what each file takes out, for it is a large part of so few meters."""
    write(utility, f"met_meter_202601{day}.csv", files(WHOLE_TABLES)[day])
    delivered = sorted(path.name for path in (utility.folder / "met_meter").glob("*.csv"))
    utility.announce("met_meter", *({"name": name, "withdrawn_rows": len(WHOLE_TABLES)} for name in delivered))


def history(utility: Utility, until: int = 31) -> list[tuple[str, int, str | None]]:
    """From which day of January on which maker of a meter was known; by what the log says, not by what staging makes of it."""
    rows = utility.query(
        "select meter_asset_no, extract(day from _business_date)::integer, case when not _is_tombstone then maker end"
        " from raw_metering.met_meter where _business_date <= %s"
        ' order by meter_asset_no collate "C", _business_date, _load_id',
        date(2026, 1, until),
    )
    of_day = [list(same_day)[-1] for _, same_day in groupby(rows, key=lambda row: row[:2])]
    return [next(same) for _, same in groupby(of_day, key=lambda row: (row[0], row[2]))]


def assert_nothing_refused(utility: Utility) -> None:
    assert utility.query("select file_name, problem from quality.receipts where state = 'refused'") == []


def files(cases: dict) -> dict[int, dict[str, str]]:
    """Per day the makers of its file, each meter named after its case."""
    return {
        day: {case: makers[place] for case, (makers, _) in cases.items() if makers[place]}
        for place, day in enumerate((18, 19, 20))
    }


def expected(cases: dict, until: int = 31) -> list[tuple[str, int, str | None]]:
    return sorted((case, day, maker) for case, (_, known) in cases.items() for day, maker in known if day <= until)


@pytest.mark.parametrize("order", ORDERS)
def test_whole_tables_in_any_order_make_one_history(utility, order):
    for number, day in enumerate(order):
        write_announced(utility, day)
        utility.land(date(2026, 1, max(order[: number + 1])))
    assert history(utility) == expected(WHOLE_TABLES)
    assert history(utility, until=19) == expected(WHOLE_TABLES, until=19)
    assert utility.in_force("met_meter", "meter_asset_no", "maker") == sorted(files(WHOLE_TABLES)[20].items())
    assert_nothing_refused(utility)


def test_whole_tables_that_land_at_once_have_the_same_history(utility):
    for day in (18, 19, 20):
        write_announced(utility, day)
    utility.land(date(2026, 1, 20))
    assert history(utility) == expected(WHOLE_TABLES)
    assert_nothing_refused(utility)


@pytest.mark.parametrize("order", ORDERS)
def test_files_of_equal_bytes_are_deliveries_of_their_own_days(utility, order):
    for number, day in enumerate(order):
        write(utility, f"met_meter_202601{day}.csv", {"M1": "B" if day == 19 else "A"})
        utility.land(date(2026, 1, max(order[: number + 1])))
    assert history(utility) == [("M1", 18, "A"), ("M1", 19, "B"), ("M1", 20, "A")]


@pytest.mark.parametrize("order", ORDERS)
def test_forms_in_any_order_make_one_history(utility, order):
    for number, day in enumerate(order):
        write(by_form(utility), f"unit_202601{day}.csv", files(FORMS)[day])
        utility.land(date(2026, 1, max(order[: number + 1])))
    assert history(utility) == expected(FORMS)
    assert_nothing_refused(utility)


@pytest.mark.parametrize("order", ORDERS)
def test_a_form_between_two_whole_tables_holds_until_the_second(utility, order):
    for number, day in enumerate(order):
        sender, name = (by_form(utility), "unit") if day == 19 else (utility, "met_meter")
        write(
            sender,
            f"{name}_202601{day}.csv",
            {"M1": "B" if day == 19 else "A", "M2": "C"} if day == 19 else {"M1": "A"},
        )
        utility.land(date(2026, 1, max(order[: number + 1])))
    # the interface withdraws nothing that came by form
    assert history(utility) == [("M1", 18, "A"), ("M1", 19, "B"), ("M1", 20, "A"), ("M2", 19, "C")]


def test_a_late_file_that_says_nothing_new_touches_nothing(utility):
    for day in (18, 20, 19):
        write(utility, f"met_meter_202601{day}.csv", {"M1": "A", "M2": "B"} if day != 19 else {"M2": "B", "M1": "A"})
        utility.land(date(2026, 1, 21 if day == 19 else day))
    assert utility.query(
        "select file_name, business_date, delivered_rows, inserted_rows, duplicate_rows, tombstone_rows"
        " from quality.receipts order by load_id offset 2"
    ) == [("met_meter/met_meter_20260119.csv", date(2026, 1, 19), 2, 0, 2, 0)]
    assert utility.query("select count(*) from raw_metering.met_meter") == [(2,)]


def test_the_same_late_file_again_is_a_duplicate(utility):
    for day, maker in ((18, "A"), (20, "A"), (19, "B")):
        write(utility, f"met_meter_202601{day}.csv", {"M1": maker})
        utility.land(date(2026, 1, 21 if day == 19 else day))
    rows = utility.query("select count(*) from raw_metering.met_meter")
    assert utility.land(date(2026, 1, 21)) == []
    (again,) = utility.land(date(2026, 1, 19))
    write(utility, "met_meter_20260119_copy.csv", {"M1": "B"})
    (renamed,) = utility.land(date(2026, 1, 21))
    for receipt in (again, renamed):
        assert (receipt.state, receipt.delivered_rows, receipt.inserted_rows, receipt.duplicate_rows) == (
            "landed",
            1,
            0,
            1,
        )
    assert utility.query("select count(*) from raw_metering.met_meter") == rows == [(3,)]


def test_what_a_late_file_makes_the_next_delivery_say_again_has_a_receipt_of_its_date(utility):
    for day, makers in ((18, {"M1": "A", "M2": "A"}), (20, {"M1": "A", "M2": "A"}), (19, {"M1": "B", "M3": "A"})):
        write(utility, f"met_meter_202601{day}.csv", makers)
        utility.land(date(2026, 1, 21 if day == 19 else day))
    assert utility.query(
        "select extract(day from business_date)::integer, file_name, delivered_rows, inserted_rows, duplicate_rows,"
        " tombstone_rows, duplicate_of from quality.receipts order by load_id"
    ) == [
        (18, "met_meter/met_meter_20260118.csv", 2, 2, 0, 0, None),
        (20, "met_meter/met_meter_20260120.csv", 2, 0, 2, 0, 1),
        (19, "met_meter/met_meter_20260119.csv", 2, 2, 0, 1, None),
        (20, None, 2, 2, 0, 1, 2),  # M1 and M2 as they were, M3 withdrawn
    ]
    assert utility.query("select count(*) from quality.ledger where event = 'load'") == [(4,)]


def test_a_correction_of_an_earlier_day_under_its_own_name_is_history(utility):
    for day in (18, 19, 20):
        write(utility, f"met_meter_202601{day}.csv", {"M1": "A"})
        utility.land(date(2026, 1, day))
    write(utility, "met_meter_20260119.csv", {"M1": "B"})
    utility.land(date(2026, 1, 20))
    assert history(utility) == [("M1", 18, "A"), ("M1", 19, "B"), ("M1", 20, "A")]


def test_a_late_file_of_events_does_not_replace_what_a_later_one_corrected(utility):
    for day, reading in ((20, "11"), (19, "10")):
        utility.write("met_register_freeze", f"f_202601{day}.csv", [freeze("M1", reading)])
        utility.land(date(2026, 1, 20))
    assert utility.in_force("met_register_freeze", "meter_asset_no", "reading::text") == [("M1", "11.0000")]


@pytest.mark.parametrize("order", ORDERS)
def test_a_rejected_row_is_answered_by_the_next_file_in_order_of_date(utility, order):
    for number, day in enumerate(order):
        row = meter("M1") | ({"manufactured_on": "2025-02-30"} if day == 19 else {})
        utility.write("met_meter", f"met_meter_202601{day}.csv", [row])
        utility.land(date(2026, 1, max(order[: number + 1])))
    assert utility.query(
        "select bad.business_date, answer.business_date from quality.rejected_rows as rejected"
        " inner join quality.receipts as bad on rejected.load_id = bad.load_id"
        " left join quality.receipts as answer on rejected.superseded_by = answer.load_id"
    ) == [(date(2026, 1, 19), date(2026, 1, 20))]
    assert history(utility) == [("M1", 18, "A")]
