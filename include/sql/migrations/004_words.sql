-- The words of docs/glossary.md: tables, columns and views take the names that the documents use.

alter table quality.retested rename to findings_rechecked;

-- A database whose views were made by the code of before; a new one gets them by their new names.
alter view if exists quality.tonight rename to touched_curves;
