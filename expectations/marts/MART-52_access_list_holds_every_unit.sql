/*
sentence: Every unit of the delivered access list, and no other, has a row for the business date.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A unit that is not listed can fall silent unseen.
source: "requirement S32: one row a unit"
subject: unit
population: units of the delivered access list
reads: [candidate.mart_access_list, stg_marketing__access_units]
*/
-- tested
{{ listed_on_both_sides(
    'mart_access_list', 'unit_no', 'staging.stg_marketing__access_units'
) }}
-- violations
{{ listed_on_one_side('listed', 'not listed') }}
