with marketing_rows as (
    {%- for model in ['customers', 'bills', 'tickets', 'applications', 'notifications', 'outage_affected_accounts'] %}
    select
        account_no,
        _load_id
    from {{ ref('stg_marketing__' ~ model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

contract_rows as (
    {%- for model in ['contracts', 'trade_agreements'] %}
    select
        account_no,
        _load_id
    from {{ ref('stg_contract__' ~ model) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        'marketing' as source_name,
        account_no,
        _load_id,
        count(*) as landed_rows
    from marketing_rows
    where account_no is not null
    group by account_no, _load_id
    union all
    select
        'contract',
        account_no,
        _load_id,
        count(*)
    from contract_rows
    where account_no is not null
    group by account_no, _load_id
)

select * from final
