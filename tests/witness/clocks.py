"""Stages of connection applications: who waits, who works, and the clocks (formulas 3.8, S31, correction F6; oracle O18)."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd

from tests.witness.raw import Raw, rows_in_force, seed

MART = "mart_connection_cycle_time"
KEYS = ["application_no", "stage_seq"]
LEFT_OUT = {"skipped_stage_codes": "needs the permitted paths, which mart_process_conformance proves by a scenario"}
DECIMALS = (
    dict.fromkeys(("utility_working_days", "customer_working_days", "suspended_working_days"), 4)
    | dict.fromkeys(("wait_working_hours", "work_working_hours"), 4)
    | dict.fromkeys(("stage_seq", "stage_run_no", "working_days", "handover_working_days", "manager_touches"), 0)
    | {"sla_target_working_days": 4}
)


def witness(raw: Raw) -> pd.DataFrame:
    customers = raw["mkt_customer"].set_index("cons_no").org_no
    rows = []
    for application in raw["mkt_application"].itertuples():
        stages = sorted(raw.of("mkt_app_stage", "app_no")[application.app_no], key=lambda stage: stage.stage_seq)
        runs: dict[str, int] = {}
        for before, stage in zip([None, *stages], stages, strict=False):
            runs[stage.stage] = runs.get(stage.stage, 0) + 1
            ended = None if pd.isna(stage.end_at) else stage.end_at
            month = raw.month if ended is None else _date(ended).replace(day=1)
            if month not in raw.months:
                continue
            account = application.cons_no if isinstance(application.cons_no, str) else None
            row = {
                "application_no": application.app_no,
                "stage_seq": stage.stage_seq,
                "stage_code": stage.stage,
                "dept_no": stage.dept_no,
                "account_no": account,
                "org_no": customers.get(account),
                "application_type_code": application.app_type,
                "application_status_code": application.status,
                "voltage_class_code": _voltage_class(application.voltage_level),
                "supply_class_code": "SINGLE" if application.supply_mode == "SINGLE" else "DUAL",
                "stage_month": month,
                "started_at": stage.start_at,
                "ended_at": ended,
                "is_open": ended is None,
                "clock_owner_code": stage.clock_owner,
                "stage_run_no": runs[stage.stage],
                "is_reentered": runs[stage.stage] > 1,
                "return_to_stage_code": stage.return_to_stage,
                "manager_touches": _touches(raw, application.app_no, stage),
            }
            row |= _handed_over(before, stage) | _worked(raw, stage)
            rows.append(row | _clock(row, stage))
    return pd.DataFrame(rows)


def _voltage_class(level: str) -> str:
    return {"AC220V": "RESIDENT", "AC380V": "LV"}.get(level, "HV")


def _touches(raw: Raw, application: str, stage) -> int:
    visits = raw.of("mkt_manager_visit", "case_no").get(application, [])
    return sum(
        v.case_kind == "APPLICATION"
        and stage.start_at <= v.visited_at
        and (pd.isna(stage.end_at) or v.visited_at <= stage.end_at)
        for v in visits
    )


def _handed_over(before, stage) -> dict:
    """A wait counts to the department that receives, from the end of the stage before."""
    if before is None or pd.isna(before.end_at):
        return {
            "handed_over_by_dept_no": None,
            "is_between_departments": None,
            "handover_working_days": None,
            "wait_working_hours": None,
        }
    return {
        "handed_over_by_dept_no": before.dept_no,
        "is_between_departments": before.dept_no != stage.dept_no,
        "handover_working_days": working_days(before.end_at, stage.start_at),
        "wait_working_hours": working_hours(before.end_at, stage.start_at),
    }


def _worked(raw: Raw, stage) -> dict:
    """Of a suspension the share of the stage's whole time is taken out of its working days and hours."""
    until = (raw.day + pd.Timedelta(days=1)).tz_localize("Asia/Shanghai") if pd.isna(stage.end_at) else stage.end_at
    days = working_days(stage.start_at, until if not pd.isna(stage.end_at) else raw.day.tz_localize("Asia/Shanghai"))
    elapsed = (until - stage.start_at).total_seconds() / 60
    share = min((stage.suspend_min or 0) / elapsed, 1.0)
    owned = days * (1 - share)
    return {
        "working_days": days,
        "suspended_working_days": days * share,
        "utility_working_days": owned if stage.clock_owner == "UTILITY" else 0.0,
        "customer_working_days": owned if stage.clock_owner == "CUSTOMER" else 0.0,
        "work_working_hours": working_hours(stage.start_at, until) * (1 - share),
    }


def _clock(row: dict, stage) -> dict:
    """The clock of the stage and kind of supply as it was when the stage began."""
    clocks = [
        c
        for c in rows_in_force("service_clocks", _date(stage.start_at))
        if c.subject_code == "STAGE"
        and c.stage_code == stage.stage
        and c.supply_class_code in ("ANY", row["supply_class_code"])
        and c.voltage_class_code in ("ANY", row["voltage_class_code"])
    ]
    if not clocks or stage.clock_owner != "UTILITY":
        return {"sla_code": None, "sla_target_working_days": None, "is_sla_met": None}
    (clock,) = clocks
    target = float(clock.target_value)
    met = row["utility_working_days"] <= target
    return {
        "sla_code": clock.clock_code,
        "sla_target_working_days": target,
        "is_sla_met": False if not met else (None if row["is_open"] else True),
    }


# -- working time


def _date(at: pd.Timestamp) -> pd.Timestamp:
    return at.tz_localize(None).normalize()


@functools.cache
def _calendar() -> tuple[pd.Timestamp, np.ndarray]:
    rows = seed("working_days")
    first = pd.Timestamp(rows.date.iloc[0])
    assert len(rows) == (pd.Timestamp(rows.date.iloc[-1]) - first).days + 1
    return first, (rows.is_working_day == "true").to_numpy()


def working_days(begins: pd.Timestamp, ends: pd.Timestamp) -> int:
    """The day of the beginning is not counted, that of the end is."""
    first, works = _calendar()
    return int(works[(_date(begins) - first).days + 1 : (_date(ends) - first).days + 1].sum())


def working_hours(begins: pd.Timestamp, ends: pd.Timestamp) -> float:
    """Hours of the office between two times, its break left out."""
    first, works = _calendar()
    (office,) = rows_in_force("working_hours", _date(begins))
    marks = (office.work_starts_at, office.break_starts_at, office.break_ends_at, office.work_ends_at)
    opens, pauses, resumes, closes = (pd.Timedelta(f"{mark}:00") for mark in marks)
    total = pd.Timedelta(0)
    for number in range((_date(begins) - first).days, (_date(ends) - first).days + 1):
        if works[number]:
            day = (first + pd.Timedelta(days=number)).tz_localize("Asia/Shanghai")
            for start, end in ((opens, pauses), (resumes, closes)):
                total += max(min(ends, day + end) - max(begins, day + start), pd.Timedelta(0))
    return total.total_seconds() / 3600
