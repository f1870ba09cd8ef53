{{ config(tags=['as_delivered']) }}

-- Every feeder from which an account is or was supplied, by whichever archive: whom an outage of a feeder can concern.
with metering_points as (
    select * from {{ ref('int_metering_points_as_of') }}
),

current_points as (
    select * from {{ ref('stg_metering__measuring_points') }}
),

contracts as (
    select * from {{ ref('stg_contract__contracts') }}
),

told as (
    select account_no, feeder_no from metering_points
    union
    select account_no, feeder_no from current_points
    union
    select account_no, main_feeder_no from contracts
    union
    select account_no, backup_feeder_no from contracts
),

final as (
    select
        account_no,
        feeder_no,
        count(*) over (partition by account_no)::integer as feeders
    from told
    where account_no is not null and nullif(feeder_no, '') is not null
)

select * from final
