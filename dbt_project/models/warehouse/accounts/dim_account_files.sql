with customers as (
    select * from {{ ref('int_account_versions') }}
    where valid_to is null
),

contacts as (
    select * from {{ ref('stg_marketing__contacts') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
),

transformers as (
    select * from {{ ref('stg_marketing__transformers') }}
),

security_files as (
    select * from {{ ref('stg_marketing__supply_security_files') }}
),

placeholders as (
    select * from {{ ref('quality_placeholders') }}
    where kind = 'mobile'
),

weights as (
    select * from {{ ref('file_completeness_weights') }}
    where valid_from <= {{ business_date() }} and (valid_to is null or {{ business_date() }} < valid_to)
),

-- A placeholder is not a filled field.
reachable as (
    select distinct contacts.account_no
    from contacts
    where
        contacts.mobile is not null
        and contacts.mobile not in (select placeholders.value from placeholders where placeholders.value is not null)
),

items as (
    select account_no, 'IDENTITY' as item_code
    from customers
    where has_name and has_address
    union
    select account_no, 'LICENCE_NO' as item_code
    from customers
    where has_licence_no
    union
    select account_no, 'IMPORTANCE_CLASS' as item_code
    from customers
    where importance_code is not null
    union
    select account_no, 'CONTACT' as item_code
    from reachable
    union
    select account_no, 'CONTRACT_SCAN' as item_code
    from contracts
    where has_scan
    union
    select account_no, 'TRANSFORMER_LIST' as item_code
    from transformers
    union
    select account_no, 'DIAGRAM_NO' as item_code
    from security_files
    where nullif(diagram_no, '') is not null
    union
    select account_no, 'EMERGENCY_PLAN' as item_code
    from security_files
    where nullif(emergency_plan_no, '') is not null
),

filled as (
    select
        items.account_no,
        sum(weights.weight) as filled_weight,
        string_agg(items.item_code, ', ' order by items.item_code) as filled_items
    from items
    inner join weights on items.item_code = weights.item_code
    group by items.account_no
),

final as (
    select
        customers.account_no,
        coalesce(filled.filled_items, '') as filled_items,
        (coalesce(filled.filled_weight, 0)::numeric / nullif((select sum(weights.weight) from weights), 0))::numeric(6, 4)
            as file_completeness
    from customers
    left join filled on customers.account_no = filled.account_no
)

select * from final
