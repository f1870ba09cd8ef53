"""Lands the metering system: meters, curves, registers, voltages, events, supply-side outages.

The source delivers by 08:00 of the next morning. Each table leaves a receipt; a file that must be refused does not stop
the others, its arrival rule blocks at the gate. Repeating the run changes nothing: rows are compared by content.
"""

from airflow.sdk import dag

from include.orchestration import RAW_METERING, land_tables, landing


@dag(**landing("metering", cron="30 8 * * *", doc=__doc__))
def extract_metering():
    land_tables("metering", delivers=RAW_METERING)


extract_metering()
