"""OpenLineage's events as this project fills them: jobs, runs and datasets, with the facets of the standard and no others."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from urllib.parse import urlsplit

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState, set_producer
from openlineage.client.facet_v2 import (
    column_lineage_dataset,
    data_quality_assertions_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    nominal_time_run,
    output_statistics_output_dataset,
    parent_run,
    test_run,
)

from include.lineage.columns import Columns
from include.records.runs import code_version
from include.settings import TIMEZONE, settings

INTEGRATION = "KEY_ACCOUNT_WAREHOUSE"
SEVERITIES = {"block": "error", "quarantine": "warn", "warn": "warn"}  # only a block ends a night
_OF_RUNS = uuid.UUID("6f1d5d1c-5a0e-4d0e-9a55-0c3c7e1b7f20")


@dataclass(frozen=True)
class Tested:
    """What a rule said in a run; `tables` are the contract tables that it is about, `reads` all that its queries read."""

    rule_id: str
    sentence: str
    severity: str
    tested_rows: int
    failed_rows: int
    tables: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()

    @property
    def assertion(self) -> data_quality_assertions_dataset.Assertion:
        return data_quality_assertions_dataset.Assertion(
            assertion=self.rule_id, success=not self.failed_rows, severity=SEVERITIES[self.severity]
        )

    @property
    def execution(self) -> test_run.TestExecution:
        status = "skip" if not self.tested_rows else "fail" if self.failed_rows else "pass"
        return test_run.TestExecution(
            name=self.rule_id,
            status=status,
            severity=SEVERITIES[self.severity],
            description=self.sentence,
            expected="0",
            actual=str(self.failed_rows),
        )


@dataclass(frozen=True)
class Parent:
    """The run that others are part of: the job of a fence's scope, as the warehouse numbers its fences."""

    address: str
    fence: str
    business_date: date

    @property
    def job(self) -> str:
        return self.fence.rpartition(":")[0].removesuffix(f"_{self.business_date}")

    @property
    def run_id(self) -> str:
        """The same for every process that works under the fence."""
        return str(uuid.uuid5(_OF_RUNS, f"{server(self.address)}/{database(self.address)}/{self.fence}"))


@dataclass
class Work:
    """One run of one job: what it read and wrote, when, and how it ended. `name` is empty for that of the parent itself."""

    parent: Parent
    name: str
    kind: str
    started_at: datetime
    finished_at: datetime | None = None
    is_good: bool = True
    problem: str = "It failed; its log says why."
    inputs: list[InputDataset] = field(default_factory=list)
    outputs: list[OutputDataset] = field(default_factory=list)
    tests: list[Tested] = field(default_factory=list)

    def events(self) -> list[RunEvent]:
        """The start and, where it has ended, the end; what was read and written goes with the latter."""
        run_id = str(uuid.uuid4()) if self.name else self.parent.run_id
        events = [] if self.finished_at and not self.name else [self._event(RunState.START, self.started_at, run_id)]
        if self.finished_at:
            state = RunState.COMPLETE if self.is_good else RunState.FAIL
            events.append(self._event(state, self.finished_at, run_id, self.inputs, self.outputs))
        return events

    def _event(self, state: RunState, at: datetime, run_id: str, inputs=(), outputs=()) -> RunEvent:
        _set_producer()
        namespace = settings().lineage_namespace
        day = datetime.combine(self.parent.business_date, time(), TIMEZONE)
        nominal = nominal_time_run.NominalTimeRunFacet(day.isoformat(), (day + timedelta(days=1)).isoformat())
        facets = {"nominalTime": nominal}
        if self.name:
            facets["parent"] = parent_run.ParentRunFacet(
                run=parent_run.Run(self.parent.run_id), job=parent_run.Job(namespace, self.parent.job)
            )
        if state is RunState.FAIL:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(self.problem, "en")
        if self.tests and state is not RunState.START:
            facets["test"] = test_run.TestRunFacet(tests=[tested.execution for tested in self.tests])
        kind = job_type_job.JobTypeJobFacet("BATCH", INTEGRATION, self.kind)
        name = ".".join(filter(None, (self.parent.job, self.name)))
        return RunEvent(
            eventTime=at.astimezone(UTC).isoformat(),
            run=Run(run_id, facets),
            job=Job(namespace, name, {"jobType": kind}),
            eventType=state,
            inputs=list(inputs),
            outputs=list(outputs),
            producer=_producer(),
        )


def read(address: str, relation: str, *, rows: int | None = None, tests: Iterable[Tested] = ()) -> InputDataset:
    """A relation of a PostgreSQL that was read, `schema.table`; with the number of its rows, and what rules said of it."""
    return InputDataset(server(address), f"{database(address)}.{relation}", inputFacets=_of_input(rows, tests))


def read_source(address: str, table: str, rows: int) -> InputDataset:
    """A table as its source delivers it: in a database, as files of a folder, or by a function."""
    facets = _of_input(rows, ())
    if address.startswith("python:"):
        return InputDataset(
            "python", f"{address.removeprefix('python:').replace(':', '.')}/{table}", inputFacets=facets
        )
    if "://" in address and not address.startswith("file://"):
        return InputDataset(server(address), f"{database(address)}.public.{table}", inputFacets=facets)
    return InputDataset("file", f"{address.removeprefix('file://').rstrip('/')}/{table}", inputFacets=facets)


def wrote(address: str, relation: str, *, rows: int | None = None, columns: Columns | None = None) -> OutputDataset:
    """A relation that was written, with the number of rows that were, and with what its columns are made of."""
    facets, of_output = {}, {}
    if rows is not None:
        statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=rows)
        of_output["outputStatistics"] = statistics
    if columns:
        facets["columnLineage"] = column_lineage_dataset.ColumnLineageDatasetFacet(
            {
                name: column_lineage_dataset.Fields(
                    [
                        column_lineage_dataset.InputField(server(address), f"{database(address)}.{of}", column)
                        for of, column in made_of
                    ]
                )
                for name, made_of in columns.items()
            }
        )
    return OutputDataset(server(address), f"{database(address)}.{relation}", facets=facets, outputFacets=of_output)


def server(address: str) -> str:
    """The namespace of a PostgreSQL's datasets, by the standard's naming; never its login."""
    parts = urlsplit(address)
    return f"postgres://{parts.hostname or 'localhost'}:{parts.port or 5432}"


def database(address: str) -> str:
    return urlsplit(address).path.lstrip("/")


def _of_input(rows: int | None, tests: Iterable[Tested]) -> dict:
    facets = {}
    if rows is not None:
        facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rowCount=rows)
    if assertions := [tested.assertion for tested in tests]:
        facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
            assertions=assertions
        )
    return facets


@cache
def _set_producer() -> None:
    set_producer(_producer())


@cache
def _producer() -> str:
    """The code that tells: the project at its commit."""
    return f"urn:key-account-warehouse:{code_version()}"
