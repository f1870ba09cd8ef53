"""This machine: the commands, the embedded server, Airflow in this home, runs in this process. The product knows none of it."""
