-- What the marts lack, and why: a row that is withheld (column_name is empty), a value of an admitted row. Each reason why
-- something is not there is a branch, and a new reason is a new branch; marts and gate 2 read nothing else.
create or replace view quality.lacking as
select
    table_name,
    '' as column_name,
    account_no,
    fact_date,
    coalesce(identifiers, '{}') as identifiers,
    1 as withheld_rows,
    coalesce(energy_at_stake_kwh, 0) as withheld_kwh,
    coalesce(amount_at_stake_cny, 0) as withheld_cny
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
    0 as withheld_cny
from quality.withheld_now;
