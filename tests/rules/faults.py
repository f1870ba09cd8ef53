"""Planted faults: (rule, statements on raw tables, the other rules that this very fault breaks)."""
# ruff: noqa: E501  (one fault a line reads as a table)
from __future__ import annotations

E_PLUS = "data_type = 'E+' and phase = 'T' and data_date = date '2026-11-03'"
BILLING = "(select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P3W')"
LOST_DAYS = f"delete from {{{{met_interval_96}}}} where data_type = 'E+' and data_date < date '2026-11-01' and mp_no = {BILLING}"
METER = "(select min(meter_asset_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P3W')"
ACCOUNT = "(select min(cons_no) from {{mkt_customer}} where status = 'NORMAL')"
IN_FORCE = (
    "(select min(contract_no) from {{con_contract}} where status = 'EFFECTIVE' and kind = 'HV'"
    " and valid_from < date '2026-01-01')"
)
FOUR_WIRES = "(select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P4W')"
FIRST_THREE = "(select cons_no from {{mkt_customer}} order by 1 limit 3)"
NO_GENERATION = (
    "(select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING'"
    " and cons_no not in (select cons_no from {{con_contract}} where self_gen_kva > 0))"
)
WITH_TRANSFORMER = "(select min(cons_no) from {{mkt_transformer}} where state = 'RUN' and state_to is null)"
KEY_ACCOUNT = "(select min(account_no) from staging.int_key_accounts where is_key_account)"
KEY_CONTRACT = "(select min(contract_no) from {{con_contract}} where status = 'EFFECTIVE' and cons_no in (select account_no from staging.int_key_accounts where is_key_account))"
KEY_OUTAGE = (
    "(select min(events.mp_no) from {{met_power_event}} as events inner join {{met_measuring_point}} as points using (mp_no)"
    " inner join staging.int_key_accounts as keys on points.cons_no = keys.account_no where keys.is_key_account)"
)
COPY = "_load_id, _business_date, _channel, _file_line, _is_tombstone, _key, md5('copy')::uuid"
OTHER_KEY = COPY.replace("_key", "md5('other key')::uuid")
META = "_load_id, _business_date, _channel, _file_line, _is_tombstone, _key, _hash"

FAULTS: list[tuple[str, list[str], set[str]]] = [
    (
        "MET-01",
        [
            f"insert into {{{{met_interval_96}}}} ({META}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts,"
            f" collect_way) select {COPY}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, 'RECALL'"
            f" from {{{{met_interval_96}}}} where data_type = 'I' and phase = 'A' and data_date = date '2026-11-03' limit 1"
        ],
        set(),
    ),
    ("MET-02", [f"update {{{{met_interval_96}}}} set v = v[1:71] || array_fill(null::float8, array[25]) where {E_PLUS} and mp_no = {BILLING}"], set()),
    ("MET-02", [f"update {{{{met_interval_96}}}} set v[40] = null where {E_PLUS} and mp_no = {BILLING}"], set()),
    ("MET-03", [f"update {{{{met_interval_96}}}} set recv_ts = '2026-11-03 12:00+08' where {E_PLUS} and mp_no = {BILLING}"], set()),
    ("MET-04", ["update {{met_collect_task}} set terminal_ts = recv_ts + interval '41 minutes' where (terminal_no, data_date, task_code) in (select terminal_no, data_date, task_code from {{met_collect_task}} where terminal_ts is not null limit 1)"], set()),
    ("MET-05", [f"update {{{{met_register_freeze}}}} set reading = 1000003 where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1' and freeze_ts = '2026-11-04 00:00+08'"], set()),
    ("MET-05", [f"update {{{{met_register_freeze}}}} set reading = -3.2 where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1' and freeze_ts = '2026-11-04 00:00+08'"], set()),
    ("MET-06", [f"update {{{{met_register_freeze}}}} set reading = reading - 500 where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1' and freeze_ts = '2026-11-04 00:00+08'"], set()),
    ("MET-07", [f"update {{{{met_register_freeze}}}} set reading = reading + 1.6 where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'ACTIVE' and rate = 'FLAT' and freeze_ts = '2026-11-06 00:00+08'"], set()),
    ("MET-08", [f"update {{{{met_interval_96}}}} set v = (select array_agg(x * 100 order by n) from unnest(v) with ordinality as s (x, n)) where {E_PLUS} and mp_no = {BILLING}"], {"MET-12"}),
    ("MET-09", [f"update {{{{met_interval_96}}}} set v = (select array_agg(x * 100 order by n) from unnest(v) with ordinality as s (x, n)) where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MET-10", [f"update {{{{met_interval_96}}}} set v[40] = (select max(x) * 2.9 from unnest(v) as x) where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MET-11", [f"update {{{{met_interval_96}}}} set v = v[1:40] || array_fill(v[41], array[20]) || v[61:96] where data_type = 'P' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MET-12", [f"update {{{{met_interval_96}}}} set v[40] = v[40] + (select sum(x) * 0.1 + 3 from unnest(v) as x) where {E_PLUS} and mp_no = {BILLING}"], set()),
    ("MET-16", [f"update {{{{met_interval_96}}}} set v[40] = 3200 where data_type = 'U' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MET-16", [f"update {{{{met_interval_96}}}} set v[40] = 0 where data_type = 'U' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    (
        "MET-21",
        [
            f"insert into {{{{met_power_event}}}} ({META}, event_id, mp_no, event, event_ts, recv_ts, source) select {OTHER_KEY},"
            " event_id || '-again', mp_no, event, event_ts, recv_ts + interval '1 hour', source from {{met_power_event}} limit 1"
        ],
        set(),
    ),
    ("MET-27", [f"update {{{{met_measuring_point}}}} set multiplier = multiplier / 10 where mp_no = {BILLING}"], set()),
    ("MET-31", [f"update {{{{met_interval_96}}}} set v[40] = 655.34 where data_type = 'I' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MET-31", ["update {{met_pq_sample}} set pf = 327.67, p_kw = 4915.05, q_kvar = 4915.05 where _raw_id = (select min(_raw_id) from {{met_pq_sample}})"], set()),
    ("MET-32", [f"update {{{{met_interval_96}}}} set v[40] = 0 where data_type in ('E+', 'RQ1', 'RQ4', 'PF') and data_date = date '2026-11-03' and mp_no = {BILLING}"], set()),
    ("MKT-01", [
        f"insert into {{{{mkt_customer}}}} ({META}, cons_no, cons_name, addr, org_no, cons_class, voltage_level, contract_cap_kva, running_cap_kva, importance, urban_rural, status, open_date, connect_date, src_updated_at)"
        f" select {COPY}, cons_no, cons_name, addr || '二号', org_no, cons_class, voltage_level, contract_cap_kva, running_cap_kva, importance, urban_rural, status, open_date, connect_date, src_updated_at"
        f" from {{{{mkt_customer}}}} where cons_no = {ACCOUNT}"], set()),
    ("MKT-03", [f"update {{{{mkt_customer}}}} set cons_name = '测试' where cons_no = {ACCOUNT}"], set()),
    ("MKT-06", [f"update {{{{mkt_contact}}}} set mobile = '13800000000' where cons_no = {ACCOUNT} and contact_role = 'FINANCE'"], set()),
    ("MKT-06", [f"update {{{{mkt_contact}}}} set mobile = '13812345678' where cons_no = {ACCOUNT} and contact_role = 'FINANCE'"], set()),
    ("MKT-06", [f"update {{{{mkt_contact}}}} set email = '1@1.com' where cons_no = {ACCOUNT} and contact_role = 'FINANCE'"], set()),
    ("MKT-10", [f"update {{{{mkt_customer}}}} set contract_cap_kva = 9999 where cons_no = {ACCOUNT}"], {"XSR-06"}),
    ("MKT-11", [f"update {{{{mkt_customer}}}} set open_date = date '1900-01-01' where cons_no = {ACCOUNT}"], set()),
    ("MKT-12", ["update {{mkt_app_stage}} set end_at = end_at + interval '400 days' where stage = 'SCHEME' and app_no = (select max(app_no) from {{mkt_app_stage}} where stage = 'FINAL_CHECK')"], set()),
    ("MKT-13", [f"update {{{{mkt_customer}}}} set voltage_level = '10千伏' where cons_no = {ACCOUNT}"], set()),
    ("MKT-21", ["update {{mkt_bill}} set total_charge = total_charge + 0.37 where bill_no = (select max(bill_no) from {{mkt_bill}})"], set()),
    ("MKT-23", ["update {{mkt_bill}} set pf_adj_pct = pf_adj_pct + 0.1 where bill_no = (select max(bill_no) from {{mkt_bill}} where pf_standard = '0.90')"], {"MKT-25"}),
    ("CON-01", [
        f"insert into {{{{con_contract}}}} ({META}, contract_no, version, cons_no, party_b_name, kind, valid_from, auto_renew, status, voltage_level, supply_mode, property_boundary, contract_cap_kva, basic_mode, contract_md_kw, tariff_code, pf_standard, main_feeder_no, backup_feeder_no, signed_on, scan_file_id, scan_pages, src_updated_at)"
        f" select {COPY}, contract_no, version, cons_no, party_b_name, kind, valid_from, auto_renew, status, voltage_level, supply_mode, property_boundary, contract_cap_kva, basic_mode, contract_md_kw, tariff_code, pf_standard, main_feeder_no, backup_feeder_no, signed_on, scan_file_id, scan_pages, src_updated_at"
        f" from {{{{con_contract}}}} where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-02", [f"update {{{{con_contract}}}} set valid_to = valid_from - 1 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], {"CON-03"}),
    ("CON-02", [f"update {{{{con_contract}}}} set signed_on = valid_from + 3 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], {"XSR-22"}),
    ("CON-06", [f"update {{{{con_contract}}}} set property_boundary = '/' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-08", ["update {{con_contract}} set contract_md_kw = 0.39 * contract_cap_kva where status = 'EFFECTIVE' and basic_mode = 'BY_CONTRACT_MD'"], {"XSR-11"}),
    ("XSR-01", [f"delete from {{{{mkt_meter_install}}}} where mp_no = {BILLING}"], set()),
    ("XSR-02", [  # three days of 31 are in the world
        "with limits as (update staging.quality_parameters set value = 0.95 where rule_id = 'XSR-02' and name = 'received_share' returning 1)"
        f" {LOST_DAYS}"], set()),
    ("XSR-03", [f"update {{{{mkt_meter_install}}}} set ct_ratio = ct_ratio * 0.75, multiplier = multiplier * 0.75 where mp_no = {BILLING}"], set()),
    ("XSR-03", [f"update {{{{con_metering_annex}}}} set ct_ratio = ct_ratio * 0.75 where mp_no = {BILLING}"], set()),
    ("XSR-04", [f"update {{{{con_metering_annex}}}} set pt_ratio = 1 where mp_no = {BILLING}"], set()),
    ("XSR-06", [f"update {{{{con_contract}}}} set contract_cap_kva = contract_cap_kva + 50 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], {"CON-07"}),
    ("XSR-09", [f"update {{{{con_contract}}}} set tariff_code = 'OTHER' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-13", [f"update {{{{con_contract}}}} set party_b_name = '另一家石材厂', uscc = null where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-14", [f"update {{{{con_contract}}}} set valid_to = date '2026-08-31', auto_renew = false where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], {"XSR-26"}),
    ("XSR-17", ["update {{mkt_bill_line}} set kwh_billed = kwh_billed * 0.75 where _raw_id = (select max(_raw_id) from {{mkt_bill_line}} where rate = 'FLAT' and bill_no in (select bill_no from {{mkt_bill}} where orig_bill_no is null))"], set()),
    ("XSR-27", ["update quality.receipts set announced_rows = announced_rows + 412 where table_name = 'mkt_bill'"], set()),
    ("MET-13", [f"update {{{{met_interval_96}}}} set v[40] = 0, v[41] = 0 where {E_PLUS} and mp_no = {BILLING}"], set()),
    ("MET-14", [f"update {{{{met_interval_96}}}} set v = array_fill(0::float8, array[96]) where data_type in ('E+', 'RQ1', 'RQ4') and data_date >= date '2026-11-01' and mp_no = {BILLING}"], {"MET-12"}),
    ("MET-15", [
        f"insert into {{{{met_interval_96}}}} ({META}, mp_no, data_date, data_type, phase, version, is_primary, v, recv_ts, collect_way)"
        f" select {OTHER_KEY}, mp_no, data_date, 'E-', phase, version, is_primary, v, recv_ts, collect_way from {{{{met_interval_96}}}} where {E_PLUS} and mp_no = {NO_GENERATION}"], set()),
    ("MET-17", [f"update {{{{mkt_mp}}}} set voltage_level = 'AC380V' where mp_no = {BILLING}"], set()),
    ("MET-17", [f"delete from {{{{met_interval_96}}}} where data_type = 'U' and phase = 'B' and data_date = date '2026-11-03' and mp_no = {FOUR_WIRES}"], set()),
    ("MET-19", ["update {{met_power_event}} set is_valid = false where event = 'POWER_DOWN' and (mp_no, event_ts) in (select mp_no, max(event_ts) from {{met_power_event}} where event = 'POWER_DOWN' group by mp_no having count(*) > 1 order by 1 limit 1)"], set()),
    ("MET-20", ["update {{met_power_event}} set event_ts = '2000-01-01 00:00:07+08' where event_id = (select min(event_id) from {{met_power_event}} where event = 'POWER_DOWN')"], {"MET-22"}),
    ("MET-22", ["delete from {{met_power_event}} where event = 'POWER_UP' and (mp_no, event_ts) in (select mp_no, max(event_ts) from {{met_power_event}} where event = 'POWER_UP' group by mp_no having max(event_ts) < '2026-10-25' order by 1 limit 1)"], set()),
    ("MET-23", ["update {{met_interval_96}} set recv_ts = '2026-11-06 09:15+08' where data_type = 'E+' and data_date = date '2026-11-05'"], set()),
    ("MET-24", ["update {{met_collect_task}} set received_cnt = (expected_cnt * 0.9)::integer where data_date = date '2026-11-03'"], set()),
    ("MET-24", [f"update {{{{met_collect_task}}}} set received_cnt = (expected_cnt * 0.85)::integer where data_date = date '2026-11-03' and terminal_no = (select terminal_no from {{{{met_measuring_point}}}} where mp_no = {BILLING})"], set()),
    ("MET-25", [f"update {{{{met_register_freeze}}}} set freeze_ts = freeze_ts + interval '451 seconds' where meter_asset_no = {METER} and freeze_kind = 'DAY' and energy_kind = 'REACTIVE_Q1' and freeze_ts = '2026-11-04 00:00+08'"], set()),
    ("MET-28", ["update {{met_it}} set ratio_primary = 417, ratio_secondary = 417 / (ratio_primary / ratio_secondary) where kind = 'CT' and it_asset_no = (select min(it_asset_no) from {{met_it}} where kind = 'CT')"], set()),
    ("MET-28", ["update {{met_measuring_point}} set pt_ratio = 100, multiplier = ct_ratio * 100 where mp_no = (select min(mp_no) from {{met_measuring_point}} where metering_side = 'LV_LV')"], {"XSR-04"}),
    ("MET-29", [f"update {{{{met_meter}}}} set verify_due = date '2019-06-30' where meter_asset_no = {METER}"], set()),
    ("MET-30", ["update {{met_interval_96}} set collect_way = 'MANUAL' where data_date = date '2026-11-03'"], set()),
    ("MKT-02", [
        f"insert into {{{{mkt_customer}}}} ({META}, cons_no, cons_name, addr, org_no, cons_class, voltage_level, contract_cap_kva, running_cap_kva, importance, urban_rural, status, open_date, connect_date, src_updated_at)"
        f" select {OTHER_KEY}, '1.23457E+09', cons_name, addr || '二号', org_no, 'GEN_IND_COM', 'AC380V', 20, 20, 'NONE', urban_rural, status, open_date, connect_date, src_updated_at"
        f" from {{{{mkt_customer}}}} where cons_no = {ACCOUNT}"], set()),
    ("MKT-04", [f"update {{{{mkt_customer}}}} set uscc = '911111111111111111' where cons_no = {ACCOUNT}"], set()),
    ("MKT-05", [f"update {{{{mkt_contact}}}} set mobile = '21987563412' where cons_no = {ACCOUNT} and contact_role = 'FINANCE'"], set()),
    ("MKT-07", ["update {{mkt_contact}} set mobile = '13987563412' where contact_role = 'FINANCE'"], set()),
    ("MKT-08", [f"update {{{{mkt_customer}}}} set addr = '同上' where cons_no = {ACCOUNT}"], set()),
    ("MKT-08", [
        f"update {{{{mkt_customer}}}} set addr = '甲路乙丙丁号' where cons_no in {FIRST_THREE}",
        "update {{mkt_account}} set payer_name = '一家付费' where cons_no in (select cons_no from {{mkt_customer}} order by 1 limit 2)"], set()),
    ("MKT-09", ["update {{mkt_customer}} as twin set cons_name = other.cons_name, addr = other.addr from {{mkt_customer}} as other where twin.cons_class = other.cons_class and (twin.cons_no, other.cons_no) = (select max(cons_no), min(cons_no) from {{mkt_customer}} where cons_class = 'LARGE_IND' and cons_no in (select cons_no from {{mkt_transformer}}))"], set()),
    ("MKT-14", [f"update {{{{mkt_customer}}}} set cons_class = 'RESIDENT' where cons_no = {ACCOUNT}"], {"MKT-16", "MKT-30"}),
    ("MKT-15", ["update {{mkt_tariff_assign}} set basic_mode = 'NONE' where (cons_no, mp_no) = (select cons_no, mp_no from {{mkt_tariff_assign}} where basic_mode <> 'NONE' and valid_to is null order by 1, 2 limit 1)"], {"XSR-11"}),
    ("MKT-16", ["update {{mkt_tariff_assign}} set pf_standard = '0.80' where (cons_no, mp_no) = (select cons_no, mp_no from {{mkt_tariff_assign}} where pf_standard = '0.90' and valid_to is null order by 1, 2 limit 1)"], {"XSR-10"}),
    ("MKT-17", [f"update {{{{mkt_customer}}}} set running_cap_kva = running_cap_kva + 50 where cons_no = {WITH_TRANSFORMER}"], set()),
    ("MKT-18", ["update {{mkt_transformer}} set cap_kva = 1111, state = 'STOP' where tran_no = (select min(tran_no) from {{mkt_transformer}} where state = 'RUN')"], {"MKT-17", "XSR-07"}),
    ("MKT-19", ["update {{mkt_manager_assign}} set valid_to = date '2026-10-31' where assign_role = 'PRIMARY' and valid_to is null"], set()),
    ("MKT-20", ["update {{mkt_manager}} set cert_valid_to = date '2026-06-30' where manager_no = (select min(manager_no) from {{mkt_manager_assign}} where valid_to is null)"], set()),
    ("MKT-22", ["update {{mkt_bill}} set basic_charge = basic_charge + 75, total_charge = total_charge + 75 where bill_no = (select max(bill_no) from {{mkt_bill}} where basic_qty > 0)"], set()),
    ("MKT-24", ["update {{mkt_bill}} set kvarh_fwd = kvarh_fwd * 3 where bill_no = (select max(bill_no) from {{mkt_bill}} where pf_standard = '0.90')"], set()),
    ("MKT-25", ["update {{mkt_bill}} set pf_adj_charge = pf_adj_charge + 1, total_charge = total_charge + 1 where bill_no = (select max(bill_no) from {{mkt_bill}} where pf_standard = '0.90')"], set()),
    ("MKT-26", ["update {{mkt_bill}} set read_from = read_from + 3 where bill_no = (select max(bill_no) from {{mkt_bill}})"], set()),
    ("MKT-27", ["update {{mkt_bill}} set total_charge = -total_charge, energy_charge = energy_charge - 2 * total_charge where bill_no = (select max(bill_no) from {{mkt_bill}} as b where not exists (select 1 from {{mkt_payment}} as p where p.bill_no = b.bill_no))"], set()),
    ("MKT-28", ["update {{mkt_payment}} set amount = amount * 3 where pay_no = (select max(pay_no) from {{mkt_payment}} where bill_no is not null)"], set()),
    ("MKT-29", ["update {{mkt_payment}} set bill_no = 'UNKNOWN' where pay_no = (select max(pay_no) from {{mkt_payment}} where bill_no is not null)"], {"BASE-mkt_payment-REFERENCE"}),
    ("MKT-31", ["update {{mkt_app_stage}} set start_at = end_at where stage = 'VERIFY' and app_no = (select max(app_no) from {{mkt_app_stage}} where stage = 'VERIFY' and end_at is not null)"], set()),
    ("MKT-33", ["update {{mkt_app_stage}} set handler_no = 'H-1', end_at = '2026-10-30 17:59:20+08', start_at = '2026-10-30 08:00+08' where stage = 'ARCHIVE' or stage = 'METER_ENERGISE'"], set()),
    ("MKT-34", ["update {{mkt_ticket}} set arrived_at = accepted_at - interval '1 hour' where ticket_no = (select max(ticket_no) from {{mkt_ticket}} where arrived_at is not null)"], set()),
    ("MKT-36", ["update {{mkt_outage_plan}} set planned_end = planned_start - interval '1 hour' where plan_no = (select max(plan_no) from {{mkt_outage_plan}})"], set()),
    ("MKT-37", ["update {{mkt_outage_notice}} set sent_at = planned_start + interval '1 hour', delivered_at = null, confirmed_at = coalesce(confirmed_at, planned_start) where notice_id = (select max(notice_id) from {{mkt_outage_notice}})"], set()),
    ("MKT-38", ["update {{mkt_outage_notice}} set operator_no = null where notice_id = (select max(notice_id) from {{mkt_outage_notice}} where channel = 'PHONE')"], set()),
    ("MKT-39", ["update {{mkt_survey}} set collector_no = 'C-1', score = score_scale"], set()),
    ("MKT-40", ["update {{mkt_inspection}} set inspector_no = 'I-1', done_on = date '2026-10-20', result_text = '未见异常'"], set()),
    ("MKT-41", ["update {{mkt_hazard}} set recheck_result = null where hazard_no = (select max(hazard_no) from {{mkt_hazard}} where rectified_on is not null)"], set()),
    ("CON-03", [f"update {{{{con_contract}}}} set valid_to = valid_from + interval '99 years' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-04", [f"update {{{{con_contract}}}} set scan_file_id = null where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-05", ["update {{con_contract}} set page_hash = 'one file' where contract_no in (select contract_no from {{con_contract}} order by contract_no limit 14)"], set()),
    ("CON-07", ["update {{con_transformer_annex}} set cap_kva = cap_kva + 50 where (contract_no, version, seq) = (select contract_no, version, seq from {{con_transformer_annex}} where primary_backup = 'MAIN' order by 1 desc, 2 desc, 3 desc limit 1)"], {"XSR-07"}),
    ("CON-09", ["update {{con_contract}} set backup_feeder_no = main_feeder_no where supply_mode <> 'SINGLE'"], set()),
    ("CON-10", ["update {{con_contract}} set importance = 'SPECIAL' where contract_no = (select min(contract_no) from {{con_contract}} where supply_mode = 'SINGLE' and status = 'EFFECTIVE') and status = 'EFFECTIVE'"], set()),
    ("CON-11", [f"update {{{{con_contract}}}} set penalty_rate = 0.02 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-13", ["update {{con_trade_agreement}} set valid_from = valid_from - 40 where agree_no = (select max(a.agree_no) from {{con_trade_agreement}} as a where exists (select 1 from {{con_trade_agreement}} as b where a.cons_no = b.cons_no and b.valid_from < a.valid_from))"], set()),
    ("CON-14", ["update {{con_trade_curve}} set mwh = mwh * 1.05 where agree_no = (select max(agree_no) from {{con_trade_curve}})"], set()),
    ("CON-15", [f"update {{{{con_contract}}}} set signer = '经办人' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-16", [f"update {{{{con_contract}}}} set uscc = '910000000000000000' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-05", ["update {{mkt_bill_line}} set multiplier = multiplier * 0.75 where _raw_id = (select max(_raw_id) from {{mkt_bill_line}})"], set()),
    ("XSR-07", ["update {{con_transformer_annex}} set cap_kva = cap_kva - 50 where (contract_no, version, seq) = (select contract_no, version, seq from {{con_transformer_annex}} where primary_backup = 'MAIN' order by 1 desc, 2 desc, 3 desc limit 1)"], {"CON-07"}),
    ("XSR-08", [f"update {{{{con_contract}}}} set contract_cap_kva = 200, contract_md_kw = null where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], {"XSR-06", "CON-07"}),
    ("XSR-10", [f"update {{{{con_contract}}}} set pf_standard = '0.80' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-11", [f"update {{{{con_contract}}}} set basic_mode = case basic_mode when 'BY_CAPACITY' then 'BY_ACTUAL_MD' else 'BY_CAPACITY' end where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-12", [f"update {{{{con_contract}}}} set voltage_level = 'AC66kV' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-15", [f"update {{{{mkt_customer}}}} set status = 'CLOSED' where cons_no = {ACCOUNT}"], set()),
    ("XSR-16", ["update {{con_contract}} set supply_mode = 'DUAL_SOURCE', backup_feeder_no = 'F-OTHER' where contract_no = (select min(contract_no) from {{con_contract}} where supply_mode = 'SINGLE' and status = 'EFFECTIVE') and status = 'EFFECTIVE'"], set()),
    ("XSR-19", ["update {{mkt_bill}} set md_actual_kw = md_actual_kw * 1.28 where bill_no = (select max(bill_no) from {{mkt_bill}} where md_actual_kw > 0)"], set()),
    ("XSR-21", [f"update {{{{met_power_event}}}} set event_ts = event_ts - interval '5 days' where mp_no = {KEY_OUTAGE}"], set()),
    ("XSR-22", [f"update {{{{con_contract}}}} set signed_on = connect_on + 40 from (select cons_no as account_no, connect_date as connect_on from {{{{mkt_customer}}}}) as customers where con_contract.cons_no = customers.account_no and version = 1 and contract_no = {IN_FORCE}"], {"CON-02"}),
    ("XSR-23", ["update {{mkt_meter_install}} set meter_asset_no = (select min(meter_asset_no) from {{mkt_meter_install}}) where meter_asset_no = (select max(meter_asset_no) from {{mkt_meter_install}})"], {"XSR-01"}),
    ("XSR-25", ["update {{con_trade_settle}} set actual_mwh = actual_mwh * 1.05 where (agree_no, trade_month) = (select agree_no, trade_month from {{con_trade_settle}} order by 1 desc, 2 desc limit 1)"], set()),
    ("XSR-26", [f"update {{{{con_contract}}}} set status = 'TERMINATED', valid_to = null where contract_no = {KEY_CONTRACT}"], {"XSR-14"}),
    ("MET-26", [f"update {{{{met_register_freeze}}}} set max_demand_kw = max_demand_kw * 0.2 where meter_asset_no = {METER} and freeze_kind = 'MONTH' and max_demand_kw is not null and freeze_ts = '2026-11-01 00:00+08'"], {"XSR-19"}),
    ("MKT-30", ["update {{mkt_penalty}} set penalty_yuan = 0, waived = false where bill_no = (select max(bill_no) from {{mkt_penalty}})"], {"MKT-28"}),
    ("MKT-32", ["delete from {{mkt_app_stage}} where stage = 'FINAL_CHECK' and app_no = (select max(app_no) from {{mkt_application}} where status = 'DONE' and app_type in ('NEW', 'INCREASE'))"], set()),
    ("MKT-35", ["update {{mkt_ticket}} set ticket_type = 'FAULT', urban_rural = 'URBAN', dept_no = 'D-1', dispatched_at = accepted_at, arrived_at = accepted_at + interval '44 minutes', restored_at = accepted_at + interval '1 hour', closed_at = accepted_at + interval '3 hours'"], set()),
    ("MKT-42", [f"update {{{{mkt_meter_install}}}} set install_reading_flat = null where mp_no = {BILLING}"], set()),
    ("CON-12", ["update {{con_amendment}} set old_value = '1' where amend_no = (select max(amend_no) from {{con_amendment}} where field_name = 'contract_cap_kva')"], set()),
    ("XSR-18", ["update {{mkt_bill}} set kwh_peak = kwh_peak * 1.08 where bill_no = (select max(bill_no) from {{mkt_bill}})"], set()),
    ("XSR-20", ["update {{mkt_outage_plan}} set status = 'DONE', feeder_no = null, actual_start = '2026-11-02 03:00+08', actual_end = '2026-11-02 04:00+08' where plan_no = (select max(plan_no) from {{mkt_outage_affected}} where exception_code is null)"], set()),
    ("MET-18", ["update {{met_interval_96}} set v = (select array_agg(x * 1.1 order by n) from unnest(v) with ordinality as s (x, n)) where data_type = 'U' and phase = 'A' and data_date = date '2026-11-03' and mp_no = (select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P4W')"], set()),
    (
        "MET-30",
        [
            "with raised as (update staging.quality_parameters set value = case name when 'manual_share' then 1 else 50 end"
            " where rule_id = 'MET-30' and name in ('manual_share', 'last_digit_readings') returning 1)"
            " update {{met_register_freeze}} set collect_way = 'MANUAL' where freeze_kind = 'DAY' and floor(reading * 10000) % 5 = 0"
        ],
        set(),
    ),
    ("MKT-30", ["update {{mkt_penalty}} set penalty_yuan = penalty_yuan - 0.02 where bill_no = (select max(bill_no) from {{mkt_penalty}})"], {"MKT-28"}),
    (
        "MKT-32",
        [
            "update {{mkt_customer}} set importance = 'SECOND' where cons_no = (select min(cons_no) from {{mkt_application}} where status = 'DONE' and app_type = 'NEW')",
            "delete from {{mkt_app_stage}} where stage = 'MID_CHECK' and app_no in (select app_no from {{mkt_application}} where status = 'DONE' and app_type = 'NEW' and cons_no in (select cons_no from {{mkt_customer}} where importance = 'SECOND'))",
        ],
        set(),
    ),
    ("XSR-15", [f"update {{{{mkt_transformer}}}} set state = 'SEALED' where cons_no = {WITH_TRANSFORMER}"], {"MKT-17"}),
    ("XSR-24", ["update {{con_amendment}} set effective_on = effective_on - 46, signed_on = signed_on - 46 where field_name = 'contract_cap_kva'"], set()),
    ("XSR-30", ["delete from {{mkt_outage_notice}} where channel = 'PHONE' and cons_no in (select account_no from staging.int_key_accounts where is_key_account) and plan_no in (select plan_no from {{mkt_outage_plan}} where status = 'DONE')"], set()),
]
