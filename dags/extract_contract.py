"""Lands the contract system: supply contracts with annexes and amendments, trade agreements and settlements.

The source delivers by 06:00 of the next morning. Each table leaves a receipt; a file that must be refused does not stop
the others, its arrival rule blocks at the gate. Repeating the run changes nothing: rows are compared by content.
"""

from airflow.sdk import dag

from include.orchestration import RAW_CONTRACT, land_tables, landing


@dag(**landing("contract", cron="20 6 * * *", doc=__doc__))
def extract_contract():
    land_tables("contract", delivers=RAW_CONTRACT)


extract_contract()
