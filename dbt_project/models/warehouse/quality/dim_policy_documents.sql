with documents as (
    select * from {{ ref('policy_documents') }}
),

final as (
    select
        document_code,
        row_number() over (partition by document_code order by valid_from)::integer as version_no,
        title,
        document_no,
        issuer,
        topic_code,
        valid_from,
        valid_to,
        {{ is_in_period(business_date(), 'valid_from', 'valid_to') }} as is_in_force,
        source_doc,
        clause,
        confidence as confidence_code
    from documents
)

select * from final
