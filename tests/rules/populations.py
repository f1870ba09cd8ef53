"""Who a rule looks at: (rule, who, statements on raw tables and receipts, the severity found or None). Each has the fault.

A row in the population is found, a row that a condition keeps out is not: the condition is a decision about the field.
"""
# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

from datetime import date

from tests.rules.boundaries import (
    CONTRACT,
    FOUR_WIRES,
    VOLTAGE,
    arrivals,
    closings,
    curve_without_a_slot,
    customer,
    numbered,
    with_limits,
)
from tests.rules.faults import ACCOUNT, BILLING, E_PLUS, FIRST_THREE, LOST_DAYS, META, METER, NO_GENERATION, OTHER_KEY
from tests.rules.population_worlds import (
    A_REGISTER,
    ANOTHER_SUM,
    AT_EIGHT,
    DARK,
    DAY,
    EARLIER,
    FIVE_CUSTOMERS,
    ITS_POINT,
    KEY,
    KEY_CUSTOMERS,
    ONE_MORE_ANNOUNCED,
    ONE_NUMBER,
    OPEN_MONTH,
    PLANNED,
    REFUSED,
    SEALED,
    TODAY,
    ZERO_AT_TEN,
    amended,
    current_transformer,
    done,
    events,
    in_use,
    lost,
    not_telephoned,
    notices,
    one_meter,
    one_more_receipt,
    overdue,
    rate,
    reading,
    receipt,
    register,
    reported,
    slots,
    standard,
    states,
    supply,
    switched_off,
    two_contracts,
    unread,
    validities,
    without_slots,
)  # fmt: skip
from tests.rules.quiet_nights import QUIET_NIGHTS

POPULATIONS: list[tuple[str, str, list[str], str | None]] = [
    ("CON-01", "two contracts with a common day", two_contracts(("2025-01-01", "2026-01-01"), ("2026-01-01", "2027-12-31")), "quarantine"),
    ("CON-01", "a contract after the other", two_contracts(("2025-01-01", "2025-12-31"), ("2026-01-01", "2027-12-31")), None),
    ("CON-01", "a contract long after the other", two_contracts(("2024-01-01", "2024-12-31"), ("2026-01-01", "2027-12-31")), None),
    ("CON-01", "a supplementary agreement beside its contract", two_contracts(("2025-01-01", "2027-12-31"), ("2026-01-01", "2027-12-31"), kind="PROTOCOL"), None),
    ("CON-01", "a draft beside a contract", two_contracts(("2025-01-01", "2027-12-31"), ("2026-01-01", "2027-12-31"), status="DRAFT"), None),
    ("CON-10", "a draft of an important user on one path", [f"update {{{{con_contract}}}} set importance = 'SPECIAL', supply_mode = 'SINGLE', status = 'DRAFT' where {CONTRACT}"], None),
    ("MKT-08", "three customers of one payer at an address", [
        f"update {{{{mkt_customer}}}} set addr = '甲路乙丙丁号' where cons_no in {FIRST_THREE}",
        f"update {{{{mkt_account}}}} set payer_name = '一家付费' where cons_no in {FIRST_THREE}"], None),
    ("MET-06", "a register that fell after a reading that is not on the meter", [
        f"update {{{{met_register_freeze}}}} set reading = (select 10 ^ max(digits_int) from {{{{met_meter}}}} where meter_asset_no = {METER})"
        f" * case freeze_ts when '2026-11-04 00:00+08' then 1 when '2026-11-05 00:00+08' then 0.5 else 0.6 end where {A_REGISTER} and freeze_ts >= '2026-11-04 00:00+08'"], None),
    *(
        ("MET-13", f"reactive energy without active, and reverse energy of phase {phase}", [
            f"update {{{{met_interval_96}}}} set v[40] = 0 where {E_PLUS} and mp_no = {BILLING}",
            f"insert into {{{{met_interval_96}}}} ({META}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, collect_way) select {OTHER_KEY}, mp_no, data_date,"
            f" 'E-', '{phase}', version, is_primary, array_fill(1::float8, array[96]), recv_ts, collect_way from {{{{met_interval_96}}}} where {E_PLUS} and mp_no = {BILLING}"], severity)
        for phase, severity in (("T", None), ("A", "warn"))
    ),
    ("MET-12", "a first reading below zero", [register("-3.2", "10-29")], None),
    ("MET-12", "a first reading of zero", [register("0", "10-29")], "quarantine"),
    ("MET-12", "a first reading that is not on the meter", [register("(select 10 ^ max(digits_int) from {{met_meter}})", "10-29")], None),
    ("MET-12", "a day of no energy on the register", [register(reading("11-03"), "11-04"), without_slots("11-04")], "quarantine"),
    ("MET-12", "a day after one of no energy on the register", [register(reading("11-02"), "11-03"), without_slots("11-02")], "quarantine"),
    ("MET-14", "two zero days, before which nothing was read", [
        f"update {{{{met_interval_96}}}} set v = array_fill(0::float8, array[96]) where data_type = 'E+' and mp_no = {BILLING}",
        f"delete from {{{{met_interval_96}}}} where data_type = 'E+' and data_date < date '2026-11-04' and mp_no = {BILLING}"], None),
    *(
        ("MET-15", f"reverse energy at a point in use {when}", [
            f"insert into {{{{met_interval_96}}}} ({META}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, collect_way) select {OTHER_KEY},"
            f" mp_no, data_date, 'E-', phase, version, is_primary, v, recv_ts, collect_way from {{{{met_interval_96}}}} where {E_PLUS} and mp_no = {NO_GENERATION}",
            *in_use(first, last, f"mp_no = {NO_GENERATION}")], "warn" if found else None)
        for when, first, last, found in validities(date(2026, 11, 3))
    ),
    *(
        ("MET-16", f"0 V at ten o'clock, with an outage from {down} to {up} and a quarter of an hour of tolerance", [*ZERO_AT_TEN, *events(down, up, f"mp_no = {BILLING}")], severity)
        for down, up, severity in (("10:15", "11:00", None), ("10:15:01", "11:00", "quarantine"), ("09:00", "09:45", None), ("09:00", "09:44:59", "quarantine"))
    ),
    *(
        ("MET-17", f"three wires at low voltage, at a point in use {when}", [f"update {{{{mkt_mp}}}} set voltage_level = 'AC380V' where mp_no = {BILLING}", *in_use(first, last, f"mp_no = {BILLING}")], "warn" if found else None)
        for when, first, last, found in validities(TODAY)
    ),
    *(
        ("MET-23", f"nothing read at a point in use {when}", [f"delete from {{{{met_interval_96}}}} where data_date = date '2026-11-05' and mp_no = {BILLING}", *in_use(first, last, f"mp_no = {BILLING}")], "warn" if found else None)
        for when, first, last, found in validities(TODAY)
    ),
    ("MET-17", "a curve of phase B without a slot", [curve_without_a_slot("U", "B")], None),
    ("MET-17", "a curve of phase B of zeros", [curve_without_a_slot("U", "B").replace("null::float8", "0::float8")], None),
    ("MET-17", "a curve of phase B of volts", [curve_without_a_slot("U", "B").replace("null::float8", "57.7::float8")], "warn"),
    *(("MET-18", f"ten slots in which phase {phase} has nothing", [slots(phase, f"{VOLTAGE} and mp_no = {FOUR_WIRES}")], None) for phase in "ABC"),
    ("MET-23", "readings at eight", [AT_EIGHT % 0], None),
    ("MET-23", "readings a second after eight", [AT_EIGHT % 1], "block"),
    ("MET-31", "an overflow code of another quantity", [f"update {{{{met_interval_96}}}} set v[40] = 4915.05 where data_type = 'I' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"], None),
    ("MET-31", "an overflow code of another quantity in a sample", ["update {{met_pq_sample}} set i_a = 4915.05"], None),
    ("MKT-07", "one number for five customers of one payer", [ONE_NUMBER, f"update {{{{mkt_account}}}} set payer_name = '合成集团' where cons_no in {FIVE_CUSTOMERS}"], None),
    ("MKT-08", "a placeholder and no place", customer(addr="甲乙测试丙丁"), "warn"),
    ("MKT-30", "a least penalty of one yuan", overdue("1", charge="400"), None),
    ("MKT-30", "a penny more than the least penalty", overdue("1.01", charge="400"), "warn"),
    ("MKT-30", "a penny more than a penalty of one yuan", overdue("1.01"), None),
    *(
        ("MKT-30", f"a rate {when}", rate(changes), severity)
        for when, changes, severity in (
            ("from the due date on", "valid_from = date '2026-10-15'", "warn"), ("from the day after it on", "valid_from = date '2026-10-16'", None),
            ("up to the due date", "valid_to = date '2026-10-16'", "warn"), ("up to the day before it", "valid_to = date '2026-10-15'", None),
        )
    ),
    ("MKT-16", "the usual standard at 160 kVA", standard("160"), None),
    ("MKT-16", "the usual standard above 160 kVA", standard("160.01"), "warn"),
    ("MKT-33", "ten stages of nobody in one minute", [statement.replace("'H-1'", "null") for statement in closings(10, 0)], None),
    ("MKT-33", "ten stages that are open", [*closings(10, 0), "update {{mkt_app_stage}} set end_at = null where handler_no = 'H-1'"], None),
    ("MKT-33", "ten stages of one handler in one minute", closings(10, 0), "warn"),
    ("MKT-35", "4 of 9 at 44 minutes and one ticket without its beginning", [*arrivals(4, 6), "update {{mkt_ticket}} set accepted_at = null where ticket_no = (select max(ticket_no) from {{mkt_ticket}} where dept_no = 'D-1' and arrived_at < accepted_at + interval '30 minutes')"], None),
    ("MKT-39", "29 equal scores and an answer without one", numbered("mkt_survey", "collector_no = case when n <= 30 then 'C-1' end, score_scale = 10, score = case when n > 1 then 5 end"), None),
    ("MKT-40", "20 inspections that were not made", numbered("mkt_inspection", "inspector_no = case when n <= 20 then 'I-1' end, done_on = null, result_text = 'T'"), None),
    ("MKT-40", "20 inspections without a text", numbered("mkt_inspection", "inspector_no = case when n <= 20 then 'I-1' end, done_on = date '2026-10-20', result_text = null"), None),
    ("XSR-01", "a point without a meter number that is not installed", [f"delete from {{{{mkt_meter_install}}}} where mp_no = {BILLING}", f"update {{{{met_measuring_point}}}} set meter_asset_no = null where mp_no = {BILLING}"], "quarantine"),
    ("XSR-13", "another name, the same wrong credit code", [
        f"update {{{{con_contract}}}} set party_b_name = '另一家石材厂', uscc = '911111111111111111' where {CONTRACT}",
        f"update {{{{mkt_customer}}}} set uscc = '911111111111111111' where cons_no in (select cons_no from {{{{con_contract}}}} where {CONTRACT})"], "warn"),
    ("MKT-19", "a manager from tomorrow on", ["update {{mkt_manager_assign}} set valid_from = date '2026-11-06' where assign_role = 'PRIMARY' and valid_to is null"], "warn"),
    ("MKT-19", "a manager from today on", ["update {{mkt_manager_assign}} set valid_from = date '2026-11-05' where assign_role = 'PRIMARY' and valid_to is null"], None),
    ("MKT-19", "a manager until yesterday", ["update {{mkt_manager_assign}} set valid_to = date '2026-11-04' where assign_role = 'PRIMARY' and valid_to is null"], "warn"),
    ("MKT-19", "a manager until today", ["update {{mkt_manager_assign}} set valid_to = date '2026-11-05' where assign_role = 'PRIMARY' and valid_to is null"], None),
    ("MKT-19", "closed customers without a manager", ["delete from {{mkt_manager_assign}}", f"update {{{{mkt_customer}}}} set status = 'CLOSED' where {KEY_CUSTOMERS}"], None),
    ("XSR-02", "an unread month at the beginning of what is looked at", unread("202609"), "quarantine"),
    ("XSR-02", "an unread month before that", unread("202608"), None),
    ("XSR-02", "three lost days of October, all that collection saw of it", [LOST_DAYS], None),
    ("XSR-02", "lost days of a bill that corrects another", lost("update {{mkt_bill}} set orig_bill_no = bill_no where bill_month = '202610'"), None),
    ("XSR-02", "lost days of a point that is not billed by", lost(f"update {{{{mkt_mp}}}} set mp_role = 'CHECK' where mp_no = {BILLING}"), None),
    ("XSR-02", "two lost days of 30, as the point ended with the month's last day but one", lost(*in_use(None, "2026-10-30", f"mp_no = {BILLING}")), "quarantine"),
    ("XSR-02", "one lost day of 29, as the point ended before", lost(*in_use(None, "2026-10-29", f"mp_no = {BILLING}")), None),
    ("XSR-02", "an unread month before that, with an open finding", [*unread("202608"), OPEN_MONTH], "quarantine"),
    *(
        ("XSR-15", f"a closed account, its points in use {when}", [*in_use(first, last, f"cons_no = {ACCOUNT}"), f"update {{{{mkt_customer}}}} set status = 'CLOSED', close_date = null where cons_no = {ACCOUNT}"], "quarantine" if found else None)
        for when, first, last, found in validities(TODAY)
    ),
    ("XSR-15", "sealed on the business date", states("RUN", "SEALED", "2026-11-05"), None),
    ("XSR-15", "sealed the day before", states("RUN", "SEALED", "2026-11-04"), "quarantine"),
    ("XSR-15", "sealed from the business date on, of which the time before is unknown", [f"update {{{{mkt_transformer}}}} set state = 'SEALED', state_from = date '2026-11-05' where {SEALED}"], "quarantine"),
    ("XSR-20", "a plan that no meter saw", done(), "warn"),
    ("XSR-20", "a plan that was not carried out", done(status="PUBLISHED"), None),
    ("XSR-20", "a plan that has not ended", done(end="null"), None),
    ("XSR-20", "a plan on another feeder", done(feeder="'ELSEWHERE'"), None),
    ("XSR-20", "a plan on a feeder, at points of none", [*done(feeder="'ELSEWHERE'"), f"update {{{{mkt_mp}}}} set feeder_no = null where {PLANNED}", f"update {{{{met_measuring_point}}}} set feeder_no = null where {PLANNED}"], "warn"),
    ("XSR-20", "a plan of the first day of collection", done(start="2026-10-29 00:00+08"), "warn"),
    ("XSR-20", "a plan of the day before collection", done(start="2026-10-28 23:59+08"), None),
    ("XSR-20", "an outage that begins as the plan ends", [*done(), *events("04:00", "05:00", PLANNED)], None),
    ("XSR-20", "an outage that begins after the plan has ended", [*done(), *events("04:00:01", "05:00", PLANNED)], "warn"),
    ("XSR-20", "an outage that ends as the plan begins", [*done(), *events("02:00", "03:00", PLANNED)], None),
    ("XSR-20", "an outage that ended before the plan began", [*done(), *events("02:00", "02:59:59", PLANNED)], "warn"),
    *(("XSR-20", f"points in use {when}", [*done(), *in_use(first, last, PLANNED)], "warn" if found else None) for when, first, last, found in validities(DAY)),
    ("XSR-21", "an outage that nothing explains", DARK, "warn"),
    ("XSR-21", "three minutes", events("03:00", "03:03", KEY), None),
    ("XSR-21", "a second more", events("03:00", "03:03:01", KEY), "warn"),
    ("XSR-21", "a supply record that begins as it ends", [*DARK, *supply("04:00", "null")], None),
    ("XSR-21", "a supply record after it", [*DARK, *supply("04:00:01", "null")], "warn"),
    ("XSR-21", "a supply record that ends as it begins", [*DARK, *supply("02:00", "'2026-11-02 03:00+08'")], None),
    ("XSR-21", "a supply record before it", [*DARK, *supply("02:00", "'2026-11-02 02:59:59+08'")], "warn"),
    ("XSR-21", "a supply record of another feeder", [*DARK, *supply("03:00", "null", feeder="'ELSEWHERE'")], "warn"),
    ("XSR-21", "a plan that begins as it ends", [*DARK, *switched_off("04:00", "05:00")], None),
    ("XSR-21", "a plan after it", [*DARK, *switched_off("04:00:01", "05:00")], "warn"),
    ("XSR-21", "a plan that ends as it begins", [*DARK, *switched_off("02:00", "03:00")], None),
    ("XSR-21", "a plan before it", [*DARK, *switched_off("02:00", "02:59:59")], "warn"),
    ("XSR-21", "a plan for another account", [*DARK, *switched_off("03:00", "04:00", account="0310000009")], "warn"),
    ("XSR-21", "a fault ticket", [*DARK, *reported()], None),
    ("XSR-21", "a ticket of another kind", [*DARK, *reported(kind="ENQUIRY")], "warn"),
    ("XSR-21", "a fault ticket of another account", [*DARK, *reported(account="0310000009")], "warn"),
    *(("XSR-21", f"points in use {when}", [*DARK, *in_use(first, last, KEY)], "warn" if found else None) for when, first, last, found in validities(DAY)),
    ("XSR-23", "a meter that moves to another customer on a day", one_meter("2025-06-01", "2025-06-01"), None),
    ("XSR-23", "a meter that has moved long after", one_meter("2024-06-01", "2025-06-01"), None),
    ("XSR-23", "a meter that moves a day before it is removed", one_meter("2025-06-01", "2025-05-31"), "quarantine"),
    ("XSR-23", "a meter that comes back to its customer", one_meter("2025-06-01", "2025-05-31", account="0310000001"), None),
    ("XSR-24", "another term of the contract", amended("field_name = 'tariff_code', effective_on = effective_on - 46"), None),
    ("XSR-24", "an amendment that begins today", amended("effective_on = date '2026-11-05'", "2026-10-20"), "warn"),
    ("XSR-24", "an amendment that begins tomorrow", amended("effective_on = date '2026-11-06'", "2026-10-20"), None),
    ("XSR-24", "a change of another account", amended("contract_no = 'HT0310000001', effective_on = date '2024-02-01'"), None),
    *(
        ("XSR-24", f"46 days, of which {most} belong together", with_limits("XSR-24", {"match_days": most}, amended("effective_on = effective_on - 46")[0]), severity)
        for most, severity in ((46, "warn"), (45, None))
    ),
    ("XSR-24", "a current transformer of another ratio", current_transformer(), "warn"),
    ("XSR-24", "a current transformer of the same ratio", current_transformer("100"), None),
    ("XSR-24", "two ratios from one day on", [*current_transformer(), f"update {{{{met_it}}}} set valid_from = date '2024-04-20' where {ITS_POINT} and kind = 'CT'"], None),
    ("XSR-24", "a current transformer of another account", current_transformer(point="031000000101"), None),
    *(
        ("XSR-24", f"a current transformer at a point in use {when}", [*current_transformer(), *in_use(first, last, ITS_POINT)], "warn" if found else None)
        for when, first, last, found in validities(date(2024, 4, 20))
    ),
    ("XSR-24", "a current transformer at a point in use until long before", [*current_transformer(), *in_use(None, "2024-04-10", ITS_POINT)], None),
    ("XSR-20", "all points of a plan, where all are needed", [*with_limits("XSR-20", {"share": 1}, done()[0]), *events("03:00", "04:00", PLANNED)], None),
    ("XSR-26", "key accounts with a contract without end", [f"update {{{{con_contract}}}} set valid_to = null, auto_renew = false where {KEY_CUSTOMERS}"], None),
    ("XSR-26", "key accounts with a contract to today", [f"update {{{{con_contract}}}} set valid_to = date '2026-11-05', auto_renew = false where {KEY_CUSTOMERS}"], None),
    ("XSR-26", "key accounts with a contract to yesterday", [f"update {{{{con_contract}}}} set valid_to = date '2026-11-04', auto_renew = false where {KEY_CUSTOMERS}"], "warn"),
    ("XSR-30", "a notice two days before to the minute", [*EARLIER, *notices("sent_at = '2026-06-08 09:00+08'", "08")], None),
    ("XSR-30", "a notice a minute later", [*EARLIER, *notices("sent_at = '2026-06-08 09:01+08'", "08")], "warn"),
    ("XSR-30", "no notice again within two days", notices("sent_at = '2026-06-08 09:00+08'", "09"), "warn"),
    ("XSR-30", "a notice again a minute within two days", notices("sent_at = '2026-06-08 09:01+08'", "09"), None),
    ("XSR-30", "a notice to another account", ["delete from {{mkt_outage_notice}} where plan_no = 'PL0000000072' and cons_no is null", *notices("cons_no = '0310000012'", "03")], "warn"),
    *(
        ("XSR-30", f"no telephone notice, where it is needed {when}", not_telephoned(changes), severity)
        for when, changes, severity in (
            ("from that day on", "valid_from = date '2026-06-10'", "warn"), ("from the next day on", "valid_from = date '2026-06-11'", None),
            ("to that day", "valid_to = date '2026-06-11'", "warn"), ("to the day before", "valid_to = date '2026-06-10'", None),
        )
    ),
    ("XSR-26", "closed customers without a contract", [f"delete from {{{{con_contract}}}} where {KEY_CUSTOMERS}", f"update {{{{mkt_customer}}}} set status = 'CLOSED' where {KEY_CUSTOMERS}"], None),
    ("XSR-26", "key accounts without a contract", [f"delete from {{{{con_contract}}}} where {KEY_CUSTOMERS}"], "warn"),
    ("XSR-26", "no contract of anybody, which is another rule's", ["delete from {{con_contract}}"], None),
    ("XSR-26", "key accounts with supplementary agreements only", [f"update {{{{con_contract}}}} set kind = 'PROTOCOL' where {KEY_CUSTOMERS}"], "warn"),
    ("XSR-27", "a row less than announced", receipt(ONE_MORE_ANNOUNCED), "block"),
    ("XSR-27", "a refused delivery", REFUSED, "block"),
    ("XSR-27", "a refused delivery that came again", [*REFUSED, one_more_receipt()], None),
    ("XSR-27", "a refused delivery, after it another table's", [*REFUSED, one_more_receipt(table_name="'mkt_payment'")], "block"),
    ("XSR-27", "a refused delivery, after it another day's", [*REFUSED, one_more_receipt(business_date="business_date - 1")], "block"),
    ("XSR-27", "a refused delivery, after it a form", [*REFUSED, one_more_receipt(channel="'form'")], "block"),
    ("XSR-27", "a refused delivery, after it another one", [*REFUSED, one_more_receipt(state="'refused'")], "block"),
    ("XSR-27", "a refused delivery after a good one", [one_more_receipt(state="'refused'", announced_rows="2")], "block"),
    ("XSR-27", "two deliveries, of which the first has a row less than announced", [*receipt(ONE_MORE_ANNOUNCED), one_more_receipt()], "block"),
    ("XSR-27", "a late delivery of the day before", receipt(f"business_date = business_date - 1, {ONE_MORE_ANNOUNCED}"), "block"),
    ("XSR-27", "a delivery of the day before, which its night saw", [*receipt(f"business_date = business_date - 1, {ONE_MORE_ANNOUNCED}"), "insert into quality.runs (business_date, last_load_id) select run.business_date - 1, (select max(load_id) from quality.receipts) from quality.current_run as run"], None),
    ("XSR-27", "the same file again", receipt(f"duplicate_of = load_id, {ONE_MORE_ANNOUNCED}"), None),
    ("XSR-27", "another sum", receipt(ANOTHER_SUM), "block"),
    ("XSR-27", "another sum, no rows announced", receipt(f"announced_rows = null, {ANOTHER_SUM}"), None),
    ("XSR-27", "another sum beside a rejected row", receipt(f"rejected_rows = 1, {ANOTHER_SUM}"), None),
    ("XSR-27", "another sum of a refused delivery", receipt(f"state = 'refused', {ANOTHER_SUM}"), None),
    ("XSR-27", "a sum of a column that did not land", receipt("announced_sums = landed_sums || '{\"a_column\": 1}'"), None),
    *QUIET_NIGHTS,
]  # fmt: skip
