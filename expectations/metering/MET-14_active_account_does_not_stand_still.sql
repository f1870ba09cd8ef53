/*
sentence: A billing point of an account in normal service has energy at least once in any {days:words} consecutive days.
axis: missing
dimension: plausibility
severity: warn
owner: metering office
reason: A stopped meter and an empty factory look alike; somebody has to look.
source: California VEE, zero consumption of an active account; State Grid's rule on three zero readings in a row of a remotely read meter (抄核收)
subject: met_interval_96
not_tested: No billing point of an account in normal service was read.
population: energy curves of billing points of accounts in normal service
tests: touched points
reads: [int_curves_latest, int_metering_points_as_of, stg_marketing__customers, stg_metering__curves]
parameters: [days]
*/
-- tested
with energies as (
    select
        curves._raw_id,
        curves.metering_point_no,
        curves.reading_date,
        quality.slot_sum(curves.values_by_slot) as energy
    from staging.int_curves_latest as curves
    where
        curves.quantity_code = 'E+'
        and curves.phase_code = 'T'
        and curves.reading_date = any (array(
            select distinct changed.reading_date - shifts.days
            from {{ touched_curves('staging.stg_metering__curves') }} as changed
            cross join generate_series(0, :days::integer - 1) as shifts (days)
        ))
),

runs as (
    select
        energies.*,
        max(energies.energy) over last_days as highest_energy,
        count(*) over last_days as days_read
    from energies
    window last_days as (
        partition by energies.metering_point_no
        order by energies.reading_date
        range between make_interval(days => :days::integer - 1) preceding and current row
    )
)

select
    runs._raw_id as raw_id,
    runs.reading_date,
    points.account_no,
    runs.days_read >= :days and runs.highest_energy = 0 as stands_still
from runs
inner join quality.touched_curves as touched on touched.table_name = 'met_interval_96' and touched.raw_id = runs._raw_id
inner join staging.int_metering_points_as_of as points
    on runs.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'runs.reading_date') }}
inner join staging.stg_marketing__customers as customers
    on points.account_no = customers.account_no and customers.status_code = 'NORMAL'
where points.role_code = 'BILLING'
-- violations
select
    {{ finding('v1', day='reading_date') }},
    '0 kWh for ' || :days::integer || ' days' as observed,
    'energy above 0' as expected
from tested
where stands_still
