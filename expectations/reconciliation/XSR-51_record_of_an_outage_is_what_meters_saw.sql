/*
sentence: The outage on a feeder's record is the one that its meters saw, within {minutes} minutes at its start and its end.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A record under another day or hour is an outage too many there, and leaves one without a record.
source: DL/T 836.1-2016, interruptions are counted from records
at_stake: "No money: an outage is a matter of reliability."
likely_wrong: "Undetermined: record and events are both of the metering system. Many meters tell the same."
subject: met_supply_outage
not_tested: The supply side recorded no outage of a feeder with enough metered accounts since there are power events.
population: records of outages since there are power events, of feeders from which enough metered accounts are supplied alone, or whose meters were dark without a record; momentary ones where meters told of one as short
reads:
  - int_account_feeders
  - int_customer_outages
  - int_feeder_outages
  - int_metering_points_as_of
  - stg_metering__power_events
  - stg_metering__supply_outages
compares: [metering.met_supply_outage.start_at, metering.met_power_event.event_ts, marketing.mkt_mp.feeder_no]
parameters: [minutes, accounts, XSR-21.minutes, XSR-50.accounts]
*/
-- tested
with limits as materialized (
    select make_interval(mins => quality.parameter('XSR-51', 'minutes', :business_date)::integer) as apart
),

shortest as (
    select
        outages.metering_point_no,
        min(outages.ended_at - outages.started_at) as duration
    from staging.int_customer_outages as outages
    group by outages.metering_point_no
),

-- A customer with a second feeder need not have been dark, and not every meter notes a momentary outage.
concerned as (
    select
        supply._raw_id,
        points.account_no,
        points.metering_point_no,
        outages.started_at as dark_from,
        outages.ended_at as dark_to
    from staging.stg_metering__supply_outages as supply
    cross join limits
    inner join staging.int_metering_points_as_of as points
        on
            supply.feeder_no = points.feeder_no
            and points.is_expected_to_report
            and {{ is_valid_on('points', local_date('supply.started_at')) }}
            and (supply.transformer_area_no is null or supply.transformer_area_no = points.transformer_area_no)
    inner join staging.int_account_feeders as feeders
        on points.account_no = feeders.account_no and supply.feeder_no = feeders.feeder_no and feeders.feeders = 1
    left join staging.int_customer_outages as outages
        on
            points.metering_point_no = outages.metering_point_no
            and outages.started_at <= coalesce(supply.ended_at, 'infinity') + limits.apart
            and coalesce(outages.ended_at, 'infinity') >= supply.started_at - limits.apart
    left join shortest on points.metering_point_no = shortest.metering_point_no
    where
        supply.started_at >= (select min(events.event_at) from staging.stg_metering__power_events as events)
        and (
            coalesce(supply.ended_at, 'infinity') - supply.started_at
            > make_interval(mins => quality.parameter('XSR-21', 'minutes', :business_date)::integer)
            or coalesce(supply.ended_at, 'infinity') - supply.started_at >= shortest.duration
        )
),

counted as (
    select
        concerned._raw_id,
        count(distinct concerned.account_no) as accounts,
        count(distinct concerned.account_no) filter (where concerned.dark_from is not null) as accounts_dark,
        percentile_disc(0.5) within group (order by concerned.dark_from) as dark_from,
        percentile_disc(0.5) within group (order by concerned.dark_to) as dark_to
    from concerned
    group by concerned._raw_id
)

select
    supply._raw_id as raw_id,
    supply.started_at,
    supply.ended_at,
    counted.accounts,
    counted.accounts_dark,
    counted.dark_from,
    counted.dark_to,
    limits.apart
from counted
cross join limits
inner join staging.stg_metering__supply_outages as supply on counted._raw_id = supply._raw_id
where
    counted.accounts >= quality.parameter('XSR-51', 'accounts', :business_date)
    or counted.accounts_dark > 1
    -- fewer are enough where they were dark at another time that no record has
    or exists (
        select 1
        from staging.int_feeder_outages as outages
        where
            outages.feeder_no = supply.feeder_no
            and outages.accounts >= quality.parameter('XSR-50', 'accounts', :business_date)
            and not outages.is_on_record
    )
-- violations
select
    {{ finding(
        column_sql="case when abs(extract(epoch from started_at - dark_from)) > extract(epoch from apart) or accounts_dark = 0 then 'start_at' else 'end_at' end",
        day=local_date('started_at'), account=false
    ) }},
    started_at || ' to ' || ended_at as observed,
    case
        when accounts_dark = 0 then 'an outage that one of ' || accounts || ' metered accounts saw'
        else dark_from || ' to ' || coalesce(dark_to::text, 'now') || ' at half of ' || accounts_dark || ' metered accounts'
    end as expected
from tested
where
    accounts_dark = 0
    or (
        accounts_dark > 1
        and (
            abs(extract(epoch from started_at - dark_from)) > extract(epoch from apart)
            or abs(extract(epoch from ended_at - dark_to)) > extract(epoch from apart)
        )
    )
