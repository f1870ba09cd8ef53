"""The metric files, held to the marts: no number without a measure, no name with two meanings."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from include.transform.metrics import AGGREGATES, compared_metrics, declared_metrics, measured_columns, shown_metrics
from include.transform.models import MODELS, published_models


def test_every_number_of_a_mart_refers_to_a_metric_and_every_metric_is_shown():
    assert len(measured_columns()) > 400
    referring = {(shown.model.name, shown.column) for shown in shown_metrics()}
    assert [
        f"{model.name}.{column}" for model, column in measured_columns() if (model.name, column) not in referring
    ] == []
    assert {shown.metric for shown in shown_metrics()} == set(declared_metrics())


def test_one_name_is_one_metric():
    metrics = defaultdict(set)
    for shown in shown_metrics():
        meta = shown.model.column_meta.get(shown.column, {})
        metrics[meta.get("renamed_to", shown.column)].add(shown.metric)
    assert {column for column, names in metrics.items() if len(names) > 1} == set()


def test_the_month_of_a_published_row_has_one_name():
    """By the name of today or the name to come; a fact of events is published by their day or instant."""
    found = {
        name: model.column_meta.get(month, {}).get("renamed_to", month)
        for name, model in published_models().items()
        if (month := model.meta.get("published_month")) and month.endswith(("_month", "month_start_date"))
    }
    assert len(found) > 20
    assert set(found.values()) == {"month_start_date"}


def test_a_metric_is_labelled_in_both_languages_and_says_how_it_adds_up():
    for metric in declared_metrics().values():
        assert metric.label_en, metric.name
        assert re.search("[一-鿿]", metric.label_zh), metric.name
        assert metric.agg in AGGREGATES, metric.name
        assert bool(metric.additive_over) == (metric.agg == "sum"), metric.name
        assert metric.partial in ("null", "admitted_sum", "provisional", "complete"), metric.name
    by_label = defaultdict(set)
    for metric in declared_metrics().values():
        by_label[metric.label_zh].add(metric.name)
    assert {label: names for label, names in by_label.items() if len(names) > 1} == {}


def test_a_rate_a_share_and_a_score_are_added_over_nothing():
    added = {m.name for m in declared_metrics().values() if m.additive_over}
    assert len(added) > 120
    assert {
        name for name in added if re.search("_pct$|_share$|_score$|_rate$|_factor$|_index$|^share_of_", name)
    } == set()
    assert {"revenue_12m_cny", "unpaid_cny", "exposure_cny", "measured_energy_kwh"} <= added
    # what is known of twelve months, or owed on a day, is no part of a sum over months
    assert declared_metrics()["revenue_12m_cny"].additive_over == ("account",)
    assert declared_metrics()["unpaid_cny"].additive_over == ("account",)
    assert declared_metrics()["measured_energy_kwh"].additive_over == ("account", "month")


def test_a_metric_is_computed_where_it_says():
    paths = {path.stem: path for path in MODELS.rglob("*.sql")}
    for metric in declared_metrics().values():
        assert metric.source_model in paths, metric.name
        if metric.source_model in published_models():
            assert metric.column in published_models()[metric.source_model].columns, metric.name
        else:
            text = paths[metric.source_model].read_text(encoding="utf-8")
            assert re.search(rf"\b{metric.column}\b", text), metric.name


def test_what_two_marts_show_of_one_account_and_month_is_compared():
    assert {name: [(a.model.name, b.model.name) for a, b in pairs] for name, pairs in compared_metrics().items()} == {
        name: [pair]
        for names, pair in (
            (("churn_score", "complaints_12m", "outages_12m"), ("mart_churn_risk", "mart_key_account_360")),
            (
                ("contract_capacity_kva", "revenue_12m_cny", "revenue_rank", "running_capacity_kva"),
                ("mart_key_account_360", "mart_key_account_ranking"),
            ),
            (("credit_score", "overdue_cny", "unpaid_cny"), ("mart_credit_risk", "mart_key_account_360")),
            (
                ("deep_share", "flat_share", "peak_share", "sharp_share", "valley_share"),
                ("mart_energy_structure", "mart_tariff_advice"),
            ),
            (("voltage_ok_pct",), ("mart_churn_risk", "mart_complaint_vs_quality")),
        )
        for name in names
    }


def test_the_metric_files_are_those_of_the_themes():
    assert {path.stem for path in Path(MODELS.parent, "metrics").glob("*.yml")} == {
        "accounts",
        "common",
        "energy",
        "quality",
        "reliability",
        "service",
    }
