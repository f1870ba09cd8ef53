{{ config(
    indexes=[
        {'columns': ['metering_point_no', 'reading_date', 'quantity_code']},
        {'columns': ['metering_point_no', 'quantity_code', 'phase_code']},
        {'columns': ['reading_date']},
        {'columns': ['_raw_id']},
        {'columns': ['_load_id']},
        {'columns': ['curve_hash']}
    ],
    meta={
        'analyzed_columns': 'metering_point_no, reading_date, quantity_code, phase_code, collected_slots, curve_hash, _load_id',
        'touched_by': {'unit': 'metering_point_no', 'day': 'reading_date'}
    }
) }}

with curves as (
    select * from {{ touched(ref('stg_metering__curves')) }}
),

-- Chosen on the narrow key: sorting the arrays themselves costs several times as much.
newest as (
    select distinct on (metering_point_no, reading_date, quantity_code, phase_code) _raw_id
    from curves
    order by
        metering_point_no,
        reading_date,
        quantity_code,
        phase_code,
        version desc nulls last,
        received_at desc nulls last,
        _raw_id desc
),

final as (
    select
        curves.metering_point_no,
        curves.reading_date,
        curves.quantity_code,
        curves.phase_code,
        curves.version,
        curves.is_primary,
        curves.values_by_slot,
        num_nonnulls(variadic curves.values_by_slot) as collected_slots,
        hash_array_extended(curves.values_by_slot, 0) as curve_hash,
        curves.slot_flags,
        curves.collect_way_code,
        curves.received_at,
        curves._raw_id,
        curves._load_id
    from curves
    inner join newest on curves._raw_id = newest._raw_id
)

select * from final
