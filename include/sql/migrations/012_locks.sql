-- What one process at a time may do. Anybody who may connect can take an advisory lock, and so keep nights from starting; a lock
-- on these only who may update them.

-- For the length of a transaction: its row.
create table quality.locks (
    name text primary key
);

insert into quality.locks (name) values ('ledger'), ('publish'), ('report');

-- For longer: a whole relation, which takes no transaction number and so keeps no vacuum from its work. They are views, for a
-- table would be analyzed in the middle of a night, and the night would wait for itself.
create view quality.night_lock as select 'one night at a time' as held_for;

create view quality.run_lock as select 'one ./kaw run at a time' as held_for;
