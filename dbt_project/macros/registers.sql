{#- What makes a register of a meter: the kind of reading, of energy, its direction and rate. -#}
{% macro register_of(relation, rate=true) -%}
    {{ relation }}.meter_asset_no, {{ relation }}.freeze_kind_code, {{ relation }}.energy_kind_code, {{ relation }}.direction_code
    {{- ', ' ~ relation ~ '.rate_code' if rate }}
{%- endmacro %}

{#- True for the register of all active energy that the customer takes. -#}
{% macro is_total_register(relation, freeze_kind) -%}
    (
        {{ relation }}.freeze_kind_code = '{{ freeze_kind }}'
        and {{ relation }}.energy_kind_code = 'ACTIVE'
        and {{ relation }}.direction_code = 'FWD'
        and {{ relation }}.rate_code = 'T'
    )
{%- endmacro %}

{#-
  The difference of two readings of a register in kWh; one that ran over its last digit counts on (MET-06). A rule asks for the
  limits of the business date, a model for those of a day of its rows.
-#}
{% macro register_difference(before, after, digits, on=none) -%}
    quality.register_difference(
        {{ before }}, {{ after }}, {{ digits }},
        {%- for share in ['rollover_from_share', 'rollover_below_share'] %}
        {{ rule_parameter('MET-06', share, on) if on else "quality.parameter('MET-06', '" ~ share ~ "', :business_date)" }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    )
{%- endmacro %}

{#- The first reading of a rate that an installation states. -#}
{% macro install_reading_of(installations, rate_code) -%}
    case {{ rate_code }}
        when 'T' then {{ installations }}.install_reading_total_kwh
        {%- for rate in ['SHARP', 'PEAK', 'FLAT', 'VALLEY', 'DEEP'] %}
        when '{{ rate }}' then {{ installations }}.install_reading_{{ rate | lower }}_kwh
        {%- endfor %}
    end
{%- endmacro %}

{#-
  The next day on which a staged register was read, or the day itself: what is counted from one reading to the next changes with
  either. For `meta.changed_days`, which is asked before the rows of a night come.
-#}
{% macro next_reading_date(reading) -%}
    (
        select coalesce(min(later.reading_date), {{ reading }}.reading_date)
        from staging.stg_metering__register_freezes as later
        where
            later.meter_asset_no = {{ reading }}.meter_asset_no
            and later.reading_date > {{ reading }}.reading_date
            and ({{ register_of('later') }}) is not distinct from ({{ register_of(reading) }})
    )
{%- endmacro %}
