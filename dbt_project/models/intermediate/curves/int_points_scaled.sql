{{ config(tags=['as_delivered']) }}
{%- set day = business_date() -%}

-- What turns the curves of a point into secondary values, and how finely they can be read.
with points as (
    select * from {{ ref('int_metering_points_current') }}
),

meters as (
    select
        meter_asset_no,
        max(digits_int)::integer as digits_int,
        max(digits_dec)::integer as digits_dec
    from {{ ref('stg_metering__meters') }}
    group by meter_asset_no
),

final as (
    select
        points.metering_point_no,
        points.account_no,
        points.meter_asset_no,
        points.multiplier,
        points.ct_ratio,
        points.pt_ratio,
        meters.digits_int,
        10::numeric ^ (-coalesce(meters.digits_dec, {{ rule_parameter('MET-12', 'decimals', day) }})::integer) as resolution_kwh,
        -- kVA of all phases for each volt-ampere of one, where the phases are equal; where they are not, their mean is
        case points.wiring_code when '3P3W' then sqrt(3) when '3P4W' then 3 else 1 end / 1000 as kva_of_va
    from points
    left join meters on points.meter_asset_no = meters.meter_asset_no
)

select * from final
