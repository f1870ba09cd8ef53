"""Values at the edge of a limit: (rule, what stands at the edge, statements on raw tables, the severity found or None)."""
# ruff: noqa: E501  (one case a line reads as a table)
from __future__ import annotations

from tests.rules.faults import ACCOUNT, BILLING, E_PLUS, IN_FORCE, META, METER, OTHER_KEY
from tests.rules.lists import LISTED

CONTRACT = f"contract_no = {IN_FORCE} and status = 'EFFECTIVE'"
PAYER = f"cons_no in (select cons_no from {{{{con_contract}}}} where {CONTRACT}) and valid_to is null"
FINANCE = f"cons_no = {ACCOUNT} and contact_role = 'FINANCE'"
REGISTER = f"meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1' and freeze_ts = '2026-11-04 00:00+08'"
VOLTAGE = "data_type = 'U' and data_date = date '2026-11-03'"
FOUR_WIRES = "(select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P4W')"
NO_SLOT = "v = array_fill(null::float8, array[96])"


def curve_without_a_slot(data_type: str, phase: str) -> str:
    """One more curve at a point of three wires, of which nothing was collected."""
    return (
        f"insert into {{{{met_interval_96}}}} ({META}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, collect_way)"
        f" select {OTHER_KEY}, mp_no, data_date, '{data_type}', '{phase}', version, is_primary, array_fill(null::float8, array[96]), recv_ts,"
        f" collect_way from {{{{met_interval_96}}}} where {E_PLUS} and mp_no = {BILLING} limit 1"
    )


def arrivals(late: int, early: int, minutes: str = "44", **other: str) -> list[str]:
    """Urban arrivals of one crew at faults: `late` after `minutes`, `early` after 20; `other` changes what kind they are."""
    kind = {"ticket_type": "FAULT", "urban_rural": "URBAN"} | other
    return [
        "update {{mkt_ticket}} set ticket_type = 'ENQUIRY', arrived_at = null where ticket_type = 'FAULT'",
        "update {{mkt_ticket}} as tickets set dept_no = 'D-1', " + ", ".join(f"{column} = '{value}'" for column, value in kind.items())
        + f", arrived_at = accepted_at + case when n <= {late} then interval '{minutes} minutes' else interval '20 minutes' end"
        " from (select _raw_id, row_number() over (order by _raw_id) as n from {{mkt_ticket}}) as numbered"
        f" where tickets._raw_id = numbered._raw_id and n <= {late + early}",
    ]


def closings(together: int, apart: int) -> list[str]:
    """Stages that one clerk closed on one day: `together` at 17:59, the others ten minutes apart."""
    return [
        "update {{mkt_app_stage}} as stages set handler_no = 'H-1', start_at = '2026-10-30 08:00+08',"
        f" end_at = case when n <= {together} then timestamptz '2026-10-30 17:59:00+08' + n * interval '10 seconds'"
        " else timestamptz '2026-10-30 09:00+08' + n * interval '10 minutes' end"
        " from (select _raw_id, row_number() over (order by _raw_id) as n from {{mkt_app_stage}} where end_at is not null) as numbered"
        f" where stages._raw_id = numbered._raw_id and n <= {together + apart}"
    ]


def supplied(importance: str, mode: str, generation: str = "null", security: str = "null") -> list[str]:
    """A contract of an important user that is supplied in `mode`, with own generation and security load in kVA."""
    return [
        f"update {{{{con_contract}}}} set importance = '{importance}', supply_mode = '{mode}', self_gen_kva = {generation},"
        f" security_load_kva = {security} where {CONTRACT}"
    ]


def term(last_day: str, is_renewed: bool = False) -> list[str]:
    return [f"update {{{{con_contract}}}} set valid_to = {last_day}, auto_renew = {is_renewed} where {CONTRACT}"]


def customer(**values: object) -> list[str]:
    return [f"update {{{{mkt_customer}}}} set {', '.join(f'{column} = {value!r}' for column, value in values.items())} where cons_no = {ACCOUNT}"]


def charged(basic_mode: str, capacity_kva: str, customer_class: str = "LARGE_IND") -> list[str]:
    """A customer of a capacity whose basic charge is by `basic_mode`."""
    return [
        *customer(contract_cap_kva=float(capacity_kva), cons_class=customer_class),
        f"update {{{{mkt_tariff_assign}}}} set basic_mode = '{basic_mode}' where cons_no = {ACCOUNT} and valid_to is null",
    ]


def planned(length: str) -> list[str]:
    return [f"update {{{{mkt_outage_plan}}}} set planned_end = planned_start + interval '{length}' where plan_no = (select max(plan_no) from {{{{mkt_outage_plan}}}})"]


def signed(day: str) -> list[str]:
    """A first contract that was signed on a day told by that of the customer's connection."""
    return [
        f"update {{{{con_contract}}}} set signed_on = {day} from (select cons_no as account_no, connect_date as connect_on from {{{{mkt_customer}}}}) as customers"
        f" where con_contract.cons_no = customers.account_no and version = 1 and contract_no = {IN_FORCE}"
    ]


THEIR_MULTIPLIER = f"(select max(multiplier) from staging.int_metering_points_as_of where metering_point_no = {BILLING})"
CURVE_OF_POWER = f"data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"


def hundred_kva(values: str, which: str) -> list[str]:
    """A curve at a point whose customer runs 100 kVA for each of the multiplier."""
    return [
        f"update {{{{mkt_customer}}}} set running_cap_kva = 100 * {THEIR_MULTIPLIER} where cons_no = (select cons_no from {{{{met_measuring_point}}}} where mp_no = {BILLING})",
        f"update {{{{met_interval_96}}}} set v = {values} where {which} and mp_no = {BILLING}",
    ]


def with_limits(rule_id: str, values: dict[str, float], change: str) -> list[str]:
    """A change of rows under other limits, which few rows can meet exactly."""
    cases = " ".join(f"when '{name}' then {value}" for name, value in values.items())
    return [f"with limits as (update staging.quality_parameters set value = case name {cases} else value end where rule_id = '{rule_id}' returning 1) {change}"]


def numbered(table: str, changes: str, where: str = "true") -> list[str]:
    """Rows changed by their number `n`."""
    return [
        f"update {{{{{table}}}}} as rows set {changes} from (select _raw_id, row_number() over (order by _raw_id) as n from {{{{{table}}}}} where {where}) as numbered"
        " where rows._raw_id = numbered._raw_id"
    ]


def unbalanced(slots: int) -> list[str]:
    """80 slots of three equal voltages, of which phase A stands 10 % too high in some."""
    return [
        f"update {{{{met_interval_96}}}} set v = array_fill(case phase when 'A' then 110.0 else 100 end::float8, array[{slots}]) || array_fill(100::float8, array[{80 - slots}])"
        f" || array_fill(null::float8, array[16]) where {VOLTAGE} and mp_no = {FOUR_WIRES}"
    ]


def summed(off_kwh: str) -> list[str]:
    """A day whose slots add up to its register and so many kWh more."""
    register = (
        "(select max(reading) filter (where freeze_ts = '2026-11-04 00:00+08') - max(reading) filter (where freeze_ts = '2026-11-03 00:00+08')"
        " from {{met_register_freeze}} where freeze_kind = 'DAY' and energy_kind = 'ACTIVE' and dir = 'FWD' and rate = 'T'"
        f" and meter_asset_no = (select meter_asset_no from {{{{met_measuring_point}}}} where mp_no = {BILLING}))"
    )
    return [f"update {{{{met_interval_96}}}} set v = array_fill(0.25::float8, array[95]) || ({register} + {off_kwh} - 23.75)::float8 where {E_PLUS} and mp_no = {BILLING}"]


def named(contract_name: str) -> list[str]:
    """A customer of 26 letters, whose contract names another."""
    return [
        f"update {{{{con_contract}}}} set party_b_name = '{contract_name}', uscc = null where {CONTRACT}",
        f"update {{{{mkt_customer}}}} set cons_name = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ' where cons_no in (select cons_no from {{{{con_contract}}}} where {CONTRACT})",
    ]


CASES: list[tuple[str, str, list[str], str | None]] = [
    ("MET-02", "86 slots", [f"update {{{{met_interval_96}}}} set v = v[1:86] || array_fill(null::float8, array[10]) where {E_PLUS} and mp_no = {BILLING}"], "warn"),
    ("MET-02", "85 slots", [f"update {{{{met_interval_96}}}} set v = v[1:85] || array_fill(null::float8, array[11]) where {E_PLUS} and mp_no = {BILLING}"], "quarantine"),
    ("MET-02", "no voltage of phase B with three wires", [curve_without_a_slot("U", "B")], None),
    ("MET-02", "no current of phase B with three wires", [curve_without_a_slot("I", "B")], "quarantine"),
    ("MET-02", "no voltage of phase A with three wires", [f"update {{{{met_interval_96}}}} set {NO_SLOT} where {VOLTAGE} and phase = 'A' and mp_no = {BILLING}"], "quarantine"),
    ("MET-02", "no voltage of phase B with four wires", [f"update {{{{met_interval_96}}}} set {NO_SLOT} where {VOLTAGE} and phase = 'B' and mp_no = {FOUR_WIRES}"], "quarantine"),
    ("MET-05", "a register at zero", [f"update {{{{met_register_freeze}}}} set reading = 0 where {REGISTER}"], None),
    ("MET-05", "a register at the end of its digits", [f"update {{{{met_register_freeze}}}} set reading = (select 10 ^ max(digits_int) from {{{{met_meter}}}} where meter_asset_no = {METER}) where {REGISTER}"], "quarantine"),
    ("MET-11", "15 equal slots", [f"update {{{{met_interval_96}}}} set v = v[1:40] || array_fill(v[41] * 1.01, array[15]) || v[56:96] where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"], None),
    ("MET-11", "16 equal slots", [f"update {{{{met_interval_96}}}} set v = v[1:40] || array_fill(v[41] * 1.01, array[16]) || v[57:96] where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"], "warn"),
    ("MET-28", "2 A on the secondary side", ["update {{met_it}} set ratio_secondary = 2 where it_asset_no = (select min(it_asset_no) from {{met_it}} where kind = 'CT')"], "warn"),
    ("MKT-06", "an e-mail address of the list as a mobile number", [f"update {{{{mkt_contact}}}} set mobile = '1@1.com' where {FINANCE}"], None),
    ("MKT-06", "eight equal digits in an e-mail address", [f"update {{{{mkt_contact}}}} set email = '88888888@example.com' where {FINANCE}"], None),
    ("MKT-06", "seven equal digits", [f"update {{{{mkt_contact}}}} set mobile = '13922222223' where {FINANCE}"], None),
    ("MKT-07", "one number for four customers", ["update {{mkt_contact}} set mobile = '13987563412' where contact_role = 'FINANCE' and cons_no in (select cons_no from {{mkt_contact}} where contact_role = 'FINANCE' order by 1 limit 4)"], None),
    ("MKT-07", "one number for five customers", ["update {{mkt_contact}} set mobile = '13987563412' where contact_role = 'FINANCE' and cons_no in (select cons_no from {{mkt_contact}} where contact_role = 'FINANCE' order by 1 limit 5)"], "warn"),
    ("MKT-08", "five characters with a road", [f"update {{{{mkt_customer}}}} set addr = '甲路乙丙号' where cons_no = {ACCOUNT}"], "warn"),
    ("MKT-08", "six characters with a road", [f"update {{{{mkt_customer}}}} set addr = '甲路乙丙丁号' where cons_no = {ACCOUNT}"], None),
    ("MKT-08", "six characters and no place", [f"update {{{{mkt_customer}}}} set addr = '甲乙丙丁戊己' where cons_no = {ACCOUNT}"], "warn"),
    ("MKT-10", "0 kVA", [f"update {{{{mkt_customer}}}} set contract_cap_kva = 0 where cons_no = {ACCOUNT}"], "quarantine"),
    ("MKT-04", "zeros, which fit their check character", customer(uscc="0" * 18), "quarantine"),
    ("MKT-04", "two digits before zeros", customer(uscc="49" + "0" * 16), "quarantine"),
    ("CON-16", "zeros, which fit their check character", [f"update {{{{con_contract}}}} set uscc = '{'0' * 18}' where {CONTRACT}"], "warn"),
    ("CON-16", "two digits before zeros", [f"update {{{{con_contract}}}} set uscc = '49{'0' * 16}' where {CONTRACT}"], "warn"),
    *(
        ("MKT-11", f"connected on {day}", [f"update {{{{mkt_customer}}}} set open_date = date '{day}' where cons_no = {ACCOUNT}"], severity)
        for day, severity in (("1949-09-30", "quarantine"), ("1949-10-01", None), ("2026-11-05", None), ("2026-11-06", "quarantine"), ("2000-01-01", "quarantine"))
    ),
    *(
        ("MKT-14", f"{capacity} kVA at {level}", customer(voltage_level=level, contract_cap_kva=capacity), severity)
        for level, capacity, severity in (
            ("AC35kV", 1000, None), ("AC35kV", 999.99, "quarantine"), ("AC66kV", 999.99, "quarantine"), ("AC110kV", 999.99, "quarantine"),
            ("AC220kV", 999.99, "quarantine"), ("AC20kV", 999.99, None), ("AC220V", 16, None), ("AC220V", 16.01, "quarantine"), ("AC380V", 16.01, None),
        )
    ),
    *(
        ("MKT-14", f"a resident at {level}", customer(voltage_level=level, cons_class="RESIDENT", contract_cap_kva=1000), severity)
        for level, severity in (("AC380V", None), ("AC6kV", None), ("AC10kV", "quarantine"), ("AC20kV", "quarantine"), ("AC110kV", "quarantine"))
    ),
    ("MKT-15", "315 kVA without a basic charge", charged("NONE", "315"), "warn"),
    ("MKT-15", "314.99 kVA without a basic charge", charged("NONE", "314.99"), None),
    ("MKT-15", "315 kVA without a basic charge, no large industry", charged("NONE", "315", "GEN_IND_COM"), None),
    ("MKT-15", "100 kVA by capacity", charged("BY_CAPACITY", "100"), "warn"),
    ("MKT-15", "100.01 kVA by capacity", charged("BY_CAPACITY", "100.01"), None),
    ("MKT-15", "100 kVA by demand", charged("BY_ACTUAL_MD", "100"), None),
    ("MKT-36", "an end at the start", planned("0 hours"), "quarantine"),
    ("MKT-36", "one minute", planned("1 minute"), None),
    ("MKT-36", "72 hours", planned("72 hours"), None),
    ("MKT-36", "a minute more than 72 hours", planned("72 hours 1 minute"), "quarantine"),
    ("MKT-31", "an end at the start of the archiving", ["update {{mkt_app_stage}} set start_at = end_at where stage = 'ARCHIVE' and end_at is not null"], None),
    ("MKT-31", "an end before the start of the archiving", ["update {{mkt_app_stage}} set start_at = end_at + interval '1 minute' where stage = 'ARCHIVE' and end_at is not null"], "warn"),
    ("MKT-33", "2 of 10 in one minute", closings(2, 8), None),
    ("MKT-33", "3 of 10 in one minute", closings(3, 7), "warn"),
    ("MKT-33", "9 of 9 in one minute", closings(9, 0), None),
    ("MKT-35", "3 of 10 at 44 minutes", arrivals(3, 7), None),
    ("MKT-35", "4 of 10 at 44 minutes", arrivals(4, 6), "warn"),
    ("MKT-35", "4 of 10 at 45 minutes", arrivals(4, 6, "45"), "warn"),
    ("MKT-35", "4 of 10 at 46 minutes", arrivals(4, 6, "46"), None),
    ("MKT-35", "4 of 10 at 43 minutes", arrivals(4, 6, "43"), None),
    ("MKT-35", "9 of 9 at 44 minutes", arrivals(9, 0), None),
    ("MKT-35", "10 of 10 at 44 minutes in the country", arrivals(10, 0, urban_rural="RURAL"), None),
    ("MKT-35", "10 of 10 at 44 minutes, no fault", arrivals(10, 0, ticket_type="BIZ"), None),
    ("MKT-39", "one answer on a scale of zero", ["update {{mkt_survey}} set collector_no = 'C-1', score_scale = case when survey_id = (select min(survey_id) from {{mkt_survey}}) then 0 else score_scale end"], None),
    ("CON-02", "signed on the first day", [f"update {{{{con_contract}}}} set signed_on = valid_from where {CONTRACT}"], None),
    ("CON-02", "signed a day later", [f"update {{{{con_contract}}}} set signed_on = valid_from + 1 where {CONTRACT}"], "warn"),
    ("CON-02", "two days", [f"update {{{{con_contract}}}} set valid_to = valid_from + 1 where {CONTRACT}"], None),
    ("CON-02", "one day", [f"update {{{{con_contract}}}} set valid_to = valid_from where {CONTRACT}"], "quarantine"),
    ("CON-02", "two days, unsigned", [f"update {{{{con_contract}}}} set valid_to = valid_from - 1, signed_on = null where {CONTRACT}"], "quarantine"),
    ("CON-03", "one year", term("valid_from + interval '1 year' - interval '1 day'"), None),
    ("CON-03", "a day less than one year", term("valid_from + interval '1 year' - interval '2 days'"), "warn"),
    ("CON-03", "ten years and their anniversary", term("valid_from + interval '10 years'"), None),
    ("CON-03", "a day more", term("valid_from + interval '10 years' + interval '1 day'"), "warn"),
    ("CON-03", "without end", term("date '9999-12-31'"), "warn"),
    ("CON-03", "without end, renewed by itself", term("date '9999-12-31'", is_renewed=True), None),
    ("CON-08", "a floor of 40 %", ["update {{con_contract}} set contract_md_kw = 0.40 * contract_cap_kva where status = 'EFFECTIVE' and basic_mode = 'BY_CONTRACT_MD'"], None),
    ("CON-08", "a low demand that is not contracted", ["update {{con_contract}} set contract_md_kw = 1 where status = 'EFFECTIVE' and basic_mode = 'BY_CAPACITY'"], None),
    ("CON-10", "special, several paths", supplied("SPECIAL", "MULTI"), None),
    ("CON-10", "special, two sources without own generation", supplied("SPECIAL", "DUAL_SOURCE"), "warn"),
    ("CON-10", "special, two sources with no more than 0 kVA of its own", supplied("SPECIAL", "DUAL_SOURCE", "0"), "warn"),
    ("CON-10", "special, two circuits and own generation", supplied("SPECIAL", "DUAL_CIRCUIT", "1"), None),
    ("CON-10", "special, one path and own generation", supplied("SPECIAL", "SINGLE", "1"), "warn"),
    ("CON-10", "first, two sources", supplied("FIRST", "DUAL_SOURCE"), None),
    ("CON-10", "first, several paths", supplied("FIRST", "MULTI"), None),
    ("CON-10", "first, two circuits", supplied("FIRST", "DUAL_CIRCUIT"), "warn"),
    ("CON-10", "second, own generation of 1.2 x its security load", supplied("SECOND", "DUAL_CIRCUIT", "120", "100"), None),
    ("CON-10", "second, own generation below that", supplied("SECOND", "DUAL_CIRCUIT", "119.99", "100"), "warn"),
    ("CON-10", "second, no security load", supplied("SECOND", "DUAL_SOURCE"), None),
    ("CON-10", "second, one path", supplied("SECOND", "SINGLE", "120", "100"), "warn"),
    ("CON-10", "no important user on one path", supplied("NONE", "SINGLE"), None),
    ("CON-15", "an authorised signer", [f"update {{{{con_contract}}}} set signer = '王合成', signer_mandate_no = 'M-1' where {CONTRACT}"], None),
    ("CON-15", "a signer without a mandate", [f"update {{{{con_contract}}}} set signer = '王合成', signer_mandate_no = null where {CONTRACT}"], "warn"),
    ("XSR-06", "0.5 kVA", [f"update {{{{con_contract}}}} set contract_cap_kva = contract_cap_kva + 0.5 where {CONTRACT}"], None),
    ("XSR-06", "0.51 kVA", [f"update {{{{con_contract}}}} set contract_cap_kva = contract_cap_kva + 0.51 where {CONTRACT}"], "warn"),
    ("XSR-11", "another demand, which is not charged", [f"update {{{{con_contract}}}} set basic_mode = 'BY_CAPACITY', contract_md_kw = 77 where {CONTRACT}", f"update {{{{mkt_tariff_assign}}}} set basic_mode = 'BY_CAPACITY', contract_md_kw = 99 where {PAYER}"], None),
    ("XSR-11", "the demand of both", [f"update {{{{con_contract}}}} set basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 77 where {CONTRACT}", f"update {{{{mkt_tariff_assign}}}} set basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 77 where {PAYER}"], None),
    ("XSR-11", "another demand", [f"update {{{{con_contract}}}} set basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 77 where {CONTRACT}", f"update {{{{mkt_tariff_assign}}}} set basic_mode = 'BY_CONTRACT_MD', contract_md_kw = 99 where {PAYER}"], "quarantine"),
    ("XSR-22", "signed on the day of connection", signed("connect_on"), None),
    ("XSR-22", "signed a day later", signed("connect_on + 1"), "warn"),
    ("XSR-13", "another name, the same credit code", [f"update {{{{con_contract}}}} set party_b_name = '另一家石材厂' where {CONTRACT}"], None),
    ("XSR-13", "another credit code, the same name", [f"update {{{{con_contract}}}} set uscc = '9144030071526726XG' where {CONTRACT}"], None),
    ("MET-03", "a slot that ends three minutes after its receipt", [f"update {{{{met_interval_96}}}} set v = v[1:95] || null::float8, recv_ts = '2026-11-03 23:42+08' where {E_PLUS} and mp_no = {BILLING}"], None),
    ("MET-03", "a slot that ends a second later", [f"update {{{{met_interval_96}}}} set v = v[1:95] || null::float8, recv_ts = '2026-11-03 23:41:59+08' where {E_PLUS} and mp_no = {BILLING}"], "quarantine"),
    *(
        ("MET-07", f"{off} kWh more than its rates", [f"update {{{{met_register_freeze}}}} as total set reading = {off} + (select sum(reading) from {{{{met_register_freeze}}}} as rates where rates.meter_asset_no = total.meter_asset_no and rates.freeze_ts = total.freeze_ts and rates.freeze_kind = 'DAY' and rates.energy_kind = 'ACTIVE' and rates.dir = total.dir and rates.rate <> 'T') where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'ACTIVE' and dir = 'FWD' and rate = 'T' and freeze_ts = '2026-11-06 00:00+08'"], severity)
        for off, severity in (("0.1", None), ("0.1001", "warn"))
    ),
    ("MET-08", "1.2 times the running capacity all day", hundred_kva("array_fill(30::float8, array[96])", E_PLUS), None),
    ("MET-08", "a little more", hundred_kva("array_fill(30.001::float8, array[96])", E_PLUS), "quarantine"),
    ("MET-09", "1.2 times the running capacity", hundred_kva("array_fill(120::float8, array[96])", CURVE_OF_POWER), None),
    ("MET-09", "a little more", hundred_kva("array_fill(120.001::float8, array[96])", CURVE_OF_POWER), "quarantine"),
    *(
        ("MET-10", f"{peak} kW in an idle day", [f"update {{{{met_interval_96}}}} set v = array_fill(0::float8, array[95]) || ({peak} / {THEIR_MULTIPLIER})::float8 where {CURVE_OF_POWER}"], severity)
        for peak, severity in (("50.0", None), ("51.0", "warn"))
    ),
    ("MET-10", "50 kW in an idle day, told as they are", [f"update {{{{met_interval_96}}}} set is_primary = true, v = array_fill(0::float8, array[95]) || 50::float8 where {CURVE_OF_POWER}"], None),
    ("MET-10", "2.8 times the third highest", [f"update {{{{met_interval_96}}}} set v = array_fill(10::float8, array[95]) || 28::float8 where {CURVE_OF_POWER}"], None),
    ("MET-10", "a little more", [f"update {{{{met_interval_96}}}} set v = array_fill(10::float8, array[95]) || 28.001::float8 where {CURVE_OF_POWER}"], "warn"),
    ("MET-12", "2 kWh on the meter", summed("2"), None),
    ("MET-12", "2.001 kWh on the meter", summed("2.001"), "quarantine"),
    ("MET-18", "76 of 80 slots balanced", unbalanced(4), None),
    ("MET-18", "75 of 80 slots balanced", unbalanced(5), "warn"),
    ("MET-20", "a default date at a point without installation", ["update {{met_measuring_point}} set install_ts = null", "update {{met_power_event}} set event_ts = '2000-01-01 00:00:07+08' where event_id = (select min(event_id) from {{met_power_event}} where event = 'POWER_DOWN')"], "quarantine"),
    *(
        ("MET-20", f"an event {seconds} s before its installation", [f"update {{{{met_measuring_point}}}} as points set install_ts = first_ts + interval '{seconds} seconds' from (select mp_no, min(event_ts) as first_ts from {{{{met_power_event}}}} group by mp_no) as events where points.mp_no = events.mp_no"], severity)
        for seconds, severity in ((0, None), (1, "quarantine"))
    ),
    ("MET-23", "all points, where all are needed", with_limits("MET-23", {"warn_below_share": 1}, "update {{met_interval_96}} set collect_way = collect_way"), None),
    ("MET-23", "as many points as the block allows", with_limits("MET-23", {"warn_below_share": 1.01, "block_below_share": 1}, "update {{met_interval_96}} set collect_way = collect_way"), "warn"),
    ("MET-24", "99 of 100", ["update {{met_collect_task}} set expected_cnt = 100, received_cnt = 99"], None),
    ("MET-24", "98 of 100", ["update {{met_collect_task}} set expected_cnt = 100, received_cnt = 98"], "warn"),
    *(
        ("MET-26", f"a demand of {demand} kW over 100 kW", ["update {{met_interval_96}} set v = array_fill(100::float8, array[96]) where data_type = 'P'", f"update {{{{met_register_freeze}}}} set max_demand_kw = {demand} where freeze_kind = 'MONTH' and max_demand_kw is not null"], severity)
        for demand, severity in ((98, None), (97.99, "warn"))
    ),
    ("MET-27", "a millionth more", [f"update {{{{met_measuring_point}}}} set multiplier = ct_ratio * pt_ratio + 0.000001 where mp_no = {BILLING}"], "quarantine"),
    ("MKT-03", "two characters", customer(cons_name="王合"), None),
    ("MKT-03", "one character", customer(cons_name="王"), "quarantine"),
    ("MKT-08", "one address for two customers", ["update {{mkt_customer}} set addr = '甲路乙丙丁号' where cons_no in (select cons_no from {{mkt_customer}} order by 1 limit 2)"], None),
    ("MKT-08", "one address for three customers", ["update {{mkt_customer}} set addr = '甲路乙丙丁号' where cons_no in (select cons_no from {{mkt_customer}} order by 1 limit 3)"], "warn"),
    ("MKT-20", "a certificate that ends today", ["update {{mkt_manager}} set cert_valid_to = date '2026-11-05'"], None),
    ("MKT-20", "a certificate that ended yesterday", ["update {{mkt_manager}} set cert_valid_to = date '2026-11-04'"], "warn"),
    *(
        ("MKT-24", f"{factor} from 4 to 3", [f"update {{{{mkt_bill}}}} set kwh_total = 40000, kvarh_fwd = 30000, kvarh_rev = 0, pf_actual = {factor} where bill_no = (select max(bill_no) from {{{{mkt_bill}}}} where pf_standard = '0.90')"], severity)
        for factor, severity in ((0.805, None), (0.8051, "warn"))
    ),
    *(
        ("MKT-28", f"a bill of {month} paid three times", [f"update {{{{mkt_payment}}}} set amount = amount * 3 where pay_no = (select max(pay_no) from {{{{mkt_payment}}}} where bill_no like '{month}%')"], severity)
        for month, severity in (("202410", None), ("202411", "warn"))
    ),
    ("MKT-39", "49 of 50 with the top score", numbered("mkt_survey", "collector_no = case when n <= 50 then 'C-1' end, score_scale = 10, score = case when n = 1 then 9 else 10 end"), "warn"),
    ("MKT-39", "48 of 49 with the top score", numbered("mkt_survey", "collector_no = case when n <= 49 then 'C-1' end, score_scale = 10, score = case when n = 1 then 9 else 10 end"), None),
    ("MKT-39", "30 equal scores in the middle", numbered("mkt_survey", "collector_no = case when n <= 30 then 'C-1' end, score_scale = 10, score = 5"), "warn"),
    ("MKT-40", "4 texts in 20 inspections", numbered("mkt_inspection", "inspector_no = case when n <= 20 then 'I-1' end, done_on = date '2026-10-20', result_text = 'T' || n % 4"), None),
    ("MKT-40", "3 texts in 20 inspections", numbered("mkt_inspection", "inspector_no = case when n <= 20 then 'I-1' end, done_on = date '2026-10-20', result_text = 'T' || n % 3"), "warn"),
    ("CON-01", "a contract without a number", [f"update {{{{con_contract}}}} set contract_no = '' where {CONTRACT}"], "quarantine"),
    ("CON-04", "a scan of four pages", [f"update {{{{con_contract}}}} set scan_pages = 4 where {CONTRACT}"], None),
    ("CON-04", "a scan of three pages", [f"update {{{{con_contract}}}} set scan_pages = 3 where {CONTRACT}"], "warn"),
    ("CON-12", "a word for a number", ["update {{con_amendment}} set old_value = 'as before' where field_name = 'contract_cap_kva'"], "quarantine"),
    ("CON-12", "a number for a word", ["update {{con_amendment}} set field_name = 'tariff_code', old_value = '1' where field_name = 'contract_cap_kva'"], "quarantine"),
    ("CON-16", "a wrong check character", [f"update {{{{con_contract}}}} set uscc = '911111111111111111' where {CONTRACT}"], "warn"),
    *(
        ("XSR-02", f"{slots} of 96 slots on three days, where 186 of 2,976 may be missing", with_limits("XSR-02", {"received_share": 0.9375}, f"update {{{{met_interval_96}}}} set v = v[1:{slots}] || array_fill(null::float8, array[{96 - slots}]) where data_type = 'E+' and data_date < date '2026-11-01' and mp_no = {BILLING}"), severity)
        for slots, severity in ((34, None), (33, "quarantine"))
    ),
    ("XSR-05", "a millionth more", ["update {{mkt_bill_line}} set multiplier = multiplier * 1.000001"], None),
    ("XSR-05", "two millionths more", ["update {{mkt_bill_line}} set multiplier = multiplier * 1.000002"], "quarantine"),
    ("XSR-13", "23 of 25 pairs of letters", named("ABCDEFGHIJKLMNOPQRSTUVWX12"), None),
    ("XSR-13", "22 of 25 pairs of letters", named("ABCDEFGHIJKLMNOPQRSTUVW123"), "warn"),
    ("XSR-19", "1 % more", ["update {{mkt_bill}} set md_actual_kw = md_actual_kw * 1.01 where bill_no = (select max(bill_no) from {{mkt_bill}} where md_actual_kw > 0)"], None),
    ("XSR-19", "1.01 % more", ["update {{mkt_bill}} set md_actual_kw = md_actual_kw * 1.0101 where bill_no = (select max(bill_no) from {{mkt_bill}} where md_actual_kw > 0)"], "warn"),
    ("XSR-20", "all points, where all are needed", with_limits("XSR-20", {"share": 1}, "update {{mkt_outage_plan}} set status = status"), None),
    ("XSR-24", "five working days", ["update {{con_amendment}} set effective_on = date '2024-02-23' where field_name = 'contract_cap_kva'"], None),
    ("XSR-24", "six working days", ["update {{con_amendment}} set effective_on = date '2024-02-22' where field_name = 'contract_cap_kva'"], "warn"),
    ("XSR-25", "0.2 % more", ["update {{mkt_bill}} as bills set kwh_total = case when exists (select 1 from {{mkt_bill}} as other where (other.cons_no, other.bill_month) = (bills.cons_no, bills.bill_month) and other.bill_no < bills.bill_no) then 0 else 1000000 end", "update {{con_trade_settle}} set actual_mwh = 1002"], None),
    ("XSR-25", "a little more", ["update {{mkt_bill}} as bills set kwh_total = case when exists (select 1 from {{mkt_bill}} as other where (other.cons_no, other.bill_month) = (bills.cons_no, bills.bill_month) and other.bill_no < bills.bill_no) then 0 else 1000000 end", "update {{con_trade_settle}} set actual_mwh = 1002.0001"], "warn"),
    ("XSR-27", "one more in a sum", ["update quality.receipts set announced_sums = (select jsonb_object_agg(key, value::numeric + 1) from jsonb_each_text(landed_sums)) where table_name = 'mkt_bill'"], "block"),
    *LISTED,
]  # fmt: skip
