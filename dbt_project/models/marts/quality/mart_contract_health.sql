with months as (
    select * from {{ ref('dim_months') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT'
),

accounts as (
    select * from {{ ref('dim_accounts') }}
),

tariffs as (
    select * from {{ ref('dim_tariffs') }}
),

amendments as (
    select * from {{ ref('fct_contract_amendments') }}
),

bills as (
    select * from {{ ref('fct_bills') }}
),

-- The version in force on a day is the newest one that had begun by then.
in_force as (
    select distinct on (contracts.contract_no, months.report_date)
        months.report_date as as_of_date,
        contracts.*
    from contracts
    inner join months on contracts.valid_from <= months.report_date
    order by contracts.contract_no, months.report_date, contracts.version desc nulls last
),

billed as (
    select
        in_force.contract_no,
        in_force.as_of_date,
        max(bills.bill_month) as last_bill_month
    from in_force
    inner join bills
        on
            in_force.account_no = bills.account_no
            and in_force.valid_to <= bills.bill_month
            and bills.issued_date <= in_force.as_of_date
    where not in_force.is_auto_renewed
    group by in_force.contract_no, in_force.as_of_date
),

-- What marketing bills by, compared as sets: an account with two points may have two tariffs.
billed_tariffs as (
    select
        in_force.contract_no,
        in_force.as_of_date,
        bool_or(tariffs.tariff_code is distinct from in_force.tariff_code) as has_tariff_gap,
        string_agg(distinct tariffs.tariff_code, ', ' order by tariffs.tariff_code) as marketing_tariff_codes
    from in_force
    inner join tariffs
        on
            in_force.account_no = tariffs.account_no
            and {{ is_valid_on('tariffs', 'in_force.as_of_date') }}
    group by in_force.contract_no, in_force.as_of_date
),

amended as (
    select distinct on (in_force.contract_no, in_force.as_of_date)
        in_force.contract_no,
        in_force.as_of_date,
        amendments.effective_date,
        amendments.signature_lag_days
    from in_force
    inner join amendments
        on in_force.contract_no = amendments.contract_no and amendments.effective_date <= in_force.as_of_date
    order by
        in_force.contract_no,
        in_force.as_of_date,
        amendments.effective_date desc nulls last,
        amendments.signature_lag_days desc nulls last,
        amendments.amendment_no
),

-- The contract of a customer who left is over; it did not run out unnoticed.
closed as (
    select
        account_no,
        close_date
    from accounts
    where is_current
),

measured as (
    select
        in_force.contract_no,
        in_force.as_of_date,
        in_force.version as contract_version,
        in_force.account_no,
        accounts.org_no,
        in_force.kind_code,
        in_force.status_code,
        in_force.signed_date,
        in_force.valid_from,
        in_force.valid_to - 1 as last_valid_date,
        in_force.is_auto_renewed,
        in_force.valid_to - 1 - in_force.as_of_date as days_to_expiry,
        coalesce(closed.close_date <= in_force.as_of_date, false) as is_ended,
        coalesce(in_force.valid_to <= in_force.as_of_date and not in_force.is_auto_renewed, false)
        and coalesce(in_force.as_of_date < closed.close_date, true) as is_expired,
        billed.last_bill_month is not null as is_expired_billed,
        in_force.signed_date is null or in_force.signed_date > in_force.as_of_date as is_unsigned,
        (
            case when in_force.has_scan then 0 else 1 end
            + case when in_force.has_property_boundary then 0 else 1 end
            + case when in_force.metering_annex_lines > 0 then 0 else 1 end
            + case when in_force.transformer_annex_lines > 0 or in_force.kind_code <> 'HV' then 0 else 1 end
        ) as missing_attachment_cnt,
        in_force.contract_capacity_kva,
        accounts.contract_capacity_kva as marketing_capacity_kva,
        (in_force.contract_capacity_kva - accounts.contract_capacity_kva)::numeric(14, 2) as capacity_gap_kva,
        in_force.tariff_code,
        billed_tariffs.marketing_tariff_codes,
        billed_tariffs.has_tariff_gap as tariff_gap,
        amended.effective_date as last_amendment_date,
        amended.signature_lag_days as amendment_lag_days
    from in_force
    left join accounts
        on
            in_force.account_no = accounts.account_no
            and {{ is_valid_on('accounts', 'in_force.as_of_date') }}
    left join closed on in_force.account_no = closed.account_no
    left join billed
        on in_force.contract_no = billed.contract_no and in_force.as_of_date = billed.as_of_date
    left join billed_tariffs
        on in_force.contract_no = billed_tariffs.contract_no and in_force.as_of_date = billed_tariffs.as_of_date
    left join amended
        on in_force.contract_no = amended.contract_no and in_force.as_of_date = amended.as_of_date
),

final as ({{ partial_rows('measured') }})

select * from final
