/*
sentence: Where a month's energy is split by rate, the shares of the rates add up to 1 in energy structure and tariff advice.
axis: mismatch
dimension: consistency
severity: warn
owner: data warehouse
reason: Energy without a rate has no price, and energy of two rates is paid twice.
source: "requirement S09: shares of the rates end at 1"
subject: account x month
not_tested: No energy is split by rate.
population: months of an account whose energy is split by rate
reads: [candidate.mart_energy_structure, candidate.mart_tariff_advice]
parameters: [tolerance]
*/
-- tested
{%- set shares = ['sharp_share', 'peak_share', 'flat_share', 'valley_share', 'deep_share'] %}
{%- for mart in ['mart_energy_structure', 'mart_tariff_advice'] %}
select
    {{ mart_row(mart, 'shares', ['account_no', 'month_start_date']) }},
    coalesce(shares.{{ shares | join(', 0) + coalesce(shares.') }}, 0) as share_of_all
from candidate.{{ mart }} as shares
where num_nonnulls(shares.{{ shares | join(', shares.') }}) > 0
{{ 'union all' if not loop.last }}
{%- endfor %}
-- violations
select
    {{ finding('peak_share', day='month_start_date', key='record_key') }},
    share_of_all::text as observed,
    '1' as expected
from tested
where abs(share_of_all - 1) > :tolerance
