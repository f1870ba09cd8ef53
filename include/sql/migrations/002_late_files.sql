-- What a file that arrives late needs to know of the deliveries around its date.

-- Event days for which the delivery is the whole truth, so that an absent row is a withdrawn one; null: for none.
alter table quality.receipts add column complete_for daterange;

-- Keys that a form, or one of several files of a whole table, repeated without a change; raw has no row of them.
create table quality.repeated_keys (
    load_id bigint not null references quality.receipts (load_id),
    _key uuid not null,
    primary key (load_id, _key)
);
