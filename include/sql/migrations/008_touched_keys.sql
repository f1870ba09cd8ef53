-- Which keys an incremental staging model stages anew is a temporary table of its own transaction now.
drop table quality.touched_keys;
