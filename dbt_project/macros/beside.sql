{#-
  A preview builds beside the warehouse, in schemas of its own (`include/transform/beside.py`). What it did not build is there
  a view of the warehouse's own, so a model reads its parents there whatever became of them. A unit test has no relation at all.
-#}
{% macro is_beside() -%}
    {{ return(this is not none and this.schema.startswith('preview_')) }}
{%- endmacro %}

{#- A model is built beside where it is asked for, or where a row of what it reads differs from the warehouse's. -#}
{% macro is_due_beside() -%}
    {%- set read = ["'" ~ model.name ~ "'"] -%}
    {%- for node in model.depends_on.nodes -%}
        {%- do read.append("'" ~ node.split('.')[-1] ~ "'") -%}
    {%- endfor -%}
    {{ return(run_query("select preview_state.is_due('" ~ model.name ~ "', array[" ~ read | join(', ') ~ "])").rows[0][0]) }}
{%- endmacro %}

{% macro noted_beside(target_relation) -%}
    select preview_state.note('{{ model.name }}', '{{ target_relation }}', '{{ this.schema | replace('preview_', '', 1) }}.{{ this.identifier }}');
{%- endmacro %}
