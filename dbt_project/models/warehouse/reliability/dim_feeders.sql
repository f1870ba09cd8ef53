with feeders as (
    select * from {{ ref('stg_metering__feeders') }}
),

final as (
    select distinct on (feeder_no, valid_from)
        feeder_no,
        valid_from,
        valid_to,
        org_no,
        substation as substation_name,
        voltage_level_code,
        customers_connected,
        connected_kva
    from feeders
    order by feeder_no, valid_from, _raw_id desc
)

select * from final
