"""What differs between the code and seeds of the working tree and those of the last night."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from include.errors import UsageError
from include.quality.base_rules import load_base_rules
from include.quality.rules import Rule, load_rules
from include.records.warehouse import Warehouse
from include.transform.builds import models_of
from include.transform.dbt import place_seed
from include.transform.schemas import BESIDE, BUILT

THRESHOLDS = "quality_parameters"
SEEDS = "seeds_beside"  # no folder of the project


@dataclass(frozen=True)
class Changes:
    """Names of what is new or another: `seeds` by the file to read, models, and rules; `gone` are rules that are no more."""

    seeds: dict[str, Path] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    @property
    def are_none(self) -> bool:
        return not (self.seeds or self.models or self.rules or self.gone)


def rule_book() -> list[Rule]:
    return [*load_base_rules(), *load_rules()]


def changes_of(warehouse: Warehouse, manifest, files: Iterable[Path], rules: list[Rule]) -> Changes:
    """Raises UsageError for a file that is none of a seed's."""
    with warehouse.connect() as connection:
        built = dict(connection.execute("select model, code from transform.builds").fetchall())
        judged = dict(connection.execute("select rule_id, code from quality.rule_book").fetchall())
    other = [row for row in models_of(manifest) if built.get(row["model"]) != row["code"]]
    nodes = seeds_of(manifest)
    seeds = {row["model"]: path_of(nodes[row["model"]]) for row in other if row["kind"] == "seed"}
    for file in files:
        seeds[_seed(file, nodes)] = file.resolve()
    return Changes(
        seeds,
        tuple(sorted(row["model"] for row in other if row["kind"] == "model")),
        tuple(sorted(rule.id for rule in rules if judged.get(rule.id) != rule.code)),
        tuple(sorted(judged.keys() - {rule.id for rule in rules})),
    )


def seeds_of(manifest) -> dict:
    return {node.name: node for node in manifest.nodes.values() if node.resource_type.value == "seed"}


def path_of(node) -> Path:
    return Path(node.root_path or ".") / node.original_file_path


def _seed(file: Path, seeds: dict) -> str:
    if not file.is_file():
        raise UsageError(f"There is no file {file}.", where="--seed", next_step="give a changed copy of a seed's CSV.")
    if file.stem not in seeds or file.suffix != ".csv":
        raise UsageError(
            f"{file.name} has the name of no seed.",
            where="--seed",
            next_step="name the file as the seed that it stands for, such as"
            f" {', '.join(f'{name}.csv' for name in sorted(seeds)[:3])}; dbt_project/seeds has them all.",
        )
    header = file.read_text(encoding="utf-8-sig").partition("\n")[0].strip()
    own = path_of(seeds[file.stem]).read_text(encoding="utf-8").partition("\n")[0].strip()
    if header != own:
        raise UsageError(
            f"{file.name} has other columns than the seed {file.stem}.",
            where=str(file),
            next_step=f"begin with the line {own}",
        )
    return file.stem


def put_beside(manifest, seeds: dict[str, Path], folder: Path):
    """A copy of dbt's manifest whose models and seeds are beside the warehouse; the seeds are read from copies in the folder."""
    beside = pickle.loads(pickle.dumps(manifest))
    for node in beside.nodes.values():
        if node.schema in BUILT:
            _rename(node)
    for source in beside.sources.values():
        if source.source_name in ("quality", "clusters"):
            _rename(source)
    for name, node in seeds_of(beside).items():
        if name in seeds:
            file = folder / SEEDS / f"{name}.csv"
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(seeds[name], file)
            place_seed(node, folder, file)
    for index in [name for name in vars(beside) if name.endswith("_lookup")]:
        setattr(beside, index, None)  # dbt makes them anew
    beside.build_flat_graph()
    return beside


def _rename(node) -> None:
    own = node.schema
    node.schema = BESIDE + own
    if node.relation_name:
        node.relation_name = node.relation_name.replace(f'"{own}".', f'"{node.schema}".', 1)


def read_by(manifest) -> dict[str, set[str]]:
    """Model -> names of the models, seeds and sources that it reads; a source of `quality` is named alone."""
    return {
        node.name: {name.rpartition(".")[2] for name in node.depends_on_nodes}
        for node in manifest.nodes.values()
        if node.resource_type.value == "model"
    }


def following(read: dict[str, set[str]], names: Iterable[str]) -> set[str]:
    """These and all models that read them, directly or not."""
    found = set(names)
    while more := {model for model, parents in read.items() if model not in found and parents & found}:
        found |= more
    return found


def tagged(manifest, tag: str) -> set[str]:
    return {n.name for n in manifest.nodes.values() if n.resource_type.value == "model" and tag in n.tags}


def rules_touched(rules: list[Rule], changes: Changes, thresholds: set[tuple[str, str]], relations: set[str]) -> list:
    """The rules that are changed themselves, whose threshold is, or that read one of these relations."""
    calls = [f"quality.parameter('{rule_id}', '{name}'" for rule_id, name in thresholds]
    return [
        rule
        for rule in rules
        if rule.id in changes.rules
        or {name.rpartition(".")[2] for name in rule.reads} & relations
        or any(call in rule.tested_sql or call in rule.violations_sql for call in calls)
    ]
