"""The measures that the marts show, each stated once in `dbt_project/metrics/`; a column of a mart refers to its own by `meta.metric`.

What two marts show as one metric is one number: where both have a row for the same thing and month, a rule of gate 2 holds them
equal (`include/quality/mart_rules.py`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import yaml

from include.transform.models import MODELS, Model, published_models

METRICS = MODELS.parent / "metrics"
AGGREGATES = ("sum", "mean", "none")  # what may be made of several rows; none: only of the same parts again
_NUMBERS = ("numeric", "integer", "bigint", "smallint", "double", "real")
_ORDINALS = re.compile(r"(_no|_seq|_version)$")  # a place in an order is no measure


@dataclass(frozen=True)
class Metric:
    """One measure. `source_model` and `column` compute it, `partial` is what is shown where a part of it is withheld."""

    name: str
    label_en: str
    label_zh: str
    unit: str
    grain: str
    period: str
    filters: str
    source_model: str
    column: str
    agg: str
    additive_over: tuple[str, ...]
    partial: str
    theme: str


@dataclass(frozen=True)
class Shown:
    """A column of a mart and the metric that it refers to."""

    model: Model
    column: str
    metric: str

    @property
    def month(self) -> str | None:
        """The column of the grain that tells the month of a row; None where rows are of no month."""
        month = self.model.meta.get("published_month")
        return month if month in self.model.meta["grain"] else None

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(name for name in self.model.meta["grain"] if name != self.month)


@cache
def declared_metrics() -> dict[str, Metric]:
    """Every metric by name. Raises ValueError where two files state one name."""
    found: dict[str, Metric] = {}
    for path in sorted(METRICS.glob("*.yml")):
        for stated in yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)["metrics"]:
            if stated["name"] in found:
                raise ValueError(f"{path}: the metric {stated['name']} is stated twice")
            stated["additive_over"] = tuple(stated["additive_over"])
            found[stated["name"]] = Metric(theme=path.stem, **stated)
    return found


@cache
def measured_columns() -> list[tuple[Model, str]]:
    """The numbers of all marts that are measures: neither part of the grain nor a place in an order."""
    return [
        (model, column)
        for name, model in published_models().items()
        if name.startswith("mart_")
        for column, type_ in model.columns.items()
        if type_.startswith(_NUMBERS) and column not in model.meta["grain"] and not _ORDINALS.search(column)
    ]


@cache
def shown_metrics() -> list[Shown]:
    """Every column that refers to a metric, in the order of marts and columns."""
    return [
        Shown(model, column, model.column_meta[column]["metric"])
        for model, column in measured_columns()
        if "metric" in model.column_meta.get(column, {})
    ]


def compared_metrics() -> dict[str, list[tuple[Shown, Shown]]]:
    """Metric -> pairs of columns that are one number: of different marts with a row for the same things and month."""
    found: dict[str, dict[tuple[str, ...], list[Shown]]] = {}
    for shown in shown_metrics():
        if shown.month and shown.key and not shown.column.startswith("withheld_"):
            found.setdefault(shown.metric, {}).setdefault(shown.key, []).append(shown)
    pairs = {
        name: [pair for columns in by_key.values() for pair in pairwise(columns)]
        for name, by_key in sorted(found.items())
    }
    return {name: compared for name, compared in pairs.items() if compared}
