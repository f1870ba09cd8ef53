"""The project as dbt has compiled it, built once a session on a warehouse in which nothing has landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from include.records.warehouse import Warehouse
from include.transform.dbt import run_dbt
from tests.compiled import compiled_models
from tests.databases import copied, made_once

TEMPLATE = "kaw_scenarios_template"


@dataclass(frozen=True)
class Project:
    """An address of the empty built warehouse, and what dbt's manifest says of models, seeds and their inputs."""

    url: str
    nodes: dict[str, dict]

    def inputs(self, model: str) -> set[str]:
        """Names, as given files bear them, of what a model reads."""
        return {name_of(unique_id) for unique_id in self.nodes[model]["reads"]}

    def between(self, given: set[str], expected: set[str]) -> set[str]:
        """The expected models and whatever lies on a way from a given input to one of them."""
        reached = set(expected)
        for name in self.order:
            if name not in given and self.inputs(name) & (given | reached):
                reached.add(name)
        needed = set(expected)
        for name in reversed(self.order):
            if name in needed:
                needed |= self.inputs(name) & reached - given
        return needed

    @cached_property
    def order(self) -> list[str]:
        """Models after the models they read."""
        ordered: dict[str, None] = {}

        def add(name: str) -> None:
            if name in self.nodes and name not in ordered:
                for read in sorted(self.inputs(name)):
                    add(read)
                ordered[name] = None

        for name in sorted(self.nodes):
            add(name)
        return list(ordered)


def name_of(unique_id: str) -> str:
    """`model.key_accounts.fct_bills` is fct_bills, `source.key_accounts.quality.receipts` is quality.receipts."""
    kind, _, *name = unique_id.split(".")
    return ".".join(name) if kind == "source" else name[-1]


@pytest.fixture(scope="session")
def project(server, session_home: Path, template: str) -> Iterator[Project]:
    folder = session_home / "scenarios"
    with made_once(server, session_home, TEMPLATE, template) as unfinished:
        if unfinished:
            _build_empty(server.url(unfinished), folder, unfinished)
    with copied(server, TEMPLATE, "scenarios") as name:
        yield Project(server.url(name), json.loads((folder / "models.json").read_text()))


def _build_empty(url: str, folder: Path, database: str) -> None:
    """Seeds and all models where nothing has landed: every table has its types and no row, and dbt has compiled every model."""
    folder.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_HOME", str(folder))  # dbt's target is then no other test's
        run_dbt(["build", "--resource-type", "seed", "--resource-type", "model"], Warehouse(url))
        models = compiled_models(database)
    nodes = {
        node["name"]: {"schema": node["schema"], "reads": node["depends_on"]["nodes"], "sql": node["sql"]}
        for node in models
    }
    (folder / "models.json").write_text(json.dumps(nodes))
