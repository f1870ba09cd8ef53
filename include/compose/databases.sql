-- Run once by the PostgreSQL image on an empty volume: the login of the warehouse and its databases, and Airflow's own
-- login, which owns nothing but its metadata. The passwords come from the environment, so that they stand on no command line.
\getenv kaw_password KAW_PASSWORD
\getenv metadata_password KAW_METADATA_PASSWORD
create role kaw login nosuperuser createrole createdb password :'kaw_password';
alter role kaw set statement_timeout = '20min';
alter role kaw set idle_in_transaction_session_timeout = '30min';
alter role kaw set createrole_self_grant = 'set, inherit';

create role airflow login nosuperuser nocreaterole nocreatedb password :'metadata_password';

create database warehouse owner kaw;
create database airflow owner airflow;
create database sim_marketing owner kaw;
create database sim_contract owner kaw;
revoke all on database warehouse, airflow, sim_marketing, sim_contract from public;
