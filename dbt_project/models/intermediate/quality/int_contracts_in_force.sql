-- Which version of an account's contracts is in force, and from when to when. A supplementary agreement (PROTOCOL) stands
-- beside its contract. Where more than one could be, it is an effective one before one that is over, then the one that began
-- last, the highest version, the row that came last: the tie-break stands here and nowhere else.
with contracts as (
    select
        *,
        -- An effective contract that renews itself has no end.
        case when not coalesce(is_auto_renewed and status_code = 'EFFECTIVE', false) then valid_to end as end_date
    from {{ ref('stg_contract__contracts') }}
    where
        kind_code <> 'PROTOCOL'
        and valid_from is not null
        -- A terminated contract was in force up to the day on which it ended.
        and (status_code in ('EFFECTIVE', 'AMENDED', 'EXPIRED') or (status_code = 'TERMINATED' and valid_to is not null))
),

bounds as (
    select account_no, valid_from as bound_date from contracts
    union
    select account_no, end_date from contracts where end_date is not null
),

segments as (
    select
        account_no,
        bound_date as segment_from,
        lead(bound_date) over (partition by account_no order by bound_date) as segment_to
    from bounds
    where account_no is not null
),

chosen as (
    select distinct on (segments.account_no, segments.segment_from)
        segments.segment_from,
        segments.segment_to,
        contracts.*
    from segments
    inner join contracts
        on
            segments.account_no = contracts.account_no
            and {{ is_in_period('segments.segment_from', 'contracts.valid_from', 'contracts.end_date') }}
    order by
        segments.account_no, segments.segment_from, (contracts.status_code = 'EFFECTIVE') desc, contracts.valid_from desc,
        contracts.version desc, contracts._raw_id desc
),

-- Another contract's bound does not cut a version in two.
begun as (
    select
        *,
        ((_raw_id, segment_from) is distinct from (lag(_raw_id) over by_day, lag(segment_to) over by_day)) as begins
    from chosen
    window by_day as (partition by account_no order by segment_from)
),

numbered as (
    select
        *,
        count(*) filter (where begins) over (partition by account_no order by segment_from) as interval_no
    from begun
),

final as (
    select distinct on (account_no, interval_no)
        account_no,
        segment_from as valid_from,
        last_value(segment_to) over (
            partition by account_no, interval_no
            order by segment_from
            rows between unbounded preceding and unbounded following
        ) as valid_to,
        contract_no,
        version,
        status_code = 'EFFECTIVE' as is_effective,
        signed_date,
        customer_name,
        uscc,
        contract_capacity_kva,
        supply_mode_code,
        main_feeder_no,
        backup_feeder_no,
        voltage_level_code,
        tariff_code,
        power_factor_standard_code,
        basic_mode_code,
        contract_demand_kw,
        _raw_id
    from numbered
    order by account_no, interval_no, segment_from
)

select * from final
