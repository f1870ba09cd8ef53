/*
sentence: No value is an overflow code of an instrument, such as a power factor of 327.67.
axis: mismatch
dimension: validity
severity: quarantine
owner: metering office
reason: An instrument writes the code when it could not measure; taken as a value it becomes the peak of the year.
source: seed quality_overflow_codes; data sheets of the instruments
subject: [met_interval_96, met_pq_sample]
quarantines: [met_interval_96, met_pq_sample]
not_tested: No curve and no sample landed tonight.
population: curves and power-quality samples that landed
tests: touched rows
reads: [quality.open_findings, quality_overflow_codes, stg_metering__curves, stg_metering__power_quality_samples]
*/
-- tested
with codes as materialized (
    select
        quantity_code,
        array_agg(overflow_value::double precision) filter (where scope = 'any') as any_codes,
        array_agg(overflow_value::double precision) as all_codes
    from staging.quality_overflow_codes
    where {{ is_in_period(':business_date', 'valid_from', 'valid_to') }}
    group by quantity_code
),

curves as (
    select
        curves._raw_id as raw_id,
        curves.reading_date,
        curves.values_by_slot,
        coalesce(case when curves.is_primary then codes.any_codes else codes.all_codes end, '{}') as codes
    from {{ touched_curves('staging.stg_metering__curves') }} as curves
    -- The seed tells energy of either kind and direction as E.
    inner join codes
        on codes.quantity_code = case when curves.quantity_code in ('P', 'Q', 'U', 'I', 'PF') then curves.quantity_code else 'E' end
),

samples as (
    select
        samples._raw_id as raw_id,
        {{ local_date('samples.sampled_at') }} as reading_date,
        readings.column_name,
        readings.reading
    from staging.stg_metering__power_quality_samples as samples
    left join lateral (
        select measured.column_name, measured.reading
        from (
            values
            ('u_a', 'U', samples.voltage_a_v),
            ('u_b', 'U', samples.voltage_b_v),
            ('u_c', 'U', samples.voltage_c_v),
            ('i_a', 'I', samples.current_a_a),
            ('i_b', 'I', samples.current_b_a),
            ('i_c', 'I', samples.current_c_a),
            ('p_kw', 'P', samples.active_power_kw),
            ('q_kvar', 'Q', samples.reactive_power_kvar),
            ('pf', 'PF', samples.power_factor)
        ) as measured (column_name, quantity_code, reading)
        inner join codes
            on
                measured.quantity_code = codes.quantity_code
                and abs(measured.reading)::double precision = any (codes.any_codes)
    ) as readings on true
    where {{ is_new_or_open('samples', 'met_pq_sample') }}
)

select
    curves.raw_id,
    'met_interval_96'::text as table_name,
    curves.reading_date,
    'v' || first_slots.slot_no as column_name,
    first_slots.slot_value::numeric as reading
from curves
left join lateral (
    select slots.slot_no, slots.slot_value
    from unnest(curves.values_by_slot) with ordinality as slots (slot_value, slot_no)
    -- Most curves share no value with the codes; they are not unfolded.
    where curves.values_by_slot && curves.codes and slots.slot_value = any (curves.codes)
    order by slots.slot_no
    limit 1
) as first_slots on true
union all
select samples.raw_id, 'met_pq_sample'::text as table_name, samples.reading_date, samples.column_name, samples.reading
from samples
-- violations
select
    table_name,
    {{ finding(column_sql='column_name', day='reading_date', account=false) }},
    reading::text as observed,
    'a measured value' as expected
from tested
where reading is not null
