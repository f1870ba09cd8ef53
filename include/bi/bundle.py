"""The bundle of assets that Superset imports: YAML files with uuids made of names, the same at each making.

`superset import-directory -o` takes the folder as it is; so does `provision.py`, which knows the password too.
"""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import yaml

from include.bi import charts
from include.bi.declared import Chart, Dashboard, Dataset, Question, dashboards, datasets, labels
from include.bi.queries import (
    UNITS,
    column_types,
    dataset_sql,
    filter_id,
    in_language,
    label_of,
    measure_name,
    measures,
    slug,
    used_datasets,
)
from include.records.logins import SETTINGS

NAMESPACE = uuid.UUID("2f0f3c1e-6a55-5d0c-9d6e-1b1f4c7a9e10")
DATABASE = "key accounts (marts)"
MASK = "XXXXXXXXXX"  # what Superset shows for a password, and takes for: as it is
CSS = ""
QUESTION_COLUMNS = 3
FILTERS = {  # name -> (data set, sorted from the last on, the first is chosen)
    "month": ("publication", True),
    "organisation": ("accounts", False),
    "manager": ("accounts", False),
    "industry": ("accounts", False),
    "tier": ("accounts", False),
    "account": ("accounts", False),
    "outage": ("outages", True),
}
# as publish.note_managers has it: who is at work on the published date, and which accounts are theirs then
MANAGER_AT_WORK = """
select managers.manager_no, managers.org_no
from marts.dim_managers as managers
where
    managers.manager_no = '{{ current_username() }}'
    and managers.valid_from <= (select max(publication.business_date) from marts.publication)
    and (managers.valid_to is null or managers.valid_to > (select max(publication.business_date) from marts.publication))
    and (managers.left_date is null or managers.left_date > (select max(publication.business_date) from marts.publication))
"""
MANAGER_ACCOUNTS = f"""
select bridge.account_no
from marts.bridge_account_managers as bridge
where
    bridge.manager_no in (select manager_no from ({MANAGER_AT_WORK}) as at_work)
    and bridge.assign_role_code = 'PRIMARY'
    and bridge.valid_from <= (select max(publication.business_date) from marts.publication)
    and (bridge.valid_to is null or bridge.valid_to > (select max(publication.business_date) from marts.publication))
"""


def write(folder: Path, language: str, address: str) -> None:
    """Writes the bundle anew; `address` is the readers' (postgresql://…), whose password stays out of it."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in made(language, address).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False, allow_unicode=True, width=1000),
            encoding="utf-8",
        )


def made(language: str, address: str) -> dict[str, dict]:
    """File -> what is in it."""
    files = {"metadata.yaml": {"version": "1.0.0", "type": "assets"}, "databases/marts.yaml": _database(address)}
    for dataset in used_datasets():
        files[f"datasets/marts/{dataset.name}.yaml"] = _dataset(dataset, language)
    for board in dashboards().values():
        for chart in board.charts:
            files[f"charts/{chart.name}.yaml"] = _chart(chart, language)
        files[f"dashboards/{board.name}.yaml"] = _dashboard(board, language)
    return files


def addresses(language: str) -> dict[str, str]:
    """Title -> path of each dashboard."""
    return {board.title.of(language): f"/superset/dashboard/{slug(name)}/" for name, board in dashboards().items()}


def uuid_of(kind: str, name: str) -> str:
    return str(uuid.uuid5(NAMESPACE, f"{kind}/{name}"))


def row_rules(managers: list[str]) -> list[dict]:
    """The rows that an account manager sees, by the policies of `publish.cut_to_managers`: one rule a scope.

    The name of the Superset user is the number of the manager; only `managers`, who have a login of the door, see rows, as long
    as they are at work. Of the scope `none` a manager sees no row.
    """
    listed = ", ".join(f"'{number}'" for number in managers)
    has_login = f"'{{{{ current_username() }}}}' in ({listed})" if managers else "1 = 0"
    clauses = {
        "account": f"account_no in ({MANAGER_ACCOUNTS})",
        "manager": f"manager_no in (select manager_no from ({MANAGER_AT_WORK}) as at_work)",
        "organisation": f"org_no in (select org_no from ({MANAGER_AT_WORK}) as at_work)",
        "none": "1 = 0",
    }
    return [
        {
            "name": f"kaw {scope}",
            "clause": clause if scope == "none" else f"{has_login} and {clause}",
            "datasets": found,
        }
        for scope, clause in clauses.items()
        if (found := _of_scope(scope))
    ]


def shared_datasets() -> list[str]:
    """The data sets that everybody sees whole."""
    return _of_scope("shared")


def _of_scope(scope: str) -> list[str]:
    return [uuid_of("dataset", data.name) for data in used_datasets() if data.model.meta.get("scope") == scope]


# -- files


def _database(address: str) -> dict:
    login, _, place = address.removeprefix("postgresql://").partition("@")
    return {
        "database_name": DATABASE,
        "sqlalchemy_uri": f"postgresql+psycopg2://{login.partition(':')[0]}:{MASK}@{place}",
        "cache_timeout": None,
        "expose_in_sqllab": True,
        "allow_run_async": False,
        "allow_ctas": False,
        "allow_cvas": False,
        "allow_dml": False,
        "allow_csv_upload": False,
        "extra": {
            "allows_virtual_table_explore": True,
            "engine_params": {"connect_args": {"options": f"-c statement_timeout={SETTINGS['statement_timeout']}"}},
        },
        "impersonate_user": False,
        "uuid": uuid_of("database", "marts"),
        "version": "1.0.0",
    }


def _dataset(dataset: Dataset, language: str) -> dict:
    stated = measures(dataset)
    columns = []
    for name, type_ in column_types(dataset, language).items():
        is_date = type_ == "date" or type_.startswith("timestamp")
        columns.append(
            {
                "column_name": name,
                "verbose_name": _label(dataset, name, language),
                "is_dttm": is_date,
                "is_active": True,
                "type": type_.upper(),
                "groupby": True,
                "filterable": True,
                "expression": None,
                "description": None,
                "python_date_format": None,
            }
        )
    metrics = [
        {
            "metric_name": measure_name(name),
            "verbose_name": label_of(dataset, name).of(language),
            "metric_type": None,
            "expression": in_language(expression, language),
            "description": None,
            "d3format": UNITS.get(unit, ",.2f"),
        }
        for name, (expression, unit, _) in stated.items()
    ]
    return {
        "table_name": dataset.name,
        "main_dttm_col": None,
        "description": f"marts.{dataset.model.published_name}",
        "schema": "marts",
        "sql": dataset_sql(dataset, language),
        "params": None,
        "filter_select_enabled": True,
        "fetch_values_predicate": None,
        "uuid": uuid_of("dataset", dataset.name),
        "metrics": metrics,
        "columns": columns,
        "version": "1.0.0",
        "database_uuid": uuid_of("database", "marts"),
    }


def _label(dataset: Dataset, column: str, language: str) -> str | None:
    try:
        return label_of(dataset, column).of(language)
    except KeyError:
        return None


def _chart(chart: Chart, language: str) -> dict:
    viz_type, params = charts.drawn(chart, datasets()[chart.dataset], language)
    return {
        "slice_name": chart.title.of(language),
        "description": None,
        "viz_type": viz_type,
        "params": params | {"viz_type": viz_type},
        "query_context": None,
        "cache_timeout": None,
        "uuid": uuid_of("chart", chart.name),
        "version": "1.0.0",
        "dataset_uuid": uuid_of("dataset", chart.dataset),
    }


def _dashboard(board: Dashboard, language: str) -> dict:
    numbers = {chart.name: number for number, chart in enumerate(board.charts, start=1)}
    return {
        "dashboard_title": board.title.of(language),
        "description": board.about.of(language),
        "css": CSS,
        "slug": slug(board.name),
        "uuid": uuid_of("dashboard", board.name),
        "position": _layout(board, numbers, language),
        "metadata": {
            "native_filter_configuration": [_filter(board, name, numbers, language) for name in board.filters],
            "filter_bar_orientation": "HORIZONTAL",
            "cross_filters_enabled": True,
            "color_scheme": "supersetColors",
            "refresh_frequency": 0,
            "expanded_slices": {},
            "timed_refresh_immune_slices": [],
            "chart_configuration": {},
            "global_chart_configuration": {
                "scope": {"rootPath": ["ROOT_ID"], "excluded": []},
                "chartsInScope": list(numbers.values()),
            },
            "label_colors": {},
            "shared_label_colors": [],
            "color_scheme_domain": [],
        },
        "published": True,
        "version": "1.0.0",
    }


def _layout(board: Dashboard, numbers: dict[str, int], language: str) -> dict:
    parts: dict[str, dict] = {
        "DASHBOARD_VERSION_KEY": "v2",
        "ROOT_ID": {"type": "ROOT", "id": "ROOT_ID", "children": ["GRID_ID"]},
        "HEADER_ID": {"type": "HEADER", "id": "HEADER_ID", "meta": {"text": board.title.of(language)}},
        "GRID_ID": {"type": "GRID", "id": "GRID_ID", "parents": ["ROOT_ID"], "children": []},
    }
    for number, row in enumerate(board.rows, start=1):
        row_id = f"ROW-{board.name}-{number}"
        parts["GRID_ID"]["children"].append(row_id)
        if number == 1 and board.questions:
            parts |= _asked(board, language)
            parts["GRID_ID"]["children"].append(f"ROW-{board.name}-questions")
        children = []
        for chart in row:
            chart_id = f"CHART-{chart.name}"
            children.append(chart_id)
            parts[chart_id] = {
                "type": "CHART",
                "id": chart_id,
                "parents": ["ROOT_ID", "GRID_ID", row_id],
                "children": [],
                "meta": {
                    "chartId": numbers[chart.name],
                    "uuid": uuid_of("chart", chart.name),
                    "sliceName": chart.title.of(language),
                    "width": chart.width,
                    "height": chart.height,
                },
            }
        parts[row_id] = {
            "type": "ROW",
            "id": row_id,
            "parents": ["ROOT_ID", "GRID_ID"],
            "children": children,
            "meta": {"background": "BACKGROUND_TRANSPARENT"},
        }
    return parts


def _asked(board: Dashboard, language: str) -> dict[str, dict]:
    """A row of questions in three columns, each a link to the chart that answers it."""
    row_id = f"ROW-{board.name}-questions"
    parents, parts = ["ROOT_ID", "GRID_ID", row_id], {}
    in_column = -(-len(board.questions) // QUESTION_COLUMNS)
    for column in range(QUESTION_COLUMNS):
        asked = board.questions[column * in_column : (column + 1) * in_column]
        lines = [_line(question, language) for question in asked]
        parts[f"MARKDOWN-{board.name}-{column}"] = {
            "type": "MARKDOWN",
            "id": f"MARKDOWN-{board.name}-{column}",
            "parents": parents,
            "children": [],
            "meta": {"width": 12 // QUESTION_COLUMNS, "height": 6 + 4 * in_column, "code": "\n\n".join(lines)},
        }
    row = {"type": "ROW", "id": row_id, "parents": parents[:2], "children": list(parts)}
    return parts | {row_id: row | {"meta": {"background": "BACKGROUND_TRANSPARENT"}}}


def _line(question: Question, language: str) -> str:
    text = question.text.of(language)
    return (
        f"[{text}](/superset/dashboard/{slug(question.dashboard)}/#CHART-{question.chart})"
        if question.dashboard
        else text
    )


def _filter(board: Dashboard, name: str, numbers: dict[str, int], language: str) -> dict:
    dataset, falls = FILTERS[name]
    first = name in board.chosen
    excluded = [numbers[chart.name] for chart in board.charts if name == "month" and chart.all_months]
    return {
        "id": filter_id(name),
        "name": labels()[name].of(language),
        "filterType": "filter_select",
        "type": "NATIVE_FILTER",
        "description": "",
        "targets": [{"column": {"name": name}, "datasetUuid": uuid_of("dataset", dataset)}],
        "defaultDataMask": {"extraFormData": {}, "filterState": {}, "ownState": {}},
        "controlValues": {
            "enableEmptyFilter": first,
            "defaultToFirstItem": first,
            "multiSelect": name == "month" or not first,
            "inverseSelection": False,
            "searchAllOptions": name in ("account", "outage"),
            "sortAscending": not falls,
        },
        "requiredFirst": {"defaultToFirstItem": True} if first else {},
        "cascadeParentIds": [],
        "scope": {"rootPath": ["ROOT_ID"], "excluded": excluded},
        "chartsInScope": [number for number in numbers.values() if number not in excluded],
        "tabsInScope": [],
    }
