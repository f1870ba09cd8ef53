-- What a report must know of a run for good: where its deliveries came from, and what of its published rows was partial.

-- The address of the source without its password, and for a function the arguments that deliver the same again.
alter table quality.receipts
add column delivered_by text default nullif(current_setting('kaw.delivered_by', true), '');

-- Rows of the version that lack something withheld or absent, by measure: {"rows": 3, "measures": {"revenue_12m_cny": 3}}.
-- Null is a version from before, of which it was not noted.
alter table publish.versions add column partial jsonb;
