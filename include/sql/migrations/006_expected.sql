-- What should have been there on a night and what was absent, so that an old run's report can still tell. The things
-- themselves are derived anew each night: the view quality.expected.

-- Per kind of thing, day or month, office and channel; `period_date` is null for what should always be there.
create table quality.expected_shares (
    run_id bigint not null references quality.runs (run_id),
    what text not null,
    table_name text not null,
    period_date date,
    org_no text not null,
    channel text,
    expected bigint not null,
    arrived bigint not null,
    absent bigint generated always as (expected - arrived) stored
);
create index expected_shares_by_run on quality.expected_shares (run_id);

-- One row for each thing that is absent; `explained_by` is the greater absence that it is a part of: table, office or point.
create table quality.expected_absent (
    run_id bigint not null references quality.runs (run_id),
    what text not null,
    table_name text not null,
    rule_id text not null,
    record_key jsonb not null,
    account_no text,
    org_no text not null,
    channel text,
    period_date date,
    since_date date,
    explained_by text
);
create index expected_absent_by_run on quality.expected_absent (run_id);
