{#-
  dbt's table for PostgreSQL, whose data definition is transactional: the new table takes the place of the old one within the
  transaction that built it. Without a backup beside it a model costs half as many statements.
-#}
{% materialization table, adapter='postgres' -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set new_relation = make_intermediate_relation(target_relation) -%}
    {%- set old_relation = load_cached_relation(this) -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
        drop table if exists {{ new_relation }};
        {{ get_create_table_as_sql(False, new_relation, sql) }}
    {%- endcall %}
    {% do create_indexes(new_relation) %}
    {% call statement('replace') -%}
        drop {{ old_relation.type if old_relation else 'table' }} if exists {{ target_relation }} cascade;
        alter table {{ new_relation }} rename to {{ adapter.quote(target_relation.identifier) }}
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {% do persist_docs(target_relation, model) %}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}
