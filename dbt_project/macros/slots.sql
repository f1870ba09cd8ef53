{#- The instant at which slot k of a local day ends: slot 1 covers 00:00 to 00:15, slot 96 ends at 00:00 of the next day. -#}
{% macro slot_end_at(day, slot) -%}
    (({{ day }} + {{ slot }} * interval '15 minutes') at time zone 'Asia/Shanghai')
{%- endmacro %}

{% macro slot_start_at(day, slot) -%}
    (({{ day }} + ({{ slot }} - 1) * interval '15 minutes') at time zone 'Asia/Shanghai')
{%- endmacro %}

{#- The instant at which a local day begins. -#}
{% macro day_start_at(day) -%}
    (({{ day }})::timestamp at time zone 'Asia/Shanghai')
{%- endmacro %}

{#- Minutes between two instants, to the fraction: whole-minute truncation understates interruption minutes. -#}
{% macro minutes_between(started_at, ended_at) -%}
    (extract(epoch from ({{ ended_at }} - {{ started_at }}))::numeric / 60)
{%- endmacro %}
