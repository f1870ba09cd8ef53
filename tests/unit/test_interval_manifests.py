"""What a manifest says wrongly of interval files is refused: the file, the line, the key, and what is allowed."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from include.contracts import all_tables
from include.landing.delivery import Delivery, Refusal
from include.landing.folders import Landed, read_folder
from tests.landing import READER

TABLE = all_tables()["met_interval_96"]
RIGHT = """{
  "files": [{"name": "works.csv", "rows": 2}],
  "intervals": {
    "metering_point_no": "MP-1",
    "is_primary": true,
    "slot_minutes": 15,
    "stamp": {
      "column": "at",
      "format": "%Y-%m-%d %H:%M",
      "labels": "end",
      "midnight": "same_day",
      "zone": "Asia/Shanghai"
    },
    "quantities": {
      "kwh": {"data_type": "E+", "phase": "T", "scale": 0.5},
      "kw": {"data_type": "P"}
    },
    "received_at": "08:00"
  }
}
"""
FILE = "at,kwh,kw\n2026-01-05 00:15,2,4\n2026-01-05 00:30,3,6\n"
LAYOUT_KEYS = (
    "files, metering_point_no, metering_point_column, is_primary, slot_minutes, stamp, quantities, received_at"
)
FORMAT = "a day and a time of %Y %y %m %b %B %d %j %H %I %p %M %S %f %z, each once, %z last"
ZONE = "an offset like +08:00 or the name of a zone like UTC or Asia/Shanghai"
QUANTITIES = '"P", "Q", "E+", "E-", "RQ1", "RQ2", "RQ3", "RQ4", "U", "I", "PF"'

WRONG = [
    # what stands there, what stands in its place, the line, and the sentence
    ('"labels": "end"', '"labels": "begin"', 10, 'intervals.stamp.labels is "begin"; allowed is one of "start", "end"'),
    ('"labels"', '"label"', 10, "intervals.stamp.label is unknown; allowed are column, format, labels, midnight, zone; "
     "did you mean labels?"),
    ('"same_day"', '"sameday"', 11, 'intervals.stamp.midnight is "sameday"; allowed is one of "next_day", "same_day"'),
    ('"end"', '"start"', 11, 'intervals.stamp.midnight is "same_day"; allowed is that with labels "end" only'),
    ('"Asia/Shanghai"', '"Beijing"', 12, f'intervals.stamp.zone is "Beijing"; allowed is {ZONE}'),
    ('"Asia/Shanghai"', '"+8"', 12, f'intervals.stamp.zone is "+8"; allowed is {ZONE}'),
    ("%H:%M", "%H:%M%z", 12, "intervals.stamp.zone is there beside %z in format; allowed is one of them"),
    ("%H:%M", "%H:%M %Z", 9, f'intervals.stamp.format is "%Y-%m-%d %H:%M %Z"; allowed is {FORMAT}'),
    ("%Y-%m-%d %H:%M", "mixed", 9, f'intervals.stamp.format is "mixed"; allowed is {FORMAT}'),
    ('"slot_minutes": 15', '"slot_minutes": 20', 6, "intervals.slot_minutes is 20; allowed is one of 5, 10, 15, 30, 60"),
    ('"slot_minutes": 15', '"slot_minutes": "15"', 6,
     'intervals.slot_minutes is "15"; allowed is one of 5, 10, 15, 30, 60'),
    ('"slot_minutes"', '"slot_minute"', 6,
     f"intervals.slot_minute is unknown; allowed are {LAYOUT_KEYS}; did you mean slot_minutes?"),
    ("true", '"yes"', 5, 'intervals.is_primary is "yes"; allowed is one of true, false'),
    ('"E+"', '"kWh"', 15, f'intervals.quantities.kwh.data_type is "kWh"; allowed is one of {QUANTITIES}'),
    ('"phase": "T"', '"phase": "R"', 15,
     'intervals.quantities.kwh.phase is "R"; allowed is one of "A", "B", "C", "T"'),
    ('"scale": 0.5', '"scale": 0', 15, "intervals.quantities.kwh.scale is 0; allowed is a number other than 0"),
    ('"scale": 0.5', '"unit": "kWh"', 15,
     "intervals.quantities.kwh.unit is unknown; allowed are data_type, phase, scale"),
    ('"P"', '"E+"', 16,
     'intervals.quantities.kw.data_type is "E+" of phase T, as that of kwh is; allowed is each channel once'),
    ('"data_type": "P"', '"phase": "T"', 16,
     f"intervals.quantities.kw.data_type is missing; allowed is one of {QUANTITIES}"),
    ('"08:00"', '"8 am"', 18, 'intervals.received_at is "8 am"; allowed is a time hh:mm'),
    ('    "metering_point_no": "MP-1",\n', "", 3,
     "intervals.metering_point_no is missing; allowed is it or metering_point_column"),
    ('"is_primary": true', '"metering_point_column": "mp"', 5,
     "intervals.metering_point_column is there beside metering_point_no; allowed is one of them"),
    ('"column": "at",\n', "\n", 7, "intervals.stamp.column is missing; allowed is the name of the file's column of stamps"),
    ('"is_primary"', '"metering_point_no"', 5,
     "intervals.metering_point_no is there twice; allowed is each key once"),
    ('"rows": 2', '"row": 2', 2, "files[0].row is unknown; allowed are name, rows, sha256, sums, business_date, "
     "complete_from, complete_to, withdrawn_rows; did you mean rows?"),
    ('"rows": 2', '"rows": "many"', 2, 'files[0].rows is "many"; allowed is a whole number from 0'),
    ('"intervals"', '"interval"', 3, "interval is unknown; allowed are files, synthetic, intervals; did you mean intervals?"),
]  # fmt: skip


def read(folder: Path, manifest: str, **files: str) -> list:
    """What the table's folder delivers on the business date 2026-01-05."""
    (folder / TABLE.name).mkdir(exist_ok=True)
    for name, content in {"_manifest.json": manifest, **(files or {"works.csv": FILE})}.items():
        (folder / TABLE.name / name).write_text(content, "utf-8")
    return list(read_folder(READER, folder, TABLE, date(2026, 1, 5), Landed()))


def values(delivery: Delivery) -> list[tuple]:
    return [(row["data_type"], row["v1"], row["v2"]) for row in delivery.rows.to_pylist()]


def test_the_right_one_is_read(tmp_path):
    (delivery,) = read(tmp_path, RIGHT)
    assert values(delivery) == [("E+", "1.0", "1.5"), ("P", "4", "6")]


@pytest.mark.parametrize(("good", "bad", "line", "sentence"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_one_is_refused_with_line_key_and_what_is_allowed(tmp_path, good, bad, line, sentence):
    assert good in RIGHT
    (refusal,) = read(tmp_path, RIGHT.replace(good, bad, 1))
    assert isinstance(refusal, Refusal)
    assert refusal.file_name == "met_interval_96/_manifest.json"
    assert refusal.problem == f"the manifest is wrong in line {line}: {sentence}"


def test_power_factors_of_slots_finer_than_ours_are_refused(tmp_path):
    (refusal,) = read(tmp_path, RIGHT.replace('"P"', '"PF"').replace('"slot_minutes": 15', '"slot_minutes": 5'))
    assert refusal.problem == (
        'the manifest is wrong in line 16: intervals.quantities.kw.data_type is "PF" with slot_minutes 5;'
        " allowed is that with 15, 30 and 60: power factors can be neither summed nor averaged"
    )


def test_tabs_between_the_parts_change_no_line(tmp_path):
    (refusal,) = read(tmp_path, RIGHT.replace("    ", "\t").replace('"end"', '"begin"'))
    assert refusal.problem.startswith("the manifest is wrong in line 10: intervals.stamp.labels is")


def test_a_table_without_curves_has_no_interval_files(tmp_path):
    (tmp_path / "met_meter").mkdir()
    (tmp_path / "met_meter" / "_manifest.json").write_text(RIGHT, "utf-8")
    (refusal,) = read_folder(READER, tmp_path, all_tables()["met_meter"], date(2026, 1, 5), Landed())
    assert refusal.problem == "the manifest is wrong in line 3: intervals is unknown; allowed are files, synthetic"


TWO = """{"intervals": [
  {"files": "a*.csv", "metering_point_no": "MP-A", "stamp": {"column": "at", "format": "%Y-%m-%d %H:%M"},
   "quantities": {"kwh": {"data_type": "E+"}}},
  {"files": "b*.csv", "metering_point_no": "MP-B", "stamp": {"column": "time", "format": "%d.%m.%Y %H:%M"},
   "slot_minutes": 30, "quantities": {"kw": {"data_type": "P"}}}
]}
"""
OF_A, OF_B = "at,kwh\n2026-01-05 00:00,2\n", "time,kw\n05.01.2026 00:00,7\n"


def test_each_file_is_read_by_its_own_layout(tmp_path):
    of_a, of_b = read(tmp_path, TWO, **{"a1.csv": OF_A, "b1.csv": OF_B})
    assert (values(of_a), of_a.slot_minutes) == ([("E+", "2", None)], 15)
    assert (values(of_b), of_b.slot_minutes) == ([("P", None, "7")], 30)


def test_a_file_that_no_layout_names_holds_whole_rows(tmp_path):
    (refusal,) = read(tmp_path, TWO, **{"c.csv": OF_A})
    assert refusal.problem.startswith("column mp_no, data_date, data_type, phase, version and 101 more of the contract")


def test_a_file_that_two_layouts_name_is_refused(tmp_path):
    (refusal,) = read(tmp_path, TWO.replace("b*", "a1*"), **{"a1.csv": OF_A})
    assert refusal.problem == "the layouts of a*.csv and a1*.csv in the manifest both name it; allowed is one"


def test_of_several_layouts_each_names_its_files(tmp_path):
    (refusal,) = read(tmp_path, TWO.replace('"files": "b*.csv", ', ""))
    assert refusal.problem == (
        "the manifest is wrong in line 4: intervals[1].files is missing;"
        " where there are several layouts each says which files are its own"
    )
