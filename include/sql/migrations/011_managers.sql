-- Whom an account manager's login shows which accounts. What the published bridge and managers say is noted at each move of
-- the pointers; the logins are made by ./kaw bi manager.

-- How a published relation is cut to a manager: by account, by manager, by organisation; shared by all; none: not granted.
create table publish.scopes (
    relation text primary key,
    scope text not null check (scope in ('account', 'manager', 'organisation', 'shared', 'none'))
);

-- Managers at work on the published date, with their organisation.
create table publish.managers (
    manager_no text primary key,
    org_no text
);

-- Their accounts by the primary assignments of the published date.
create table publish.manager_accounts (
    manager_no text not null,
    account_no text not null,
    primary key (manager_no, account_no)
);

create table publish.manager_logins (
    login text primary key,
    manager_no text not null
);

alter table publish.managers enable row level security;
alter table publish.manager_accounts enable row level security;
alter table publish.manager_logins enable row level security;
