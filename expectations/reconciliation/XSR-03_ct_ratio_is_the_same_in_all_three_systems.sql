/*
sentence: The CT ratio is the same in metering, marketing and contract on the business date.
axis: mismatch
dimension: consistency
severity: quarantine
owner: data quality office
reason: A wrong ratio scales every kilowatt-hour that is billed.
source: catalogue XSR-03; the likely-right side by XSR-28
at_stake: Energy last billed x share by which the right ratio differs; yuan at the bill's average price.
likely_wrong: Two of three systems, else the evidence of XSR-28; not told where none stands out.
subject: met_measuring_point
quarantines: met_measuring_point
implies: [XSR-05, XSR-17]
not_tested: No metering point has a ratio on a second side.
*/
-- tested
with installations as (
    select distinct on (installations.metering_point_no)
        installations.metering_point_no,
        installations.ct_ratio
    from staging.stg_marketing__meter_installations as installations
    where {{ is_in_period(':business_date', 'installations.install_date', 'installations.remove_date') }}
    order by installations.metering_point_no, installations.install_date desc, installations._raw_id desc
),

contracts_in_force as (
    select distinct on (contracts.account_no) contracts.*
    from staging.stg_contract__contracts as contracts
    where
        contracts.status_code = 'EFFECTIVE'
        and contracts.kind_code <> 'PROTOCOL'
        and contracts.valid_from <= :business_date
        and (contracts.valid_to is null or :business_date < contracts.valid_to or contracts.is_auto_renewed)
    order by contracts.account_no, contracts.valid_from desc, contracts.version desc, contracts._raw_id desc
),

annexes as (
    select
        annexes.metering_point_no,
        max(annexes.ct_ratio) as ct_ratio
    from staging.stg_contract__metering_annex_lines as annexes
    inner join contracts_in_force
        on annexes.contract_no = contracts_in_force.contract_no and annexes.version = contracts_in_force.version
    group by annexes.metering_point_no
),

evidence as (
    select
        metering_point_no,
        jsonb_object_agg(trim_scale(ratio)::text, points) as points,
        string_agg(trim_scale(ratio) || ': ' || told, '; ' order by ratio) as told
    from (
        select
            metering_point_no,
            ratio,
            sum(points) as points,
            string_agg(told || ' (' || trim_scale(points) || ')', ', ' order by points desc, evidence_code) as told
        from staging.int_ratio_evidence
        where ratio_code = 'CT'
        group by metering_point_no, ratio
    ) as by_ratio
    group by metering_point_no
)

select
    {{ row_of('points') }},
    points.ct_ratio as metering_ratio,
    installations.ct_ratio as marketing_ratio,
    annexes.ct_ratio as contract_ratio,
    billed.point_kwh,
    billed.point_cny,
    evidence.points as evidence_points,
    evidence.told as evidence_told
from staging.stg_metering__measuring_points as points
left join installations on points.metering_point_no = installations.metering_point_no
left join annexes on points.metering_point_no = annexes.metering_point_no
-- What the point was last billed is the basis of energy and money at stake.
left join staging.int_metering_points_last_billed as billed on points.metering_point_no = billed.metering_point_no
left join evidence on points.metering_point_no = evidence.metering_point_no
where points.ct_ratio is not null and num_nonnulls(installations.ct_ratio, annexes.ct_ratio) > 0
-- violations
with judged as (
    select
        tested.*,
        quality.likely_right(
            metering_ratio,
            marketing_ratio,
            contract_ratio,
            (evidence_points ->> trim_scale(metering_ratio)::text)::numeric,
            (evidence_points ->> trim_scale(marketing_ratio)::text)::numeric,
            (evidence_points ->> trim_scale(contract_ratio)::text)::numeric
        ) as right_ratio
    from tested
    where metering_ratio <> marketing_ratio or metering_ratio <> contract_ratio
),

shares as (
    select
        judged.*,
        quality.suspect_side(right_ratio, metering_ratio, marketing_ratio, contract_ratio) as suspect_side,
        -- What was billed was billed with marketing's ratio: if that is the wrong one, the right bill differs by this share.
        case
            when marketing_ratio <> right_ratio then abs(right_ratio / nullif(marketing_ratio, 0) - 1)
            when metering_ratio <> right_ratio then abs(metering_ratio / nullif(right_ratio, 0) - 1)
            when contract_ratio <> right_ratio then abs(contract_ratio / nullif(right_ratio, 0) - 1)
            else abs(metering_ratio / nullif(coalesce(marketing_ratio, contract_ratio), 0) - 1)
        end as share_at_stake,
        -- And this is what the wrong ratio makes of the right energy.
        abs(
            case when marketing_ratio <> right_ratio then marketing_ratio
                when metering_ratio <> right_ratio then metering_ratio
                else contract_ratio
            end / nullif(right_ratio, 0) - 1
        ) as share_off
    from judged
)

select
    {{ finding('ct_ratio') }},
    'metering ' || coalesce(trim_scale(metering_ratio)::text, '-') || ', marketing '
    || coalesce(trim_scale(marketing_ratio)::text, '-') || ', contract '
    || coalesce(trim_scale(contract_ratio)::text, '-') as observed,
    'one ratio in all three' || coalesce(
        ', likely ' || trim_scale(right_ratio) || case
            when metering_ratio = marketing_ratio or contract_ratio in (metering_ratio, marketing_ratio) then ' as two of three say'
            else ' by the evidence'
        end || ': ' || round(100 * share_off, 1) || ' % off', ''
    ) || coalesce('; ' || evidence_told, '') as expected,
    suspect_side,
    round(point_kwh * share_at_stake, 4) as energy_at_stake_kwh,
    round(point_cny * share_at_stake, 2) as amount_at_stake_cny
from shares
