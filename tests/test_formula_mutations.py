"""A wrong formula makes a test fail: one mutation of each formula family, in a copy of the dbt project.

All mutations are planted at once and the unit tests of the mutated models run in one dbt invocation; each mutated model
must have a unit test that fails.
"""
from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from include import transform
from include.errors import InfrastructureError
from include.server import Server

# family, file of the dbt project, right text, wrong text, models whose unit tests must notice
MUTATIONS: list[tuple[str, str, str, str, set[str]]] = [
]


@pytest.fixture(scope="module")
def failed_models(server: Server, template: str, tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Models with a failing unit test in a copy of the project that holds every mutation."""
    project = tmp_path_factory.mktemp("mutated") / "dbt_project"
    shutil.copytree(transform.PROJECT, project, ignore=shutil.ignore_patterns("target", "logs"))
    for _, path, right, wrong, _ in MUTATIONS:
        file = project / path
        assert file.read_text().count(right) == 1, f"{path} no longer holds: {right}"
        file.write_text(file.read_text().replace(right, wrong))
    finished = {}
    models = sorted({model for *_, seen_by in MUTATIONS for model in seen_by})
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(transform, "PROJECT", project)
        patched.setenv("KAW_HOME", str(project.parent / "home"))
        with pytest.raises(InfrastructureError):
            transform.run_dbt(
                ["test", "--select", *(f"{model},test_type:unit" for model in models)],
                server.url(template),
                progress=lambda built: finished.__setitem__(built.name, built.status),
            )
        manifest = json.loads(transform.manifest_path().read_text())
    model_of = {test["name"]: test["model"] for test in manifest["unit_tests"].values()}
    return {model_of[name] for name, status in finished.items() if status == "fail"}


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("family", "seen_by"), [(family, seen_by) for family, *_, seen_by in MUTATIONS])
def test_a_mutated_formula_makes_a_unit_test_fail(failed_models: set[str], family: str, seen_by: set[str]):
    assert seen_by <= failed_models, family


def test_every_formula_family_is_mutated():
    assert {family for family, *_ in MUTATIONS} >= {
        "ranking", "reliability", "voltage", "tariff", "power factor", "clocks", "notices", "credit", "churn",
    }  # fmt: skip
