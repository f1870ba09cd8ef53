-- In which state the rows of a receipt are, as they were counted last: a night counts anew the receipts of which a row may have
-- changed its state. What each run saw is kept per table.
create table quality.receipt_states (
    load_id bigint primary key,
    table_name text not null,
    run_id bigint not null references quality.runs (run_id), -- the run that counted it last
    staged_by text, -- checksum of the code that staged the table then
    delivered bigint not null,
    admitted bigint not null,
    waived bigint not null,
    quarantined bigint not null,
    blocked_by_parent bigint not null,
    superseded bigint not null,
    duplicate bigint not null,
    rejected bigint not null,
    in_force bigint not null -- keys of which the newest row is of this receipt, and no tombstone
);
create index receipt_states_by_table on quality.receipt_states (table_name, run_id);

create table quality.conservation_of_tables as
select
    run_id,
    table_name,
    sum(delivered)::bigint as delivered,
    sum(admitted)::bigint as admitted,
    sum(waived)::bigint as waived,
    sum(quarantined)::bigint as quarantined,
    sum(blocked_by_parent)::bigint as blocked_by_parent,
    sum(superseded)::bigint as superseded,
    sum(duplicate)::bigint as duplicate,
    sum(rejected)::bigint as rejected
from quality.conservation
group by run_id, table_name;

drop table quality.conservation;
alter table quality.conservation_of_tables rename to conservation;
alter table quality.conservation
alter column run_id set not null,
alter column table_name set not null,
alter column delivered set not null,
alter column admitted set not null,
alter column waived set not null,
alter column quarantined set not null,
alter column blocked_by_parent set not null,
alter column superseded set not null,
alter column duplicate set not null,
alter column rejected set not null,
add primary key (run_id, table_name);
