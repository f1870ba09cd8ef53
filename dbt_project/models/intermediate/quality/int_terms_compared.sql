{%- set day = business_date() -%}
-- The terms of an account in contract and marketing, equal or not, at every main point, and where they differ, who is likely
-- right (XSR-28): two of three records, else a signed amendment. The third record of a capacity are the transformers, of a
-- voltage level the meters. Of a term of the bill it is the bill, but only where it follows the contract: one that follows
-- the archive was made from it and is no second witness. The time of the last edit says nothing here: both records hold many
-- terms.
with terms as (
    select * from {{ ref('int_terms_in_force') }}
),

-- Capacity and voltage level are the account's own, as of the business date.
accounts as (
    select distinct on (contracts.account_no)
        contracts.account_no,
        contracts._raw_id as contract_raw_id,
        contracts.contract_capacity_kva,
        customers.contract_capacity_kva as marketing_capacity_kva,
        contracts.voltage_level_code as contract_level_code,
        customers.voltage_level_code as marketing_level_code
    from {{ ref('int_contracts_in_force') }} as contracts
    inner join {{ ref('stg_marketing__customers') }} as customers on contracts.account_no = customers.account_no
    where contracts.is_effective and {{ is_valid_on('contracts', day) }}
    order by contracts.account_no, customers._raw_id desc
),

bills as (
    select bills.*
    from {{ ref('int_accounts_last_billed') }} as last_billed
    inner join {{ ref('stg_marketing__bills') }} as bills on last_billed.bill_no = bills.bill_no
),

-- A bill does not name its tariff: it follows one whose prices all its lines have.
billed_tariffs as (
    select
        bills.account_no,
        prices.tariff_code
    from bills
    inner join (select distinct account_no, month_end_date from terms) as terms on bills.account_no = terms.account_no
    inner join {{ ref('stg_marketing__bill_lines') }} as lines on bills.bill_no = lines.bill_no
    inner join {{ ref('tariff_prices') }} as prices
        on
            prices.component_code = 'ENERGY'
            and lines.rate_code = prices.rate_code
            and {{ is_valid_on('prices', 'terms.month_end_date') }}
    group by bills.account_no, prices.tariff_code
    having bool_and(round(lines.price_cny_per_kwh, 6) = round(prices.price_cny, 6))
),

compared as (
    select
        accounts.account_no,
        '' as metering_point_no,
        accounts.contract_raw_id,
        'contract_cap_kva' as term_name,
        trim_scale(accounts.contract_capacity_kva)::text as contract_value,
        trim_scale(accounts.marketing_capacity_kva)::text as marketing_value,
        abs(accounts.contract_capacity_kva - accounts.marketing_capacity_kva) as difference,
        abs(accounts.contract_capacity_kva - accounts.marketing_capacity_kva) > limits.kva as differs,
        case
            when abs(transformers.capacity_kva - accounts.contract_capacity_kva) <= limits.kva
                then trim_scale(accounts.contract_capacity_kva)::text
            when abs(transformers.capacity_kva - accounts.marketing_capacity_kva) <= limits.kva
                then trim_scale(accounts.marketing_capacity_kva)::text
            else trim_scale(transformers.capacity_kva)::text
        end as third_value,
        'transformers of ' || trim_scale(transformers.capacity_kva) || ' kVA' as third_record_note
    from accounts
    left join {{ one_each(
        ref('stg_marketing__transformers'), 'account_no', 'capacity_kva', 'sum',
        where="state_code <> 'REMOVED' and " ~ is_in_period(day, 'state_from', 'state_to')
    ) }} as transformers on accounts.account_no = transformers.account_no
    cross join (select {{ rule_parameter('XSR-06', 'tolerance_kva', day) }} as kva) as limits
    union all
    select
        accounts.account_no,
        '' as metering_point_no,
        accounts.contract_raw_id,
        'voltage_level' as term_name,
        accounts.contract_level_code as contract_value,
        accounts.marketing_level_code as marketing_value,
        null as difference,
        accounts.contract_level_code <> accounts.marketing_level_code as differs,
        measured.voltage_level_code as third_value,
        'meters at ' || measured.voltage_kv || ' kV' as third_record_note
    from accounts
    left join {{ ref('int_voltage_levels_measured') }} as measured on accounts.account_no = measured.account_no
    union all
    select
        terms.account_no,
        terms.metering_point_no,
        terms.contract_raw_id,
        fields.term_name,
        fields.contract_value,
        fields.marketing_value,
        null as difference,
        fields.contract_value <> fields.marketing_value as differs,
        case when fields.billed_value = fields.contract_value then fields.billed_value end as third_value,
        'the bill of ' || to_char(bills.bill_month, 'YYYY-MM') as third_record_note
    from terms
    left join bills on terms.account_no = bills.account_no
    left join billed_tariffs
        on terms.account_no = billed_tariffs.account_no and terms.contract_tariff_code = billed_tariffs.tariff_code
    cross join lateral (
        values
        ('tariff_code', terms.contract_tariff_code, terms.marketing_tariff_code, billed_tariffs.tariff_code),
        (
            'pf_standard', terms.contract_standard_code, terms.marketing_standard_code, bills.power_factor_standard_code
        ),
        ('basic_mode', terms.contract_mode_code, terms.marketing_mode_code, bills.basic_mode_code),
        (
            'contract_md_kw',
            trim_scale(terms.contract_demand_kw)::text,
            trim_scale(terms.marketing_demand_kw)::text,
            -- A demand up to its limit is billed as agreed.
            case when bills.basic_mode_code = 'BY_CONTRACT_MD' then trim_scale(bills.basic_quantity)::text end
        )
    ) as fields (term_name, contract_value, marketing_value, billed_value)
    where num_nonnulls(fields.contract_value, fields.marketing_value) > 0
),

-- The bill's terms are compared at the end of the last closed month: what was agreed from a later day on says nothing of it.
amended as (
    {%- set agreed_by = "case when field_name in ('contract_cap_kva', 'voltage_level') then " ~ day ~ " else " ~ last_month_end(day) ~ " end" %}
    select
        account_no,
        field_name,
        case
            when new_value ~ '^ *[0-9]+([.][0-9]+)? *$' and field_name <> 'pf_standard' then trim_scale(new_value::numeric)::text
            else btrim(new_value)
        end as amended_value,
        'amendment ' || amendment_no || ' signed ' || signed_date as amendment_note
    from {{ newest_amendments(ref('stg_contract__amendments'), ref('stg_contract__contracts'), agreed_by) }} as amendments
),

judged as (
    select
        compared.*,
        amended.amended_value,
        amended.amendment_note,
        quality.likely_right(
            compared.third_value,
            compared.marketing_value,
            compared.contract_value,
            null,
            case when amended.amended_value = compared.marketing_value then weights.points end,
            case when amended.amended_value = compared.contract_value then weights.points end
        ) as right_value
    from compared
    left join amended on compared.account_no = amended.account_no and compared.term_name = amended.field_name
    cross join (select {{ rule_parameter('XSR-28', 'amendment_points', day) }} as points) as weights
),

final as (
    select
        account_no,
        metering_point_no,
        contract_raw_id,
        term_name,
        contract_value,
        marketing_value,
        difference,
        coalesce(differs, false) as differs,
        case when differs then right_value end as right_value,
        case when differs then quality.suspect_side(right_value, null, marketing_value, contract_value) end as suspect_side,
        case
            when differs
                then 'likely ' || right_value || coalesce(' by ' || nullif(concat_ws(
                    ' and ',
                    case when right_value = third_value then third_record_note end,
                    case when right_value = amended_value then amendment_note end
                ), ''), '')
        end as explanation
    from judged
)

select * from final
