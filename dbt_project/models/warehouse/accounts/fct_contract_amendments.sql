with amendments as (
    select * from {{ ref('stg_contract__amendments') }}
),

final as (
    select distinct on (amendment_no, field_name)
        amendment_no,
        contract_no,
        version,
        application_no,
        field_name,
        old_value,
        new_value,
        effective_date,
        signed_date,
        signed_date - effective_date as signature_lag_days
    from amendments
    order by amendment_no, field_name, _raw_id desc
)

select * from final
