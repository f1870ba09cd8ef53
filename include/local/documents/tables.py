"""What is in the tables: `docs/reference/sources-*.md` from the contracts, `marts-*.md` from the published models, `seeds.md` and
`schemas.md`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from include import seeds
from include.contracts import Table, load_contracts
from include.local.documents.parts import cell
from include.settings import ROOT
from include.transform.models import MODELS, Model, published_models

SEEDS = MODELS.parent / "seeds"
THEMES = {
    "accounts": "Accounts",
    "common": "Common to all",
    "energy": "Energy and tariffs",
    "quality": "Data quality",
    "reliability": "Reliability and voltage",
    "service": "Service",
    "star": "Dimensions of the star",
}
SCOPES = {
    "account": "the rows of the own accounts",
    "manager": "the own rows",
    "organisation": "the rows of the own organisation",
    "shared": "all rows",
    "none": "nothing",
}
SCHEMAS = {
    "raw_metering": "rows of the metering system as delivered, with load, file and line; only grows",
    "raw_marketing": "rows of the marketing system as delivered; only grows",
    "raw_contract": "rows of the contract system as delivered; only grows",
    "staging": "the newest version of each key, renamed and cast; intermediate models",
    "warehouse": "facts and dimensions of the rows that gate 1 let pass",
    "candidate": "marts as built tonight, before gate 2 and publishing",
    "publish": "stored rows of the marts by month and version, pointers, managers and their accounts",
    "marts": "what readers see: a view a published model, and `<name>_at_close`, each month as known when it closed",
    "quality": "runs, receipts, rule book, results, findings, quarantined rows, waivers, ledger",
    "transform": "what dbt built, when and why",
    "vault": "clear text of persons by pseudonym",
    "marts_personal": "persons as of the published date, a view a table that names them",
}
WRITERS = {
    "raw_metering": "landing (`kaw_loader`)",
    "raw_marketing": "landing (`kaw_loader`)",
    "raw_contract": "landing (`kaw_loader`)",
    "staging": "dbt (`kaw_transformer`)",
    "warehouse": "dbt (`kaw_transformer`)",
    "candidate": "dbt (`kaw_transformer`)",
    "publish": "publish and roll-back (`kaw_publisher`)",
    "marts": "publish (`kaw_publisher`)",
    "quality": "each step its own records",
    "transform": "dbt (`kaw_transformer`)",
    "vault": "landing (`kaw_loader`), `./kaw erase`",
    "marts_personal": "the owner: views",
}


def table_pages() -> dict[str, str]:
    """Path below `docs/` of each page, and its text."""
    pages = {
        f"reference/sources-{name}.md": _source_page(name, list(tables.values()))
        for name, tables in load_contracts().items()
    }
    for theme, title in THEMES.items():
        models = [model for model in published_models().values() if _theme(model) == theme]
        if models:
            pages[f"reference/marts-{theme}.md"] = _marts_page(title, models)
    return pages | {"reference/schemas.md": _schemas_page(), "reference/seeds.md": _seeds_page()}


def _source_page(name: str, tables: list[Table]) -> str:
    parts = [
        f"# Source tables: {name}\n",
        f"Made from `include/contracts/{name}.odcs.yaml` by `./kaw docs --code`; a test holds it to them. What the system delivers, table by table:"
        " a folder has one folder a table, a database one table of that name. [What a contract says](contracts.md) explains the rest of a contract.\n",
        "| table | | 名称 | key | how it changes |",
        "|---|---|---|---|---|",
    ]
    parts += [
        f"| [`{t.name}`](#{t.name}) | {cell(t.name_en)} | {t.name_zh} | {', '.join(t.key)} | {t.update_pattern.replace('_', ' ')} |"
        for t in tables
    ]
    for table in tables:
        parts += [f"\n## {table.name}\n", f"{table.description}\n"]
        parts += ["| column | type | | 名称 | what it is |", "|---|---|---|---|---|"]
        for column in table.columns:
            filled = "required" if column.is_required else ""
            codes = f" One of {', '.join(column.allowed)}." if column.allowed else ""
            parts.append(
                f"| `{column.name}` | {column.physical_type} | {filled} | {column.name_zh} | {cell(column.description + codes)} |"
            )
    return "\n".join(parts).rstrip() + "\n"


def _marts_page(title: str, models: list[Model]) -> str:
    parts = [
        f"# Marts: {title[0].lower() + title[1:]}\n",
        "Made from the models' descriptions by `./kaw docs --code`; a test holds it to them. Each is a view of the schema `marts`, and"
        " `<name>_at_close` tells each month as it was known when it closed. Measures are explained in [metrics.md](metrics.md).",
    ]
    for model in models:
        said = _described()[model.name]
        parts += [f"\n## {model.published_name}\n", f"{cell(said['description'])}\n"]
        grain = ", ".join(f"`{name}`" for name in model.meta["grain"])
        parts.append(f"Key: {grain}. An account manager sees {SCOPES[model.meta['scope']]}.\n")
        parts += ["| column | type | what it is |", "|---|---|---|"]
        for column in said["columns"]:
            parts.append(
                f"| `{column['name']}` | {column.get('data_type', 'text')} | {cell(column.get('description', ''))} |"
            )
    return "\n".join(parts).rstrip() + "\n"


def _theme(model: Model) -> str:
    return Path(model.path).parent.name


@cache
def _described() -> dict[str, dict]:
    """Model -> what its YAML file says of it."""
    found = {}
    for path in sorted({ROOT / model.path for model in published_models().values()}):
        found |= {
            model["name"]: model for model in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["models"]
        }
    return found


def _seeds_page() -> str:
    parts = [
        "# Seeds\n",
        "Made from `dbt_project/seeds/` by `./kaw docs --code`; a test holds it to them. A seed is a CSV file of this repository: prices,"
        " limits, clocks, lists. Each number names its document, clause and days of validity;"
        " [change a threshold](../how-to/threshold.md) says how one is changed.\n",
        "| seed | rows | what it holds |",
        "|---|---|---|",
    ]
    for path, seed in _seeds():
        rows = len(seeds.rows(path.stem))
        parts.append(
            f"| [`{path.stem}`](../../{path.relative_to(ROOT)}) | {rows:,} | {cell(seed.get('description', ''))} |"
        )
    return "\n".join(parts) + "\n"


def _seeds() -> Iterator[tuple[Path, dict]]:
    for described in sorted(SEEDS.rglob("_*__seeds.yml")):
        for seed in yaml.load(described.read_text(encoding="utf-8"), yaml.CSafeLoader)["seeds"]:
            yield described.parent / f"{seed['name']}.csv", seed


def _schemas_page() -> str:
    parts = [
        "# Schemas of the database\n",
        "Made by `./kaw docs --code`; a test holds the list to the migrations. Readers use `marts` alone: other schemas may change between releases.\n",
        "| schema | what is in it | who writes |",
        "|---|---|---|",
    ]
    parts += [f"| `{name}` | {text} | {WRITERS[name]} |" for name, text in SCHEMAS.items()]
    parts.append(
        "\nRoles and their rights: [who may write what](../explanation/architecture.md#who-may-write-what). Tables of a source are listed under"
        " [metering](sources-metering.md), [marketing](sources-marketing.md) and [contract](sources-contract.md); published tables under marts:"
        f" {', '.join(f'[{title[0].lower() + title[1:]}](marts-{theme}.md)' for theme, title in _published_themes())}."
    )
    return "\n".join(parts) + "\n"


def _published_themes() -> list[tuple[str, str]]:
    present = {_theme(model) for model in published_models().values()}
    return [(theme, title) for theme, title in THEMES.items() if theme in present]
