{#-
  For rules alone: what a pseudonym stands for, read through the gatekeeper's right to the vault; any other value as it is. Equality
  needs none of it: equal texts without the blanks around them have one pseudonym.
-#}
{% macro clear_text(value) -%}
    coalesce((select held.clear_text from vault.clear_texts as held where held.pseudonym = {{ value }}), {{ value }})
{%- endmacro %}
