-- What the marts lack, and why: a row that is withheld (column_name is empty), a value of an admitted row, a thing that is
-- expected and absent, a row that waits for somebody to say whether it is withdrawn. That row `is_there`: what rests on it is a
-- figure all the same, but not a complete one. Marts and gate 2 read nothing else; a new reason is a new branch.
create or replace view quality.lacking as
select
    table_name,
    '' as column_name,
    account_no,
    fact_date,
    coalesce(identifiers, '{}') as identifiers,
    1 as withheld_rows,
    coalesce(energy_at_stake_kwh, 0) as withheld_kwh,
    coalesce(amount_at_stake_cny, 0) as withheld_cny,
    false as is_there
from quality.withheld
union all
select
    table_name,
    column_name,
    account_no,
    fact_date,
    coalesce(identifiers, '{}') as identifiers,
    0 as withheld_rows, -- the row and its amounts are admitted
    0 as withheld_kwh,
    0 as withheld_cny,
    false as is_there
from quality.withheld_now
union all
select
    table_name,
    '' as column_name,
    account_no,
    period as fact_date,
    key as identifiers,
    0 as withheld_rows, -- nobody has it, and nobody knows how much it is
    0 as withheld_kwh,
    0 as withheld_cny,
    false as is_there
from quality.absent_tonight()
union all
select
    table_name,
    '' as column_name,
    account_no,
    event_date as fact_date,
    record_key as identifiers,
    0 as withheld_rows,
    0 as withheld_kwh,
    0 as withheld_cny,
    true as is_there
from quality.open_withdrawals;
