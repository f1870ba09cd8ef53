-- Layers from left to right; `vault` is reserved for personal data.
create schema if not exists raw_metering;
create schema if not exists raw_marketing;
create schema if not exists raw_contract;
create schema if not exists staging;
create schema if not exists quality;
create schema if not exists warehouse;
create schema if not exists candidate;
create schema if not exists publish;
create schema if not exists marts;
create schema if not exists vault;
