{%- set day = business_date() -%}
with agreements as (
    select * from {{ ref('estimation_agreements') }}
    where coalesce(valid_from, {{ day }}) <= {{ day }} and (valid_to is null or {{ day }} < valid_to)
),

quantities as (
    select * from {{ ref('estimation_registers') }}
),

metering_points as (
    select distinct metering_point_no from {{ ref('stg_metering__measuring_points') }}
),

numbered as (
    select
        agreements.*,
        row_number() over (
            order by metering_point_no, quantity_code, reading_date, first_slot_no, last_slot_no, energy_kwh, proposer, approver, reason
        ) as line_no
    from agreements
),

-- Two lines on one slot contradict each other, whichever was meant: neither is used.
overlapping as (
    select distinct one.line_no
    from numbered as one
    inner join numbered as other
        on
            one.metering_point_no = other.metering_point_no
            and one.quantity_code = other.quantity_code
            and one.reading_date = other.reading_date
            and one.line_no <> other.line_no
            and one.first_slot_no <= other.last_slot_no
            and other.first_slot_no <= one.last_slot_no
),

final as (
    select
        numbered.line_no,
        numbered.metering_point_no,
        numbered.quantity_code,
        numbered.reading_date,
        numbered.first_slot_no,
        numbered.last_slot_no,
        numbered.energy_kwh,
        numbered.proposer,
        numbered.approver,
        numbered.reason,
        case
            when not coalesce({{ is_filled('numbered.proposer', 'text') }}, false) then 'no proposer'
            when not coalesce({{ is_filled('numbered.approver', 'text') }}, false) then 'no approver'
            when lower(trim(numbered.proposer)) = lower(trim(numbered.approver)) then 'proposer and approver are one person'
            when not coalesce({{ is_filled('numbered.reason', 'text') }}, false) then 'no reason'
            when metering_points.metering_point_no is null then 'an unknown metering point'
            when numbered.reading_date is null or numbered.reading_date > {{ day }} then 'no day up to the business date'
            when numbered.quantity_code is null or not exists (
                select 1 from quantities
                where quantities.quantity_code = numbered.quantity_code and {{ is_valid_on('quantities', 'numbered.reading_date') }}
            ) then 'no energy that is estimated'
            when coalesce(numbered.first_slot_no < 1 or numbered.last_slot_no > 96 or numbered.last_slot_no < numbered.first_slot_no, true)
                then 'no slots of a day'
            when coalesce(numbered.energy_kwh < 0, true) then 'no energy'
            when overlapping.line_no is not null then 'slots of another line'
        end as problem
    from numbered
    left join metering_points on numbered.metering_point_no = metering_points.metering_point_no
    left join overlapping on numbered.line_no = overlapping.line_no
)

select * from final
