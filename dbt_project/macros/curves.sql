{#- The curves of a relation that this gate tests: landed since the last passed gate, or to be tested again. By its indexes. -#}
{% macro touched_curves(relation) -%}
    (select curves.* from {{ relation }} as curves where {{ is_touched_curve('curves') }})
{%- endmacro %}

{% macro is_touched_curve(relation) -%}
    (
        {{ relation }}._load_id > quality.last_passed_load_id()
        or {{ relation }}._raw_id = any (array(select again.raw_id from quality.curves_tested_again as again))
    )
{%- endmacro %}

{#-
  The curves that this gate tests, with what else is known of each: whether it is the newest of its day, the account and
  multiplier of its metering point as of the day (null where the point is not known), and `to_primary`, by which its values
  become primary ones. Like quality.touched_curves it holds what landed since the last passed gate or has an open finding.
-#}
{% macro curves_touched() -%}
    (
        select
            curves.*,
            latest._raw_id is not null as is_latest,
            points.account_no,
            points.multiplier,
            case when curves.is_primary then 1 else points.multiplier end as to_primary
        from {{ touched_curves('staging.stg_metering__curves') }} as curves
        left join {{ touched_curves('staging.int_curves_latest') }} as latest on curves._raw_id = latest._raw_id
        left join staging.int_metering_points_as_of as points
            on curves.metering_point_no = points.metering_point_no and {{ is_valid_on('points', 'curves.reading_date') }}
    )
{%- endmacro %}

{#- The days of metering points of which a curve of some quantity is tested tonight: its other curves are judged with it. -#}
{% macro days_touched(quantities) -%}
    (
        select distinct landed.metering_point_no, landed.reading_date
        from {{ touched_curves('staging.stg_metering__curves') }} as landed
        where landed.quantity_code in ('{{ quantities | join("', '") }}')
    )
{%- endmacro %}

{#- The newest curves of days on which some curve is tested tonight, by the index on the day; `shifts` are days beside them. -#}
{% macro curves_of_dates_touched(shifts=[0]) -%}
    (
        select curves.*
        from staging.int_curves_latest as curves
        where curves.reading_date = any (array(
            select distinct landed.reading_date + shifts.days
            from {{ touched_curves('staging.stg_metering__curves') }} as landed
            cross join unnest(array{{ shifts }}) as shifts (days)
        ))
    )
{%- endmacro %}

{#- The days of metering points whose energy registers, at either end of the day, are tested tonight. -#}
{% macro days_of_registers_touched() -%}
    (
        select distinct points.metering_point_no, landed.reading_date + shifts.days as reading_date
        from staging.stg_metering__register_freezes as landed
        inner join staging.int_metering_points_current as points on landed.meter_asset_no = points.meter_asset_no
        cross join (values (0), (1)) as shifts (days)
        where
            landed._load_id > quality.last_passed_load_id()
            and landed.freeze_kind_code = 'DAY'
            and landed.energy_kind_code = 'ACTIVE'
            and landed.direction_code = 'FWD'
    )
{%- endmacro %}

{#- True where a curve is that of a quantity and phase on the day of a metering point. -#}
{% macro is_curve_of(curves, day, quantity, phase='T') -%}
    {{ curves }}.metering_point_no = {{ day }}.metering_point_no
    and {{ curves }}.reading_date = {{ day }}.reading_date
    and {{ curves }}.quantity_code = '{{ quantity }}'
    and {{ curves }}.phase_code = '{{ phase }}'
{%- endmacro %}

{#- The touched curves of a quantity at points whose account states what capacity runs. -#}
{% macro curves_at_running_capacity(quantity) -%}
    (
        select curves.*, accounts.running_capacity_kva
        from {{ curves_touched() }} as curves
        inner join {{ one_each('staging.stg_marketing__customers', 'account_no', 'running_capacity_kva', 'max') }} as accounts
            on curves.account_no = accounts.account_no
        where curves.quantity_code = '{{ quantity }}' and curves.phase_code = 'T' and accounts.running_capacity_kva > 0
    )
{%- endmacro %}
