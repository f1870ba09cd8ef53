"""The SQL of data sets and charts. Superset makes the same of the bundle; tests run these as the reader does."""

from __future__ import annotations

import re

from include.bi.declared import Chart, Dataset, Filter, dashboards, datasets, labels
from include.report.text import Text, labelled_columns
from include.settings import TIMEZONE_NAME
from include.transform.metrics import declared_metrics

YES_NO = (Text("yes", "是"), Text("no", "否"))
INSTANTS = ("timestamptz", "timestamp with time zone")
LOCAL_TIME = f" at time zone '{TIMEZONE_NAME}'"
QUALITY = (Text("complete", "完整"), Text("partial", "部分"))
UNITS = {
    "yuan": ",.0f",
    "count": ",d",
    "kWh": ",.0f",
    "kVA": ",.0f",
    "fraction": ".1%",
    "percent": ",.2f",
    "days": ",.1~f",
} | dict.fromkeys(("hours", "h", "minutes", "points", "working days"), ",.1f")
# shown behind the name
SIGNS = {name: Text(sign, sign) for name, sign in {"yuan": "¥", "kWh": "kWh", "kVA": "kVA", "percent": "%"}.items()}
SIGNS["percentage points"] = Text("points", "百分点")
# what a value needs in an address, and in the filter's notation there, in the order in which it is replaced
_ESCAPES = {"%": "%25", "!": "!!", "'": "!'", "&": "%26", "#": "%23", "+": "%2B", '"': "%22", "<": "%3C", ">": "%3E"}
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def coded(dataset: Dataset) -> list[str]:
    """The code columns: `marts.dim_codes` has their labels, shown as `<what>_name`."""
    return [name for name in _columns(dataset) if name.endswith("_code") or name in labelled_columns()]


def label_column(code: str) -> str:
    return code.removesuffix("_code") + "_name"


def column_types(dataset: Dataset, language: str = "en") -> dict[str, str]:
    """Every column of the data set with its type: those of the relation, of what is joined, and the names."""
    types = {
        name: "text" if type_.startswith(("boolean", "timestamp")) else type_
        for name, type_ in _columns(dataset).items()
    }
    types |= {name: type_ for name, (_, type_) in dataset.columns.items()}
    types |= dict.fromkeys([label_column(code) for code in coded(dataset)], "text")
    return types | dict.fromkeys(_names(dataset, language), "text")


def _columns(dataset: Dataset) -> dict[str, str]:
    """Arrays are no columns for a reader of charts."""
    own = {name: type_ for name, type_ in dataset.model.columns.items() if not type_.endswith("[]")}
    for join in dataset.joins:
        own |= {name: join.model.columns[name] for name in join.columns}
    return own


def dataset_sql(dataset: Dataset, language: str) -> str:
    """One query over `marts`: the relation's rows, none more and none fewer (but for `lateral`), with names beside numbers."""
    selected = []
    for name, type_ in dataset.model.columns.items():
        if not type_.endswith("[]"):
            selected.append((_shown(f"t.{name}", type_, language), name))
    joins = []
    for number, join in enumerate(dataset.joins):
        alias = f"j{number}"
        on = " and ".join(f"{alias}.{column} = {expression}" for column, expression in join.on.items())
        joins.append(f"left join marts.{join.model.published_name} as {alias} on {on}")
        selected += [(_shown(f"{alias}.{name}", join.model.columns[name], language), name) for name in join.columns]
    found = {name: expression for expression, name in selected}
    names = _names(dataset, language)
    joins += _name_joins(dataset)
    for code in coded(dataset):
        alias = f"label_{code}"
        joins.append(
            f"left join marts.dim_codes as {alias} on {alias}.column_name = '{code}' and {alias}.code = {found[code]}"
        )
        selected.append((f"coalesce({alias}.name_{language}, {found[code]})", label_column(code)))
    selected += [(in_language(expression, language), name) for name, (expression, _) in dataset.columns.items()]
    selected += [(expression, name) for name, expression in names.items()]
    columns = ",\n".join(
        f"    {expression}" if expression.endswith(f".{name}") else f"    {expression} as {name}"
        for expression, name in selected
    )
    lateral = [dataset.lateral] if dataset.lateral else []
    return f"select\n{columns}\nfrom marts.{dataset.model.published_name} as t\n" + "\n".join([*lateral, *joins])


def in_language(expression: str, language: str) -> str:
    """`[[English|Chinese]]` becomes the word of the language."""
    return re.sub(r"\[\[(.*?)\|(.*?)\]\]", r"\1" if language == "en" else r"\2", expression)


def _shown(expression: str, type_: str, language: str) -> str:
    if type_.startswith("timestamp"):
        return f"to_char({expression}{LOCAL_TIME if type_ in INSTANTS else ''}, 'YYYY-MM-DD HH24:MI')"
    if type_ != "boolean":
        return expression
    yes, no = (word.of(language) for word in YES_NO)
    return f"case when {expression} then '{yes}' when not {expression} then '{no}' end"


def _keys(dataset: Dataset) -> dict[str, str]:
    """Where the shared names hang: the relation's own column, else the account's."""
    own = dataset.model.columns
    has_account = "account_no" in own
    is_account = dataset.model.published_name == "dim_accounts"
    account = "t" if is_account else "accounts"
    keys = {"account_no": "t.account_no"} if has_account else {}
    for column in ("org_no", "manager_no", "industry_code", "tier_code"):
        if column in own:
            keys[column] = f"t.{column}"
            if has_account and not is_account and column == "org_no":
                keys[column] = f"coalesce(t.{column}, {account}.{column})"
        elif has_account:
            keys[column] = f"{account}.{column}"
    return keys


def _name_joins(dataset: Dataset) -> list[str]:
    keys, joins = _keys(dataset), []
    if "account_no" in keys and dataset.model.published_name != "dim_accounts":
        joins.append("left join marts.dim_accounts as accounts on accounts.account_no = t.account_no")
    if "org_no" in keys and dataset.model.published_name != "dim_organisations":
        joins.append(f"left join marts.dim_organisations as organisations on organisations.org_no = {keys['org_no']}")
    if "industry_code" in keys:
        joins.append(
            f"left join marts.dim_industries as industries on industries.industry_code = {keys['industry_code']}"
        )
    if "tier_code" in keys:
        joins.append(
            "left join marts.dim_codes as tiers on tiers.column_name = 'tier_code'"
            f" and tiers.code = {keys['tier_code']}"
        )
    if "dept_no" in dataset.model.columns:
        joins.append("left join marts.dim_departments as departments on departments.dept_no = t.dept_no")
    return joins


def _names(dataset: Dataset, language: str) -> dict[str, str]:
    """What every data set calls the same, so that one filter reaches all charts of a dashboard."""
    keys = _keys(dataset)
    names = {"month": "to_char(t.published_month, 'YYYY-MM')"}
    if "account_no" in keys:
        alias = "t" if dataset.model.published_name == "dim_accounts" else "accounts"
        account = f"coalesce({alias}.account_name || ' ' || t.account_no, t.account_no)"
        name = f"coalesce({alias}.account_name, t.account_no)"
        names["account"] = account
        names["account_link"] = link("account", {"account": account, "month": names["month"]}, name)
    if "org_no" in keys:
        called = "t" if dataset.model.published_name == "dim_organisations" else "organisations"
        names["organisation"] = f"coalesce({called}.org_name, {keys['org_no']})"
    if "manager_no" in keys:
        names["manager"] = keys["manager_no"]
    if "industry_code" in keys:
        names["industry"] = f"coalesce(industries.name_{language}, {keys['industry_code']})"
    if "tier_code" in keys:
        names["tier"] = f"coalesce(tiers.name_{language}, {keys['tier_code']})"
    if "dept_no" in dataset.model.columns:
        names["department"] = "coalesce(departments.dept_name, t.dept_no)"
    if "is_partial" in dataset.model.columns:
        complete, partial = (word.of(language) for word in QUALITY)
        names["quality"] = f"case when t.is_partial then '⚠\u00a0{partial}' else '{complete}' end"
    names |= {
        name: link(made.to, made.by | {"month": names["month"]}, made.shown) for name, made in dataset.links.items()
    }
    return names


def link(dashboard: str, by: dict[str, str], shown: str) -> str:
    """SQL of a link to another dashboard with filters set. Values are escaped for the address, what is shown for HTML."""
    parts, text = [], f'<a href="/superset/dashboard/{slug(dashboard)}/?native_filters=('
    for number, (name, value) in enumerate(by.items()):
        identifier, escaped = filter_id(name), _replaced(value, _ESCAPES)
        text += f"{',' if number else ''}{identifier}:(extraFormData:(filters:!((col:{name},op:IN,val:!('"
        parts += [_literal(text), escaped, _literal("')))),filterState:(value:!('"), escaped]
        text = f"')),id:{identifier},ownState:())"
    return " || ".join([*parts, _literal(text + ')">'), _replaced(shown, _HTML), _literal("</a>")])


def _replaced(expression: str, by: dict[str, str]) -> str:
    for character, replacement in by.items():
        expression = f"replace({expression}, {_literal(character)}, {_literal(replacement)})"
    return expression


def slug(dashboard: str) -> str:
    return f"kaw-{dashboard.replace('_', '-')}"


def filter_id(name: str) -> str:
    return f"NATIVE_FILTER-{name}"


# -- measures


def measures(dataset: Dataset) -> dict[str, tuple[str, str, Text]]:
    """Measure -> (SQL over the data set's rows, unit, name). What may not be added up is shown of one row alone.

    A sum that may not be taken over months is empty where the rows are of several.
    """
    found = {}
    columns = {c: dataset.model.column_meta.get(c, {}) for c in dataset.model.columns}
    for join in dataset.joins:
        columns |= {c: join.model.column_meta.get(c, {}) for c in join.columns}
    for column, meta in columns.items():
        if "metric" not in meta:
            continue
        metric = declared_metrics()[meta["metric"]]
        if metric.agg == "sum":
            expression = f"sum({column})"
            if "month" not in metric.additive_over and metric.period not in ("event", "day"):
                expression = f"case when count(distinct month) <= 1 then {expression} end"
        elif metric.agg == "mean":
            expression = f"avg({column})"
        else:
            expression = f"case when count(*) = 1 then max({column}) end"
        found[column] = (expression, metric.unit, Text(metric.label_en, metric.label_zh))
    return found | dataset.measures


def measure_name(measure: str) -> str:
    """A measure is called otherwise than the column it is made of: a database confuses the two in an ORDER BY."""
    return f"measure_{measure}"


def label_of(dataset: Dataset, column: str) -> Text:
    """What a column is called: by its metric with the sign of its unit, else by `labels.yml`. Raises KeyError where neither knows it."""
    if column in (stated := measures(dataset)):
        _, unit, label = stated[column]
        sign = SIGNS.get(unit)
        return Text(f"{label.en} {sign.en}", f"{label.zh} {sign.zh}") if sign else label
    return labels()[column]


# -- charts


def chart_sql(chart: Chart, language: str, chosen: dict[str, str] | None = None) -> str:
    """The query of a chart, with the values that are `chosen` in the dashboard's filters; those that do not reach it are left."""
    dataset = datasets()[chart.dataset]
    chosen = {
        name: value
        for name, value in (chosen or {}).items()
        if name in column_types(dataset, language) and not (name == "month" and chart.all_months)
    }
    if chart.kind == "list":
        selected, groups = chart.columns, []
    else:
        stated = measures(dataset)
        selected = [
            *chart.dims,
            *(f"{in_language(stated[name][0], language)} as {measure_name(name)}" for name in chart.measures),
        ]
        groups = chart.dims
    parts = [f"select {', '.join(selected)}", f"from ({dataset_sql(dataset, language)}) as virtual_table"]
    conditions = [condition(stated, language) for stated in chart.filters]
    conditions += [f"{name} = {_literal(value)}" for name, value in chosen.items()]
    if conditions:
        parts.append("where " + " and ".join(conditions))
    if groups:
        parts.append(f"group by {', '.join(groups)}")
    if order := [_ordered(name, chart) for name in chart.order]:
        parts.append(f"order by {', '.join(order)}")
    return "\n".join([*parts, f"limit {chart.limit}"])


def _ordered(name: str, chart: Chart) -> str:
    plain = name.removeprefix("-")
    column = measure_name(plain) if plain in chart.measures else plain
    return f"{column} desc nulls last" if name.startswith("-") else column


def condition(stated: Filter, language: str) -> str:
    value = filter_value(stated, language)
    if stated.op == "not null":
        return f"{stated.column} is not null"
    if stated.op == "null":
        return f"{stated.column} is null"
    if stated.op == "in":
        return f"{stated.column} in ({', '.join(_literal(one) for one in value)})"
    return f"{stated.column} {'=' if stated.op == '==' else '<>' if stated.op == '!=' else stated.op} {_literal(value)}"


def filter_value(stated: Filter, language: str):
    """A truth is a word in the data set."""
    return YES_NO[not stated.value].of(language) if isinstance(stated.value, bool) else stated.value


def _literal(value: object) -> str:
    return str(value) if isinstance(value, int | float) else "'" + str(value).replace("'", "''") + "'"


def used_datasets() -> list[Dataset]:
    """Those of which a chart or a filter is made, in the order of their names."""
    used = {chart.dataset for board in dashboards().values() for chart in board.charts} | {"accounts", "publication"}
    return [dataset for name, dataset in sorted(datasets().items()) if name in used]
