"""The marts as dbt's manifest describes them, and the SQL that reads them: month, business columns and hash.

The hash of a mart is the MD5 over its business columns in order of grain: numbers rounded to their declared scale and
without trailing zeros, instants in UTC, text byte by byte, an absent value unlike any other. Load, version, run and
processing-time columns are declared as technical and left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import InfrastructureError

CANDIDATES = "candidate"  # schema of the marts of the run that is going on
RESERVED = ("published_month", "version", "until_version")  # columns that publishing adds
SCOPES = {"account": "account_no", "manager": "manager_no", "organisation": "org_no", "shared": None, "none": None}
EMPTY_HASH = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of nothing: a month in which a mart has no row


@dataclass(frozen=True)
class Mart:
    """One model with `meta.published`: a mart, or a dimension or fact beside the marts.

    `published_month` is SQL over its columns, None where its month is D's. A fact holds the events of all times; of them
    the months from the first of dim_months to that of D are published. `renamed` maps the former name of a column to the
    name of today: the published views show both until the next release, the stored table and the hash the latter alone.
    `announced` maps a name to come to the column that has another one until the next release; the views show both, too.
    `scope` says which rows an account manager's login sees: those of its accounts, of the manager, of the manager's
    organisation, all (shared), or none, which is so too where the model states nothing.
    Of one that `shows_newest` readers see the rows of the newest month alone, for a dimension has one row a key.
    """

    name: str
    relation: tuple[str, str]
    description: str
    columns: dict[str, str]
    grain: tuple[str, ...]
    published_month: str | None
    technical: tuple[str, ...]
    scales: dict[str, int]
    is_fact: bool = False
    renamed: dict[str, str] = field(default_factory=dict)
    announced: dict[str, str] = field(default_factory=dict)
    scope: str = "none"
    shows_newest: bool = False

    @property
    def name_at_close(self) -> str:
        return f"{self.name}_at_close"

    @property
    def candidate(self) -> sql.Identifier:
        return sql.Identifier(*self.relation)

    @property
    def published(self) -> sql.Identifier:
        return sql.Identifier("publish", self.name)


def read_marts(manifest_path: Path) -> list[Mart]:
    """All published models of dbt's manifest, by name. Raises InfrastructureError where one lacks what publishing needs."""
    try:
        nodes = json.loads(Path(manifest_path).read_text())["nodes"].values()
    except (OSError, ValueError, KeyError) as error:
        raise InfrastructureError(
            f"dbt's manifest cannot be read: {error}.", where=str(manifest_path), next_step="build the marts first."
        ) from error
    marts = [_mart(node) for node in nodes if node["resource_type"] == "model" and _meta(node).get("published")]
    if not marts:
        raise InfrastructureError(
            "dbt's manifest has no published model.",
            where=str(manifest_path),
            next_step="state meta.published of the models that readers see, and build them.",
        )
    return sorted(marts, key=lambda mart: mart.name)


def _meta(node: dict) -> dict:
    return {**(node.get("meta") or {}), **(node.get("config", {}).get("meta") or {})}


def _mart(node: dict) -> Mart:
    meta = _meta(node)
    mart = Mart(
        name=meta.get("published_as") or node.get("alias") or node["name"],
        relation=(node["schema"], node.get("alias") or node["name"]),
        description=" ".join((node.get("description") or "").split()),
        columns={name: " ".join((c.get("description") or "").split()) for name, c in node["columns"].items()},
        grain=tuple(meta.get("grain") or ()),
        published_month=meta.get("published_month"),
        technical=tuple(meta.get("technical") or ()),
        scales=dict(meta.get("scales") or {}),
        is_fact=bool(meta.get("published_month")) and node["schema"] != CANDIDATES,
        renamed={former: name for name, c in node["columns"].items() if (former := _meta(c).get("renamed_from"))},
        announced={new: name for name, c in node["columns"].items() if (new := _meta(c).get("renamed_to"))},
        scope=meta.get("scope") or "none",
        shows_newest=meta.get("shows") == "newest",
    )
    if not mart.grain:
        raise _declared_wrongly(mart, "meta.grain is missing", "list the columns that make a row unique")
    unknown = [c for c in (*mart.grain, *mart.technical, *mart.scales) if c not in mart.columns]
    if unknown:
        raise _declared_wrongly(mart, f"meta names columns that it does not have: {', '.join(unknown)}", "correct meta")
    if mart.scope not in SCOPES:
        raise _declared_wrongly(mart, f"meta.scope is {mart.scope}", f"give one of {', '.join(SCOPES)}")
    if (needed := SCOPES[mart.scope]) and needed not in mart.columns:
        what = f"meta.scope is {mart.scope}, and it has no column {needed}"
        raise _declared_wrongly(mart, what, "give it the column, or another scope")
    both = [former for former in mart.renamed if former in mart.columns]
    if both:
        raise _declared_wrongly(mart, f"it still has a column {', '.join(both)}, a former name", "remove renamed_from")
    both = [new for new in mart.announced if new in mart.columns]
    if both:
        raise _declared_wrongly(
            mart, f"it has a column {', '.join(both)} already, a name to come", "correct renamed_to"
        )
    taken = [c for c in RESERVED if c in mart.columns]
    if taken:
        raise _declared_wrongly(
            mart, f"publishing adds a column {', '.join(taken)} of its own", "rename the mart's column"
        )
    return mart


def _declared_wrongly(mart: Mart, what: str, next_step: str) -> InfrastructureError:
    return InfrastructureError(
        f"The mart {mart.name} cannot be published: {what}.",
        where=f"models/marts, model {mart.name}",
        next_step=f"{next_step}.",
    )


def column_types(conn: psycopg.Connection, schema: str, relation: str) -> dict[str, str]:
    """Columns of a relation in their order with their full types; empty where it does not exist."""
    rows = conn.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute"
        " where attrelid = to_regclass(format('%%I.%%I', %s::text, %s::text)) and attnum > 0 and not attisdropped"
        " order by attnum",
        [schema, relation],
    ).fetchall()
    return dict(rows)


def month_of(mart: Mart, business_date: date) -> sql.Composable:
    """SQL of the month that a candidate row belongs to: its grain's date, else D."""
    today = sql.SQL("{}::date").format(sql.Literal(business_date))
    expression = today
    if mart.published_month:
        expression = sql.SQL("coalesce(({})::date, {})").format(sql.SQL(mart.published_month), today)
    return sql.SQL("date_trunc('month', {}::timestamp)::date").format(expression)


def is_published(mart: Mart, business_date: date) -> sql.Composable:
    """SQL condition on a candidate row: whether its month is published at all."""
    if not mart.is_fact:
        return sql.SQL("true")
    return sql.SQL(
        "{} between (select min(months.month_start_date) from warehouse.dim_months as months) and {}::date"
    ).format(month_of(mart, business_date), sql.Literal(business_date))


def content_of_row(mart: Mart, types: dict[str, str]) -> sql.Composable:
    """SQL of the MD5 over the business columns of a row: alike where readers see the same."""
    parts = [_text_of(mart, name, types[name]) for name in mart.columns if name not in mart.technical]
    return sql.SQL("md5({})").format(sql.SQL(" || chr(31) || ").join(parts))


def hash_of_rows(mart: Mart, types: dict[str, str]) -> sql.Composable:
    """SQL aggregate: the hash of a set of rows of the mart."""
    row = content_of_row(mart, types)
    order = [
        sql.SQL('{} collate "C"').format(sql.Identifier(name))
        if types[name].startswith(("text", "character"))
        else sql.Identifier(name)
        for name in mart.grain
    ]
    return sql.SQL("md5(coalesce(string_agg({row}, '' order by {order}, {row}), ''))").format(
        row=row, order=sql.SQL(", ").join(order)
    )


def example_key(mart: Mart) -> sql.Composable:
    """SQL aggregate: the key of one of a set of rows of the mart, as `./kaw trace` takes it; null where every key has a gap."""
    parts = [sql.SQL("{} || {}::text").format(sql.Literal(f"{name}="), sql.Identifier(name)) for name in mart.grain]
    return sql.SQL('min(({}) collate "C")').format(sql.SQL(" || ',' || ").join(parts))


def _text_of(mart: Mart, name: str, type_: str) -> sql.Composable:
    column = sql.Identifier(name)
    scale = mart.scales.get(name)
    if type_.startswith("numeric"):
        text = sql.SQL("trim_scale({})::text").format(_rounded(column, scale))
    elif type_ in ("double precision", "real"):
        if scale is None:
            what = f"column {name} is {type_} without a scale"
            raise _declared_wrongly(mart, what, "declare it in meta.scales, or make it numeric")
        text = sql.SQL("trim_scale({})::text").format(_rounded(sql.SQL("{}::numeric").format(column), scale))
    elif type_ == "date":
        text = sql.SQL("to_char({}, 'YYYY-MM-DD')").format(column)
    elif type_.startswith("timestamp"):
        instant = sql.SQL("{} at time zone 'UTC'").format(column) if type_.endswith("with time zone") else column
        text = sql.SQL("to_char({}, 'YYYY-MM-DD HH24:MI:SS.US')").format(instant)
    else:
        text = sql.SQL("{}::text").format(column)
    return sql.SQL("coalesce('=' || {}, '~')").format(text)


def _rounded(number: sql.Composable, scale: int | None) -> sql.Composable:
    return number if scale is None else sql.SQL("round({}, {})").format(number, sql.Literal(scale))
