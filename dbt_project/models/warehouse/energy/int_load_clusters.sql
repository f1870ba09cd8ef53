with profiles as (
    select * from {{ ref('int_load_profiles') }}
),

labels as (
    select * from {{ source('clusters', 'load_cluster_labels') }}
),

labelled as (
    select
        profiles.account_no,
        profiles.month_start_date,
        profiles.profile_days,
        coalesce(
            profiles.no_profile_code, case when labels.cluster_no is null then 'NO_CLUSTERS' end
        ) as no_cluster_code,
        profiles.profile,
        labels.cluster_no,
        labels.cluster_count,
        labels.mean_silhouette,
        labels.cluster_count_basis
    from profiles
    left join labels
        on profiles.account_no = labels.account_no and profiles.month_start_date = labels.month_start_date
),

typical_slots as (
    select
        labelled.month_start_date,
        labelled.cluster_no,
        slots.slot_no,
        count(*)::integer as cluster_accounts,
        avg(slots.slot_value)::numeric(12, 6) as slot_value
    from labelled
    cross join lateral unnest(labelled.profile) with ordinality as slots (slot_value, slot_no)
    where labelled.cluster_no is not null
    group by labelled.month_start_date, labelled.cluster_no, slots.slot_no
),

typical as (
    select
        month_start_date,
        cluster_no,
        max(cluster_accounts) as cluster_accounts,
        array_agg(slot_value order by slot_no) as typical_profile
    from typical_slots
    group by month_start_date, cluster_no
),

-- Root of the mean squared difference of the slots: a share of the account's own mean power.
final as (
    select
        labelled.*,
        typical.cluster_accounts,
        typical.typical_profile,
        (
            select sqrt(avg((slots.own_value - slots.typical_value) * (slots.own_value - slots.typical_value)))
            from unnest(labelled.profile, typical.typical_profile) as slots (own_value, typical_value)
            where typical.cluster_no is not null
        )::numeric(12, 6) as distance_to_typical
    from labelled
    left join typical
        on labelled.month_start_date = typical.month_start_date and labelled.cluster_no = typical.cluster_no
)

select * from final
