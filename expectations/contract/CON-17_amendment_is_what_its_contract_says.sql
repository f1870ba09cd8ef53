/*
sentence: The new value of an amendment is that of the contract version that it made.
axis: mismatch
dimension: consistency
severity: warn
owner: contract office
reason: What was signed and what was booked are two agreements.
source: project rule
subject: con_amendment
not_tested: No amendment names a version that is there and one of its fields.
population: amendments of capacity, demand, basic mode, tariff, voltage level and standard of the power factor whose version is there
reads: [stg_contract__amendments, stg_contract__contracts]
*/
-- tested
select
    {{ row_of('amendments', 'contracts') }},
    amendments.field_name,
    btrim(amendments.new_value) as new_value,
    fields.booked_value,
    fields.is_number
from staging.stg_contract__amendments as amendments
inner join staging.stg_contract__contracts as contracts
    on amendments.contract_no = contracts.contract_no and amendments.version = contracts.version
inner join lateral (
    values
    ('contract_cap_kva', contracts.contract_capacity_kva::text, true),
    ('contract_md_kw', contracts.contract_demand_kw::text, true),
    ('basic_mode', contracts.basic_mode_code, false),
    ('tariff_code', contracts.tariff_code, false),
    ('voltage_level', contracts.voltage_level_code, false),
    ('pf_standard', contracts.power_factor_standard_code, false)
) as fields (field_name, booked_value, is_number) on amendments.field_name = fields.field_name
where fields.booked_value is not null
-- violations
select
    {{ finding('new_value') }},
    new_value as observed,
    booked_value || ' in the contract' as expected
from tested
where
    case
        when is_number and new_value ~ '^[0-9]+([.][0-9]+)?$' then new_value::numeric <> booked_value::numeric
        else new_value <> booked_value
    end
