"""What a user of Airflow approved on its page: the functions of `./kaw waive` and `./kaw rollback`, signed by that user.

`asked` holds the parameters of the run, `answer` is what an ApprovalOperator hands on. Where the answer is no approval or has
no name, UsageError is raised and nothing is changed.
"""

from __future__ import annotations

from include.errors import UsageError
from include.publish import release, rollback
from include.quality.waivers import check_asked, confirm_waiver, end_waiver, waive
from include.records.warehouse import Warehouse


def waive_as_answered(warehouse: str | Warehouse, asked: dict, answer: dict) -> int:
    """Enters the waiver, or ends or confirms the one whose number is given, and returns its number."""
    check_asked(asked["rule"], asked["scope"], asked["until"], asked["end"], asked.get("confirm"))
    if asked.get("confirm"):
        return confirm_waiver(warehouse, asked["confirm"], reason=asked["reason"], **_signed(answer))
    if asked["end"]:
        return end_waiver(warehouse, asked["end"], reason=asked["reason"], **_signed(answer))
    return waive(
        warehouse, asked["rule"], asked["scope"], reason=asked["reason"], until=asked["until"], **_signed(answer)
    )


def move_pointers_as_answered(warehouse: Warehouse, asked: dict, answer: dict) -> list[str]:
    """Rolls back, or releases what was rolled back, and returns the months as YYYY-MM."""
    act = {"roll back": rollback, "release": release}[asked["action"]]
    return [f"{month:%Y-%m}" for month in sorted(act(warehouse, reason=asked["reason"], **_signed(answer)))]


def _signed(answer: dict) -> dict[str, str]:
    """Who approved by name, and that user as the one who acts."""
    if answer["chosen_options"] != ["Approve"]:
        raise UsageError(
            "Rejected; nothing changed.", where="Airflow", next_step="repeat the request with what was missing."
        )
    user = answer["responded_by_user"] or {}
    return {"approver": user.get("name") or "", "entered_by": f"airflow:{user.get('id')}"}
