-- Whether the source says of what it delivered that it is made up: of a file in its manifest, of a database's table in its comment.
-- Null for loads of before.
alter table quality.receipts add column is_synthetic boolean;
