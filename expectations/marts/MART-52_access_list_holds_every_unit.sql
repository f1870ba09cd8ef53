/*
sentence: Every unit of the delivered access list has its row of the business date, and no other has one.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A unit that is not listed can fall silent unseen.
source: "catalogue, mart-level rules: denominators are the affected units"
subject: unit
population: units of the delivered access list
reads: [candidate.mart_access_list, stg_marketing__access_units]
*/
-- tested
with delivered as (
    select distinct units.unit_no
    from staging.stg_marketing__access_units as units
),

listed as (
    select listed.unit_no
    from candidate.mart_access_list as listed
    where listed.as_of_date = :business_date
)

select
    jsonb_build_object('mart', 'mart_access_list', 'unit_no', coalesce(delivered.unit_no, listed.unit_no)) as record_key,
    delivered.unit_no is not null as is_delivered,
    listed.unit_no is not null as is_listed
from delivered
full outer join listed on delivered.unit_no = listed.unit_no
-- violations
select
    record_key,
    case when is_listed then 'listed' else 'not listed' end as observed,
    case when is_delivered then 'listed' else 'not listed' end as expected
from tested
where is_delivered <> is_listed
