"""Who may see the pages: a user whom Airflow knows, in a role that may read what the tasks of a night log."""

from __future__ import annotations

from typing import Annotated

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException

NIGHT = "build_warehouse"
APPROVALS = ("approve_waiver", "approve_rollback")


def reader(user: Annotated[BaseUser, Depends(get_user)]) -> BaseUser:
    """The user. Airflow's own 401 where nobody is logged in, 403 where the role may not read a night's logs."""
    if not may(user, NIGHT, DagAccessEntity.TASK_LOGS):
        raise HTTPException(403, "Your role may not read the logs of build_warehouse, and so not what they lead to.")
    return user


def may(user: BaseUser, dag_id: str, entity: DagAccessEntity) -> bool:
    """Whether the role of the user may read this of a DAG."""
    return get_auth_manager().is_authorized_dag(
        method="GET", access_entity=entity, details=DagDetails(id=dag_id), user=user
    )
