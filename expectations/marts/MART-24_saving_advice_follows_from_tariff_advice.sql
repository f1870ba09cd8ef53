/*
sentence: Advice belongs to a month with tariff advice, saves less than its bill where that is known, and a change of mode saves what tariff advice says.
axis: mismatch
dimension: consistency
severity: block
owner: data warehouse
reason: Two marts that tell an account different savings are both not believed.
source: requirement S25
subject: account x month x advice
population: pieces of saving advice
reads: [candidate.mart_saving_advice, candidate.mart_tariff_advice]
*/
-- tested
select
    {{ mart_row('mart_saving_advice', 'saving', ['account_no', 'month_start_date', 'advice_code']) }},
    saving.saving_cny,
    case when saving.advice_code = 'MODE_SWITCH' then advice.saving_cny end as mode_saving_cny,
    advice.total_charge_cny,
    advice.account_no is not null as has_tariff_advice
from candidate.mart_saving_advice as saving
left join candidate.mart_tariff_advice as advice
    on saving.account_no = advice.account_no and saving.month_start_date = advice.month_start_date
-- violations
select
    {{ finding('saving_cny', day='month_start_date', key='record_key') }},
    advice_code || ' ' || saving_cny as observed,
    case when has_tariff_advice then coalesce(mode_saving_cny::text, 'less than ' || total_charge_cny) else 'a month with tariff advice' end
    as expected,
    saving_cny as amount_at_stake_cny
from tested
where saving_cny <> mode_saving_cny or saving_cny >= total_charge_cny or not has_tariff_advice
