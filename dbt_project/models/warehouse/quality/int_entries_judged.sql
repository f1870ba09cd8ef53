{%- set day = business_date() -%}
with account_offices as (
    select * from {{ ref('int_account_offices') }}
),

limits as (
    select
        {{ day }} - {{ rule_parameter('ARB', 'days', day) }}::integer as before_date,
        {{ rule_parameter('MKT-35', 'limit_minutes', day) }} as limit_minutes,
        {{ rule_parameter('MKT-35', 'edge_minutes', day) }} as edge_minutes
),

held as (
    select 'marketing' as source_name, account_no, false as is_invented
    from account_offices
    union all
    select 'contract', account_no, false
    from {{ ref('stg_contract__contracts') }}
    union all
    select 'metering', account_no, false
    from {{ ref('stg_metering__measuring_points') }}
    union all
    select source_name, account_no, true
    from {{ ref('fct_findings') }}
    where
        axis_code = 'arbitrary'
        and status_code = 'OPEN'
        -- told by machines, not by an office
        and table_name not in ('met_interval_96', 'met_power_event', 'met_event_alarm', 'met_pq_sample', 'met_voltage_daily')
),

-- What a system holds of an account is one entry, however many of its fields are invented.
files as (
    select
        'INVENTED_FILE' as test_code,
        account_no,
        null::text as clerk_no,
        {{ day }} as entry_date,
        bool_or(is_invented) as looks_fabricated
    from held
    where account_no is not null
    group by source_name, account_no
),

meters as (
    select distinct on (points.meter_asset_no)
        points.meter_asset_no,
        points.account_no,
        10::numeric ^ coalesce(meters.digits_dec, 0) as parts
    from {{ ref('stg_metering__measuring_points') }} as points
    left join {{ ref('dim_meters') }} as meters on points.meter_asset_no = meters.meter_asset_no
    order by points.meter_asset_no, points._raw_id desc
),

readings as (
    select
        'LAST_DIGIT' as test_code,
        meters.account_no,
        null::text as clerk_no,
        registers.reading_date as entry_date,
        floor(registers.register_reading_kwh * meters.parts) % 5 = 0 as looks_fabricated
    from {{ ref('stg_metering__register_freezes') }} as registers
    inner join meters on registers.meter_asset_no = meters.meter_asset_no
    where registers.collect_way_code = 'MANUAL' and registers.register_reading_kwh >= 0
),

-- Whoever fills in repeats what stands above: three tests compare an entry with the one that the same clerk made before.
stages as (
    select
        'SAME_MINUTE' as test_code,
        applications.account_no,
        stages.handler_no as clerk_no,
        (stages.ended_at at time zone 'Asia/Shanghai')::date as entry_date,
        date_trunc('minute', stages.ended_at) = date_trunc('minute', lag(stages.ended_at) over (
            partition by stages.handler_no order by stages.ended_at, stages.application_no, stages.stage_seq
        )) as looks_fabricated
    from {{ ref('stg_marketing__application_stages') }} as stages
    left join {{ ref('fct_applications') }} as applications on stages.application_no = applications.application_no
    where stages.ended_at is not null and stages.handler_no is not null
),

answers as (
    select
        'SAME_SCORE' as test_code,
        account_no,
        collector_no as clerk_no,
        (answered_at at time zone 'Asia/Shanghai')::date as entry_date,
        score = lag(score) over (partition by collector_no, score_scale order by answered_at, survey_id, question_code) as looks_fabricated
    from {{ ref('stg_marketing__survey_answers') }}
    where score is not null and collector_no is not null
),

inspections as (
    select
        'SAME_TEXT' as test_code,
        account_no,
        inspector_no as clerk_no,
        done_date as entry_date,
        quality.normalised_name(result_text)
        = lag(quality.normalised_name(result_text)) over (partition by inspector_no order by done_date, inspection_no) as looks_fabricated
    from {{ ref('stg_marketing__inspections') }}
    where result_text is not null and inspector_no is not null
),

arrivals as (
    select
        'AT_THE_LIMIT' as test_code,
        tickets.account_no,
        tickets.dept_no as clerk_no,
        (tickets.arrived_at at time zone 'Asia/Shanghai')::date as entry_date,
        tickets.arrival_minutes > limits.limit_minutes - limits.edge_minutes and tickets.arrival_minutes <= limits.limit_minutes
            as looks_fabricated
    from {{ ref('fct_tickets') }} as tickets
    cross join limits
    where tickets.ticket_type_code = 'FAULT' and tickets.area_class_code = 'URBAN' and tickets.arrival_minutes is not null
),

entries as (
    {% for test in ['files', 'readings', 'stages', 'answers', 'inspections', 'arrivals'] -%}
    select test_code, account_no, clerk_no, entry_date, looks_fabricated from {{ test }}
    {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select
        entries.test_code,
        coalesce(account_offices.org_no, 'UNKNOWN') as org_no,
        coalesce(entries.clerk_no, 'ALL') as clerk_no,
        count(*)::integer as rows_judged,
        count(*) filter (where entries.looks_fabricated)::integer as rows_filled
    from entries
    cross join limits
    left join account_offices on entries.account_no = account_offices.account_no
    where
        entries.looks_fabricated is not null  -- a clerk's first entry repeats nothing
        and entries.entry_date > limits.before_date
        and entries.entry_date <= {{ day }}
    group by entries.test_code, coalesce(account_offices.org_no, 'UNKNOWN'), coalesce(entries.clerk_no, 'ALL')
)

select * from final
