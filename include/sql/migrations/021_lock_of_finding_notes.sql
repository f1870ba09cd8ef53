insert into quality.locks (name) values ('finding notes') on conflict do nothing; -- one returned list at a time
