"""What the containers of docker-compose.yml need beside the code: the databases and the first start of Airflow."""
