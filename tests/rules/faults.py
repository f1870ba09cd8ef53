"""Planted faults: (rule, statements on raw tables, the other rules that this very fault breaks)."""
from __future__ import annotations

E_PLUS = "data_type = 'E+' and phase = 'T' and data_date = date '2026-11-03'"
BILLING = "(select min(mp_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P3W')"
METER = "(select min(meter_asset_no) from {{met_measuring_point}} where mp_role = 'BILLING' and wiring = '3P3W')"
ACCOUNT = "(select min(cons_no) from {{mkt_customer}} where status = 'NORMAL')"
IN_FORCE = (
    "(select min(contract_no) from {{con_contract}} where status = 'EFFECTIVE' and kind = 'HV'"
    " and valid_from < date '2026-01-01')"
)
COPY = "_load_id, _business_date, _channel, _file_line, _is_tombstone, _key, md5('copy')::uuid"
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
            f"insert into {{{{met_power_event}}}} ({META}, event_id, mp_no, event, event_ts, recv_ts, source) select {COPY.replace('_key', 'md5(event_id)::uuid')},"
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
    ("MKT-10", [f"update {{{{mkt_customer}}}} set contract_cap_kva = 1 where cons_no = {ACCOUNT}"], {"XSR-06"}),
    ("MKT-11", [f"update {{{{mkt_customer}}}} set open_date = date '1900-01-01' where cons_no = {ACCOUNT}"], set()),
    ("MKT-12", ["update {{mkt_app_stage}} set end_at = end_at + interval '400 days' where stage = 'SCHEME' and app_no = (select max(app_no) from {{mkt_app_stage}} where stage = 'FINAL_CHECK')"], set()),
    ("MKT-13", [f"update {{{{mkt_customer}}}} set voltage_level = '10千伏' where cons_no = {ACCOUNT}"], set()),
    ("MKT-21", ["update {{mkt_bill}} set total_charge = total_charge + 0.37 where bill_no = (select max(bill_no) from {{mkt_bill}})"], set()),
    ("MKT-23", ["update {{mkt_bill}} set pf_adj_pct = pf_adj_pct + 0.1 where bill_no = (select max(bill_no) from {{mkt_bill}} where pf_standard = '0.90')"], set()),
    ("CON-01", [
        f"insert into {{{{con_contract}}}} ({META}, contract_no, version, cons_no, party_b_name, kind, valid_from, auto_renew, status, voltage_level, supply_mode, property_boundary, contract_cap_kva, basic_mode, contract_md_kw, tariff_code, pf_standard, main_feeder_no, backup_feeder_no, signed_on, src_updated_at)"
        f" select {COPY}, contract_no, version, cons_no, party_b_name, kind, valid_from, auto_renew, status, voltage_level, supply_mode, property_boundary, contract_cap_kva, basic_mode, contract_md_kw, tariff_code, pf_standard, main_feeder_no, backup_feeder_no, signed_on, src_updated_at"
        f" from {{{{con_contract}}}} where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-02", [f"update {{{{con_contract}}}} set valid_to = valid_from - 1 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-02", [f"update {{{{con_contract}}}} set signed_on = valid_from + 3 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-06", [f"update {{{{con_contract}}}} set property_boundary = '/' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("CON-08", ["update {{con_contract}} set contract_md_kw = 0.39 * contract_cap_kva where status = 'EFFECTIVE' and basic_mode = 'BY_CONTRACT_MD'"], set()),
    ("XSR-01", [f"delete from {{{{mkt_meter_install}}}} where mp_no = {BILLING}"], set()),
    ("XSR-02", [f"delete from {{{{met_interval_96}}}} where data_type = 'E+' and data_date < date '2026-11-01' and mp_no = {BILLING}"], set()),
    ("XSR-03", [f"update {{{{mkt_meter_install}}}} set ct_ratio = ct_ratio * 0.75, multiplier = multiplier * 0.75 where mp_no = {BILLING}"], set()),
    ("XSR-03", [f"update {{{{con_metering_annex}}}} set ct_ratio = ct_ratio * 0.75 where mp_no = {BILLING}"], set()),
    ("XSR-04", [f"update {{{{con_metering_annex}}}} set pt_ratio = 1 where mp_no = {BILLING}"], set()),
    ("XSR-06", [f"update {{{{con_contract}}}} set contract_cap_kva = contract_cap_kva + 50 where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-09", [f"update {{{{con_contract}}}} set tariff_code = 'OTHER' where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-13", [f"update {{{{con_contract}}}} set party_b_name = '另一家石材厂', uscc = null where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-14", [f"update {{{{con_contract}}}} set valid_to = date '2026-08-31', auto_renew = false where contract_no = {IN_FORCE} and status = 'EFFECTIVE'"], set()),
    ("XSR-17", ["update {{mkt_bill_line}} set kwh_billed = kwh_billed * 0.75 where _raw_id = (select max(_raw_id) from {{mkt_bill_line}} where rate = 'FLAT')"], set()),
    ("XSR-27", ["update quality.receipts set announced_rows = announced_rows + 412 where table_name = 'mkt_bill'"], set()),
]
