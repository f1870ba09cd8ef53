/*
sentence: A supply of 35 kV or more has at least {high_voltage_kva} kVA, one of 220 V at most {single_phase_kva} kW, and a resident is not supplied at 10 kV or more.
axis: mismatch
dimension: plausibility
severity: quarantine
owner: marketing office
reason: Such a combination is not built; one of the two is wrong.
source: project rule
subject: mkt_customer
quarantines: mkt_customer
population: customers with a voltage level and a capacity
reads: [stg_marketing__customers]
parameters: [high_voltage_kva, single_phase_kva]
*/
-- tested
select
    {{ row_of('customers') }},
    customers.voltage_level_code,
    customers.customer_class_code,
    customers.contract_capacity_kva
from staging.stg_marketing__customers as customers
where customers.voltage_level_code in (
    'AC220V', 'AC380V', 'AC6kV', 'AC10kV', 'AC20kV', 'AC35kV', 'AC66kV', 'AC110kV', 'AC220kV'
)
-- violations
select
    {{ finding('voltage_level') }},
    voltage_level_code || ', ' || customer_class_code || ', ' || contract_capacity_kva || ' kVA' as observed,
    'a voltage that fits class and capacity' as expected
from tested
where
    (voltage_level_code in ('AC35kV', 'AC66kV', 'AC110kV', 'AC220kV') and contract_capacity_kva < :high_voltage_kva)
    or (voltage_level_code = 'AC220V' and contract_capacity_kva > :single_phase_kva)
    or (customer_class_code = 'RESIDENT' and voltage_level_code in ('AC10kV', 'AC20kV', 'AC35kV', 'AC66kV', 'AC110kV', 'AC220kV'))
