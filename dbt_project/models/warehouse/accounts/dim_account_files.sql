with customers as (
    select * from {{ ref('stg_marketing__customers') }}
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

weights as (
    select * from {{ ref('file_completeness_weights') }}
    where {{ is_in_period(business_date(), 'valid_from', 'valid_to') }}
),

-- A placeholder is not a filled field.
items as (
    select account_no, 'IDENTITY' as item_code
    from customers
    where {{ is_filled('account_name', 'name') }} and {{ is_filled('address', 'text') }}
    union
    select account_no, 'LICENCE_NO' as item_code
    from customers
    where {{ is_filled('uscc', 'text') }}
    union
    select account_no, 'IMPORTANCE_CLASS' as item_code
    from customers
    where importance_code is not null
    union
    select account_no, 'CONTACT' as item_code
    from contacts
    where {{ is_filled('mobile', 'mobile') }}
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
    where {{ is_filled('diagram_no', 'text') }}
    union
    select account_no, 'EMERGENCY_PLAN' as item_code
    from security_files
    where {{ is_filled('emergency_plan_no', 'text') }}
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
        (
            select string_agg(weights.item_code, ', ' order by weights.weight desc, weights.item_code)
            from weights
            where weights.item_code <> all(string_to_array(coalesce(filled.filled_items, ''), ', '))
        ) as missing_items,
        (coalesce(filled.filled_weight, 0)::numeric / nullif((select sum(weights.weight) from weights), 0))::numeric(6, 4)
            as file_completeness
    from (select distinct account_no from customers where account_no is not null) as customers
    left join filled on customers.account_no = filled.account_no
)

select * from final
