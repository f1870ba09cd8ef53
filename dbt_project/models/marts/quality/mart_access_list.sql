with units as (
    select * from {{ ref('dim_source_units') }}
),

organisations as (
    select * from {{ ref('dim_organisations') }}
),

deliveries as (
    select * from {{ ref('int_unit_deliveries') }}
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

findings as (
    select * from {{ ref('fct_findings') }}
    where axis_code = 'arbitrary'
),

arbitrary as (
    select
        accounts.org_no,
        findings.source_name,
        count(*) as findings
    from findings
    inner join accounts on findings.account_no = accounts.account_no
    group by accounts.org_no, findings.source_name
),

shares as (
    select
        org_no,
        count(*) filter (where access_mode_code = 'AUTO')::numeric / count(*) as auto_share
    from units
    group by org_no
),

judged as (
    select
        units.*,
        {{ business_date() }} as as_of_date,
        organisations.org_name,
        coalesce(units.qualified_date <= {{ business_date() }}, false) as is_qualified,
        deliveries.last_delivered_date,
        deliveries.last_received_at,
        coalesce(deliveries.rows_last, 0) as rows_last,
        case
            when deliveries.last_received_at >= {{ day_start_at(business_date() ~ ' + 1') }} then 0
            else {{ minutes_between('deliveries.last_received_at', day_start_at(business_date() ~ ' + 1')) }} / 60
        end as silent_hours,
        units.expected_freq_hours * {{ parameter('mart_parameters', 'unit_silent_factor') }} as silent_limit_hours,
        coalesce(arbitrary.findings, 0) as arbitrary_findings,
        shares.auto_share
    from units
    left join organisations on units.org_no = organisations.org_no
    left join deliveries on units.unit_no = deliveries.unit_no
    left join arbitrary on units.org_no = arbitrary.org_no and units.source_name = arbitrary.source_name
    left join shares on units.org_no = shares.org_no
),

measured as (
    select
        as_of_date,
        unit_no,
        org_no,
        org_name,
        source_name,
        access_mode_code,
        is_qualified,
        qualified_date,
        submitter_no,
        checker_no,
        has_two_persons,
        expected_freq_hours,
        last_delivered_date,
        last_received_at,
        silent_hours::numeric(14, 4) as silent_hours,
        silent_limit_hours::numeric(14, 4) as silent_limit_hours,
        rows_last,
        arbitrary_findings::integer as arbitrary_findings,
        auto_share::numeric(9, 6) as org_auto_share,
        case
            when last_received_at is null then 'NEVER_RECEIVED'
            when silent_hours > silent_limit_hours then 'SILENT'
            when access_mode_code = 'AUTO' and not is_qualified then 'NOT_QUALIFIED'
            when access_mode_code = 'FORM' and not has_two_persons then 'ONE_PERSON'
            else 'OK'
        end as status_code
    from judged
),

final as ({{ partial_rows('measured') }})

select * from final
