"""What waits on Airflow's page for somebody's answer, from Airflow's own metadata."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity

from include.pages.access import APPROVALS, may


@dataclass(frozen=True)
class Question:
    dag_id: str
    run_id: str
    subject: str
    asked_at: datetime

    @property
    def path(self) -> str:
        """Where it is answered, under Airflow's own address."""
        return f"/dags/{self.dag_id}/runs/{self.run_id}/tasks/approve/required_actions"


def waiting(user: BaseUser) -> list[Question]:
    """Questions without an answer of the DAGs of approvals, of those that the user's role may read; oldest first."""
    from airflow.models.hitl import HITLDetail
    from airflow.models.taskinstance import TaskInstance
    from airflow.utils.session import create_session
    from airflow.utils.state import State
    from sqlalchemy import select

    readable = [dag_id for dag_id in APPROVALS if may(user, dag_id, DagAccessEntity.HITL_DETAIL)]
    query = (
        select(TaskInstance.dag_id, TaskInstance.run_id, HITLDetail.subject, HITLDetail.created_at)
        .join(TaskInstance, TaskInstance.id == HITLDetail.ti_id)
        .where(
            TaskInstance.dag_id.in_(readable),
            HITLDetail.responded_at.is_(None),
            TaskInstance.state.not_in(State.finished),
        )
        .order_by(HITLDetail.created_at)
    )
    with create_session() as session:
        return [Question(*row) for row in session.execute(query)]
