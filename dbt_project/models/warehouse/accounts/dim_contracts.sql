with contracts as (
    select * from {{ ref('stg_contract__contracts') }}
),

metering_annex_lines as (
    select * from {{ ref('stg_contract__metering_annex_lines') }}
),

transformer_annex_lines as (
    select * from {{ ref('stg_contract__transformer_annex_lines') }}
),

metering_annexes as (
    select
        contract_no,
        version,
        count(*)::integer as metering_annex_lines
    from metering_annex_lines
    group by contract_no, version
),

transformer_annexes as (
    select
        contract_no,
        version,
        count(*)::integer as transformer_annex_lines,
        (sum(capacity_kva) filter (where duty_code is distinct from 'COLD_BACKUP'))::numeric(14, 2) as annex_capacity_kva
    from transformer_annex_lines
    group by contract_no, version
),

final as (
    select distinct on (contracts.contract_no, contracts.version)
        contracts.contract_no,
        contracts.version,
        contracts.account_no,
        contracts.valid_from,
        contracts.valid_to,
        contracts.signed_date,
        contracts.kind_code,
        contracts.status_code,
        contracts.is_auto_renewed,
        contracts.voltage_level_code,
        contracts.supply_mode_code,
        contracts.importance_code,
        contracts.tariff_code,
        contracts.basic_mode_code,
        contracts.power_factor_standard_code,
        contracts.contract_capacity_kva,
        contracts.contract_demand_kw,
        contracts.self_gen_kva,
        contracts.security_load_kva,
        contracts.deposit_cny,
        contracts.guarantee_cny,
        nullif(trim(contracts.scan_file_id), '') is not null as has_scan,
        nullif(trim(contracts.property_boundary), '') is not null as has_property_boundary,
        coalesce(metering_annexes.metering_annex_lines, 0) as metering_annex_lines,
        coalesce(transformer_annexes.transformer_annex_lines, 0) as transformer_annex_lines,
        transformer_annexes.annex_capacity_kva
    from contracts
    left join metering_annexes
        on contracts.contract_no = metering_annexes.contract_no and contracts.version = metering_annexes.version
    left join transformer_annexes
        on contracts.contract_no = transformer_annexes.contract_no and contracts.version = transformer_annexes.version
    order by contracts.contract_no, contracts.version, contracts._raw_id desc
)

select * from final
