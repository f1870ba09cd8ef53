{#-
  Terms of the bill by contract, as the rules on them test them: a row for each contract that has any of the terms on both
  sides, with what a difference costs. Its main points are told together, each word once; where one of them differs, the
  finding names it and what is said of it. Of several that are in doubt, every side; of several terms, the first.
-#}
{% macro terms_of_contracts(term_names, cost) -%}
    select
        terms.contract_raw_id as raw_id,
        terms.account_no,
        min(terms.term_name) filter (where terms.differs) as column_name,
        string_agg(distinct terms.contract_terms, ', ' order by terms.contract_terms) as contract_terms,
        string_agg(distinct terms.marketing_terms, ', ' order by terms.marketing_terms) as marketing_terms,
        string_agg(distinct terms.suspect_side, ' and ' order by terms.suspect_side desc) as suspect_side,
        string_agg(distinct terms.point_note, '; ' order by terms.point_note) filter (where terms.differs) as point_notes,
        min(repriced.{{ cost }}) as {{ cost }}
    from (
        select
            compared.*,
            'at ' || metering_point_no || ' ' || marketing_value || ', ' || coalesce(explanation, 'undetermined') as point_note,
            string_agg(contract_value, ' ') over point as contract_terms,
            string_agg(marketing_value, ' ') over point as marketing_terms
        from staging.int_terms_compared as compared
        where term_name in ('{{ term_names | join("', '") }}')
        window point as (
            partition by contract_raw_id, metering_point_no
            order by term_name
            rows between unbounded preceding and unbounded following
        )
    ) as terms
    left join staging.int_terms_repriced as repriced on terms.account_no = repriced.account_no
    group by terms.contract_raw_id, terms.account_no
{%- endmacro %}

{% macro terms_that_differ(amount, note="''", exposure=none) -%}
    select
        {{ finding(column_sql='column_name') }},
        contract_terms || ' in the contract' as observed,
        marketing_terms || ' in marketing' || {{ note }} || '; ' || point_notes as expected,
        suspect_side,
        {{ amount }} as amount_at_stake_cny
        {%- if exposure %},
        {{ exposure }} as exposure_cny
        {%- endif %}
    from tested
    where column_name is not null
{%- endmacro %}

{#- A term of the account itself in contract and marketing, where a condition holds, beside columns of its last bill. -#}
{% macro term_of_accounts(term_name, condition, of_last_bill) -%}
    select
        terms.contract_raw_id as raw_id,
        terms.account_no,
        terms.contract_value,
        terms.marketing_value,
        terms.difference,
        terms.suspect_side,
        terms.explanation
        {%- for column in of_last_bill %},
        last_billed.{{ column }}
        {%- endfor %}
    from staging.int_terms_compared as terms
    left join staging.int_accounts_last_billed as last_billed on terms.account_no = last_billed.account_no
    where terms.term_name = '{{ term_name }}' and {{ condition }}
{%- endmacro %}

{#- The metering points with a ratio (CT or PT) in metering and in another system: XSR-03 and XSR-04 are one check of two ratios. -#}
{% macro points_with_ratio(ratio_code) -%}
    select
        {{ row_of('points') }},
        ratios.*,
        -- What the point was last billed is the basis of energy and money at stake.
        billed.point_kwh,
        billed.point_cny
    from staging.int_metering_points_current as points
    inner join staging.int_ratios_compared as ratios on points.metering_point_no = ratios.metering_point_no
    left join staging.int_metering_points_last_billed as billed on points.metering_point_no = billed.metering_point_no
    where
        ratios.ratio_code = '{{ ratio_code }}'
        and ratios.metering_ratio is not null
        and num_nonnulls(ratios.marketing_ratio, ratios.contract_ratio) > 0
{%- endmacro %}

{% macro ratios_that_differ(column_name) -%}
    select
        {{ finding(column_name) }},
        ratios_text as observed,
        'one ratio in all three' || explanation as expected,
        suspect_side,
        round(point_kwh * share_at_stake, 4) as energy_at_stake_kwh,
        round(point_cny * share_at_stake, 2) as amount_at_stake_cny,
        point_kwh as exposure_kwh,
        round(point_cny, 2) as exposure_cny
    from tested
    where differs
{%- endmacro %}

{#- The effective contract in force on a day, by the tie-break of int_contracts_in_force: one row an account. -#}
{% macro contracts_in_force(day=':business_date') -%}
    (
        select in_force.*
        from staging.int_contracts_in_force as in_force
        where in_force.is_effective and {{ is_valid_on('in_force', day) }}
    )
{%- endmacro %}
