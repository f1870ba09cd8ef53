with marketing_points as (
    {{ marketing_points() }}
),

installations as (
    select * from {{ ref('stg_marketing__meter_installations') }}
),

instrument_transformers as (
    select * from {{ ref('stg_metering__instrument_transformers') }}
),

measuring_points as (
    select distinct on (metering_point_no)
        *,
        (installed_at at time zone 'Asia/Shanghai')::date as installed_date,
        (removed_at at time zone 'Asia/Shanghai')::date as removed_date
    from {{ ref('stg_metering__measuring_points') }}
    order by metering_point_no, _raw_id desc
),

bounds as (
    select metering_point_no, valid_from as bound_date from marketing_points
    union
    select metering_point_no, valid_to from marketing_points
    union
    select metering_point_no, install_date from installations
    union
    select metering_point_no, remove_date from installations
    union
    select metering_point_no, valid_from from instrument_transformers
    union
    select metering_point_no, valid_to from instrument_transformers
    union
    select metering_point_no, installed_date from measuring_points
    union
    select metering_point_no, removed_date from measuring_points
),

segments as (
    select
        metering_point_no,
        bound_date as valid_from,
        lead(bound_date) over (partition by metering_point_no order by bound_date) as valid_to
    from bounds
    where metering_point_no is not null and bound_date is not null
),

marketing_as_of as (
    select distinct on (segments.metering_point_no, segments.valid_from)
        segments.valid_from as segment_from,
        marketing_points.*
    from segments
    inner join marketing_points
        on
            segments.metering_point_no = marketing_points.metering_point_no
            and {{ is_valid_on('marketing_points', 'segments.valid_from') }}
    order by
        segments.metering_point_no,
        segments.valid_from,
        marketing_points.valid_from desc nulls last,
        marketing_points._raw_id desc
),

installed_as_of as (
    select distinct on (segments.metering_point_no, segments.valid_from)
        segments.valid_from as segment_from,
        installations.*
    from segments
    inner join installations
        on
            segments.metering_point_no = installations.metering_point_no
            and {{ is_in_period('segments.valid_from', 'installations.install_date', 'installations.remove_date') }}
    order by
        segments.metering_point_no,
        segments.valid_from,
        installations.install_date desc nulls last,
        installations.meter_asset_no,
        installations._raw_id desc
),

-- Phases that disagree give no ratio: the installation record decides then.
ratios_as_of as (
    select
        segments.metering_point_no,
        segments.valid_from as segment_from,
        case
            when
                min(ratio.value) filter (where ratio.kind_code = 'CT')
                = max(ratio.value) filter (where ratio.kind_code = 'CT')
                then max(ratio.value) filter (where ratio.kind_code = 'CT')
        end as ct_ratio,
        case
            when
                min(ratio.value) filter (where ratio.kind_code = 'PT')
                = max(ratio.value) filter (where ratio.kind_code = 'PT')
                then max(ratio.value) filter (where ratio.kind_code = 'PT')
        end as pt_ratio
    from segments
    inner join (
        select
            metering_point_no,
            kind_code,
            valid_from,
            valid_to,
            ratio_primary::numeric / nullif(ratio_secondary, 0) as value
        from instrument_transformers
    ) as ratio
        on
            segments.metering_point_no = ratio.metering_point_no
            and {{ is_valid_on('ratio', 'segments.valid_from') }}
    group by segments.metering_point_no, segments.valid_from
),

combined as (
    select
        segments.metering_point_no,
        segments.valid_from,
        segments.valid_to,
        marketing.account_no,
        marketing.role_code,
        marketing.parent_metering_point_no,
        marketing.split_method_code,
        coalesce(marketing.metering_side_code, measured.metering_side_code) as metering_side_code,
        marketing.voltage_level_code,
        measured.wiring_code,
        coalesce(marketing.feeder_no, measured.feeder_no) as feeder_no,
        coalesce(marketing.transformer_area_no, measured.transformer_area_no) as transformer_area_no,
        installed.meter_asset_no,
        coalesce(ratios.ct_ratio, installed.ct_ratio, measured.ct_ratio) as ct_ratio,
        coalesce(ratios.pt_ratio, installed.pt_ratio, measured.pt_ratio) as pt_ratio,
        case
            when ratios.ct_ratio is not null then 'INSTRUMENT_TRANSFORMERS'
            when installed.ct_ratio is not null then 'METER_INSTALLATION'
            when measured.ct_ratio is not null then 'MEASURING_POINT'
        end as ratio_basis_code,
        marketing.metering_point_no is not null as is_in_marketing,
        {{ 'true' if is_left_out('mkt_meter_install') else 'installed.metering_point_no is not null' }} as is_installed
    from segments
    left join marketing_as_of as marketing
        on segments.metering_point_no = marketing.metering_point_no and segments.valid_from = marketing.segment_from
    left join installed_as_of as installed
        on segments.metering_point_no = installed.metering_point_no and segments.valid_from = installed.segment_from
    left join ratios_as_of as ratios
        on segments.metering_point_no = ratios.metering_point_no and segments.valid_from = ratios.segment_from
    left join measuring_points as measured on segments.metering_point_no = measured.metering_point_no
),

-- A billing point under another billing point of its account is measured twice: only the upper one counts.
measured_twice as (
    select distinct
        combined.metering_point_no,
        combined.valid_from
    from combined
    inner join marketing_points as parents
        on
            combined.parent_metering_point_no = parents.metering_point_no
            and combined.account_no = parents.account_no
            and {{ is_valid_on('parents', 'combined.valid_from') }}
    where parents.role_code = 'BILLING'
),

final as (
    select
        combined.metering_point_no,
        combined.valid_from,
        combined.valid_to,
        combined.account_no,
        combined.role_code,
        combined.parent_metering_point_no,
        combined.split_method_code,
        combined.metering_side_code,
        combined.voltage_level_code,
        combined.wiring_code,
        combined.feeder_no,
        combined.transformer_area_no,
        combined.meter_asset_no,
        combined.ct_ratio::numeric(18, 6) as ct_ratio,
        combined.pt_ratio::numeric(18, 6) as pt_ratio,
        (combined.ct_ratio * combined.pt_ratio)::numeric(18, 6) as multiplier,
        combined.ratio_basis_code,
        combined.is_in_marketing,
        combined.is_installed,
        coalesce(combined.role_code = 'BILLING', false) and combined.is_installed as is_expected_to_report,
        coalesce(combined.role_code = 'BILLING', false) and measured_twice.metering_point_no is null as is_counted_in_account
    from combined
    left join measured_twice
        on
            combined.metering_point_no = measured_twice.metering_point_no
            and combined.valid_from = measured_twice.valid_from
)

select * from final
