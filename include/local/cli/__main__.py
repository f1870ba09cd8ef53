import gc
import sys

from include.local.cli import main

code = main()
gc.freeze()  # the system takes the memory back at once; Python would look through all of Airflow's and dbt's objects first
sys.exit(code)
