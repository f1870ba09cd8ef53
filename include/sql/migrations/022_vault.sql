-- Clear text of persons, by its keyed pseudonym. Of an erased value the row stays as its tombstone: `clear_text` is then a
-- stand-in that rules judge as they judged the value, and what is delivered later finds the row there.
create schema if not exists vault;
create schema if not exists marts_personal;

create table vault.clear_texts (
    pseudonym text primary key,
    clear_text text not null,
    noted_at timestamptz not null default clock_timestamp(),
    erased_at timestamptz
);

-- Whether a process has the key that the pseudonyms were made with; and when the rows of before were moved in.
create table vault.key (
    is_only boolean primary key default true check (is_only),
    fingerprint text not null,
    moved_in_at timestamptz
);
