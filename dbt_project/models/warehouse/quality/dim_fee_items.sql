with fee_items as (
    select * from {{ ref('fee_items') }}
),

documents as (
    select * from {{ ref('dim_policy_documents') }}
),

-- The document as it was in force when the version of the fee began.
final as (
    select
        fee_items.fee_item_code,
        row_number() over (partition by fee_items.fee_item_code order by fee_items.valid_from)::integer as version_no,
        fee_items.fee_item_name,
        fee_items.applies_to,
        fee_items.price,
        fee_items.unit,
        fee_items.document_code,
        documents.document_no,
        fee_items.valid_from,
        fee_items.valid_to,
        {{ is_valid_on('fee_items', business_date()) }} as is_in_force,
        fee_items.source_doc,
        fee_items.clause,
        fee_items.confidence as confidence_code
    from fee_items
    left join documents
        on
            fee_items.document_code = documents.document_code
            and {{ is_valid_on('documents', 'fee_items.valid_from') }}
)

select * from final
