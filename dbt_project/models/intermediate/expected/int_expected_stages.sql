-- The stages of an application are numbered without a gap from 1, and there is a first one. What a finished application lacks
-- of its required stages is MKT-32.
with applications as (
    select * from {{ ref('stg_marketing__applications') }}
),

stages as (
    select * from {{ ref('stg_marketing__application_stages') }}
),

customers as (
    select distinct on (account_no) *
    from {{ ref('stg_marketing__customers') }}
    order by account_no, _raw_id desc
),

required as (
    select * from {{ ref('quality_required_stages') }}
),

rejected as (
    select * from {{ source('quality', 'rejected_rows') }}
    where table_name = 'mkt_app_stage' and superseded_by is null
),

arrived as (
    select
        application_no,
        stage_seq::text as stage_no,
        stage_code
    from stages
    union all
    select
        btrim(row_text ->> 'app_no'),
        btrim(row_text ->> 'stage_seq'),
        row_text ->> 'stage'
    from rejected
),

incomplete as (
    select distinct applications.application_no
    from applications
    left join customers on applications.account_no = customers.account_no
    inner join required
        on
            applications.application_type_code = required.application_type_code
            and (not required.is_for_important_users or customers.importance_code <> 'NONE')
            and {{ is_valid_on('required', local_date('applications.accepted_at')) }}
    left join arrived
        on
            applications.application_no = arrived.application_no
            and required.stage_code = arrived.stage_code
    where applications.status_code = 'DONE' and arrived.application_no is null
),

last_stages as (
    select
        application_no,
        max(stage_seq) as last_no
    from stages
    group by application_no
),

expected as (
    select
        applications.application_no,
        min(applications.account_no) as account_no,
        min({{ local_date('applications.accepted_at') }}) as accepted_date,
        numbers.stage_no
    from applications
    left join last_stages on applications.application_no = last_stages.application_no
    cross join lateral generate_series(1, coalesce(last_stages.last_no, 1)) as numbers (stage_no)
    where applications.application_no not in (select incomplete.application_no from incomplete)
    group by applications.application_no, numbers.stage_no
),

final as (
    select
        'stage' as what_code,
        expected.application_no as owner_no,
        expected.account_no,
        expected.stage_no::text as channel_code,
        jsonb_build_object('what', 'stage', 'app_no', expected.application_no, 'stage_seq', expected.stage_no) as record_key,
        null::date as period_date,
        expected.accepted_date as since_date,
        true as is_whole,
        arrived.application_no is not null as is_arrived
    from expected
    left join (select distinct application_no, stage_no from arrived) as arrived
        on
            expected.application_no = arrived.application_no
            and expected.stage_no::text = arrived.stage_no
)

select * from final
