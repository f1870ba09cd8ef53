"""Statements that put somebody into the population of a rule or keep him out: outages, plans, notices, validities, receipts."""

# ruff: noqa: E501  (one statement a line)
from __future__ import annotations

from datetime import date, timedelta

from tests.rules.boundaries import with_limits
from tests.rules.faults import ACCOUNT, BILLING, LOST_DAYS, META, METER, OTHER_KEY

TODAY = date(2026, 11, 5)
DAY = date(2026, 11, 2)  # of the outages
DONE_PLAN = "plan_no = (select max(plan_no) from {{mkt_outage_affected}} where exception_code is null)"
KEY_CUSTOMERS = "cons_no in (select account_no from staging.int_key_accounts where is_key_account)"


def two_contracts(first: tuple[str, str], second: tuple[str, str], **of_second: str) -> list[str]:
    """Two contracts of one account, each from its first day to its last; `of_second` says what the second one is."""
    changed = "".join(
        f", {column} = case n when 1 then {column} else '{value}' end" for column, value in of_second.items()
    )
    return [
        f"update {{{{con_contract}}}} as rows set cons_no = {ACCOUNT}, valid_from = case n when 1 then date '{first[0]}' else date '{second[0]}' end,"
        f" valid_to = case n when 1 then date '{first[1]}' else date '{second[1]}' end{changed} from (select _raw_id, row_number() over (order by _raw_id) as n"
        f" from {{{{con_contract}}}} where status = 'EFFECTIVE' and cons_no <> {ACCOUNT}) as numbered where rows._raw_id = numbered._raw_id and n <= 2",
        f"delete from {{{{con_contract}}}} where cons_no = {ACCOUNT} and _raw_id not in (select _raw_id from {{{{con_contract}}}} where cons_no = {ACCOUNT} and (valid_from, valid_to) in ((date '{first[0]}', date '{first[1]}'), (date '{second[0]}', date '{second[1]}')))",
    ]


BILLS = "table_name = 'mkt_bill'"
ONE_MORE_ANNOUNCED = "announced_rows = announced_rows + 1"
ANOTHER_SUM = "announced_sums = (select jsonb_object_agg(key, value::numeric + 1) from jsonb_each_text(landed_sums))"


def receipt(changes: str) -> list[str]:
    """Tonight's receipt of the bills, changed."""
    return [f"update quality.receipts set {changes} where {BILLS}"]


def one_more_receipt(**changes: str) -> str:
    """Another receipt like that of the bills, with rows as announced."""
    columns = ("source_name", "table_name", "channel", "business_date", "state", "announced_rows", "delivered_rows")
    values = {"announced_rows": "1", "delivered_rows": "1", "state": "'landed'"} | changes
    return (
        f"insert into quality.receipts ({', '.join(columns)}) select {', '.join(values.get(column, column) for column in columns)}"
        f" from quality.receipts where {BILLS} and load_id = (select min(load_id) from quality.receipts where {BILLS})"
    )


def slots(zeros: str, which: str) -> str:
    """80 slots of 100 V, where the phase `zeros` has nothing in ten of them."""
    return (
        f"update {{{{met_interval_96}}}} set v = array_fill(case phase when '{zeros}' then 0 else 100 end::float8, array[10]) || array_fill(100::float8, array[70])"
        f" || array_fill(null::float8, array[16]) where {which}"
    )


def overdue(penalty: str, charge: str = "500", customer_class: str = "GEN_IND_COM") -> list[str]:
    """A bill of which nothing was paid, and its one penalty, of one day in the year that it was due."""
    bill = "bill_no = (select min(bill_no) from {{mkt_penalty}})"
    return [
        f"update {{{{mkt_penalty}}}} set from_date = date '2026-10-20', to_date = date '2026-10-20', waived = false, penalty_yuan = {penalty} where {bill}",
        f"update {{{{mkt_bill}}}} set total_charge = {charge}, due_on = date '2026-10-15' where {bill}",
        f"update {{{{mkt_payment}}}} set bill_no = null where {bill}",
        f"update {{{{mkt_customer}}}} set cons_class = '{customer_class}' where cons_no in (select cons_no from {{{{mkt_bill}}}} where {bill})",
    ]


def standard(capacity_kva: str) -> list[str]:
    """Customers of large industry at 10 kV whose standard of the power factor is the usual one."""
    return [
        f"update {{{{mkt_customer}}}} set cons_class = 'LARGE_IND', voltage_level = 'AC10kV', contract_cap_kva = {capacity_kva}",
        "update {{mkt_tariff_assign}} set pf_standard = '0.85'",
    ]


def rate(changes: str) -> list[str]:
    """A penalty of double height, under rates of other validity."""
    late = overdue("2")
    return [*late[:-1], f"with rates as (update staging.penalty_rates set {changes} returning 1) {late[-1]}"]


TOTAL = (
    "energy_kind = 'ACTIVE' and dir = 'FWD' and rate = 'T' and freeze_kind = 'DAY'"
    f" and meter_asset_no = (select meter_asset_no from {{{{met_measuring_point}}}} where mp_no = {BILLING})"
)


def reading(day: str) -> str:
    """What the register of a billing point told at the beginning of a day."""
    return f"(select max(reading) from {{{{met_register_freeze}}}} where {TOTAL} and freeze_ts = '2026-{day} 00:00+08')"


def register(value: str, day: str) -> str:
    return (
        f"update {{{{met_register_freeze}}}} set reading = {value} where {TOTAL} and freeze_ts = '2026-{day} 00:00+08'"
    )


def without_slots(day: str) -> str:
    """A day of which not every slot was read, so that it is not compared."""
    return f"update {{{{met_interval_96}}}} set v[1] = null where data_type = 'E+' and data_date = date '2026-{day}' and mp_no = {BILLING}"


ZERO_AT_TEN = with_limits(
    "MET-16",
    {"outage_tolerance_minutes": 15},
    f"update {{{{met_interval_96}}}} set v[40] = 0 where data_type = 'U' and phase = 'A' and data_date = date '2026-11-02' and mp_no = {BILLING}",
)
FIVE_CUSTOMERS = "(select cons_no from {{mkt_contact}} where contact_role = 'FINANCE' order by 1 limit 5)"
ONE_NUMBER = f"update {{{{mkt_contact}}}} set mobile = '13987563412' where contact_role = 'FINANCE' and cons_no in {FIVE_CUSTOMERS}"
AT_EIGHT = "update {{met_interval_96}} set recv_ts = '2026-11-06 08:00:0%d+08' where data_type = 'E+' and data_date = date '2026-11-05'"
A_REGISTER = f"meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1'"


def in_use(first: str | None, last: str | None, of: str) -> list[str]:
    """Metering points that marketing has from a first to a last day."""
    columns = [f"{column} = date '{day}'" for column, day in (("valid_from", first), ("valid_to", last)) if day]
    return [f"update {{{{mkt_mp}}}} set {', '.join(columns)} where {of}"]


def validities(day: date) -> list[tuple[str, str | None, str | None, bool]]:
    """Points in use from a day or to a day, and whether they are in use on `day`."""
    text = {shift: str(day + timedelta(days=shift)) for shift in (-1, 0, 1, 9)}
    return [
        ("from that day on", text[0], None, True),
        ("from the next day on", text[1], None, False),
        ("to that day", None, text[0], True),
        ("to some later day", None, text[9], True),
        ("to the day before", None, text[-1], False),
    ]


def events(down: str, up: str, of: str, mark: str = "") -> list[str]:
    """An outage at metering points, as their meters tell it, on 2026-11-02."""
    return [
        f"insert into {{{{met_power_event}}}} ({META}, event_id, mp_no, event, event_ts, recv_ts, source) select _load_id, _business_date, _channel, _file_line,"
        f" _is_tombstone, md5('{event}{mark}' || mp_no)::uuid, md5('{event}{mark}')::uuid, '{event}{mark}' || mp_no, mp_no, '{event}', '2026-11-02 {at}+08', '2026-11-02 23:00+08', 'METER'"
        f" from {{{{met_measuring_point}}}} where {of}"
        for event, at in (("POWER_DOWN", down), ("POWER_UP", up))
    ]


def done(
    status: str = "DONE", feeder: str = "null", start: str = "2026-11-02 03:00+08", end: str = "'2026-11-02 04:00+08'"
) -> list[str]:
    """A plan that switched off from three to four on 2026-11-02, of which no meter tells."""
    return [
        f"update {{{{mkt_outage_plan}}}} set status = '{status}', feeder_no = {feeder}, actual_start = '{start}', actual_end = {end} where {DONE_PLAN}"
    ]


PLANNED = f"cons_no in (select cons_no from {{{{mkt_outage_affected}}}} where {DONE_PLAN})"
KEY = "mp_no = '031000000301'"
DARK = events("03:00", "04:00", KEY)  # a point of a key account without power for an hour, which nothing explains
ON_ITS_FEEDER = "(select min(feeder_no) from {{mkt_mp}} where mp_no = '031000000301')"


def supply(start: str, end: str, feeder: str = ON_ITS_FEEDER) -> list[str]:
    """One more outage in the records of the supply side."""
    return [
        f"insert into {{{{met_supply_outage}}}} ({META}, outage_id, feeder_no, kind, start_at, end_at, recv_ts) select {OTHER_KEY}, 'SO-1', {feeder}, kind,"
        f" '2026-11-02 {start}+08', {end}, recv_ts from {{{{met_supply_outage}}}} limit 1"
    ]


def switched_off(start: str, end: str, account: str = "0310000003") -> list[str]:
    """One plan for one account."""
    last = "plan_no = (select max(plan_no) from {{mkt_outage_plan}})"
    return [
        f"update {{{{mkt_outage_affected}}}} set cons_no = '{account}' where {last}",
        f"update {{{{mkt_outage_plan}}}} set actual_start = '2026-11-02 {start}+08', actual_end = '2026-11-02 {end}+08' where {last}",
    ]


def reported(kind: str = "FAULT", account: str = "0310000003") -> list[str]:
    return [
        f"update {{{{mkt_ticket}}}} set ticket_type = '{kind}', cons_no = '{account}', accepted_at = '2026-11-02 03:30+08' where ticket_no = (select max(ticket_no) from {{{{mkt_ticket}}}})"
    ]


def unread(month: str) -> list[str]:
    """The bills of one month, of which nothing was read though collection had begun."""
    return [
        "update quality.current_run set collection_start = date '2026-01-01'",
        f"delete from {{{{mkt_bill}}}} where bill_month <> '{month}'",
    ]


def lost(*changes: str) -> list[str]:
    """The three days of October that were collected are lost at one point, where 5 % of a month may be."""
    return [*changes, *with_limits("XSR-02", {"received_share": 0.95}, LOST_DAYS)]


OPEN_MONTH = (
    "insert into quality.finding_events (finding_id, run_id, event, at, rule_id, axis, severity, source_name, table_name, record_key)"
    " select 1, run_id, 'opened', '2026-11-01', 'XSR-02', 'missing', 'quarantine', 'marketing', 'mkt_mp',"
    ' \'{"mp_no": "031000000101", "month": "202608"}\' from quality.current_run'
)


def one_meter(removed: str, installed: str, account: str = "0310000002") -> list[str]:
    """A meter at one customer until a day and at another from a day on."""
    return [
        "update {{mkt_meter_install}} as rows set meter_asset_no = 'M-1', cons_no = case n when 1 then '0310000001' else '"
        + account
        + "' end,"
        f" install_date = case n when 1 then date '2024-01-01' else date '{installed}' end, remove_date = case n when 1 then date '{removed}' end"
        " from (select _raw_id, row_number() over (order by _raw_id) as n from {{mkt_meter_install}}) as numbered"
        " where rows._raw_id = numbered._raw_id and n <= 2"
    ]


ITS_POINT = "mp_no = '031000000801'"  # of the one account whose contract was amended, as of 2024-03-01


def current_transformer(ratio: str = "200", point: str = "031000000801", of: str = ITS_POINT) -> list[str]:
    """The transformers of the account are as they were; a current transformer was changed 36 working days later."""
    columns = "_load_id, _business_date, _channel, _file_line, _is_tombstone, phase, kind, ratio_secondary, accuracy"
    return [
        "update {{mkt_transformer}} set state_from = date '2021-03-29' where cons_no = '0310000008'",
        f"insert into {{{{met_it}}}} ({columns}, _key, _hash, it_asset_no, ratio_primary, mp_no, valid_from) select {columns}, md5('new CT')::uuid, md5('new CT')::uuid,"
        f" 'IT-1', {ratio}, '{point}', date '2024-04-20' from {{{{met_it}}}} where {of} and kind = 'CT' and phase = 'A'",
    ]


def notices(changes: str, sent: str) -> list[str]:
    """Notices of the planned interruption of 10 June, 9:00, to a key account."""
    return [
        f"update {{{{mkt_outage_notice}}}} set {changes} where plan_no = 'PL0000000072' and cons_no = '0310000004' and sent_at >= '2026-06-{sent} 00:00+08' and sent_at < date '2026-06-{sent}' + 1"
    ]


EARLIER = notices(
    "sent_at = '2026-06-08 10:00+08'", "03"
)  # the notice of seven days before, which counts for two days too


def not_telephoned(changes: str) -> list[str]:
    """No telephone notice of that interruption, under checkpoints of other validity."""
    return [
        "with checkpoints as (update staging.notice_checkpoints set " + changes + " returning 1)"
        " delete from {{mkt_outage_notice}} where plan_no = 'PL0000000072' and cons_no = '0310000004' and channel = 'PHONE'"
    ]


def amended(changes: str, transformers: str | None = None) -> list[str]:
    """The amendment of a capacity, and the day on which the account's transformers changed."""
    moved = (
        [f"update {{{{mkt_transformer}}}} set state_from = date '{transformers}' where state_from = date '2024-03-01'"]
        if transformers
        else []
    )
    return [f"update {{{{con_amendment}}}} set {changes} where field_name = 'contract_cap_kva'", *moved]


SEALED = "cons_no = '0310000003'"


def states(first: str, second: str, day: str) -> list[str]:
    """The transformers of an account are in one state up to the day before, and in another from a day on."""
    columns = "_load_id, _business_date, _channel, _file_line, _is_tombstone, cons_no, cap_kva"
    return [
        f"update {{{{mkt_transformer}}}} set state = '{first}', state_to = date '{day}' - 1 where {SEALED} and state_to is null",
        f"insert into {{{{mkt_transformer}}}} ({columns}, _key, _hash, tran_no, state, state_from) select {columns}, md5('later' || tran_no)::uuid, md5('later')::uuid,"
        f" tran_no, '{second}', date '{day}' from {{{{mkt_transformer}}}} where {SEALED} and state_to = date '{day}' - 1",
    ]


REFUSED = receipt(f"state = 'refused', {ONE_MORE_ANNOUNCED}")
