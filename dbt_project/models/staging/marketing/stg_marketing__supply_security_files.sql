with source as (
    {{ newest_landed('marketing', 'mkt_supply_security') }}
),

renamed as (
    select
        -- ids
        trim(cons_no) as account_no,
        trim(diagram_no) as diagram_no,
        trim(emergency_plan_no) as emergency_plan_no,

        -- numerics
        sensitive_load_kva,
        ups_kva,
        outage_cost_yuan as outage_cost_cny,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
