"""Builds one night from what landed: staging, gate 1, warehouse and marts, gate 2, publish, report.

Starts when all three sources have landed the same business date, which is its partition key. After a single source was
landed again, trigger it by hand with that `business_date`. Gates and publish are never retried: bad data does not improve by
waiting, and a refusal is on record once. When a gate blocks, the published marts stay as they are, and the report says what
to do.
"""

from datetime import timedelta

from airflow.sdk import chain, dag, get_current_context, task

from include.orchestration import MARTS_PUBLISHED, RETRIES, build, business_date, night_step, warehouse


@dag(**build(doc=__doc__))
def build_warehouse():
    @task(execution_timeout=timedelta(minutes=5), **RETRIES)
    def begin_run() -> dict:
        from include.night import begin_run

        return begin_run(warehouse(), business_date(get_current_context()))

    run = begin_run()
    chain(
        night_step(run, "build_staging", 2, retries=1),
        night_step(run, "check_staged", 1, retries=0, is_gate=True),
        night_step(run, "build_warehouse_and_marts", 2, retries=1),
        night_step(run, "check_marts", 1, retries=0, is_gate=True),
        night_step(run, "publish_marts", 1, retries=0, outlets=[MARTS_PUBLISHED]),
        night_step(run, "write_report", 0.5, retries=1),
    )


build_warehouse()
