{#-
  What readers find in the schema marts, mart_catalog itself left out: the models with `meta.published`. References are read
  before dbt knows the models, so their names come with the command, from the same files (`include/transform/models.py`).
-#}
{% macro published_tables() -%}
    {{ return(var('published') | reject('equalto', 'mart_catalog') | list) }}
{%- endmacro %}

{#- What readers find a model as. -#}
{% macro published_name(name) -%}
    {%- set node = graph.get('nodes', {}).get('model.' ~ project_name ~ '.' ~ name) if execute else none -%}
    {{ return((node.config.meta or {}).get('published_as', name) if node else name) }}
{%- endmacro %}

{#-
  The catalogue's entries as dbt's graph knows them: name, kind, area, description, the source tables that a published table
  comes from, and who reads it: of a published table the exposures, of a source table the published tables.
-#}
{% macro catalog_entries() -%}
    {%- set entries = [] -%}
    {%- set readers_of = {} -%}
    {%- if execute -%}
        {%- for exposure in graph.exposures.values() -%}
            {%- for id in exposure.depends_on.nodes -%}
                {%- do readers_of.setdefault(published_name(id.split('.')[-1]), []).append(exposure.label or exposure.name) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- for name in published_tables() -%}
            {%- set id = 'model.' ~ project_name ~ '.' ~ name -%}
            {%- set node = graph.nodes[id] -%}
            {%- set sources = source_tables_of(id) -%}
            {%- for source_table in sources -%}
                {%- do readers_of.setdefault(source_table, []).append(published_name(name)) -%}
            {%- endfor -%}
            {%- do entries.append({
                'name': published_name(name), 'kind': {'mart': 'MART', 'fct': 'FACT'}.get(published_name(name).split('_')[0], 'DIMENSION'),
                'area': node.path.split('/')[1], 'description': node.description, 'sources': sources
            }) -%}
        {%- endfor -%}
        {%- for source in graph.sources.values() if source.source_name.startswith('raw_') -%}
            {%- do entries.append({
                'name': source.name, 'kind': 'SOURCE', 'area': source.source_name.removeprefix('raw_'),
                'description': source.description, 'sources': [source.name]
            }) -%}
        {%- endfor -%}
        {%- for entry in entries -%}
            {%- do entry.update({'readers': readers_of.get(entry.name, []) | sort}) -%}
        {%- endfor -%}
    {%- endif -%}
    {{ return(entries) }}
{%- endmacro %}

{#- Names of the contract tables that a model comes from, however far back. -#}
{% macro source_tables_of(unique_id) -%}
    {%- set open_ids = [unique_id] -%}
    {%- set seen = [unique_id] -%}
    {%- set found = [] -%}
    {%- for _ in range(2000) if open_ids -%}
        {%- set id = open_ids.pop() -%}
        {%- if id.startswith('source.') -%}
            {%- if '.raw_' in id -%}{%- do found.append(id.split('.')[-1]) -%}{%- endif -%}
        {%- else -%}
            {%- for parent in graph.nodes[id].depends_on.nodes if parent not in seen -%}
                {%- do seen.append(parent) -%}
                {%- do open_ids.append(parent) -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(found | sort) }}
{%- endmacro %}
