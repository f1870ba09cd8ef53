"""Three of dbt's classes, made quicker for nights of hundreds of small models.

dbt spends 25 ms of this process on a model, whatever its size: a connection, its context, its text, its messages. The changes
leave to dbt what is built and in which order; dbt's version is locked, and the tests see whether they still take hold.
"""

from __future__ import annotations

import time
from functools import cache

from include.transform.schemas import is_beside

UNCHANGED = "UNCHANGED"  # status of a model that is as it was: nothing that it reads changed


@cache
def make_quicker() -> None:
    """Kept connections, no work for a model of which nothing is due, no search for who wrote a flag; once a process."""
    _keep_connections()
    _pass_over_the_unchanged()
    _name_no_source_of_flags()


def _keep_connections() -> None:
    """Each of dbt's threads keeps its connection up to the end of a command; dbt's adapter for PostgreSQL opens one a model.

    A new one costs the server as much as a small model does: it knows no relation yet. (Other adapters of dbt have an option.)
    """
    from dbt.adapters.postgres import PostgresAdapter, PostgresConnectionManager

    class KeptConnections(PostgresConnectionManager):
        def release(self) -> None:
            connection = self.get_if_exists()
            if connection is None or connection.state != "open":
                super().release()
                return
            try:  # dbt says COMMIT as text, of which psycopg2 learns nothing: after this it begins the next transaction
                connection.handle.rollback()
                connection.transaction_open = False
            except Exception:
                self.clear_thread_connection()
                raise

    PostgresAdapter.ConnectionManager = KeptConnections


def _pass_over_the_unchanged() -> None:
    """A model of which `transform.due` says `no` is done before dbt makes its context and its text."""
    from dbt.artifacts.schemas.results import RunStatus
    from dbt.flags import get_flags
    from dbt.task.run import ModelRunner

    compile_and_execute = ModelRunner.compile_and_execute

    def unless_unchanged(runner: ModelRunner, manifest, context):
        started = time.time()
        if get_flags().FULL_REFRESH or runner.node.resource_type != "model" or not _is_unchanged(runner):
            return compile_and_execute(runner, manifest, context)
        return runner._build_run_result(context.node, started, RunStatus.Success, context.timing, UNCHANGED)

    ModelRunner.compile_and_execute = unless_unchanged


def _is_unchanged(runner) -> bool:
    node = runner.node
    if is_beside(node.schema):
        return False
    with runner.adapter.connection_named(node.unique_id, node):
        handle = runner.adapter.connections.get_thread_connection().handle
        with handle.cursor() as cursor:
            cursor.execute(
                "select to_regclass(%s) is not null and transform.due(%s) = 'no'", (node.relation_name, node.name)
            )
            return cursor.fetchone()[0]


def _name_no_source_of_flags() -> None:
    """dbt names, in an event that nobody hears, the module that knows a flag of its behaviour; each of its commands looks through
    all modules of the process for each flag, close to a second in all."""
    from dbt_common.behavior_flags import BehaviorFlagRendered

    BehaviorFlagRendered._default_source = staticmethod(lambda: "dbt")
