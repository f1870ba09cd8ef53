with source as (
    {{ newest_landed('contract', 'con_contract') }}
),

renamed as (
    select
        -- ids
        trim(contract_no) as contract_no,
        version,
        trim(cons_no) as account_no,
        uscc,
        trim(signer_mandate_no) as signer_mandate_no,
        trim(main_feeder_no) as main_feeder_no,
        trim(backup_feeder_no) as backup_feeder_no,
        scan_file_id,

        -- codes and texts
        party_a as supplier_name,
        party_b_name as customer_name,
        signer as signer_name,
        kind as kind_code,
        status as status_code,
        voltage_level as voltage_level_code,
        supply_mode as supply_mode_code,
        interlock as interlock_code,
        property_boundary,
        basic_mode as basic_mode_code,
        tariff_code,
        pf_standard as power_factor_standard_code,
        metering_side as metering_side_code,
        loss_bearing,
        importance as importance_code,
        guarantee_kind,
        page_hash,

        -- booleans
        auto_renew as is_auto_renewed,
        is_tou,

        -- numerics
        contract_cap_kva as contract_capacity_kva,
        contract_md_kw as contract_demand_kw,
        metering_point_cnt as metering_point_count,
        ct_ratio,
        pt_ratio,
        self_gen_kva,
        security_load_kva,
        settle_day as settlement_day,
        installments,
        pay_term_days,
        penalty_rate,
        deposit_yuan as deposit_cny,
        guarantee_yuan as guarantee_cny,
        scan_pages,

        -- dates
        signed_on as signed_date,
        valid_from,
        valid_to + 1 as valid_to,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
