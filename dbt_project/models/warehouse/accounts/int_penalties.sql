with penalties as (
    select * from {{ ref('stg_marketing__penalties') }}
),

waivers as (
    select * from {{ ref('int_penalty_waivers') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

final as (
    select distinct on (penalties.bill_no, penalties.from_date)
        penalties.bill_no,
        penalties.from_date,
        penalties.to_date,
        bills.account_no,
        penalties.late_days,
        penalties.penalty_rate,
        penalties.penalty_cny,
        coalesce(penalties.is_waived, false) as is_waived,
        penalties.waive_reason,
        case when penalties.is_waived then coalesce(waivers.waived_from_date, penalties.to_date) end as waived_from_date
    from penalties
    left join bills on penalties.bill_no = bills.bill_no
    left join waivers on penalties.bill_no = waivers.bill_no and penalties.from_date = waivers.from_date
    order by penalties.bill_no, penalties.from_date, penalties._raw_id desc
)

select * from final
