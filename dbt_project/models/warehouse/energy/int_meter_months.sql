with freezes as (
    select * from {{ ref('stg_metering__register_freezes') }}
    where direction_code = 'FWD' and freeze_kind_code = 'MONTH'
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where meter_asset_no is not null and (valid_to is null or valid_from < valid_to)
),

months as (
    select distinct
        {{ month_of('reading_date') }} as month_start_date,
        reading_date + 1 as next_month_start_date
    from freezes
    where extract(day from reading_date + 1) = 1
),

-- A piece is a time in which one meter with one multiplier measured one point of one account; other changes do not cut it.
followed as (
    select
        *,
        coalesce(
            valid_from <> lag(valid_to) over by_time
            or multiplier is distinct from lag(multiplier) over by_time
            or account_no is distinct from lag(account_no) over by_time
            or is_counted_in_account is distinct from lag(is_counted_in_account) over by_time,
            true
        ) as is_new
    from metering_points
    window by_time as (partition by metering_point_no, meter_asset_no order by valid_from)
),

numbered as (
    select
        *,
        count(*) filter (where is_new) over (
            partition by metering_point_no, meter_asset_no
            order by valid_from
            rows between unbounded preceding and current row
        ) as piece_no
    from followed
),

pieces as (
    select
        metering_point_no,
        meter_asset_no,
        account_no,
        multiplier,
        coalesce(is_counted_in_account, false) as is_counted_in_account,
        min(valid_from) as valid_from,
        nullif(max(coalesce(valid_to, 'infinity'::date)), 'infinity'::date) as valid_to
    from numbered
    group by metering_point_no, meter_asset_no, account_no, multiplier, is_counted_in_account, piece_no
),

final as (
    select
        pieces.*,
        months.month_start_date,
        greatest(pieces.valid_from, months.month_start_date) as from_date,
        least(pieces.valid_to, months.next_month_start_date) as to_date
    from pieces
    inner join months
        on
            pieces.valid_from < months.next_month_start_date
            and (pieces.valid_to is null or months.month_start_date < pieces.valid_to)
)

select * from final
