-- Rows of an account by the load that brought what they say now, not by one that only said it again (see states_landed).
with landed as (
    {%- for source_name, table_name, model in [
        ('marketing', 'mkt_customer', 'customers'),
        ('marketing', 'mkt_bill', 'bills'),
        ('marketing', 'mkt_ticket', 'tickets'),
        ('marketing', 'mkt_application', 'applications'),
        ('marketing', 'mkt_notification', 'notifications'),
        ('marketing', 'mkt_outage_affected', 'outage_affected_accounts'),
        ('contract', 'con_contract', 'contracts'),
        ('contract', 'con_trade_agreement', 'trade_agreements'),
    ] %}
    select
        '{{ source_name }}' as source_name,
        staged.account_no,
        states.state_load_id
    from {{ ref('stg_' ~ source_name ~ '__' ~ model) }} as staged
    inner join ({{ states_landed(source_name, table_name) }}) as states on staged._raw_id = states._raw_id
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

final as (
    select
        source_name,
        account_no,
        state_load_id as _load_id,
        count(*) as landed_rows
    from landed
    where account_no is not null
    group by source_name, account_no, state_load_id
)

select * from final
