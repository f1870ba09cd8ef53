"""Lands the contract system: supply contracts with annexes and amendments, trade agreements and settlements.

The source delivers by 06:00 of the next morning. Each table leaves a receipt; a file that must be refused does not stop
the others, its arrival rule blocks at the gate. Repeating the run changes nothing: rows are compared by content.
"""

from datetime import timedelta

from airflow.sdk import dag, get_current_context, task

from include.orchestration import PARAMS, RAW_CONTRACT, RETRIES, START, business_date, done_within, hand_on, nightly


@dag(
    schedule=nightly("20 6 * * *"),
    start_date=START,
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=3),
    deadline=done_within(hours=2),
    params=PARAMS,
    doc_md=__doc__,
    tags=["layer:landing", "source:contract"],
)
def extract_contract():
    @task(outlets=[RAW_CONTRACT], execution_timeout=timedelta(hours=2), **RETRIES)
    def land_tables() -> dict:
        from include.landing.extract import extract
        from include.progress import say, step

        context = get_current_context()
        day = business_date(context)
        with step("land contract"):
            receipts = extract("contract", day, progress=say)
        hand_on(context, day)
        return {"loads": len(receipts), "refused": sum(r.state == "refused" for r in receipts)}

    land_tables()


extract_contract()
