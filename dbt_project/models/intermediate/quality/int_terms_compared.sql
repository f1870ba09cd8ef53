{%- set day = business_date() -%}
-- Terms on which contract and marketing differ, and who is likely right (XSR-28): two of three records, else a signed
-- amendment. The third record of a capacity are the transformers. Of a term of the bill it is the bill, but only where it
-- follows the contract: one that follows the archive was made from it and is no second witness. The time of the last edit
-- says nothing here: both records hold many terms.
with terms as (
    select * from {{ ref('int_terms_in_force') }}
),

transformers as (
    select
        account_no,
        sum(capacity_kva) as capacity_kva
    from {{ ref('stg_marketing__transformers') }}
    where state_code <> 'REMOVED' and state_from <= {{ day }} and (state_to is null or {{ day }} < state_to)
    group by account_no
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
    inner join terms on bills.account_no = terms.account_no
    inner join {{ ref('stg_marketing__bill_lines') }} as lines on bills.bill_no = lines.bill_no
    inner join {{ ref('tariff_prices') }} as prices
        on
            prices.component_code = 'ENERGY'
            and lines.rate_code = prices.rate_code
            and {{ is_valid_on('prices', 'terms.month_end_date') }}
    group by bills.account_no, prices.tariff_code
    having bool_and(round(lines.price_cny_per_kwh, 6) = round(prices.price_cny, 6))
),

told as (
    select
        terms.account_no,
        'contract_cap_kva' as term_name,
        trim_scale(terms.contract_capacity_kva)::text as contract_value,
        trim_scale(terms.marketing_capacity_kva)::text as marketing_value,
        case
            when abs(transformers.capacity_kva - terms.contract_capacity_kva) <= limits.kva
                then trim_scale(terms.contract_capacity_kva)::text
            when abs(transformers.capacity_kva - terms.marketing_capacity_kva) <= limits.kva
                then trim_scale(terms.marketing_capacity_kva)::text
            else trim_scale(transformers.capacity_kva)::text
        end as third_value,
        'transformers of ' || trim_scale(transformers.capacity_kva) || ' kVA' as third_told
    from terms
    left join transformers on terms.account_no = transformers.account_no
    cross join (select {{ rule_parameter('XSR-06', 'tolerance_kva', day) }} as kva) as limits
    where abs(terms.contract_capacity_kva - terms.marketing_capacity_kva) > limits.kva
    union all
    select
        terms.account_no,
        fields.term_name,
        fields.contract_value,
        fields.marketing_value,
        case when fields.billed_value = fields.contract_value then fields.billed_value end as third_value,
        'the bill of ' || to_char(bills.bill_month, 'YYYY-MM') as third_told
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
    where fields.contract_value <> fields.marketing_value
),

amended as (
    select distinct on (contracts.account_no, amendments.field_name)
        contracts.account_no,
        amendments.field_name,
        case
            when amendments.new_value ~ '^ *[0-9]+([.][0-9]+)? *$' and amendments.field_name <> 'pf_standard'
                then trim_scale(amendments.new_value::numeric)::text
            else btrim(amendments.new_value)
        end as amended_value,
        'amendment ' || amendments.amendment_no || ' signed ' || amendments.signed_date as amended_told
    from {{ ref('stg_contract__amendments') }} as amendments
    inner join {{ ref('stg_contract__contracts') }} as contracts on amendments.contract_no = contracts.contract_no
    where amendments.signed_date is not null and amendments.effective_date <= {{ day }}
    order by contracts.account_no, amendments.field_name, amendments.effective_date desc, amendments.amendment_no desc
),

judged as (
    select
        told.*,
        amended.amended_value,
        amended.amended_told,
        quality.likely_right(
            told.third_value,
            told.marketing_value,
            told.contract_value,
            null,
            case when amended.amended_value = told.marketing_value then weights.points end,
            case when amended.amended_value = told.contract_value then weights.points end
        ) as right_value
    from told
    left join amended on told.account_no = amended.account_no and told.term_name = amended.field_name
    cross join (select {{ rule_parameter('XSR-28', 'amendment_points', day) }} as points) as weights
),

final as (
    select
        account_no,
        term_name,
        contract_value,
        marketing_value,
        right_value,
        quality.suspect_side(right_value, null, marketing_value, contract_value) as suspect_side,
        'likely ' || right_value || coalesce(' by ' || nullif(concat_ws(
            ' and ',
            case when right_value = third_value then third_told end,
            case when right_value = amended_value then amended_told end
        ), ''), '') as told
    from judged
)

select * from final
