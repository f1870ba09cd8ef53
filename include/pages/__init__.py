"""The pages that Airflow shows of the warehouse, behind its log-in and roles; mounted by plugins/warehouse.py."""
