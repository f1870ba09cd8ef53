{#-
  A table of which no more is built than what changed since it was built last: `build_mode` says what. Hooks and all that is to
  be done are sent as one text, in one transaction: a statement costs more than a small table.
-#}
{% materialization table, adapter='postgres' -%}
    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set due = what_is_due() -%}
    {%- set mode = due.split(':')[0] -%}

    {% if is_beside() %}
        {% if is_due_beside() %}
            {% call statement('main') -%}
                {{ hooks_text(pre_hooks) }}
                {{ built_anew(target_relation) }}
                {{ hooks_text(post_hooks) }}
                {{ noted_beside(target_relation) }}
            {%- endcall %}
            {{ adapter.commit() }}
        {% else %}
            {% call noop_statement('main', 'UNCHANGED') %}{% endcall %}
        {% endif %}
    {% elif mode == 'no' %}
        {% call noop_statement('main', 'UNCHANGED') %}{% endcall %}
    {% else %}
        {% call statement('main') -%}
            {{ hooks_text(pre_hooks) }}
            select transform.begin_build('{{ model.name }}');
            {% if mode == 'anew' %}
            {{ built_anew(target_relation) }}
            {{ described(target_relation) }}
            {% else %}
            {{ rows_exchanged(target_relation, mode) }}
            {% endif %}
            {{ hooks_text(post_hooks) }}
            select transform.end_build('{{ model.name }}', '{{ due }}');
        {%- endcall %}
        {{ adapter.commit() }}
    {% endif %}

    {{ return({'relations': [target_relation]}) }}
{%- endmaterialization %}

{#- `anew`, `whole`, `touched` or `no`. -#}
{% macro build_mode() -%}
    {{ return(what_is_due().split(':')[0]) }}
{%- endmacro %}

{#-
  What transform.due says; anew where the table is not there, where dbt was told --full-refresh, and for whoever only compiles or
  tests a model.
-#}
{% macro what_is_due() -%}
    {%- if is_beside() -%}
        {{ return('anew: beside') }}
    {%- elif not execute or model.resource_type != 'model' or flags.WHICH not in ('run', 'build') -%}
        {{ return('anew: not built here') }}
    {%- elif flags.FULL_REFRESH -%}
        {{ return('anew: asked for') }}
    {%- elif load_cached_relation(this) is none -%}
        {{ return('anew: the table is not there') }}
    {%- endif -%}
    {{ return(run_query("select transform.due('" ~ model.name ~ "')").rows[0][0]) }}
{%- endmacro %}

{#- Data definition is transactional in PostgreSQL: the new table takes the place of the old one within the transaction. -#}
{% macro built_anew(target_relation) -%}
    {%- set new_relation = make_intermediate_relation(target_relation) -%}
    {%- set old_relation = load_cached_relation(this) -%}
    drop table if exists {{ new_relation }};
    {{ get_create_table_as_sql(False, new_relation, sql) }}
    {%- for index in config.get('indexes', default=[]) %}
        {{ get_create_index_sql(new_relation, index) }};
    {%- endfor %}
    drop {{ old_relation.type if old_relation else 'table' }} if exists {{ target_relation }} cascade;
    alter table {{ new_relation }} rename to {{ adapter.quote(target_relation.identifier) }};
    analyze {{ target_relation }} {{ analyzed_columns() }};
{%- endmacro %}

{#- What dbt's `persist_docs` says, within the one text: dbt asks the catalogue for the columns twice a model. -#}
{% macro described(target_relation) -%}
    {%- if config.persist_relation_docs() and model.description %}
    comment on table {{ target_relation }} is {{ postgres_escape_comment(model.description) }};
    {%- endif %}
    {%- for column in model.columns.values() if config.persist_column_docs() %}
    comment on column {{ target_relation }}.{{ adapter.quote(column.name) }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor %}
{%- endmacro %}

{#- The table stays, and of its rows those that are what the query yields. -#}
{% macro rows_exchanged(target_relation, mode) -%}
    {%- if mode == 'touched' %}
    select {{ 'transform.note_touched_keys' if is_staging() else 'transform.note_touched' }}('{{ model.name }}');
    {%- endif %}
    create temporary table rows_now (like {{ target_relation }}) on commit drop;
    insert into pg_temp.rows_now
    {{ get_select_subquery(sql) if config.get('contract').enforced else sql }};
    select transform.exchange_rows(
        '{{ model.name }}', '{{ target_relation }}', $before${{ rows_before(target_relation, mode) }}$before$, '{{ analyzed_columns() }}',
        {{ mode == 'whole' }}
    );
{%- endmacro %}

{% macro rows_before(target_relation, mode) -%}
    {%- if mode == 'whole' -%}
        select built.ctid, built from {{ target_relation }} as built
    {%- elif is_staging() -%}
        select built.ctid, built from {{ target_relation }} as built
        where built._raw_id in (
            select raw._raw_id from {{ raw_table() }} as raw inner join pg_temp.touched_keys as touched on raw._key = touched._key
        )
    {%- else -%}
        {{ touched_rows(target_relation, 'built.ctid, built') }}
    {%- endif -%}
{%- endmacro %}

{#-
  Statistics for whatever reads this table next in the same run. The 96 values of a curve are never planned on, and
  looking at them takes longer than everything else, so the models that carry them name the columns to look at.
-#}
{% macro analyzed_columns() -%}
    {% set columns = config.get('meta', {}).get('analyzed_columns') -%}
    {{ '(' ~ columns ~ ')' if columns }}
{%- endmacro %}

{#- What hooks say, each rendered and ended; all of them run in the model's transaction. -#}
{% macro hooks_text(hooks) -%}
    {%- for hook in hooks %}
        {%- set text = render(hook.get('sql')) | trim %}
        {%- if text %}{{ text }};
        {% endif %}
    {%- endfor %}
{%- endmacro %}
