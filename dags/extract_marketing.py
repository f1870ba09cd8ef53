"""Lands the marketing system: archive, billing, connections, tickets, outages, managers, and the forms of its units.

The source delivers by 06:00 of the next morning. Each table leaves a receipt; a file that must be refused does not stop
the others, its arrival rule blocks at the gate. Repeating the run changes nothing: rows are compared by content.
"""

from airflow.sdk import dag

from include.orchestration import RAW_MARKETING, land_tables, landing


@dag(**landing("marketing", cron="15 6 * * *", doc=__doc__))
def extract_marketing():
    land_tables("marketing", delivers=RAW_MARKETING)


extract_marketing()
