with source as (
    {{ newest_landed('metering', 'met_supply_outage') }}
),

renamed as (
    select
        -- ids
        outage_id as supply_outage_id,
        trim(feeder_no) as feeder_no,
        trim(tg_no) as transformer_area_no,

        -- codes and texts
        kind as kind_code,
        cause_code,

        -- booleans
        is_external,

        -- numerics
        customers_interrupted,
        kva_interrupted as interrupted_kva,

        -- timestamps
        start_at as started_at,
        end_at as ended_at,
        recv_ts as received_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
