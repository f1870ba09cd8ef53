"""用电信息采集, events: power events, meter alarms, collection tasks, supply-side outages and voltage monitors."""

from __future__ import annotations

from datetime import datetime, timedelta

from include.lab.second_planter.days import ZONE, draw_days
from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, Kind, slip

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def _dark_and_under_load(desk: Desk, kind: Kind) -> None:
    like = next(desk.rows("met_power_event"))
    for number, (row, _) in enumerate(draw_days(desk, kind, desk.day(2))):
        point = desk.one("met_measuring_point", mp_no=row["mp_no"])
        day = row["data_date"]
        down = datetime(day.year, day.month, day.day, 9, 7 + number, 21, tzinfo=ZONE)
        for event, at in (("POWER_DOWN", down), ("POWER_UP", down + 2 * HOUR)):
            values = {
                "event_id": f"EVX{day:%Y%m%d}{point['mp_no']}{event[6]}",
                "mp_no": row["mp_no"],
                "terminal_no": point["terminal_no"],
                "event": event,
                "event_ts": at,
                "recv_ts": at + timedelta(seconds=40),
                "phases": "ABC",
            }
            desk.edit.copy("met_power_event", like.number, **values)
            if event == "POWER_DOWN":
                curve = tuple(r.key for r in desk.find("met_interval_96", mp_no=row["mp_no"], data_date=day))
                desk.note(
                    kind,
                    like,
                    ({"mp_no": row["mp_no"], "data_date": day.isoformat()}, *curve),
                    {"event_id": values["event_id"]},
                    is_in_place=False,
                )


def _power_back_never_reported(desk: Desk, kind: Kind) -> None:
    ups = desk.draw(
        kind, "met_power_event", lambda r: r["event_ts"].date() < desk.business_date - 30 * DAY, event="POWER_UP"
    )
    for row in ups:
        down = {r["event_id"]: r for r in desk.find("met_power_event", mp_no=row["mp_no"], event="POWER_DOWN")}
        before = [r for r in down.values() if r["event_ts"] < row["event_ts"]]
        desk.remove(kind, row, tuple(r.key for r in sorted(before, key=lambda r: r["event_ts"])[-1:]))


def _alarm_of_a_meter_elsewhere(desk: Desk, kind: Kind) -> None:
    meters = [r["meter_asset_no"] for r in desk.shuffled(kind, "met_meter", {})]
    for row in desk.draw(kind, "met_event_alarm", lambda r: r["meter_asset_no"] is not None):
        desk.spoil(kind, row, meter_asset_no=next(m for m in meters if m != row["meter_asset_no"]))


def _alarm_again_under_a_new_number(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_event_alarm", lambda r: r["end_ts"] is not None):
        desk.add(kind, row, (row.key,), alarm_id=row["alarm_id"] + "R", recv_ts=row["recv_ts"] + HOUR)


def _meters_saw(desk: Desk, row) -> bool:
    """Whether a main point on the feeder reported its power down within five minutes of the record."""
    near = timedelta(minutes=5)
    points = [r["mp_no"] for r in desk.find("met_measuring_point", feeder_no=row["feeder_no"])]
    return any(
        abs(e["event_ts"] - row["start_at"]) <= near
        for mp_no in points
        for e in desk.find("met_power_event", mp_no=mp_no, event="POWER_DOWN")
    )


def _supply_record_never_written(desk: Desk, kind: Kind) -> None:
    near = timedelta(minutes=5)
    for row in desk.draw(kind, "met_supply_outage", lambda r: r["tg_no"] is None and _meters_saw(desk, r)):
        seen = [
            e
            for p in desk.find("met_measuring_point", feeder_no=row["feeder_no"])
            for e in desk.find("met_power_event", mp_no=p["mp_no"], event="POWER_DOWN")
            if abs(e["event_ts"] - row["start_at"]) <= near
        ]
        desk.remove(kind, row, tuple(e.key for e in seen))


def _supply_record_of_the_wrong_day(desk: Desk, kind: Kind) -> None:
    def fits(row):
        return row["tg_no"] is None and row["end_at"] is not None and _meters_saw(desk, row)

    for row in desk.draw(kind, "met_supply_outage", fits):
        desk.spoil(kind, row, start_at=row["start_at"] - 9 * DAY, end_at=row["end_at"] - 9 * DAY)


def _more_interrupted_than_connected(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_supply_outage", lambda r: r["customers_interrupted"] > 1):
        feeder = desk.one("met_feeder", feeder_no=row["feeder_no"])
        desk.spoil(kind, row, (feeder.key,), customers_interrupted=feeder["customers_connected"] * 10)


def _monitor_of_another_office(desk: Desk, kind: Kind) -> None:
    offices = sorted(set(desk.column("met_supply_voltage", "org_no")))
    for row in desk.draw(kind, "met_supply_voltage", lambda r: r["feeder_no"] is not None):
        desk.spoil(kind, row, org_no=offices[(offices.index(row["org_no"]) + 2) % len(offices)])


CLASSES = [
    slip(
        "event-at-the-beginning-of-time",
        "M6",
        "met_power_event.event_ts",
        (INVENTED, MISMATCHED),
        "The terminal lost its clock with the power: the event is of 2000-01-01, 00:00, marked valid.",
        lambda r, n: {"event_ts": datetime(2000, 1, 1, tzinfo=ZONE)},
        lambda r: r["is_valid"],
        equals={"event": "POWER_DOWN"},
        spared="the event of power coming back",
    ),
    slip(
        "event-received-before-it-happened",
        "M5",
        "met_power_event.recv_ts",
        (MISMATCHED, INVENTED),
        "The terminal's clock was hours ahead: the master station had the event before it happened.",
        lambda r, n: {"recv_ts": r["event_ts"] - 3 * HOUR},
        columns=("event_ts",),
    ),
    Kind(
        "dark-and-under-load",
        "M10",
        "met_power_event",
        ("event_ts", "event"),
        (MISMATCHED, INVENTED),
        "A test of the terminal sent power down and up; the curves of these two hours carry the works' full load.",
        "the curves of the day",
        "two hours of interruption that never were, for the account and its feeder",
        _dark_and_under_load,
        others=("met_interval_96.v1",),
    ),
    Kind(
        "power-back-never-reported",
        "M10",
        "met_power_event",
        (),
        (MISSING, MISMATCHED),
        "The meter came back and never reported it: the outage has no end, while curves and tickets go on.",
        "other outages of the point",
        "an interruption without end",
        _power_back_never_reported,
    ),
    slip(
        "alarm-ends-before-it-starts",
        "M5",
        "met_event_alarm.end_ts",
        (MISMATCHED, INVENTED),
        "The meter's clock was set back during the event: it ends before it starts.",
        lambda r, n: {"end_ts": r["start_ts"] - timedelta(minutes=20)},
        lambda r: r["end_ts"] is not None,
        columns=("start_ts",),
    ),
    slip(
        "alarm-register-runs-backwards",
        "M7",
        "met_event_alarm.reading_at_end",
        (MISMATCHED, INVENTED),
        "Readings at the start and the end of an overload were written into each other's field.",
        lambda r, n: {"reading_at_start": r["reading_at_end"], "reading_at_end": r["reading_at_start"]},
        lambda r: r["reading_at_start"] is not None and r["reading_at_end"] > r["reading_at_start"],
        columns=("reading_at_start",),
    ),
    Kind(
        "alarm-of-a-meter-elsewhere",
        "M3",
        "met_event_alarm",
        ("meter_asset_no",),
        (MISMATCHED,),
        "After a swap the master station still files events under the meter that now hangs at another point.",
        "the point and its meter",
        "none in kWh",
        _alarm_of_a_meter_elsewhere,
        others=("met_measuring_point.meter_asset_no", "mkt_meter_install.meter_asset_no"),
    ),
    Kind(
        "alarm-again-under-a-new-number",
        "M8",
        "met_event_alarm",
        ("alarm_id", "start_ts", "event_code"),
        (INVENTED, MISMATCHED),
        "An event was called a second time and stored under a new number, to the second the same.",
        "other alarms of the point",
        "counted twice",
        _alarm_again_under_a_new_number,
    ),
    slip(
        "full-success-with-half-received",
        "M4",
        "met_collect_task.success_rate",
        (MISMATCHED,),
        "The office's success rate was improved by hand: 1.0000 with half of the items received.",
        lambda r, n: {"received_cnt": r["expected_cnt"] // 2},
        lambda r: r["expected_cnt"] > 20 and r["received_cnt"] == r["expected_cnt"],
        columns=("received_cnt",),
    ),
    Kind(
        "supply-record-never-written",
        "M10",
        "met_supply_outage",
        (),
        (MISSING, MISMATCHED),
        "A feeder was dark, meters and customers reported it; the dispatcher never wrote the record.",
        "the meters' events, which are right",
        "the feeder's reliability is too good",
        _supply_record_never_written,
    ),
    Kind(
        "supply-record-of-the-wrong-day",
        "M10",
        "met_supply_outage",
        ("start_at", "feeder_no", "end_at"),
        (MISMATCHED, INVENTED),
        "The record was filed nine days early: a feeder's outage that no meter saw, and meters' outages "
        "without a record.",
        "the meters' events, which are right",
        "an outage too many on one day and too few on another",
        _supply_record_of_the_wrong_day,
        others=("met_power_event.event_ts",),
    ),
    Kind(
        "more-interrupted-than-connected",
        "M4",
        "met_supply_outage",
        ("customers_interrupted",),
        (MISMATCHED, INVENTED),
        "Customers behind transformers were counted one by one: more customers interrupted than the feeder has.",
        "the feeder's archive",
        "customer-minutes tenfold",
        _more_interrupted_than_connected,
        others=("met_feeder.customers_connected",),
    ),
    slip(
        "outage-ends-next-year",
        "M6",
        "met_supply_outage.end_at",
        (INVENTED, MISMATCHED),
        "The year of the end was mistyped: a fault that was repaired in hours ends in the future.",
        lambda r, n: {"end_at": r["end_at"].replace(year=2027)},
        lambda r: r["end_at"] is not None and (r["end_at"].month, r["end_at"].day) != (2, 29),
        columns=("start_at",),
        cost="some hundred thousand minutes of interruption too many",
    ),
    slip(
        "monitor-minutes-in-seconds",
        "M4",
        "met_supply_voltage.over_min",
        (MISMATCHED, INVENTED),
        "A monitor of a new make counts seconds; they were taken for minutes and exceed the month.",
        lambda r, n: {"over_min": r["monitored_min"] + r["over_min"] * 60},
        columns=("monitored_min", "under_min"),
    ),
    Kind(
        "monitor-of-another-office",
        "M3",
        "met_supply_voltage",
        ("org_no",),
        (MISMATCHED,),
        "The monthly sheet of one office was imported under another one's number; the feeders are not its own.",
        "the feeder's archive",
        "the voltage rate of two offices",
        _monitor_of_another_office,
        others=("met_feeder.org_no",),
    ),
]
