with source as (
    {{ newest_landed('marketing', 'mkt_bill_line') }}
),

renamed as (
    select
        -- ids
        trim(bill_no) as bill_no,
        line_no,
        trim(mp_no) as metering_point_no,
        trim(meter_asset_no) as meter_asset_no,

        -- codes and texts
        rate as rate_code,

        -- numerics
        prev_reading as previous_reading_kwh,
        curr_reading as current_reading_kwh,
        multiplier,
        kwh_read as read_kwh,
        tran_loss_kwh as transformer_loss_kwh,
        line_loss_kwh,
        add_sub_kwh as added_kwh,
        kwh_billed as billed_kwh,
        price as price_cny_per_kwh,
        charge as charge_cny,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
