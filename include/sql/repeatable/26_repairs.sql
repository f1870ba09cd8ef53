-- How far each finding is that somebody said something about. `repaired` holds until the gate has tested the record again: it is
-- then fixed, or in work once more.
create or replace view quality.finding_work as
with said as (
    select
        finding_id,
        max(note_id) as note_id,
        (array_agg(office order by note_id desc) filter (where office is not null))[1] as office,
        (array_agg(person order by note_id desc) filter (where office is not null))[1] as person,
        (array_agg(status order by note_id desc) filter (where status is not null))[1] as status,
        (array_agg(after_run_id order by note_id desc) filter (where status is not null))[1] as status_after_run_id,
        (array_agg(reason_code order by note_id desc) filter (where reason_code is not null))[1] as reason_code,
        (array_agg(comment order by note_id desc) filter (where comment is not null))[1] as comment
    from quality.finding_notes
    group by finding_id
)

select
    said.finding_id,
    said.note_id,
    said.office,
    said.person,
    case
        when said.status = 'repaired' and tested.run_id > said.status_after_run_id and tested.event <> 'fixed' then 'in work'
        else coalesce(said.status, 'open')
    end as status,
    said.reason_code,
    said.comment
from said
left join lateral (
    select
        events.run_id,
        events.event
    from quality.finding_events as events
    where events.finding_id = said.finding_id
    order by events.event_id desc
    limit 1
) as tested on true;

-- What each rule has found and what became of it, as a run knew it: findings that had a cause of their own, and days of business
-- dates from the first sight to the first answer of an office and to the night that found the record right. Notes that were entered
-- later do not change what is said of an earlier run.
create or replace function quality.rule_repairs_of(asked_run_id bigint)
returns table (
    rule_id text,
    found_findings bigint,
    fixed_findings bigint,
    answered_findings bigint,
    median_days_to_answer numeric,
    median_days_to_fix numeric
)
language sql stable as $$
    with lives as (
        select
            events.rule_id,
            events.finding_id,
            min(runs.business_date) filter (where events.event <> 'dependant') as found_date,
            (array_agg(events.event order by events.event_id desc))[1] as last_event,
            (array_agg(runs.business_date order by events.event_id desc))[1] as last_date
        from quality.finding_events as events
        inner join quality.runs on events.run_id = runs.run_id
        where events.run_id <= asked_run_id
        group by events.rule_id, events.finding_id
    ),

    answers as (
        select
            notes.finding_id,
            min(runs.business_date) as answer_date
        from quality.finding_notes as notes
        inner join quality.runs on notes.after_run_id = runs.run_id
        where notes.after_run_id < asked_run_id and notes.status in ('answered', 'repaired')
        group by notes.finding_id
    )

    select
        lives.rule_id,
        count(*) as found_findings,
        count(*) filter (where lives.last_event = 'fixed') as fixed_findings,
        count(answers.answer_date) as answered_findings,
        -- greatest() of nothing and 0 is 0: only those that were answered count
        (percentile_cont(0.5) within group (order by greatest(answers.answer_date - lives.found_date, 0))
        filter (where answers.answer_date is not null))::numeric as median_days_to_answer,
        (percentile_cont(0.5) within group (order by greatest(lives.last_date - lives.found_date, 0))
        filter (where lives.last_event = 'fixed'))::numeric as median_days_to_fix
    from lives
    left join answers on lives.finding_id = answers.finding_id
    where lives.found_date is not null
    group by lives.rule_id
$$;

create or replace view quality.rule_repairs as
select repairs.*
from quality.current_run
cross join lateral quality.rule_repairs_of(current_run.run_id) as repairs;
