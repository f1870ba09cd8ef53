{#- The credit codes that the rows of a relation give, as MKT-04 and CON-16 test them: one check of two archives. -#}
{% macro credit_codes_given(relation) -%}
    select
        {{ row_of('subjects') }},
        upper(btrim(subjects.uscc)) as uscc,
        coalesce(key_accounts.is_key_account, false) as is_key_account
    from {{ relation }} as subjects
    left join staging.int_key_accounts as key_accounts on subjects.account_no = key_accounts.account_no
    where nullif(btrim(subjects.uscc), '') is not null
{%- endmacro %}

{#- True where a credit code has the form and the check character of GB 32100 and is no string of zeros. -#}
{% macro is_credit_code(uscc) -%}
    (quality.uscc_is_valid({{ uscc }}) and {{ uscc }} !~ '^[0-9]{2}0+$')
{%- endmacro %}
