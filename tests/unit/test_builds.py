"""What makes the code of a model another: its text, its configuration, its columns and every macro that it reaches."""

from __future__ import annotations

from copy import deepcopy
from types import SimpleNamespace

from include.transform.builds import models_of


class Config(dict):
    meta = {"touched_by": {"unit": "account_no", "day": "reading_date"}}

    def to_dict(self) -> dict:
        return dict(self)


def named(**values) -> SimpleNamespace:
    return SimpleNamespace(**values)


def macro(package: str, text: str, *calls: str) -> SimpleNamespace:
    return named(package_name=package, macro_sql=text, depends_on=named(macros=list(calls)))


def manifest() -> SimpleNamespace:
    model = named(
        name="m",
        resource_type=named(value="model"),
        config=Config(materialized="table"),
        raw_code="select 1",
        columns={"account_no": named(data_type="text")},
        depends_on=named(macros=["outer"]),
        depends_on_nodes=["seed.s", "source.run", "source.labels"],
    )
    seed = named(
        name="s",
        resource_type=named(value="seed"),
        config=Config(),
        checksum=named(checksum="abc"),
        depends_on_nodes=[],
    )
    return named(
        nodes={"model.m": model, "seed.s": seed},
        sources={
            "source.run": named(schema="quality", identifier="current_run"),
            "source.labels": named(schema="warehouse", identifier="load_cluster_labels"),
        },
        macros={
            "outer": macro("key_accounts", "outer", "inner", "dbt.own"),
            "inner": macro("key_accounts", "inner"),
            "dbt.own": macro("dbt", "own"),
        },
    )


def code(of: SimpleNamespace, name: str = "m") -> str:
    return next(row["code"] for row in models_of(of) if row["model"] == name)


def test_the_code_is_another_where_any_part_of_it_is():
    before = code(manifest())
    assert code(manifest()) == before
    for change in (
        lambda m: setattr(m.nodes["model.m"], "raw_code", "select 2"),
        lambda m: m.nodes["model.m"].config.update(indexes=[]),
        lambda m: setattr(m.nodes["model.m"].columns["account_no"], "data_type", "integer"),
        lambda m: setattr(m.macros["outer"], "macro_sql", "other"),
        lambda m: setattr(m.macros["inner"], "macro_sql", "other"),
    ):
        other = deepcopy(manifest())
        change(other)
        assert code(other) != before


def test_a_macro_of_dbt_is_that_of_its_locked_version():
    other = manifest()
    other.macros["dbt.own"].macro_sql = "other"
    assert code(other) == code(manifest())


def test_a_seed_is_its_content():
    other = manifest()
    other.nodes["seed.s"].checksum.checksum = "abd"
    assert code(other, "s") != code(manifest(), "s")
    assert code(other) == code(manifest())  # whoever reads it hears of it once it is loaded


def test_what_a_model_reads_is_noted_and_a_table_made_by_python_is_a_parent():
    row = next(row for row in models_of(manifest()) if row["model"] == "m")
    assert row["parents"] == ["load_cluster_labels", "s"]
    assert row["sources"] == ["quality.current_run"]
    assert (row["unit_column"], row["day_column"]) == ("account_no", "reading_date")
