with source as (
    {{ newest_landed('marketing', 'mkt_bill') }}
),

renamed as (
    select
        -- ids
        trim(bill_no) as bill_no,
        trim(orig_bill_no) as orig_bill_no,
        trim(cons_no) as account_no,
        trim(acct_no) as settlement_account_no,

        -- codes and texts
        pf_standard as power_factor_standard_code,
        basic_mode as basic_mode_code,
        status as status_code,

        -- numerics
        kwh_total as billed_kwh,
        kwh_sharp as sharp_kwh,
        kwh_peak as peak_kwh,
        kwh_flat as flat_kwh,
        kwh_valley as valley_kwh,
        kwh_deep as deep_kwh,
        kvarh_fwd as forward_kvarh,
        kvarh_rev as reverse_kvarh,
        pf_actual as power_factor,
        pf_adj_pct as power_factor_adjustment_pct,
        pf_adj_base as power_factor_adjustment_base_cny,
        basic_qty as basic_quantity,
        basic_price as basic_price_cny,
        basic_charge as basic_charge_cny,
        md_actual_kw as actual_demand_kw,
        energy_charge as energy_charge_cny,
        fund_charge as fund_charge_cny,
        line_loss_charge as line_loss_charge_cny,
        system_op_charge as system_operation_charge_cny,
        pf_adj_charge as power_factor_charge_cny,
        kwh_per_kva,
        md_discount_charge as demand_discount_cny,
        total_charge as total_charge_cny,

        -- dates
        {{ month_start('bill_month') }} as bill_month,
        read_from,
        read_to,
        issued_on as issued_date,
        due_on as due_date,

        -- timestamps
        src_updated_at as source_updated_at,

        -- where the row comes from
        _raw_id,
        _load_id
    from source
)

select * from renamed
