{#-
  dbt's table for PostgreSQL, whose data definition is transactional: the new table takes the place of the old one within the
  transaction that built it. Hooks, table, indexes and exchange are sent as one text: a statement costs more than a small table.
-#}
{% materialization table, adapter='postgres' -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set new_relation = make_intermediate_relation(target_relation) -%}
    {%- set old_relation = load_cached_relation(this) -%}

    {% call statement('main') -%}
        {{ hooks_text(pre_hooks) }}
        drop table if exists {{ new_relation }};
        {{ get_create_table_as_sql(False, new_relation, sql) }}
        {%- for index in config.get('indexes', default=[]) %}
            {{ get_create_index_sql(new_relation, index) }};
        {%- endfor %}
        drop {{ old_relation.type if old_relation else 'table' }} if exists {{ target_relation }} cascade;
        alter table {{ new_relation }} rename to {{ adapter.quote(target_relation.identifier) }};
        {{ hooks_text(post_hooks) }}
    {%- endcall %}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}

    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}

{#- What hooks say, each rendered and ended; all of them run in the model's transaction. -#}
{% macro hooks_text(hooks) -%}
    {%- for hook in hooks %}
        {%- set text = render(hook.get('sql')) | trim %}
        {%- if text %}{{ text }};
        {% endif %}
    {%- endfor %}
{%- endmacro %}
