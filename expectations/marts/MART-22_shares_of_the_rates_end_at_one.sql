/*
sentence: Where a month's energy is split by rate, the shares of the rates add up to 1 in energy structure and tariff advice.
axis: mismatch
dimension: consistency
severity: warn
owner: data warehouse
reason: Energy without a rate has no price, and energy of two rates is paid twice.
source: catalogue, mart-level rules
subject: account x month
not_tested: No energy is split by rate.
*/
-- tested
with shares as (
    select
        'mart_energy_structure' as mart,
        account_no,
        month_start_date,
        sharp_share,
        peak_share,
        flat_share,
        valley_share,
        deep_share
    from candidate.mart_energy_structure
    union all
    select
        'mart_tariff_advice' as mart,
        account_no,
        month_start_date,
        sharp_share,
        peak_share,
        flat_share,
        valley_share,
        deep_share
    from candidate.mart_tariff_advice
)

select
    jsonb_build_object(
        'mart', shares.mart, 'account_no', shares.account_no, 'month_start_date', shares.month_start_date
    ) as record_key,
    shares.account_no,
    shares.month_start_date,
    coalesce(shares.sharp_share, 0) + coalesce(shares.peak_share, 0) + coalesce(shares.flat_share, 0)
    + coalesce(shares.valley_share, 0) + coalesce(shares.deep_share, 0) as share_of_all,
    quality.parameter('MART-22', 'tolerance', :business_date) as tolerance
from shares
where coalesce(shares.sharp_share, shares.peak_share, shares.flat_share, shares.valley_share, shares.deep_share) is not null
-- violations
select
    {{ finding('peak_share', day='month_start_date', key='record_key') }},
    share_of_all::text as observed,
    '1' as expected
from tested
where abs(share_of_all - 1) > tolerance
