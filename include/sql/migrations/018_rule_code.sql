-- What a rule was made of when a gate read it last: a preview tells by it which rules changed since. Null: read before this migration.
alter table quality.rule_book add column if not exists code text;
