with load_clusters as (
    select * from {{ ref('int_load_clusters') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

months as (
    select * from {{ ref('dim_months') }}
),

median_distances as (
    select
        month_start_date,
        cluster_no,
        percentile_disc(0.5) within group (order by distance_to_typical) as median_distance
    from load_clusters
    where cluster_no is not null
    group by month_start_date, cluster_no
),

scored as (
    select
        load_clusters.*,
        accounts.org_no,
        months.report_date,
        (load_clusters.distance_to_typical / nullif(median_distances.median_distance, 0))::numeric(12, 4) as anomaly_score
    from load_clusters
    inner join months on load_clusters.month_start_date = months.month_start_date
    left join accounts on load_clusters.account_no = accounts.account_no
    left join median_distances
        on
            load_clusters.month_start_date = median_distances.month_start_date
            and load_clusters.cluster_no = median_distances.cluster_no
),

-- Four slots make an hour; 24 numbers are what a reader can draw.
hours as (
    select
        scored.account_no,
        scored.month_start_date,
        slots.hour_no,
        avg(slots.own_value)::numeric(10, 4) as own_value,
        avg(slots.typical_value)::numeric(10, 4) as typical_value
    from scored
    cross join lateral (
        select
            (unfolded.slot_no - 1) / 4 as hour_no,
            unfolded.own_value,
            unfolded.typical_value
        from unnest(scored.profile, scored.typical_profile) with ordinality as unfolded (own_value, typical_value, slot_no)
    ) as slots
    group by scored.account_no, scored.month_start_date, slots.hour_no
),

shapes as (
    select
        account_no,
        month_start_date,
        '[' || string_agg(own_value::text, ', ' order by hour_no) || ']' as load_profile_24h,
        '[' || string_agg(typical_value::text, ', ' order by hour_no) || ']' as typical_profile_24h,
        (array_agg(hour_no order by typical_value desc nulls last, hour_no))[1]::integer as typical_peak_hour
    from hours
    group by account_no, month_start_date
),

measured as (
    select
        scored.account_no,
        scored.month_start_date,
        scored.org_no,
        scored.profile_days,
        scored.no_cluster_code,
        scored.cluster_no,
        scored.cluster_count,
        scored.cluster_count_basis,
        scored.mean_silhouette,
        scored.cluster_accounts,
        shapes.typical_profile_24h,
        case when scored.cluster_no is not null then shapes.typical_peak_hour end as typical_peak_hour,
        shapes.load_profile_24h,
        scored.distance_to_typical,
        scored.anomaly_score,
        scored.anomaly_score > {{ parameter('load_cluster_parameters', 'anomaly_limit', on='scored.report_date') }}
            as is_anomalous
    from scored
    left join shapes
        on scored.account_no = shapes.account_no and scored.month_start_date = shapes.month_start_date
),

final as ({{ partial_rows('measured') }})

select * from final
