/*
sentence: The power factor standard is 0.90 for large industry at high voltage above {high_standard_above_kva} kVA, 0.80 for agriculture, else 0.85.
axis: mismatch
dimension: consistency
severity: warn
owner: marketing office
reason: The standard decides between a reward and a surcharge.
source: (83) 水电财字第215号
subject: mkt_tariff_assign
not_tested: No account has a power factor standard.
population: tariff assignments with a power factor standard
reads: [stg_marketing__customers, stg_marketing__tariff_assignments]
parameters: [high_standard_above_kva]
*/
-- tested
select
    {{ row_of('assignments') }},
    assignments.power_factor_standard_code,
    case
        when
            customers.customer_class_code = 'LARGE_IND'
            and customers.voltage_level_code not in ('AC220V', 'AC380V')
            and customers.contract_capacity_kva > :high_standard_above_kva
            then '0.90'
        when customers.customer_class_code = 'AGRI' then '0.80'
        else '0.85'
    end as standard_expected
from staging.stg_marketing__tariff_assignments as assignments
    inner join staging.stg_marketing__customers as customers on assignments.account_no = customers.account_no
where {{ is_valid_on('assignments', ':business_date') }} and assignments.power_factor_standard_code <> 'NONE'
-- violations
{{ values_that_differ('pf_standard', 'power_factor_standard_code', 'standard_expected', key='raw_id', account=true) }}
