"""Shows readers the version before, or releases what was rolled back, on the responsibility of the user who approves it.

Started by hand, with what `./kaw rollback` takes: the action and the reason. The run waits for an answer on Airflow's page, a
day at most. Approved, a roll-back points the months of the last publish at the version before and pins them there; a release
lets the next run publish them again. Both bear that user's name in the ledger. No night starts this or waits for it.
"""

from datetime import timedelta

from airflow.sdk import Param, dag, get_current_context, task

from include.orchestration import AT_ONCE, BY_HAND, REASON, approval, warehouse

ASKED = {
    "action": Param("roll back", type="string", enum=["roll back", "release"], description="What readers shall see."),
    "reason": REASON,
}


@dag(**BY_HAND, default_args={"owner": "data engineering"}, params=ASKED, doc_md=__doc__, tags=["layer:publish"])
def approve_rollback():
    @task(execution_timeout=timedelta(minutes=5), **AT_ONCE)
    def move_pointers(answered: dict) -> list:
        from include.night import write_overview
        from include.quality.approvals import move_pointers_as_answered

        moved = move_pointers_as_answered(warehouse(), dict(get_current_context()["params"]), answered)
        write_overview(warehouse())
        return moved

    answer = approval("Marts: {{ params.action }}?", "`./kaw status` tells which months and versions readers see.")
    move_pointers(answer.output)


approve_rollback()
