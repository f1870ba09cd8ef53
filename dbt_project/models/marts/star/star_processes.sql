-- A version that is over shows what was asked on its last day, one to come what its first day will.
with steps as (
    select
        *,
        greatest(valid_from, least(valid_to - 1, {{ business_date() }})) as as_of_date
    from {{ ref('process_steps') }}
),

days as (
    select distinct as_of_date from steps
),

labels as (
    select * from {{ ref('code_labels') }} as labels
    where {{ is_valid_on('labels', business_date()) }}
),

papers as (
    select
        days.as_of_date,
        papers.process_code,
        papers.step_code,
        string_agg(papers.name_en, '; ' order by papers.paper_no) as papers_en,
        string_agg(papers.name_zh, '；' order by papers.paper_no) as papers_zh
    from {{ ref('process_papers') }} as papers
    inner join days on {{ is_valid_on('papers', 'days.as_of_date') }}
    group by days.as_of_date, papers.process_code, papers.step_code
),

fees as (
    select * from {{ ref('process_fees') }}
),

-- Of a step: the clock of its stage. Two clocks of a scheme, for one and for two or more supplies, are one text.
clocks as (
    select
        days.as_of_date,
        clocks.stage_code,
        string_agg(distinct clocks.clock_code, ', ' order by clocks.clock_code) as clock_codes,
        min(clocks.target_value)::numeric(12, 4) as clock_target_from,
        max(clocks.target_value)::numeric(12, 4) as clock_target_to,
        min(clocks.unit_code) as clock_unit_code
    from {{ ref('service_clocks') }} as clocks
    inner join days on {{ is_valid_on('clocks', 'days.as_of_date') }}
    where clocks.subject_code = 'STAGE'
    group by days.as_of_date, clocks.stage_code
),

versions as (
    select
        steps.*,
        dense_rank() over (partition by process_code order by valid_from)::integer as version_no
    from steps
),

final as (
    select
        versions.process_code,
        versions.path_no,
        versions.step_no,
        versions.valid_from,
        versions.valid_to,
        versions.version_no,
        {{ is_valid_on('versions', business_date()) }} as is_in_force,
        processes.name_en as process_name_en,
        processes.name_zh as process_name_zh,
        versions.step_code,
        named.name_en as step_name_en,
        named.name_zh as step_name_zh,
        coalesce(papers.papers_en, 'none named') as papers_en,
        coalesce(papers.papers_zh, '未列') as papers_zh,
        clocks.clock_codes,
        clocks.clock_target_from,
        clocks.clock_target_to,
        clocks.clock_unit_code,
        coalesce(fees.name_en, 'none named') as fee_en,
        coalesce(fees.name_zh, '未列') as fee_zh,
        fees.step_code is not null as has_fee,
        versions.source_doc,
        versions.clause,
        versions.confidence as confidence_code
    from versions
    left join labels as processes
        on processes.column_name = 'process_code' and versions.process_code = processes.code
    left join labels as named on named.column_name = 'step_code' and versions.step_code = named.code
    left join papers
        on
            versions.process_code = papers.process_code
            and versions.step_code = papers.step_code
            and versions.as_of_date = papers.as_of_date
    left join fees
        on
            versions.process_code = fees.process_code
            and versions.step_code = fees.step_code
            and {{ is_valid_on('fees', 'versions.as_of_date') }}
    left join clocks
        on
            versions.step_code = clocks.stage_code
            and versions.process_code like 'CONNECTION_%'
            and versions.as_of_date = clocks.as_of_date
)

select * from final
