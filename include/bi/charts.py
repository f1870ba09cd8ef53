"""A declared chart as the settings of the plug-in that draws it."""

from __future__ import annotations

import json
import re

from include.bi.declared import Chart, Dataset
from include.bi.queries import UNITS, column_types, filter_value, label_of, measure_name, measures

SHORT = {"yuan": "SMART_NUMBER", "kWh": "SMART_NUMBER"}  # on axes and cards; tables show every digit
NARROW = 4  # of twelve: months beside each other would touch
SEARCHED_FROM = 44  # height of a list that is long enough to be searched


def drawn(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    """The plug-in's name and its settings. Raises KeyError where the chart names what the data set has not."""
    viz_type, own = _KINDS[chart.kind](chart, dataset, language)
    common = {"adhoc_filters": [_filter(condition, language) for condition in chart.filters], "row_limit": chart.limit}
    return viz_type, common | own | chart.options


def _filter(condition, language: str) -> dict:
    value = filter_value(condition, language)
    operator = {"not null": "IS NOT NULL", "null": "IS NULL", "in": "IN"}.get(condition.op, condition.op)
    found = {"clause": "WHERE", "expressionType": "SIMPLE", "subject": condition.column, "operator": operator}
    return found if value is None else found | {"comparator": value}


def _number(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    (measure,) = chart.measures
    return "big_number_total", {
        "metric": measure_name(measure),
        "y_axis_format": _short(dataset, measure),
        "header_font_size": 0.5,
        "subheader_font_size": 0.15,
        "subheader": "",
    }


def _series(viz_type: str):
    def draw(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
        x, *series = chart.dims
        first = chart.order[0] if chart.order else x
        by_measure = first.lstrip("-") in chart.measures
        return viz_type, {
            "x_axis": x,
            "time_grain_sqla": None,
            "xAxisForceCategorical": True,
            "x_axis_sort": measure_name(first.lstrip("-")) if by_measure else x,
            # a horizontal axis begins at the bottom, and people read from the top
            "x_axis_sort_asc": first.startswith("-") == (chart.options.get("orientation") == "horizontal"),
            "metrics": [measure_name(name) for name in chart.measures],
            "groupby": series,
            "order_desc": True,
            "show_legend": len(chart.measures) > 1 or bool(series),
            "legendOrientation": "top",
            "legendType": "plain",
            "rich_tooltip": True,
            "y_axis_format": _short(dataset, chart.measures[0]),
            "truncateYAxis": False,
            "truncateXAxis": False,
            "x_axis_title": ""
            if chart.options.get("orientation") or chart.width <= NARROW
            else label_of(dataset, x).of(language),
            "x_axis_title_margin": 30,
            "y_axis_title_margin": 30,
            "x_axis_time_format": "%Y-%m-%d",
            "xAxisLabelRotation": 45 if chart.width <= NARROW else 0,
            "xAxisLabelInterval": "auto" if len(chart.dims) > 1 or viz_type != "echarts_timeseries_bar" else "0",
            "sort_series_type": "name",
            "sort_series_ascending": True,
        }

    return draw


def _bubble(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    x, y, size = chart.measures
    series, *entity = chart.dims
    return "bubble_v2", {
        "series": series,
        "entity": entity[0] if entity else series,
        "x": measure_name(x),
        "y": measure_name(y),
        "size": measure_name(size),
        "max_bubble_size": "50",
        "opacity": 0.6,
        "show_legend": bool(entity),
        "xAxisFormat": _short(dataset, x),
        "y_axis_format": _short(dataset, y),
        "tooltipSizeFormat": _short(dataset, size),
        "x_axis_label": label_of(dataset, x).of(language),
        "y_axis_label": label_of(dataset, y).of(language),
        "x_axis_title_margin": 30,
        "y_axis_title_margin": 40,
        "truncateXAxis": False,
    }


def _heat(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    x, y = chart.dims
    (measure,) = chart.measures
    return "heatmap_v2", {
        "x_axis": x,
        "time_grain_sqla": None,
        "groupby": y,
        "metric": measure_name(measure),
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_asc",
        "normalize_across": "heatmap",
        "legend_type": "continuous",
        "show_legend": True,
        "show_values": False,
        "show_percentage": False,
        "linear_color_scheme": "superset_seq_1",
        "xscale_interval": -1,
        "yscale_interval": -1,
        "left_margin": "auto",
        "bottom_margin": "auto",
        "value_bounds": [None, None],
        "y_axis_format": _short(dataset, measure),
    }


def _pie(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    (measure,) = chart.measures
    return "pie", {
        "groupby": chart.dims,
        "metric": measure_name(measure),
        "sort_by_metric": True,
        "number_format": _short(dataset, measure),
        "label_type": "key_value",
        "labels_outside": True,
        "label_line": True,
        "show_labels": True,
        "show_labels_threshold": 3,
        "show_legend": True,
        "legendOrientation": "top",
        "donut": True,
        "innerRadius": 40,
        "outerRadius": 60,
    }


def _table(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    first = chart.order[0] if chart.order else None
    sorted_by = first and first.lstrip("-") in chart.measures
    return "table", {
        "query_mode": "aggregate",
        "groupby": chart.dims,
        "metrics": [measure_name(name) for name in chart.measures],
        "timeseries_limit_metric": measure_name(first.lstrip("-")) if sorted_by else None,
        "order_desc": bool(first and first.startswith("-")),
        "server_pagination": False,
        "table_timestamp_format": "%Y-%m-%d",
        "show_cell_bars": False,
        "include_search": chart.height >= SEARCHED_FROM,
        "page_length": 0,
        "column_config": {measure_name(name): {"d3NumberFormat": _long(dataset, name)} for name in chart.measures},
    }


def _list(chart: Chart, dataset: Dataset, language: str) -> tuple[str, dict]:
    known, types = measures(dataset), column_types(dataset, language)
    order = [json.dumps([name.lstrip("-"), not name.startswith("-")]) for name in chart.order]
    return "table", {
        "query_mode": "raw",
        "all_columns": chart.columns,
        "order_by_cols": order,
        "server_pagination": False,
        "table_timestamp_format": "%Y-%m-%d",
        "show_cell_bars": False,
        "color_pn": False,
        "include_search": chart.height >= SEARCHED_FROM,
        "page_length": 0,
        "allow_render_html": True,
        "column_config": {
            name: {
                "d3NumberFormat": _long(dataset, name)
                if name in known
                else ",.0f"
                if name.endswith("_cny")
                else ",.2~f"
                if "numeric" in types[name]
                else ",d"
            }
            for name in chart.columns
            if name in known or types[name].startswith(("numeric", "integer", "bigint", "smallint"))
        },
    }


def _long(dataset: Dataset, measure: str) -> str:
    return UNITS.get(measures(dataset)[measure][1], ",.2f")


def _short(dataset: Dataset, measure: str) -> str:
    """Without zeros that say nothing, which an axis has many of."""
    unit = measures(dataset)[measure][1]
    return SHORT.get(unit) or re.sub(r"(?<=\d)(?=[f%])", "~", UNITS.get(unit, ",.2f"))


_KINDS = {
    "number": _number,
    "bar": _series("echarts_timeseries_bar"),
    "line": _series("echarts_timeseries_line"),
    "area": _series("echarts_area"),
    "bubble": _bubble,
    "heat": _heat,
    "pie": _pie,
    "table": _table,
    "list": _list,
}
