-- Run once by the PostgreSQL image on an empty volume: the login of the warehouse and its databases, as the embedded
-- server has them. The password comes from the environment, so that it stands on no command line.
\getenv kaw_password KAW_PASSWORD
create role kaw login nosuperuser createrole createdb password :'kaw_password';
alter role kaw set statement_timeout = '20min';
alter role kaw set idle_in_transaction_session_timeout = '30min';
alter role kaw set createrole_self_grant = 'set, inherit';

create database warehouse owner kaw;
create database airflow owner kaw;
create database sim_marketing owner kaw;
create database sim_contract owner kaw;
revoke all on database warehouse, airflow, sim_marketing, sim_contract from public;
