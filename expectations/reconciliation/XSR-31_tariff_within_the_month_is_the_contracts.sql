/*
sentence: A tariff that ended in the last closed month or since is that of the contract of its last day.
axis: mismatch
dimension: consistency
severity: warn
owner: data quality office
reason: A price that came and went within a billed month changes the bill and shows at the end of no month.
source: project rule
at_stake: "No money: a bill does not say which of its lines fell on these days."
likely_wrong: Undetermined; nothing else names the tariff of these days.
subject: mkt_tariff_assign
not_tested: No tariff ended in the last closed month or since.
population: tariffs of main metering points that ended in the last closed month or since, under a contract
reads: [stg_marketing__tariff_assignments, stg_marketing__metering_points, int_contracts_in_force]
compares: [marketing.mkt_tariff_assign.tariff_code, contract.con_contract.tariff_code]
*/
-- tested
select
    {{ row_of('assignments') }},
    assignments.metering_point_no,
    assignments.valid_to - 1 as last_date,
    assignments.tariff_code as marketing_tariff_code,
    contracts.tariff_code as contract_tariff_code
from staging.stg_marketing__tariff_assignments as assignments
    inner join staging.int_contracts_in_force as contracts
        on
            assignments.account_no = contracts.account_no
            and {{ is_in_period('assignments.valid_to - 1', 'contracts.valid_from', 'contracts.valid_to') }}
where
    assignments.valid_to between {{ month_of(last_month_end(':business_date')) }} + 1 and :business_date
    -- what applies at the end of the month is compared there
    and not {{ is_valid_on('assignments', last_month_end(':business_date')) }}
    and contracts.tariff_code is not null
    and exists (
        select 1
        from staging.stg_marketing__metering_points as points
        where
            points.metering_point_no = assignments.metering_point_no
            and points.role_code = 'BILLING'
            and points.parent_metering_point_no is null
    )
-- violations
select
    {{ finding('tariff_code') }},
    marketing_tariff_code || ' at ' || metering_point_no || ' up to ' || last_date as observed,
    contract_tariff_code || ' in the contract' as expected,
    'undetermined' as suspect_side
from tested
where marketing_tariff_code <> contract_tariff_code
