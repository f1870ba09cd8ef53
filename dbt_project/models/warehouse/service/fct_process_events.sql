with steps_of_cases as (
    select * from {{ ref('int_case_steps') }}
),

permitted as (
    select * from {{ ref('process_steps') }}
),

-- What a path says is compared as one text: the exact sequence, and the set of steps.
paths as (
    select
        process_code,
        path_no,
        valid_from,
        valid_to,
        array_agg(step_code order by step_no) as step_codes
    from permitted
    group by process_code, path_no, valid_from, valid_to
),

cases as (
    select
        case_kind_code,
        case_no,
        process_code,
        is_closed,
        opened_date,
        array_agg(step_code order by step_seq) as step_codes
    from steps_of_cases
    group by case_kind_code, case_no, process_code, is_closed, opened_date
),

compared as (
    select
        cases.*,
        paths.path_no,
        paths.step_codes as planned_step_codes,
        cases.step_codes = paths.step_codes as is_exact,
        cases.step_codes = paths.step_codes[1:cardinality(cases.step_codes)] as is_beginning,
        (
            select count(*)
            from (
                (select unnest(cases.step_codes) except select unnest(paths.step_codes))
                union all
                (select unnest(paths.step_codes) except select unnest(cases.step_codes))
            ) as differing
        ) as differing_steps
    from cases
    inner join paths
        on
            cases.process_code = paths.process_code
            and {{ is_valid_on('paths', 'cases.opened_date') }}
),

-- A case is held against the permitted path that it comes nearest to.
nearest as (
    select distinct on (case_kind_code, case_no) *
    from compared
    order by case_kind_code, case_no, is_exact desc, is_beginning desc, differing_steps, path_no
),

planned as (
    select
        nearest.case_kind_code,
        nearest.case_no,
        nearest.path_no,
        nearest.is_exact,
        nearest.is_closed,
        nearest.process_code,
        steps.step_code,
        steps.step_no::integer as step_no
    from nearest
    cross join lateral unnest(nearest.planned_step_codes) with ordinality as steps (step_code, step_no)
),

actual as (
    select
        steps_of_cases.*,
        planned.step_no as planned_step_no,
        max(planned.step_no) over (
            partition by steps_of_cases.case_kind_code, steps_of_cases.case_no
            order by steps_of_cases.step_seq rows between unbounded preceding and 1 preceding
        ) as farthest_step_no
    from steps_of_cases
    left join planned
        on
            steps_of_cases.case_kind_code = planned.case_kind_code
            and steps_of_cases.case_no = planned.case_no
            and steps_of_cases.step_code = planned.step_code
),

-- A step is skipped once a later one of its path was done, or the case is closed.
skipped as (
    select
        planned.case_kind_code,
        planned.case_no,
        planned.step_code,
        planned.step_no,
        planned.is_closed,
        min(later.step_seq) as skipped_before_seq
    from planned
    left join actual
        on
            planned.case_kind_code = actual.case_kind_code
            and planned.case_no = actual.case_no
            and planned.step_code = actual.step_code
    left join actual as later
        on
            planned.case_kind_code = later.case_kind_code
            and planned.case_no = later.case_no
            and planned.step_no < later.planned_step_no
    where actual.case_no is null
    group by planned.case_kind_code, planned.case_no, planned.step_code, planned.step_no, planned.is_closed
    having planned.is_closed or min(later.step_seq) is not null
),

events as (
    select
        case_kind_code,
        case_no,
        step_code as actual_step_code,
        case when planned_step_no is not null then step_code end as planned_step_code,
        planned_step_no,
        step_seq,
        step_run_no,
        ended_at,
        false as is_skipped,
        null::integer as skipped_before_seq,
        step_run_no > 1 as is_rework,
        step_run_no = 1 and coalesce(planned_step_no < farthest_step_no, false) as is_out_of_order,
        planned_step_no is null as is_unplanned
    from actual
    union all
    select
        case_kind_code,
        case_no,
        null as actual_step_code,
        step_code as planned_step_code,
        step_no as planned_step_no,
        null as step_seq,
        0 as step_run_no,
        null as ended_at,
        true as is_skipped,
        skipped_before_seq,
        false as is_rework,
        false as is_out_of_order,
        false as is_unplanned
    from skipped
),

final as (
    select
        events.case_kind_code,
        events.case_no,
        row_number() over (
            partition by events.case_kind_code, events.case_no
            order by
                coalesce(events.step_seq, events.skipped_before_seq) nulls last, events.step_seq nulls first, events.planned_step_no
        )::integer as event_no,
        nearest.process_code,
        nearest.path_no,
        events.planned_step_no,
        events.planned_step_code,
        events.actual_step_code,
        events.step_seq,
        events.step_run_no,
        events.ended_at,
        events.is_skipped,
        events.skipped_before_seq,
        events.is_rework,
        events.is_out_of_order,
        events.is_unplanned,
        nearest.is_closed as is_case_closed,
        nearest.is_closed and nearest.is_exact as is_case_conformant
    from events
    inner join nearest on events.case_kind_code = nearest.case_kind_code and events.case_no = nearest.case_no
)

select * from final
