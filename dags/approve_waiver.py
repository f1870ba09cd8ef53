"""Lets a rule's findings pass until a date, or ends that before, on the responsibility of who approves it on Airflow's page.

Started by hand, with what `./kaw waive` takes: rule, scope and the last business date, or the number of a waiver to end; and
the reason. The run waits for an answer, a day at most; approved, it is entered with that user's name, in the ledger too. No
night starts this or waits for it: after the waiver, trigger `build_warehouse` for the date that was stopped.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from include.orchestration import AT_ONCE, BY_HAND, REASON, approval, warehouse

ASKED = {
    "rule": Param(None, type=["null", "string"], description="Rule id, for example PIP-03."),
    "scope": Param(None, type=["null", "string"], description='all, table=NAME, account=NO, or key={"mp_no": "..."}.'),
    "reason": REASON,
    "until": Param(
        None, type=["null", "string"], format="date", description="Last business date that it holds for, YYYY-MM-DD."
    ),
    "end": Param(
        None, type=["null", "integer"], minimum=1, description="Number of a waiver to end, instead of the three."
    ),
    "confirm": Param(
        None, type=["null", "integer"], minimum=1, description="Number of a waiver that waits for a second approver."
    ),
}


@dag(**BY_HAND, default_args={"owner": "data quality office"}, params=ASKED, doc_md=__doc__, tags=["layer:gate"])
def approve_waiver():
    @task(execution_timeout=timedelta(minutes=5), **AT_ONCE)
    def enter_waiver(answered: dict) -> int:
        from include.quality.approvals import waive_as_answered

        return waive_as_answered(warehouse(), dict(get_current_context()["params"]), answered)

    asked = (
        "{% if params.end %}End waiver {{ params.end }}?{% elif params.confirm %}Confirm waiver {{ params.confirm }}?"
        "{% else %}Let {{ params.rule }} pass until {{ params.until }}?{% endif %}"
    )
    answer = approval(asked, "{% if params.scope %}Scope: {{ params.scope }}{% endif %}")
    enter_waiver(answer.output)


approve_waiver()
