"""The two recordings of ../shared/data as deliveries: a steel works' file as it is, an aluminium works' log converted."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.real_input.archive import ZONE, Works, write_archive, write_rows

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
STEEL = DATA / "metering" / "steel_daewoo_2018_15min.csv"
ALUMINIUM = DATA / "power_quality" / "alucol_2019_30s.csv"

STEEL_DAY = date(2018, 12, 31)
ALUMINIUM_DAY = date(2019, 9, 1)

# Stamps end their slot, and 24:00 is written 00:00 of the same day.
STEEL_LAYOUT = {
    "metering_point_no": "MP000001",
    "is_primary": True,
    "stamp": {"column": "date", "format": "%d-%m-%Y %H:%M", "labels": "end", "midnight": "same_day"},
    "quantities": {
        "Usage_kWh": {"data_type": "E+"},
        "Lagging_Current_Reactive.Power_kVarh": {"data_type": "RQ1"},
        "Leading_Current_Reactive_Power_kVarh": {"data_type": "RQ4"},
        "Lagging_Current_Power_Factor": {"data_type": "PF", "scale": 0.01},
    },
}


def deliver_steel_works(folder: Path) -> None:
    """The archive as of the year's last day, and the works' file with a manifest that says how to read it."""
    _needs(STEEL)
    write_archive(Works("合成钢铁有限公司", date(2017, 6, 1), "HV_HV"), folder, STEEL_DAY)
    curves = folder / "metering" / "met_interval_96"
    for path in curves.iterdir():
        path.unlink()
    shutil.copy(STEEL, curves)
    (curves / "_manifest.json").write_text(json.dumps({"intervals": STEEL_LAYOUT}), "utf-8")


def deliver_aluminium_works(folder: Path) -> None:
    """The archive as of the log's last day, the log as samples, and, since no energy was recorded, synthetic curves beside it.

    Reliability is told from the day that curves begin: they run from 1 August at a steady 100 kWh a slot, about what the
    log's power comes to.
    """
    _needs(ALUMINIUM)
    write_archive(Works("合成铝业有限公司", date(2017, 6, 1), "HV_LV"), folder, ALUMINIUM_DAY)
    days = [date(2019, 8, 1) + timedelta(days=number) for number in range(32)]
    write_rows(folder, "met_interval_96", [_steady_curve(day) for day in days], ALUMINIUM_DAY)
    with ALUMINIUM.open(encoding="utf-8", newline="") as file:
        write_rows(folder, "met_pq_sample", [_sample(row) for row in csv.DictReader(file)], ALUMINIUM_DAY)


def _steady_curve(day: date) -> dict[str, object]:
    return {
        "mp_no": "MP000001",
        "data_date": day,
        "data_type": "E+",
        "phase": "T",
        "version": 1,
        "is_primary": "true",
        "point_flag": "1" * 96,
        "recv_ts": f"{day + timedelta(days=1)} 07:00:00{ZONE}",
        "collect_way": "AUTO",
        **{f"v{slot}": 100 for slot in range(1, 97)},
    }


def _needs(path: Path) -> None:
    if not path.exists():
        pytest.skip("shared data")


def _sample(row: dict[str, str]) -> dict[str, object]:
    """V and A as they are, W and var in thousands. The recorder writes times like `3:21:43 PM.135`."""
    clock, milliseconds = row["Time"].rsplit(".", 1)
    second = datetime.strptime(f"{row['Date']} {clock}", "%Y-%m-%d %I:%M:%S %p")
    return {
        "mp_no": "MP000001",
        "sampled_at": f"{second}.{milliseconds}{ZONE}",
        "recv_ts": f"{ALUMINIUM_DAY} 18:00:00{ZONE}",
        **{f"u_{phase.lower()}": row[f"Vrms ph-n {phase}N Avg"] for phase in "ABC"},
        **{f"i_{phase.lower()}": row[f"Current {phase} Avg"] for phase in "ABC"},
        "p_kw": Decimal(row["Active Power Total Avg"]) / 1000,
        "q_kvar": Decimal(row["Reactive Power Total Avg"]) / 1000,
        "pf": row["Cos Phi Total Avg"],
    }
