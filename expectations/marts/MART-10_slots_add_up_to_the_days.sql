/*
sentence: Valid, estimated, missing and outage slots of a month are {MET-02.slots} for each metering point and day.
axis: missing
dimension: completeness
severity: block
owner: data warehouse
reason: A slot that is in no state was forgotten, one in two was counted twice.
source: requirement S25; worked example O22
subject: account x month
population: months of an account
reads: [candidate.mart_energy_structure]
parameters: [MET-02.slots]
*/
-- tested
select
    {{ mart_row('mart_energy_structure', 'energy', ['account_no', 'month_start_date']) }},
    energy.valid_slots + energy.estimated_slots + energy.missing_slots + energy.outage_slots as slots,
    energy.metering_point_days * :slots as expected_slots
from candidate.mart_energy_structure as energy
where energy.metering_point_days is not null
-- violations
{{ values_that_differ('valid_slots', 'slots', 'expected_slots', 'slots', day='month_start_date', account=true) }}
