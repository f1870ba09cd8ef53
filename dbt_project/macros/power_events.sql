{#-
  Events of a metering point in order of their time, with the code before, the time after and the number among copies of one
  event. Those that the collection system itself calls invalid are left out.
-#}
{% macro power_events_in_order() -%}
    (
        select
            events._raw_id as raw_id,
            events.metering_point_no,
            events.event_code,
            events.event_at,
            lag(events.event_code) over by_time as code_before,
            lead(events.event_at) over by_time as next_at,
            row_number() over copies as copy_no
        from staging.stg_metering__power_events as events
        where events.is_valid is not false
        window
            by_time as (
                partition by events.metering_point_no order by events.event_at, events.event_code, events.power_event_id
            ),
            copies as (
                partition by events.metering_point_no, events.event_code, events.event_at
                order by events.received_at nulls last, events.power_event_id
            )
    )
{%- endmacro %}
