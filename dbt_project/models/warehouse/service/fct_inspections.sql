with inspections as (
    select * from {{ ref('stg_marketing__inspections') }}
),

hazards as (
    select * from {{ ref('fct_hazards') }}
),

hazards_by_inspection as (
    select
        inspection_no,
        count(*)::integer as hazards,
        (count(*) filter (where removed_date is null))::integer as open_hazards
    from hazards
    group by inspection_no
),

final as (
    select distinct on (inspections.inspection_no)
        inspections.inspection_no,
        inspections.account_no,
        inspections.kind_code,
        inspections.due_date,
        inspections.done_date,
        inspections.is_customer_signed,
        inspections.is_protection_setting_ok,
        coalesce(hazards_by_inspection.hazards, 0) as hazards,
        coalesce(hazards_by_inspection.open_hazards, 0) as open_hazards
    from inspections
    left join hazards_by_inspection on inspections.inspection_no = hazards_by_inspection.inspection_no
    order by inspections.inspection_no, inspections._raw_id desc
)

select * from final
