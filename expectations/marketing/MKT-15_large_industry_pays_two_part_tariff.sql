/*
sentence: Large industry of {two_part_from_kva} kVA or more pays a basic charge, and one by capacity has more than {capacity_above_kva} kVA.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The basic charge is a large part of the revenue.
source: 发改价格〔2023〕526号
subject: mkt_tariff_assign
population: tariff assignments in force of large industry
reads: [stg_marketing__customers, stg_marketing__tariff_assignments]
parameters: [capacity_above_kva, two_part_from_kva]
*/
-- tested
select
    {{ row_of('assignments') }},
    assignments.basic_mode_code,
    customers.customer_class_code,
    customers.contract_capacity_kva
from staging.stg_marketing__tariff_assignments as assignments
    inner join staging.stg_marketing__customers as customers on assignments.account_no = customers.account_no
where {{ is_valid_on('assignments', ':business_date') }} and customers.contract_capacity_kva is not null
-- violations
select
    {{ finding('basic_mode') }},
    basic_mode_code || ' at ' || contract_capacity_kva || ' kVA' as observed,
    'a basic charge from ' || :two_part_from_kva || ' kVA, by capacity above ' || :capacity_above_kva || ' kVA' as expected
from tested
where
    (customer_class_code = 'LARGE_IND' and contract_capacity_kva >= :two_part_from_kva and basic_mode_code = 'NONE')
    or (basic_mode_code = 'BY_CAPACITY' and contract_capacity_kva <= :capacity_above_kva)
