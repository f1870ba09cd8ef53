-- What people say of a finding: who works on it, how far it is, why it was. Appended and never changed; what a note leaves out stays
-- as it was. The gates alone say what is fixed.
create table quality.finding_notes (
    note_id bigint generated always as identity primary key,
    finding_id bigint not null,
    at timestamptz not null default clock_timestamp(),
    after_run_id bigint not null references quality.runs (run_id), -- the newest run when it was entered
    noted_by text not null,
    entered_by text not null,
    office text, -- who has it now; a person of that office, where one is named
    person text,
    status text check (status in ('open', 'in work', 'answered', 'repaired')),
    reason_code text,
    comment text
);

create index finding_notes_of_finding on quality.finding_notes (finding_id, note_id);
