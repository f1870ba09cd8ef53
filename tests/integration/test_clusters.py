"""Load clusters: groups that anyone would see, numbered by their shape, and the same whatever the order of the threads."""

from __future__ import annotations

import pytest

from include.records.database import connect
from include.records.warehouse import Warehouse
from include.transform.clusters import Limits, cluster_loads, cluster_profiles

LIMITS = Limits(min_clusters=2, max_clusters=4, min_cluster_accounts=3, silhouette_sample=5000)
FLAT = [[1.00, 1.00, 1.00, 1.00], [1.02, 0.98, 1.00, 1.00], [0.98, 1.02, 1.01, 0.99]]
DAY_SHIFT = [[0.2, 1.8, 1.8, 0.2], [0.25, 1.75, 1.8, 0.2], [0.2, 1.8, 1.75, 0.25]]


def test_two_obvious_groups_are_found_and_the_flat_one_is_number_one():
    found = cluster_profiles(DAY_SHIFT + FLAT, LIMITS)
    assert (found.count, found.labels) == (2, [2, 2, 2, 1, 1, 1])
    assert found.silhouette == pytest.approx(0.95, abs=0.04)
    assert found.basis == (
        f"mean silhouette of 6 profiles by number of clusters, at least 3 accounts in each: 2: {found.silhouette:.4f}"
    )


def test_the_numbers_of_clusters_do_not_follow_the_order_of_the_accounts():
    assert cluster_profiles(FLAT + DAY_SHIFT, LIMITS).labels == [1, 1, 1, 2, 2, 2]
    mixed = [FLAT[0], DAY_SHIFT[0], FLAT[1], DAY_SHIFT[1], FLAT[2], DAY_SHIFT[2]]
    assert cluster_profiles(mixed, LIMITS).labels == [1, 2, 1, 2, 1, 2]


def test_a_lone_odd_account_makes_no_cluster_of_its_own():
    lonely = [[3.7, 0.1, 0.1, 0.1]]
    found = cluster_profiles(FLAT + DAY_SHIFT + lonely, LIMITS)
    assert found.count is None or min(found.labels.count(n) for n in set(found.labels)) >= 3


def test_a_number_of_clusters_is_only_given_where_there_is_one():
    assert cluster_profiles([], LIMITS).basis == "0 profiles, 0 different: too few for 2 clusters"
    assert cluster_profiles(FLAT, LIMITS).labels is None
    assert cluster_profiles([[1.0, 1.0]] * 40, LIMITS).basis == "40 profiles, 1 different: too few for 2 clusters"


def test_the_step_labels_each_month_by_itself_and_replaces_what_it_wrote(database: str):
    with connect(database) as connection:
        connection.execute(
            "create table staging.load_cluster_parameters (parameter_code text, number_value numeric, valid_from date, valid_to date)"
        )
        connection.execute(
            "insert into staging.load_cluster_parameters values ('min_clusters', 2, '2000-01-01'), ('max_clusters', 4, '2000-01-01'),"
            " ('min_cluster_accounts', 3, '2000-01-01'), ('silhouette_sample', 5000, '2000-01-01')"
        )
        connection.execute(
            "create table warehouse.int_load_profiles (month_start_date date, account_no text, profile numeric(12, 6)[])"
        )
        for n, profile in enumerate(DAY_SHIFT + FLAT):
            connection.execute(
                "insert into warehouse.int_load_profiles values ('2025-06-01', %s, %s)", (f"A{n}", profile)
            )
        connection.execute(
            "insert into warehouse.int_load_profiles values ('2025-05-01', 'A0', %s), ('2025-06-01', 'A9', null)",
            (FLAT[0],),
        )
    for _ in range(2):
        assert cluster_loads(Warehouse(database)) == 7
    with connect(database) as connection:
        rows = connection.execute(
            "select month_start_date::text, account_no, cluster_no from warehouse.load_cluster_labels order by 1, 2"
        ).fetchall()
    assert rows == [("2025-05-01", "A0", None)] + [("2025-06-01", f"A{n}", 2 if n < 3 else 1) for n in range(6)]
