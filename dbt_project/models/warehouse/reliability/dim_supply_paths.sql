with contracts as (
    select * from {{ ref('stg_contract__contracts') }}
),

metering_points as (
    select * from {{ ref('dim_metering_points') }}
),

feeders as (
    select * from {{ ref('dim_feeders') }}
),

-- A contract that has run out still tells how the account is connected.
newest_contracts as (
    select distinct on (account_no) *
    from contracts
    where account_no is not null and valid_from <= {{ business_date() }}
    order by
        account_no,
        coalesce({{ business_date() }} < valid_to, true) desc,
        status_code = 'EFFECTIVE' desc,
        valid_from desc,
        version desc,
        _raw_id desc
),

-- The contract names two circuits at most; a further one is known by the billing points that hang on it.
told as (
    select account_no, main_feeder_no as feeder_no, 'MAIN' as path_code, 1 as precedence
    from newest_contracts
    union all
    select account_no, backup_feeder_no, 'BACKUP', 2
    from newest_contracts
    where nullif(backup_feeder_no, '') is not null
    union all
    select account_no, feeder_no, 'OTHER', 3
    from metering_points
    where
        role_code = 'BILLING'
        and account_no is not null
        and feeder_no is not null
        and {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

paths as (
    select
        account_no,
        feeder_no,
        (array_agg(path_code order by precedence))[1] as path_code,
        min(precedence) as precedence
    from told
    group by account_no, feeder_no
),

placed as (
    select
        paths.*,
        feeders.substation_name,
        feeders.voltage_level_code
    from paths
    left join feeders
        on
            paths.feeder_no = feeders.feeder_no
            and {{ is_valid_on('feeders', business_date()) }}
),

counted as (
    select
        account_no,
        count(feeder_no)::integer as circuits,
        count(distinct substation_name)::integer as independent_sources
    from placed
    group by account_no
),

final as (
    select
        md5(concat_ws('|', placed.account_no, coalesce(placed.feeder_no, ''))) as supply_path_id,
        placed.account_no,
        (row_number() over (
            partition by placed.account_no
            order by placed.precedence, placed.feeder_no nulls last
        ))::integer as path_no,
        placed.path_code,
        placed.feeder_no,
        placed.substation_name,
        placed.voltage_level_code,
        newest_contracts.contract_no,
        newest_contracts.supply_mode_code,
        newest_contracts.interlock_code,
        newest_contracts.self_gen_kva,
        newest_contracts.security_load_kva,
        counted.circuits,
        counted.independent_sources
    from placed
    inner join counted on placed.account_no = counted.account_no
    left join newest_contracts on placed.account_no = newest_contracts.account_no
)

select * from final
