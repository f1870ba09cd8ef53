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

{#- The line voltage between two phases that stand 120 degrees apart, from their phase voltages (law of cosines). -#}
{% macro line_voltage(first, second) -%}
    sqrt({{ first }} * {{ first }} + {{ second }} * {{ second }} + {{ first }} * {{ second }})
{%- endmacro %}

{#-
  Negative-sequence voltage unbalance of three line voltages, percent (GB/T 15543, annex A), not the largest deviation
  from the mean. Balanced voltages leave a root of zero that rounding may push below it.
-#}
{% macro voltage_unbalance_pct(ab, bc, ca) -%}
    {%- set fourth = '(power(' ~ ab ~ ', 4) + power(' ~ bc ~ ', 4) + power(' ~ ca ~ ', 4))' -%}
    {%- set squares = '(power(' ~ ab ~ ', 2) + power(' ~ bc ~ ', 2) + power(' ~ ca ~ ', 2))' -%}
    {%- set root = 'sqrt(greatest(3 - 6 * ' ~ fourth ~ ' / nullif(power(' ~ squares ~ ', 2), 0), 0))' -%}
    (100 * sqrt(greatest(1 - {{ root }}, 0) / (1 + {{ root }})))
{%- endmacro %}

{#- One over the other as an exact number; null where the divisor is nothing. -#}
{% macro ratio(numerator, denominator) -%}
    (({{ numerator }})::numeric / nullif({{ denominator }}, 0))
{%- endmacro %}
