with transformers as (
    select * from {{ ref('stg_marketing__transformers') }}
),

final as (
    select distinct on (transformer_no, state_from)
        transformer_no,
        state_from as valid_from,
        state_to as valid_to,
        account_no,
        capacity_kva,
        duty_code,
        state_code
    from transformers
    order by transformer_no, state_from, _raw_id desc
)

select * from final
