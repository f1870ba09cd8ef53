with settlements as (
    select * from {{ ref('stg_contract__trade_settlements') }}
),

agreements as (
    select * from {{ ref('fct_trade_agreements') }}
),

-- A new settlement of a month replaces the earlier one.
final as (
    select distinct on (settlements.agreement_no, settlements.trade_month)
        settlements.agreement_no,
        settlements.trade_month,
        agreements.account_no,
        settlements.version,
        settlements.contract_mwh,
        settlements.actual_mwh,
        settlements.deviation_mwh,
        settlements.settled_cny,
        settlements.penalty_cny
    from settlements
    left join agreements on settlements.agreement_no = agreements.agreement_no
    where settlements.trade_month is not null
    order by settlements.agreement_no, settlements.trade_month, settlements.version desc nulls last, settlements._raw_id desc
)

select * from final
