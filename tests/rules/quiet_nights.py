"""What of tonight makes a rule look again: (rule, what came tonight, statements on raw tables, the severity found or None).

Everything else came in earlier nights, whose gate has passed.
"""
# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

from tests.rules.base_faults import QUIET
from tests.rules.boundaries import with_limits
from tests.rules.faults import BILLING, E_PLUS, META, METER, OTHER_KEY
from tests.rules.population_worlds import A_REGISTER, TOTAL, reading, register

_PASSED = 1_000_000  # the last load that has passed in a QUIET night
AT = "freeze_ts = '2026-{} 00:00+08'"
BAD_CURVE = f"update {{{{met_interval_96}}}} set v[40] = v[40] + (select sum(x) * 0.1 + 3 from unnest(v) as x) where {E_PLUS} and mp_no = {BILLING}"
FELL = f"update {{{{met_register_freeze}}}} set reading = reading - 500 where {A_REGISTER} and {AT.format('11-04')}"
NO_ACTIVE = f"update {{{{met_interval_96}}}} set v[40] = 0, v[41] = 0 where {E_PLUS} and mp_no = {BILLING}"
RATES = f"meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'ACTIVE' and {AT.format('11-06')}"
OFF = f"update {{{{met_register_freeze}}}} set reading = reading + 1.6 where {RATES} and rate = 'FLAT'"


def tonight(table: str, where: str, load: int = _PASSED + 1) -> str:
    """Rows that came by a load of tonight; by one that has passed where `load` says so."""
    return f"update {{{{{table}}}}} set _load_id = {load} where {where}"


def one_more(table: str, columns: str, where: str, **changes: str) -> str:
    """A row of tonight like another one but for some columns."""
    key = OTHER_KEY.replace("_load_id", str(_PASSED + 1))
    values = ", ".join(changes.get(column, column) for column in columns.split(", "))
    return f"insert into {{{{{table}}}}} ({META}, {columns}) select {key}, {values} from {{{{{table}}}}} where {where}"


def found(rule_id: str, where: str) -> str:
    """An open finding of a register."""
    return (
        "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name, record_key, raw_id)"
        f" select 1, current_run.run_id, 'opened', '2026-11-04', '{rule_id}', 'mismatch', 'warn', 'metering', 'met_register_freeze', '{{}}', registers._raw_id"
        f" from quality.current_run cross join {{{{met_register_freeze}}}} as registers where {where}"
    )


_OF_REGISTERS = "meter_asset_no, freeze_kind, freeze_ts, energy_kind, dir, rate, reading, version, recv_ts, collect_way"
_OF_CURVES = "mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, collect_way"


def zero_coded(slot: int) -> str:
    """A slot of 3 November in which neither energy nor power factor was read, delivered as zeros."""
    return f"update {{{{met_interval_96}}}} set v[{slot}] = 0 where data_type in ('E+', 'RQ1', 'RQ4', 'PF') and data_date = date '2026-11-03' and mp_no = {BILLING}"


def curve(data_type: str, day: str = "11-03") -> str:
    """The curves of a kind, of that point and a day, that came tonight."""
    return tonight("met_interval_96", f"data_type = '{data_type}' and data_date = date '2026-{day}' and mp_no = {BILLING}")


def by_hand(readings: int, value: str = "10 * n", frozen: str = "2026-11-01", **limits: float) -> list[str]:
    """Readings of one organisation that were entered by hand, of which each but those that `value` changes ends in 0."""
    change = (
        f"update {{{{met_register_freeze}}}} as rows set collect_way = 'MANUAL', freeze_ts = '{frozen} 00:00+08', reading = {value}"
        " from (select _raw_id, row_number() over (order by _raw_id) as n from {{met_register_freeze}}) as numbered"
        f" where rows._raw_id = numbered._raw_id and n <= {readings}"
    )
    return [
        "update {{mkt_customer}} set org_no = '3101'", "update {{met_meter}} set digits_dec = 0",
        *with_limits("MET-30", {"manual_share": 1} | limits, change),
    ]  # fmt: skip


QUIET_NIGHTS: list[tuple[str, str, list[str], str | None]] = [
    ("MET-06", "nothing of a register that fell", [FELL, QUIET], None),
    ("MET-06", "nothing but an open finding of a register that fell", [FELL, QUIET, found("MET-06", f"{A_REGISTER} and {AT.format('11-04')}")], "quarantine"),
    *(
        ("MET-06", f"a reading below one of two days before, where {days} days are looked back", [
            *with_limits("MET-06", {"look_back_days": days}, FELL), f"delete from {{{{met_register_freeze}}}} where {A_REGISTER} and {AT.format('11-03')}",
            tonight("met_register_freeze", f"{A_REGISTER} and {AT.format('11-04')}"), QUIET], severity)
        for days, severity in ((2, "quarantine"), (1, None))
    ),
    ("MET-07", "nothing of rates that do not add up", [OFF, QUIET], None),
    ("MET-07", "one of the rates that do not add up", [OFF, QUIET, tonight("met_register_freeze", f"{RATES} and rate = 'FLAT'")], "warn"),
    ("MET-07", "one of the rates that do add up", [QUIET, tonight("met_register_freeze", f"{RATES} and rate = 'FLAT'")], None),
    ("MET-07", "nothing but an open finding of the total", [OFF, QUIET, found("MET-07", f"{RATES} and rate = 'T'")], "warn"),
    ("MET-12", "nothing of a curve that does not add up", [BAD_CURVE, QUIET], None),
    ("MET-12", "a curve that does not add up", [BAD_CURVE, QUIET, tonight("met_interval_96", f"{E_PLUS} and mp_no = {BILLING}")], "quarantine"),
    ("MET-12", "a curve of one phase beside it", [BAD_CURVE, QUIET, one_more("met_interval_96", _OF_CURVES, f"{E_PLUS} and mp_no = {BILLING}", phase="'A'")], None),
    ("MET-12", "a register of its day", [BAD_CURVE, QUIET, tonight("met_register_freeze", f"{TOTAL} and {AT.format('11-04')}")], "quarantine"),
    ("MET-12", "nothing, the register having passed with the last load", [BAD_CURVE, QUIET, tonight("met_register_freeze", f"{TOTAL} and {AT.format('11-04')}", _PASSED)], None),
    *(
        ("MET-12", f"a register of its day whose {column} is {value}", [BAD_CURVE, QUIET, one_more("met_register_freeze", _OF_REGISTERS, f"{TOTAL} and {AT.format('11-04')}", **{column: value})], None)
        for column, value in (("freeze_kind", "'MONTH'"), ("energy_kind", "'REACTIVE_Q1'"), ("dir", "'REV'"), ("rate", "'PEAK'"))
    ),
    ("MET-12", "a register of its day, at the beginning of which the register had fallen", [
        BAD_CURVE, register(f"{reading('11-03')} + 5", "11-02"), QUIET, tonight("met_register_freeze", f"{TOTAL} and {AT.format('11-04')}")], None),
    ("MET-12", "a register of its day, the register having fallen before a gap", [
        BAD_CURVE, register(f"{reading('11-03')} + 5", "11-01"), f"delete from {{{{met_register_freeze}}}} where {TOTAL} and {AT.format('11-02')}", QUIET,
        tonight("met_register_freeze", f"{TOTAL} and {AT.format('11-04')}")], "quarantine"),
    ("MET-13", "nothing of reactive energy without active", [NO_ACTIVE, QUIET], None),
    *(("MET-13", f"{data_type} where there is reactive energy without active", [NO_ACTIVE, QUIET, curve(data_type)], severity)
      for data_type, severity in (("E+", "warn"), ("RQ1", "warn"), ("RQ4", "warn"), ("U", None))),
    ("MET-32", "nothing of a slot coded as zero", [zero_coded(40), QUIET], None),
    *(("MET-32", f"{data_type} of a day with a slot coded as zero", [zero_coded(40), QUIET, curve(data_type)], severity)
      for data_type, severity in (("E+", "warn"), ("RQ1", "warn"), ("RQ4", "warn"), ("U", None))),
    *(("MET-32", f"the day {day} to that of the {slot}th slot, which is coded as zero", [zero_coded(slot), QUIET, curve("E+", day)], severity)
      for day, slot, severity in (("11-04", 96, "warn"), ("11-05", 96, None), ("11-02", 1, "warn"), ("11-01", 1, None))),
    ("MET-30", "200 readings by hand that end in 0", by_hand(200), "warn"),
    ("MET-30", "199 of them", by_hand(199), None),
    ("MET-30", "200, of which one is below zero", by_hand(200, "case n when 1 then -10 else 10 * n end"), None),
    ("MET-30", "200, of which one is zero", by_hand(200, "case n when 1 then 0 else 10 * n end"), "warn"),
    ("MET-30", "200 of the first day that counts", by_hand(200, frozen="2026-10-07"), "warn"),
    ("MET-30", "200 of the day before", by_hand(200, frozen="2026-10-06"), None),
    ("MET-30", "a chi-square of 1800, where that is the limit", by_hand(200, last_digit_chi_square=1800), None),
    ("MET-30", "a chi-square of 1800, where a little less is the limit", by_hand(200, last_digit_chi_square=1799.9), "warn"),
]  # fmt: skip
