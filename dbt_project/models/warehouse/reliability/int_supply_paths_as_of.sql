-- By which feeders an account is supplied, from when to when: one row a billing point, and one a circuit that its contract names.
with metering_points as (
    select * from {{ ref('dim_metering_points') }}
    where role_code = 'BILLING' and account_no is not null and (valid_to is null or valid_from < valid_to)
),

contracts as (
    select * from {{ ref('int_contracts_in_force') }}
    where account_no is not null
),

-- Without meter and feeder nothing can tell of a point whether it is dark: it keeps no interruption from being one.
by_point as (
    select
        account_no,
        coalesce(feeder_no, metering_point_no) as path_no,
        feeder_no,
        metering_point_no,
        transformer_area_no,
        coalesce(is_installed, true) as is_metered,
        valid_from,
        valid_to
    from metering_points
    where feeder_no is not null or coalesce(is_installed, true)
),

located as (
    select distinct account_no
    from by_point
    where feeder_no is not null
),

-- The main feeder of a contract with one circuit is that of the billing points, where they tell it.
by_contract as (
    select
        contracts.account_no,
        nullif(contracts.main_feeder_no, '') as feeder_no,
        contracts.valid_from,
        contracts.valid_to
    from contracts
    left join located on contracts.account_no = located.account_no
    where nullif(contracts.backup_feeder_no, '') is not null or located.account_no is null
    union
    select
        account_no,
        nullif(backup_feeder_no, '') as feeder_no,
        valid_from,
        valid_to
    from contracts
),

final as (
    select
        account_no,
        path_no,
        feeder_no,
        metering_point_no,
        transformer_area_no,
        is_metered,
        false as is_standby,
        valid_from,
        valid_to
    from by_point
    union all
    select
        account_no,
        feeder_no as path_no,
        feeder_no,
        null::text as metering_point_no,
        null::text as transformer_area_no,
        false as is_metered,
        true as is_standby,
        valid_from,
        valid_to
    from by_contract
    where feeder_no is not null
)

select * from final
