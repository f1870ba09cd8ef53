with assessments as (
    select * from {{ ref('stg_marketing__service_tiers') }}
),

contracts as (
    select * from {{ ref('dim_contracts') }}
    where status_code <> 'DRAFT'
),

accounts as (
    select * from {{ ref('dim_accounts') }}
    where is_current
),

rules as (
    select * from {{ ref('service_tier_rules') }}
),

-- The tier can change on any of these days.
change_days as (
    select
        account_no,
        coalesce(connect_date, open_date, valid_from) as valid_from
    from accounts
    union
    select contracts.account_no, days.day
    from contracts
    cross join lateral (values (contracts.valid_from), (contracts.valid_to)) as days (day)
    union
    select assessments.account_no, days.day
    from assessments
    cross join lateral (values (assessments.valid_from), (assessments.valid_to)) as days (day)
    union
    select accounts.account_no, rules.valid_from
    from accounts
    cross join rules
),

periods as (
    select
        change_days.account_no,
        change_days.valid_from,
        accounts.importance_code,
        accounts.contract_capacity_kva
    from change_days
    inner join accounts
        on
            change_days.account_no = accounts.account_no
            and change_days.valid_from >= coalesce(accounts.connect_date, accounts.open_date, accounts.valid_from)
),

-- Importance and capacity as agreed by contract on the day; what the archive says now only where no contract was in force.
agreed as (
    select distinct on (periods.account_no, periods.valid_from)
        periods.account_no,
        periods.valid_from,
        coalesce(contracts.importance_code, periods.importance_code) as importance_code,
        coalesce(contracts.contract_capacity_kva, periods.contract_capacity_kva) as contract_capacity_kva
    from periods
    left join contracts
        on
            periods.account_no = contracts.account_no
            and contracts.valid_from <= periods.valid_from
            and (contracts.valid_to is null or periods.valid_from < contracts.valid_to or contracts.is_auto_renewed)
    order by
        periods.account_no,
        periods.valid_from,
        contracts.valid_from desc nulls last,
        contracts.version desc nulls last,
        contracts.contract_no
),

ruled as (
    select distinct on (agreed.account_no, agreed.valid_from)
        agreed.account_no,
        agreed.valid_from,
        agreed.importance_code,
        rules.tier_code,
        rules.rule_version
    from agreed
    left join rules
        on
            {{ is_valid_on('rules', 'agreed.valid_from') }}
            and (agreed.importance_code = rules.importance_code or agreed.contract_capacity_kva >= rules.capacity_from_kva)
    order by agreed.account_no, agreed.valid_from, rules.tier_code nulls last, rules.rule_version desc nulls last
),

-- An expert's decision overrides the rule only with a name and a date.
assessed as (
    select distinct on (ruled.account_no, ruled.valid_from)
        ruled.account_no,
        ruled.valid_from,
        ruled.importance_code,
        ruled.rule_version,
        ruled.tier_code as rule_tier_code,
        coalesce(assessments.tier_code, ruled.tier_code) as tier_code,
        case when assessments.tier_code is not null then 'EXPERT' else 'RULE' end as tier_basis_code,
        coalesce(assessments.tier_code <> ruled.tier_code, false) as is_expert_override,
        assessments.assessor_no,
        assessments.assessed_date,
        assessments.assess_reason
    from ruled
    left join assessments
        on
            ruled.account_no = assessments.account_no
            and {{ is_valid_on('assessments', 'ruled.valid_from') }}
            and nullif(assessments.assessor_no, '') is not null
            and assessments.assessed_date is not null
    order by ruled.account_no, ruled.valid_from, assessments.valid_from desc nulls last, assessments._raw_id desc nulls last
),

hashed as (
    select
        *,
        md5(
            concat_ws(
                '|', importance_code, rule_version, rule_tier_code, tier_code, tier_basis_code, assessor_no, assessed_date,
                assess_reason
            )
        ) as content
    from assessed
),

changed as (
    select
        *,
        lag(content) over (partition by account_no order by valid_from) as content_before
    from hashed
),

final as (
    select
        account_no,
        valid_from,
        lead(valid_from) over (partition by account_no order by valid_from) as valid_to,
        tier_code,
        importance_code,
        rule_version as tier_rule_version,
        rule_tier_code,
        tier_basis_code,
        is_expert_override,
        assessor_no,
        assessed_date,
        assess_reason
    from changed
    where content is distinct from content_before
)

select * from final
