-- What lies in a source's folder and is not read leaves a receipt too: of the state `ignored`, without rows, with the reason.
alter table quality.receipts drop constraint receipts_state_check;
alter table quality.receipts add constraint receipts_state_check check (state in ('landed', 'refused', 'ignored'));

-- What of a delivery landed otherwise than it is in the file, or was passed over, in sentences.
alter table quality.receipts add column notices text[] not null default '{}';
