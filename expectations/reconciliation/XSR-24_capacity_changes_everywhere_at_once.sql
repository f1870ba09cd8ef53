/*
sentence: A change of capacity takes effect in contract, marketing and, where the current transformers changed, metering within {working_days} working days.
axis: late
dimension: timeliness
severity: warn
owner: data quality office
reason: Between the dates the customer is billed for a capacity that is not the one in use.
source: project rule; a system without a change near the amendment is another rule's matter (XSR-06, XSR-07)
at_stake: "No money of its own: while the capacities differ, XSR-06 and XSR-07 tell it."
likely_wrong: "Undetermined: the dates themselves show which of them is late."
subject: con_amendment
not_tested: No amendment of a capacity has its counterpart in marketing or metering.
population: amendments of a capacity with a counterpart in marketing or metering
reads:
  - int_metering_points_as_of
  - stg_contract__amendments
  - stg_contract__contracts
  - stg_marketing__transformers
  - stg_metering__instrument_transformers
  - working_days
compares: [metering.met_it.valid_from, marketing.mkt_transformer.state_from, contract.con_amendment.effective_on]
parameters: [match_days, working_days]
*/
-- tested
with calendar as (
    select date as calendar_date, count(*) filter (where is_working_day) over (order by date) as working_day_no
    from staging.working_days
),

amendments as (
    select distinct on (amendments.amendment_no, amendments.field_name)
        amendments._raw_id as raw_id,
        contracts.account_no,
        amendments.effective_date
    from staging.stg_contract__amendments as amendments
    inner join staging.stg_contract__contracts as contracts on amendments.contract_no = contracts.contract_no
    where amendments.field_name = 'contract_cap_kva' and amendments.effective_date <= :business_date
    order by amendments.amendment_no, amendments.field_name, amendments._raw_id desc, contracts._raw_id desc
),

-- The first state of an account's transformers is its connection, the first ratio of a point its installation.
changes as (
    select account_no, 'marketing' as system_name, state_from as change_date
    from (
        select account_no, state_from, min(state_from) over (partition by account_no) as first_date
        from staging.stg_marketing__transformers
    ) as states
    where state_from > first_date
    union
    select points.account_no, 'metering' as system_name, ratios.valid_from as change_date
    from (
        select
            metering_point_no,
            valid_from,
            valid_from > lag(valid_from) over versions
            and ratio_primary * lag(ratio_secondary) over versions
            is distinct from lag(ratio_primary) over versions * ratio_secondary as is_changed
        from staging.stg_metering__instrument_transformers
        where kind_code = 'CT'
        window versions as (partition by metering_point_no, phase_code order by valid_from, _raw_id)
    ) as ratios
    inner join staging.int_metering_points_as_of as points
        on ratios.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'ratios.valid_from') }}
    where ratios.is_changed
),

nearest as (
    select distinct on (amendments.raw_id, changes.system_name)
        amendments.raw_id,
        amendments.account_no,
        amendments.effective_date,
        changes.system_name,
        changes.change_date
    from amendments
    inner join changes
        on
            amendments.account_no = changes.account_no
            and abs(changes.change_date - amendments.effective_date) <= :match_days
    order by amendments.raw_id, changes.system_name, abs(changes.change_date - amendments.effective_date), changes.change_date
)

select
    nearest.raw_id,
    nearest.account_no,
    nearest.effective_date,
    max(calendar.working_day_no) - min(calendar.working_day_no) as working_days,
    string_agg(distinct dated.system_name || ' ' || dated.change_date, ', ') as explanation
from nearest
cross join lateral (
    values ('contract', nearest.effective_date), (nearest.system_name, nearest.change_date)
) as dated (system_name, change_date)
inner join calendar on dated.change_date = calendar.calendar_date
group by nearest.raw_id, nearest.account_no, nearest.effective_date
-- violations
select
    {{ finding('effective_on', day='effective_date') }},
    working_days || ' working days: ' || explanation as observed,
    'at most ' || :working_days || ' apart' as expected
from tested
where working_days > :working_days
