-- What dbt built last of each model and seed, and what changed in it then: who reads it builds no more anew than that.
create schema transform;
create sequence transform.stamps; -- orders builds; a model takes its number before it reads anything

-- The models and seeds as the code at work has them, noted before dbt builds.
create table transform.models (
    model text primary key,
    kind text not null check (kind in ('model', 'seed')),
    code text not null, -- checksum of all that the result depends on besides data
    parents text[] not null, -- models and seeds that it reads
    sources text[] not null, -- tables that it reads and dbt does not make, as schema.table
    stages text, -- the contract table that a staging model stages
    unit_column text, -- built by touched units and days: its column of the unit ...
    day_column text, -- ... and of the day, or of the first day of the month
    reach_days integer not null default 0, -- so many days around a changed one are touched too
    reaches_month boolean not null default false, -- all days of the month of a changed day are touched
    whole_by text[] not null default '{}', -- parents of which any change touches all
    follows_days boolean not null default false, -- of what the business date decides, only days after the last one built change
    changed_days text[] -- first and last day that a row of it speaks of, as expressions; null: by its columns
);

create table transform.builds (
    model text primary key,
    code text not null,
    stamp bigint not null,
    business_date date,
    phase text,
    last_passed_load_id bigint,
    collection_start date,
    last_raw_id bigint, -- of the staged table
    reason text, -- how much of it was built, and why
    exchanged_rows bigint, -- rows that went or came; null where the table was made anew
    built_at timestamptz not null default clock_timestamp()
);

-- Units and days of which rows changed. Null is any: of all units, on all days. Kept until all who read the model know it.
create table transform.changes (
    model text not null,
    stamp bigint not null,
    metering_point_no text,
    account_no text,
    meter_asset_no text,
    first_day date,
    last_day date, -- null: and all days after it
    is_long boolean not null generated always as ( -- so long that it counts as all days: nobody unfolds a century
        case
            when first_day is null or last_day is null or not isfinite(first_day) or not isfinite(last_day) then true
            else last_day - first_day > 62
        end
    ) stored
);
create index changes_by_model on transform.changes (model, stamp);
