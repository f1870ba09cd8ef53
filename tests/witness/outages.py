"""Interruptions of the accounts, by their own meters and by the records of their feeders (formulas 3.2, correction F2)."""

from __future__ import annotations

import functools
from typing import NamedTuple

import pandas as pd

from tests.witness.raw import Raw, parameter
from tests.witness.registers import counted_points


class Dark(NamedTuple):
    """Time without supply; of a record what it says of itself."""

    starts: pd.Timestamp
    ends: pd.Timestamp
    kind: str | None = None
    is_external: bool | None = None

    @property
    def minutes(self) -> float:
        return (self.ends - self.starts).total_seconds() / 60


@functools.cache
def by_meters(raw: Raw) -> dict[str, list[Dark]]:
    """By account: the time in which every feeder with a billing point of it is dark, from POWER_DOWN to the next POWER_UP.

    Of what kind it is the record of its feeder says that overlaps it or begins within the minutes of `match_start_minutes`.
    """
    found = {}
    for account, paths in paths_of(raw).items():
        dark = [union([d for point in points for d in _events(raw, point)]) for points in paths.values()]
        together = functools.reduce(intersection, dark)
        found[account] = [d._replace(**_kind(raw, paths, d)) for d in together]
    return found


@functools.cache
def by_records(raw: Raw) -> dict[str, list[Dark]]:
    """By account: the time in which the records of all its feeders say so. A record of an area hits the points in it alone.

    Feeders are those with a billing point; the minutes until another path takes over where no meter tells it
    (`transfer_minutes`) are not worked out: the seeds have no record of a feeder of such an account.
    """
    found = {}
    for account, paths in paths_of(raw).items():
        dark = []
        for feeder, points in paths.items():
            areas = {point.tg_no for point in points}
            records = [r for r in raw.of("met_supply_outage", "feeder_no").get(feeder, []) if _hits(r, areas)]
            dark.append(sorted(Dark(r.start_at, end_of(raw, r.end_at), r.kind, r.is_external) for r in records))
        found[account] = functools.reduce(intersection, dark)
    return found


@functools.cache
def paths_of(raw: Raw) -> dict[str, dict[str, list]]:
    """By account its feeders, each with its billing points."""
    paths: dict[str, dict[str, list]] = {}
    for point in counted_points(raw).itertuples(index=False):
        paths.setdefault(point.cons_no, {}).setdefault(point.feeder_no, []).append(point)
    return paths


def _hits(record, areas: set) -> bool:
    return not isinstance(record.tg_no, str) or record.tg_no in areas


def end_of(raw: Raw, ends: pd.Timestamp) -> pd.Timestamp:
    return (raw.day + pd.Timedelta(days=1)).tz_localize("Asia/Shanghai") if pd.isna(ends) else ends


def _events(raw: Raw, point) -> list[Dark]:
    dark, since = [], None
    events = sorted(raw.of("met_power_event", "mp_no").get(point.mp_no, []), key=lambda event: event.event_ts)
    for event in events:
        if event.is_valid is False:
            continue
        if event.event == "POWER_DOWN" and since is None:
            since = event.event_ts
        elif event.event == "POWER_UP" and since is not None:
            dark.append(Dark(since, event.event_ts))
            since = None
    return dark if since is None else [*dark, Dark(since, end_of(raw, pd.NaT))]


def _kind(raw: Raw, paths: dict, dark: Dark) -> dict:
    near = pd.Timedelta(minutes=parameter("reliability_parameters", "match_start_minutes", raw.day))
    for feeder, points in paths.items():
        areas = {point.tg_no for point in points}
        for record in raw.of("met_supply_outage", "feeder_no").get(feeder, []):
            overlaps = record.start_at < dark.ends and dark.starts < end_of(raw, record.end_at)
            if _hits(record, areas) and (overlaps or abs(record.start_at - dark.starts) <= near):
                return {"kind": record.kind, "is_external": record.is_external}
    return {}


def union(dark: list[Dark]) -> list[Dark]:
    joined: list[Dark] = []
    for one in sorted(dark):
        if joined and one.starts <= joined[-1].ends:
            joined[-1] = joined[-1]._replace(ends=max(joined[-1].ends, one.ends))
        else:
            joined.append(one)
    return joined


def intersection(left: list[Dark], right: list[Dark]) -> list[Dark]:
    both = [a._replace(starts=max(a.starts, b.starts), ends=min(a.ends, b.ends)) for a in left for b in right]
    return [one for one in both if one.starts < one.ends]
