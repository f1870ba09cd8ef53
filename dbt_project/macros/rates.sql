{#- Share of monitored time or slots inside the band, percent; null where nothing was monitored. -#}
{% macro qualified_pct(monitored, outside) -%}
    ((1 - ({{ outside }})::numeric / nullif({{ monitored }}, 0)) * 100)
{%- endmacro %}

{#- RS-1 of DL/T 836: (1 - interruption minutes per customer / minutes of the period) x 100. -#}
{% macro reliability_pct(customer_minutes, customers, period_hours) -%}
    ((1 - {{ customer_minutes }}::numeric / nullif({{ customers }}, 0) / nullif({{ period_hours }} * 60, 0)) * 100)
{%- endmacro %}

{#- Power factor of active and reactive energy; null where there was no energy at all. -#}
{% macro power_factor(active, reactive) -%}
    ({{ active }}::numeric / nullif(sqrt({{ active }}::numeric * {{ active }} + {{ reactive }}::numeric * {{ reactive }}), 0))
{%- endmacro %}
