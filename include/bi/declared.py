"""What `include/bi/*.yml` declare: data sets over the published star, dashboards of charts over them, and the words of both.

A measure of a chart is a metric of `dbt_project/metrics/`, which says its name and over what it may be added, or one of the
data set's own, made of such sums. A label of a code comes from `marts.dim_codes`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import yaml

from include.report.text import Text
from include.transform.models import Model, published_models

FOLDER = Path(__file__).parent
KINDS = ("number", "bar", "line", "area", "bubble", "heat", "pie", "table", "list")


# the view that says what is published; it is made by the publisher and not by a model
PUBLICATION = Model(
    "publication",
    "marts",
    "include/sql/repeatable/30_publish.sql",
    {"scope": "shared", "grain": ["published_month"]},
    {
        "published_month": "date",
        "version": "integer",
        "business_date": "date",
        "published_at": "timestamp with time zone",
        "withheld_rows": "integer",
        "withheld_share": "numeric",
        "withheld_kwh": "numeric",
        "withheld_cny": "numeric",
        "state": "text",
    },
)


# the first row of every dashboard
AS_OF = {
    "height": 18,
    "charts": [
        {
            "name": "as_of",
            "kind": "list",
            "dataset": "publication",
            "title": {"en": "What is shown, and how whole it is", "zh": "数据日期与完整性"},
            "columns": [
                *(
                    "month",
                    "business_date",
                    "published_at",
                    "state_name",
                    "withheld_rows",
                    "withheld_kwh",
                    "withheld_cny",
                ),
                "open_findings",
            ],
            "order": ["-month"],
            "limit": 12,
        }
    ],
}


@dataclass(frozen=True)
class Filter:
    """A condition on a column of the data set: `op` is ==, !=, >, <, >=, in, `not null` or `null`."""

    column: str
    op: str
    value: object = None


@dataclass(frozen=True)
class Joined:
    """Columns of another published relation, found by `on`: column of it -> expression over the relation `t`."""

    model: Model
    on: dict[str, str]
    columns: list[str]


@dataclass(frozen=True)
class Link:
    """Leads to a dashboard with filters set: filter -> SQL of its value."""

    to: str
    by: dict[str, str]
    shown: str


@dataclass(frozen=True)
class Dataset:
    """Rows of one published relation with the names that belong to its numbers, and what may be made of them."""

    name: str
    model: Model
    joins: list[Joined] = field(default_factory=list)
    lateral: str = ""  # one more source of rows, such as the hours of a profile
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)  # name -> (SQL, type)
    measures: dict[str, tuple[str, str, Text]] = field(default_factory=dict)  # name -> (SQL, unit, label)
    links: dict[str, Link] = field(default_factory=dict)


@dataclass(frozen=True)
class Chart:
    """`dims` are what it groups by, `measures` what it computes for each; a list shows `columns` of single rows instead."""

    name: str
    kind: str
    dataset: str
    title: Text
    width: int
    height: int
    dims: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    filters: list[Filter] = field(default_factory=list)
    order: list[str] = field(default_factory=list)  # columns or measures; `-` before one that falls
    limit: int = 1000
    all_months: bool = False  # shows every month, whatever month is chosen
    options: dict = field(default_factory=dict)  # of its drawing alone


@dataclass(frozen=True)
class Question:
    """A link to the chart of another dashboard that answers it, shown there at once and marked for a moment."""

    text: Text
    dashboard: str | None  # None: it is answered elsewhere, and the text says where
    chart: str  # with the name of its dashboard before it


@dataclass(frozen=True)
class Dashboard:
    name: str
    title: Text
    about: Text
    filters: list[str]
    chosen: list[str]  # filters whose first value is taken as long as nobody chooses
    rows: list[list[Chart]]
    questions: list[Question] = field(default_factory=list)  # in a row of their own below the first

    @property
    def charts(self) -> list[Chart]:
        return [chart for row in self.rows for chart in row]


@cache
def labels() -> dict[str, Text]:
    """Column -> its name, of columns that are no measures."""
    return {name: _text(stated) for name, stated in _read("labels.yml").items()}


@cache
def datasets() -> dict[str, Dataset]:
    models = {model.published_name: model for model in published_models().values()} | {"publication": PUBLICATION}
    return {
        name: Dataset(
            name,
            models[stated["of"]],
            [Joined(models[join["of"]], join["keys"], join["columns"]) for join in stated.get("joins", [])],
            stated.get("lateral", ""),
            {column: (made["sql"], made["type"]) for column, made in stated.get("columns", {}).items()},
            {
                measure: (made["sql"], made["unit"], _text(made["label"]))
                for measure, made in stated.get("measures", {}).items()
            },
            {column: Link(**link) for column, link in stated.get("links", {}).items()},
        )
        for name, stated in _read("datasets.yml").items()
    }


@cache
def dashboards() -> dict[str, Dashboard]:
    found = {}
    for path in sorted((FOLDER / "dashboards").glob("*.yml")):
        stated = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        name = path.stem.partition("_")[2]
        rows = [[_chart(name, row, chart) for chart in row["charts"]] for row in [AS_OF, *stated["rows"]]]
        chosen = stated.get("chosen", ["month"])
        questions = [
            Question(_text(asked["ask"]), asked.get("to"), f"{asked.get('to')}_{asked.get('chart')}")
            for asked in stated.get("questions", [])
        ]
        titles = _text(stated["title"]), _text(stated["about"])
        found[name] = Dashboard(name, *titles, stated["filters"], chosen, rows, questions)
    return found


def _chart(dashboard: str, row: dict, stated: dict) -> Chart:
    if stated["kind"] not in KINDS:
        raise ValueError(f"{dashboard}: {stated['name']} is of no known kind: {stated['kind']}")
    given = dict(stated)
    given["name"] = f"{dashboard}_{given['name']}"
    given["title"] = _text(given["title"])
    given["filters"] = [_filter(condition) for condition in given.get("filters", [])]
    return Chart(**{"width": 12 // len(row["charts"]), "height": row.get("height", 50)} | given)


def _filter(stated: list) -> Filter:
    column, op, *value = stated
    return Filter(column, op, value[0] if value else None)


def _text(stated: dict) -> Text:
    return Text(stated["en"], stated["zh"])


def _read(name: str) -> dict:
    return yaml.load((FOLDER / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
