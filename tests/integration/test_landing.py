"""Landing is idempotent by content: what came before changes nothing, what is new lands, what is gone is marked."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import psycopg
import pytest

from include.contracts import all_tables
from include.landing.delivery import Refusal
from include.landing.land import land
from include.records.database import connect
from include.records.fence import take_fence
from tests.landing import DAY, Utility, csv_text, new_utility

FREEZE = {
    "freeze_kind": "DAY",
    "freeze_ts": "2026-01-15 00:00:00+08:00",
    "energy_kind": "P",
    "dir": "F",
    "rate": "T",
    "version": "1",
    "recv_ts": "2026-01-15 01:00:00+08:00",
}


@pytest.fixture
def utility(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Utility:
    return new_utility(database, tmp_path, monkeypatch)


def freeze(meter: str, reading: str, **more: str) -> dict:
    return FREEZE | {"meter_asset_no": meter, "reading": reading} | more


def meter(number: str, maker: str = "A") -> dict:
    return {"meter_asset_no": number, "maker": maker, "src_updated_at": "2026-01-01 00:00:00+08:00"}


def receipts(utility: Utility) -> list[tuple]:
    return utility.query(
        "select file_name, delivered_rows, inserted_rows, duplicate_rows, rejected_rows, tombstone_rows, duplicate_of"
        " from quality.receipts order by load_id"
    )


def test_the_same_file_again_changes_nothing_and_leaves_a_receipt(utility):
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10"), freeze("M2", "20")])
    utility.land()
    utility.land()
    assert receipts(utility) == [
        ("met_register_freeze/f_20260115.csv", 2, 2, 0, 0, 0, None),
        ("met_register_freeze/f_20260115.csv", 2, 0, 2, 0, 0, 1),
    ]


def test_a_file_of_an_earlier_night_is_no_arrival_of_tonight(utility):
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10")])
    utility.land()
    assert utility.land(DAY + timedelta(days=1)) == []


def test_a_renamed_file_is_a_duplicate(utility):
    path = utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10")])
    utility.land()
    path.rename(path.with_name("copy.csv"))
    utility.land()
    assert receipts(utility)[1] == ("met_register_freeze/copy.csv", 1, 0, 1, 0, 0, 1)


def test_a_copy_delivered_in_the_same_night_is_a_duplicate(utility):
    utility.write("met_register_freeze", "a.csv", [freeze("M1", "10")])
    utility.write("met_register_freeze", "b.csv", [freeze("M1", "10")])
    utility.land()
    assert receipts(utility)[1] == ("met_register_freeze/b.csv", 1, 0, 1, 0, 0, 1)


def test_of_an_overlapping_file_only_the_new_rows_land(utility):
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10"), freeze("M2", "20")])
    utility.land()
    utility.write("met_register_freeze", "g_20260115.csv", [freeze("M2", "20.0"), freeze("M3", "30")])
    utility.land()
    assert receipts(utility)[-1][1:] == (2, 1, 1, 0, 0, None)


def test_a_correction_taken_back_lands_again(utility):
    for reading in ("10", "11", "10"):
        utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", reading)])
        utility.land()
    assert [row[2] for row in receipts(utility)] == [1, 1, 1]
    assert utility.in_force("met_register_freeze", "meter_asset_no", "reading::text") == [("M1", "10.0000")]


def test_a_whole_table_that_goes_back_to_an_earlier_state_lands_again(utility):
    for day, maker in ((13, "A"), (14, "B"), (15, "A")):
        utility.write("met_meter", f"met_meter_202601{day}.csv", [meter("M1", maker)])
        utility.land(date(2026, 1, day))
    assert utility.in_force("met_meter", "meter_asset_no", "maker") == [("M1", "A")]


def test_an_unchanged_whole_table_of_a_new_day_is_an_arrival_of_that_day(utility):
    for day in (14, 15):
        utility.write("met_meter", f"met_meter_202601{day}.csv", [meter("M1")])
        utility.land(date(2026, 1, day))
    assert utility.query("select business_date, duplicate_rows, duplicate_of from quality.receipts order by 1") == [
        (date(2026, 1, 14), 0, None),
        (date(2026, 1, 15), 1, 1),
    ]


def test_duplicate_keys_of_one_delivery_are_kept_as_copies(utility):
    rows = [freeze("M1", "10"), freeze("M1", "11"), freeze("M1", "11")]
    utility.write("met_register_freeze", "f_20260115.csv", rows)
    utility.land()
    assert receipts(utility)[0][1:5] == (3, 2, 1, 0)
    assert len(utility.in_force("met_register_freeze", "meter_asset_no", "reading")) == 2
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "11")])
    utility.land()
    assert utility.in_force("met_register_freeze", "meter_asset_no", "reading::text") == [("M1", "11.0000")]


def test_a_row_absent_from_a_whole_table_is_withdrawn_and_can_come_back(utility):
    for day, numbers in ((13, ("M1", "M2")), (14, ("M1",)), (15, ("M1", "M2"))):
        utility.write("met_meter", f"met_meter_202601{day}.csv", [meter(number) for number in numbers])
        utility.land(date(2026, 1, day))
        assert utility.in_force("met_meter", "meter_asset_no", "maker") == [(number, "A") for number in numbers]
    assert [row[2:6] for row in receipts(utility)] == [(2, 0, 0, 0), (0, 1, 0, 1), (1, 1, 0, 0)]


def test_a_whole_table_in_two_files_withdraws_nothing(utility):
    utility.write("met_meter", "north_20260115.csv", [meter("M1")])
    utility.write("met_meter", "south_20260115.csv", [meter("M2")])
    utility.land()
    assert utility.in_force("met_meter", "meter_asset_no", "maker") == [("M1", "A"), ("M2", "A")]


def test_an_event_is_withdrawn_only_inside_the_days_that_a_file_is_complete_for(utility):
    old = freeze("M1", "9", freeze_ts="2026-01-10 00:00:00+08:00")
    utility.write("met_register_freeze", "f_20260114.csv", [old, freeze("M1", "10"), freeze("M2", "20")])
    utility.land(date(2026, 1, 14))
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10")])
    utility.announce(
        "met_register_freeze",
        {"name": "f_20260115.csv", "rows": 1, "complete_from": "2026-01-15", "complete_to": "2026-01-15"},
    )
    utility.land()
    assert receipts(utility)[1][1:] == (1, 0, 1, 0, 1, None)
    assert utility.in_force("met_register_freeze", "meter_asset_no", "reading::text") == [
        ("M1", "10.0000"),
        ("M1", "9.0000"),
    ]


@pytest.mark.parametrize(("complete_to", "left"), [("2026-01-30", 1), ("2026-01-31", 0)])
def test_a_month_is_complete_when_its_last_day_is(utility, complete_to, left):
    row = {"monitor_no": "V1", "data_month": "202601", "recv_ts": "2026-02-01 01:00:00+08:00"}
    utility.write("met_supply_voltage", "v_20260201.csv", [row])
    utility.land(date(2026, 2, 1))
    utility.write("met_supply_voltage", "v_20260202.csv", [])
    utility.announce(
        "met_supply_voltage", {"name": "v_20260202.csv", "complete_from": "2026-01-20", "complete_to": complete_to}
    )
    utility.land(date(2026, 2, 2))
    assert len(utility.in_force("met_supply_voltage", "monitor_no", "data_month")) == left


def test_a_row_of_a_form_is_not_withdrawn_by_the_interface(utility):
    utility.write("met_meter", "met_meter_20260114.csv", [meter("M1"), meter("M2")])
    utility.land(date(2026, 1, 14))
    form = Utility(utility.url, utility.folder.parent / "forms")
    form.write("met_meter", "unit_20260114.csv", [meter("M2", "by form")])
    utility.land(date(2026, 1, 14))
    utility.write("met_meter", "met_meter_20260115.csv", [meter("M1")])
    utility.land()
    assert utility.in_force("met_meter", "meter_asset_no", "maker") == [("M1", "A"), ("M2", "by form")]
    assert utility.query("select distinct channel from quality.receipts order by 1") == [("auto",), ("form",)]


def test_an_emptied_whole_table_is_refused(utility):
    utility.write("met_meter", "met_meter_20260114.csv", [meter("M1")])
    utility.land(date(2026, 1, 14))
    utility.write("met_meter", "met_meter_20260115.csv", [])
    (receipt,) = [r for r in utility.land() if r.state == "refused"]
    assert receipt.problem == "the delivery is empty, but the table had rows: an empty table would withdraw all of them"


def test_a_file_of_a_later_day_waits_for_its_night(utility):
    utility.write("met_register_freeze", "f_20260116.csv", [freeze("M1", "10")])
    assert utility.land() == []
    assert [r.inserted_rows for r in utility.land(date(2026, 1, 16))] == [1]


def test_a_rejected_row_keeps_where_it_stood_and_is_no_withdrawal(utility):
    utility.write("met_meter", "met_meter_20260114.csv", [meter("M1"), meter("M2"), meter("M3")])
    utility.land(date(2026, 1, 14))
    bad = meter("M2") | {"manufactured_on": "2025-02-30"}
    utility.write("met_meter", "met_meter_20260115.csv", [meter("M1"), bad])
    utility.land()
    assert utility.in_force("met_meter", "meter_asset_no", "maker") == [("M1", "A"), ("M2", "A")]
    assert utility.query(
        "select file_name, file_line, column_name, value_text, reason, record_key, row_text ->> 'maker', superseded_by"
        " from quality.rejected_rows"
    ) == [
        (
            "met_meter/met_meter_20260115.csv",
            3,
            "manufactured_on",
            "2025-02-30",
            "is not a date YYYY-MM-DD",
            {"meter_asset_no": "M2"},
            "A",
            None,
        )
    ]


def test_a_rejected_key_withdraws_nothing_because_it_may_be_any(utility):
    utility.write("met_meter", "met_meter_20260114.csv", [meter("0000000000000000000017"), meter("M2")])
    utility.land(date(2026, 1, 14))
    utility.write("met_meter", "met_meter_20260115.csv", [meter("1.23E+21"), meter("M2")])
    utility.land()
    assert len(utility.in_force("met_meter", "meter_asset_no", "maker")) == 2
    assert utility.query("select column_name, value_text, reason, superseded_by from quality.rejected_rows") == [
        ("meter_asset_no", "1.23E+21", "is a number mangled by a spreadsheet; write it out in full, as text", None)
    ]


def test_a_rejected_row_is_answered_by_the_corrected_file_or_a_good_row_of_its_key(utility):
    bad = [freeze("M1", "ten"), freeze("M2", "twenty"), freeze("M3", "thirty")]
    utility.write("met_register_freeze", "f_20260115.csv", bad)
    utility.land()
    utility.write("met_register_freeze", "g_20260115.csv", [freeze("M2", "20")])
    utility.land()
    answered = "select row_text ->> 'meter_asset_no', superseded_by from quality.rejected_rows order by 1"
    assert utility.query(answered) == [("M1", None), ("M2", 3), ("M3", None)]  # load 2 is the same file again
    utility.write("met_register_freeze", "f_20260115.csv", [freeze("M1", "10"), freeze("M3", "30")])
    utility.land()
    assert [by is None for _, by in utility.query(answered)] == [False, False, False]


def test_a_row_rejected_night_after_night_is_open_once(utility):
    for day in (14, 15):
        rows = [meter("M1"), meter("M2") | {"manufactured_on": "soon"}, meter(f"M{day}")]
        utility.write("met_meter", f"met_meter_202601{day}.csv", rows)
        utility.land(date(2026, 1, day))
    assert utility.query("select load_id, superseded_by from quality.rejected_rows order by 1") == [(1, 2), (2, None)]


def test_an_unknown_column_is_told_and_kept_out(utility):
    utility.write(
        "met_meter", "m_20260115.csv", csv_text("met_meter", [meter("M1") | {"colour": "red"}], extra="colour")
    )
    (receipt,) = utility.land()
    assert (receipt.state, receipt.unknown_columns) == ("landed", ("colour",))
    assert utility.query("select unknown_columns from quality.receipts") == [(["colour"],)]


@pytest.mark.parametrize("delivered", ["the same file", "another file", "a renamed copy"])
def test_an_unknown_column_is_told_in_each_night_that_delivers_it(utility, delivered):
    """Also where the content landed before: the column is missing from the warehouse until somebody extends the contract."""
    content = csv_text("met_meter", [meter("M1") | {"colour": "crimson"}], extra="colour")
    path = utility.write("met_meter", "m.csv" if delivered == "the same file" else "m_20260115.csv", content)
    utility.land()
    if delivered == "another file":
        utility.write("met_meter", "m_20260116.csv", content.replace("crimson", "blue"))
    elif delivered == "a renamed copy":
        path.rename(path.with_name("copy.csv"))
    (receipt,) = utility.land(date(2026, 1, 16))
    assert (receipt.inserted_rows, receipt.unknown_columns) == (0, ("colour",))
    assert utility.query("select unknown_columns from quality.receipts") == [(["colour"],)] * 2


def test_a_write_with_an_old_fence_is_refused(database):
    old, new = take_fence(database, "extract_metering"), take_fence(database, "extract_metering")
    refusal = Refusal(all_tables()["met_meter"], "no matter")
    with (
        connect(database, fence=old, autocommit=True) as connection,
        pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="fenced off"),
    ):
        land(connection, refusal, DAY)
    with connect(database, fence=new, autocommit=True) as connection:
        land(connection, refusal, DAY)
        assert connection.execute("select count(*) from quality.receipts").fetchone() == (1,)
