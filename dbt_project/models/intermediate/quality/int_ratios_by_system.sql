-- The ratios of a metering point as each system has them. Whether a change was a bulk edit (the value changed, the
-- source's own time of change did not) is only in the raw log.
with metering as (
    select * from {{ ref('int_metering_points_current') }}
),

marketing as (
    select distinct on (metering_point_no) *
    from {{ ref('stg_marketing__meter_installations') }}
    where {{ is_in_period(business_date(), 'install_date', 'remove_date') }}
    order by metering_point_no, install_date desc, _raw_id desc
),

contract as (
    select distinct on (lines.metering_point_no) lines.*
    from {{ ref('stg_contract__metering_annex_lines') }} as lines
    inner join {{ ref('int_contracts_in_force') }} as contracts
        on
            lines.contract_no = contracts.contract_no
            and lines.version = contracts.version
            and contracts.is_effective
            and {{ is_valid_on('contracts', business_date()) }}
    order by lines.metering_point_no, lines._raw_id desc
),

versions as (
    {% for side, table_name in [
        ('metering', 'met_measuring_point'), ('marketing', 'mkt_meter_install'), ('contract', 'con_metering_annex')
    ] %}
        select
            '{{ side }}' as system_name,
            states._raw_id,
            states.src_updated_at = states.src_updated_at_before as keeps_its_time,
            (states.ct_ratio is distinct from states.ct_ratio_before) as has_other_ct,
            (states.pt_ratio is distinct from states.pt_ratio_before) as has_other_pt
        from ({{ states_landed(side, table_name, ['src_updated_at', 'ct_ratio', 'pt_ratio']) }}) as states
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

told as (
    {% for side in ['metering', 'marketing', 'contract'] %}
        select '{{ side }}' as system_name, metering_point_no, ct_ratio, pt_ratio, source_updated_at, _raw_id from {{ side }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}
),

final as (
    select
        told.metering_point_no,
        ratios.ratio_code,
        told.system_name,
        ratios.ratio,
        told.source_updated_at,
        coalesce(versions.keeps_its_time and ratios.is_changed, false) as is_bulk_edit
    from told
    left join versions on told.system_name = versions.system_name and told._raw_id = versions._raw_id
    cross join lateral (
        values ('CT', told.ct_ratio, versions.has_other_ct), ('PT', told.pt_ratio, versions.has_other_pt)
    ) as ratios (ratio_code, ratio, is_changed)
    where ratios.ratio is not null
)

select * from final
