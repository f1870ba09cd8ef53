{#-
  Demand that a contract pays for: up to 105 % of it the contract itself, above it the excess twice on top. The text of the
  rule can be read in two ways, so the formula is a parameter.
-#}
{% macro billed_demand(demand, contract, rules) -%}
    (
        case
            when {{ demand }} <= {{ contract }} * {{ rules }}.over_demand_limit_share then {{ contract }}
            else
                {{ contract }}
                * case when {{ rules }}.over105_formula like '1.05*C%' then {{ rules }}.over_demand_limit_share else 1 end
                + {{ rules }}.over_demand_factor * ({{ demand }} - {{ contract }} * {{ rules }}.over_demand_limit_share)
        end
    )
{%- endmacro %}

{#- Reactive over active power at a power factor. -#}
{% macro tangent_of(power_factor) -%}
    sqrt(1 / nullif({{ power_factor }} * {{ power_factor }}, 0) - 1)
{%- endmacro %}

{#- Parameters of a seed as columns, each as valid on the day. -#}
{% macro parameters_on(seed_name, parameter_codes, day) -%}
    {%- for code in parameter_codes %}
    {{ parameter(seed_name, code, day) }} as {{ code }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
