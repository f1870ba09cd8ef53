with bill_lines as (
    select * from {{ ref('stg_marketing__bill_lines') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

final as (
    select distinct on (bill_lines.bill_no, bill_lines.line_no)
        bill_lines.bill_no,
        bill_lines.line_no,
        bills.account_no,
        bills.bill_month,
        bill_lines.metering_point_no,
        bill_lines.meter_asset_no,
        bill_lines.rate_code,
        bill_lines.previous_reading_kwh,
        bill_lines.current_reading_kwh,
        bill_lines.multiplier,
        bill_lines.read_kwh,
        bill_lines.transformer_loss_kwh,
        bill_lines.line_loss_kwh,
        bill_lines.added_kwh,
        bill_lines.billed_kwh,
        bill_lines.price_cny_per_kwh,
        bill_lines.charge_cny
    from bill_lines
    left join bills on bill_lines.bill_no = bills.bill_no
    order by bill_lines.bill_no, bill_lines.line_no, bill_lines._raw_id desc
)

select * from final
