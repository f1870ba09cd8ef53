"""Lets a rule's findings pass until a date, on the responsibility of the user who approves it on Airflow's page.

Started by hand, with what `./kaw waive` takes: rule, scope, reason and the last business date. The run waits for an answer,
a day at most; approved, it enters the waiver with that user's name, in the ledger too. No night starts this or waits for it:
after the waiver, trigger `build_warehouse` for the date that was stopped.
"""
from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from include.orchestration import AT_ONCE, BY_HAND, REASON, approval

ASKED = {
    "rule": Param("", type="string", minLength=1, description="Rule id, for example PIP-03."),
    "scope": Param("", type="string", minLength=1, description='all, table=NAME, account=NO, or key={"mp_no": "..."}.'),
    "reason": REASON,
    "until": Param("", type="string", format="date", description="Last business date that it holds for, YYYY-MM-DD."),
}


@dag(**BY_HAND, params=ASKED, doc_md=__doc__, tags=["layer:gate"])
def approve_waiver():
    @task(execution_timeout=timedelta(minutes=5), **AT_ONCE)
    def enter_waiver(answered: dict) -> int:
        from include import server
        from include.approvals import waive_as_answered

        return waive_as_answered(server.warehouse_url(), dict(get_current_context()["params"]), answered)

    answer = approval("Let {{ params.rule }} pass until {{ params.until }}?", "Scope: {{ params.scope }}")
    enter_waiver(answer.output)


approve_waiver()
