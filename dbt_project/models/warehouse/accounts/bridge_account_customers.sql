with delivered as (
    select * from {{ ref('int_account_owners_delivered') }}
),

first_coded as (
    select distinct on (account_no)
        account_no,
        valid_from,
        account_name,
        credit_code
    from delivered
    where credit_code is not null
    order by account_no, valid_from
),

-- A code that is absent, or not valid, is not known and shows no other owner: who was known stays. Before the first code it is
-- that of the first, unless the account had another name then; without any the account is a customer of its own.
deliveries as (
    select
        delivered.account_no,
        delivered.valid_from,
        delivered.open_date,
        named.credit_code,
        coalesce(named.credit_code, 'ACCOUNT-' || delivered.account_no) as customer_no
    from delivered
    left join first_coded on delivered.account_no = first_coded.account_no
    cross join lateral (
        select
            coalesce(
                delivered.credit_code,
                case
                    when coalesce(delivered.account_name = first_coded.account_name, true) then first_coded.credit_code
                end
            ) as credit_code
    ) as named
    where delivered.credit_code is not null or first_coded.account_no is null or delivered.valid_from < first_coded.valid_from
),

contracts as (
    select distinct on (contract_no, version)
        account_no,
        valid_from,
        upper(btrim(uscc)) as credit_code
    from {{ ref('stg_contract__contracts') }}
    where status_code <> 'DRAFT'
    order by contract_no, version, _raw_id desc
),

renames as (
    select * from {{ ref('fct_applications') }}
    where application_type_code = 'RENAME' and status_code = 'DONE'
),

-- Each contract names its customer from its first day on.
by_contract as (
    select
        account_no,
        valid_from,
        max(credit_code) as customer_no
    from contracts
    where {{ is_credit_code('credit_code') }} and valid_from <= {{ business_date() }}
    group by account_no, valid_from
),

-- What the archive said first is no change of owner; only where no contract names anyone is it the first owner.
told as (
    select
        *,
        lag(customer_no) over (partition by account_no order by valid_from) as customer_no_before,
        row_number() over (partition by account_no order by valid_from) as delivery_no
    from deliveries
),

shown as (
    select
        told.*,
        contracted.customer_no as contracted_customer_no
    from told
    left join lateral (
        select by_contract.customer_no
        from by_contract
        where by_contract.account_no = told.account_no and by_contract.valid_from <= told.valid_from
        order by by_contract.valid_from desc
        limit 1
    ) as contracted on true
    where told.customer_no is distinct from told.customer_no_before
),

-- One rename is one change of owner: the next that a delivery shows after it.
renamed as (
    select
        account_no,
        valid_from,
        max(accepted_date) as accepted_date
    from (
        select
            renames.account_no,
            renames.accepted_date,
            min(shown.valid_from) as valid_from
        from renames
        inner join shown
            on
                renames.account_no = shown.account_no
                and shown.delivery_no > 1
                and renames.accepted_date <= shown.valid_from
                and shown.valid_from - 366 < renames.accepted_date
        group by renames.account_no, renames.application_no, renames.accepted_date
    ) as used
    group by account_no, valid_from
),

by_delivery as (
    select
        shown.account_no,
        case
            when shown.delivery_no = 1 then least(shown.open_date, shown.valid_from)
            else coalesce(renamed.accepted_date, shown.valid_from)
        end as valid_from,
        shown.customer_no,
        case
            when shown.credit_code is null then 'ACCOUNT'
            when renamed.accepted_date is not null then 'APPLICATION'
            else 'DELIVERY'
        end as ownership_basis_code
    from shown
    left join renamed on shown.account_no = renamed.account_no and shown.valid_from = renamed.valid_from
    where
        shown.contracted_customer_no is null
        or (
            shown.delivery_no > 1
            and shown.credit_code is not null
            and shown.contracted_customer_no <> shown.customer_no
        )
),

marks as (
    select distinct on (account_no, valid_from)
        account_no,
        valid_from,
        customer_no,
        ownership_basis_code
    from (
        select
            account_no,
            valid_from,
            customer_no,
            'CONTRACT' as ownership_basis_code
        from by_contract
        union all
        select * from by_delivery
    ) as told_by_both
    order by account_no, valid_from, ownership_basis_code desc, customer_no
),

changed as (
    select
        *,
        lag(customer_no) over (partition by account_no order by valid_from) as customer_no_before
    from marks
),

final as (
    select
        account_no,
        valid_from,
        lead(valid_from) over (partition by account_no order by valid_from) as valid_to,
        customer_no,
        ownership_basis_code
    from changed
    where customer_no is distinct from customer_no_before
)

select * from final
