-- Which accounts have days of the same shape: written by include/transform/clusters.py between warehouse and marts, read by dbt as a
-- source. It is a pure function of warehouse.fct_load_profiles and of the seed of its parameters, and is written anew each night.
create table if not exists warehouse.load_cluster_labels (
    month_start_date date not null,
    account_no text not null,
    cluster_no integer,
    cluster_count integer,
    mean_silhouette numeric(6, 4),
    cluster_count_basis text not null,
    primary key (month_start_date, account_no)
);
