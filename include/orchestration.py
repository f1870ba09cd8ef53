"""What the DAGs share: assets, timetables, and the one way to read the business date. Imports Airflow, nothing of the work."""
from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from airflow.sdk import Asset, CronPartitionTimetable, Param

TIMEZONE_NAME = "Asia/Shanghai"
START = datetime(2026, 1, 1, tzinfo=ZoneInfo(TIMEZONE_NAME))

RAW_METERING = Asset("raw.metering")
RAW_MARKETING = Asset("raw.marketing")
RAW_CONTRACT = Asset("raw.contract")
MARTS_PUBLISHED = Asset("marts.published")

PARAMS = {
    "business_date": Param(
        None, type=["null", "string"], format="date",
        description="Business date YYYY-MM-DD; empty for the partition's own day or, by hand, for yesterday.",
    )
}  # fmt: skip
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=5), "retry_exponential_backoff": True}


def nightly(cron: str) -> CronPartitionTimetable:
    """A run each morning for the day before: its partition key is the business date."""
    return CronPartitionTimetable(cron, timezone=TIMEZONE_NAME, run_offset=-1, key_format="%Y-%m-%d")


def business_date(context: dict) -> date:
    """D of a task's run: its partition key, else the parameter `business_date`, else the day before its logical date or now."""
    run = context.get("dag_run")
    key = getattr(run, "partition_key", None)
    given = key or (context.get("params") or {}).get("business_date")
    if given:
        return date.fromisoformat(str(given)[:10])
    moment = context.get("logical_date") or getattr(run, "run_after", None) or datetime.now(ZoneInfo(TIMEZONE_NAME))
    return moment.astimezone(ZoneInfo(TIMEZONE_NAME)).date() - timedelta(days=1)
