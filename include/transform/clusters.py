"""Groups of accounts whose working days have the same shape: k-means on the normalised profiles of the warehouse.

dbt makes the profiles before this step and the typical profiles, distances and anomalies after it, in exact decimals. Only
the label is decided here. It does not depend on the machine: profiles come rounded, starts are drawn from a fixed seed,
one thread adds up in one order, and clusters are numbered by their own shape, the flattest first.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from include.records.warehouse import Warehouse
from include.transform.dbt import TRANSFORMER

SEED = 1  # of the starts of k-means and of the sample: any number does, but it must stay the same
STARTS = 10


@dataclass(frozen=True)
class Limits:
    """What may be chosen: the numbers of clusters tried, the fewest accounts in one, the accounts a silhouette looks at."""

    min_clusters: int
    max_clusters: int
    min_cluster_accounts: int
    silhouette_sample: int


@dataclass(frozen=True)
class Clustering:
    """`labels` from 1 on, one per profile; None where no number of clusters was good, and `basis` says why in any case."""

    labels: list[int] | None
    count: int | None
    silhouette: float | None
    basis: str


def cluster_profiles(profiles: list[list[float]], limits: Limits) -> Clustering:
    """The clustering with the highest mean silhouette of all that leave no cluster too small; of equals the fewest clusters.

    A profile is the mean power of each slot over the mean power of the day. The order of the profiles must be stable.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_score
    from threadpoolctl import threadpool_limits

    values = np.array(profiles, dtype=np.float64)
    different = len(np.unique(values, axis=0)) if len(values) else 0
    most = min(limits.max_clusters, different, len(values) - 1, len(values) // limits.min_cluster_accounts)
    if most < limits.min_clusters:
        return Clustering(
            None,
            None,
            None,
            f"{len(values)} profiles, {different} different: too few for {limits.min_clusters} clusters",
        )
    best, tried = None, []
    with threadpool_limits(limits=1):
        for count in range(limits.min_clusters, most + 1):
            labels = KMeans(count, n_init=STARTS, random_state=SEED, algorithm="lloyd").fit_predict(values)
            smallest = int(np.bincount(labels, minlength=count).min())
            if smallest < limits.min_cluster_accounts:
                tried.append(f"{count}: a cluster of {smallest}")
                continue
            sample = limits.silhouette_sample if limits.silhouette_sample < len(values) else None
            score = round(float(silhouette_score(values, labels, sample_size=sample, random_state=SEED)), 4)
            tried.append(f"{count}: {score:.4f}")
            if best is None or score > best[0]:
                best = score, count, labels
    basis = f"mean silhouette of {len(values)} profiles by number of clusters, at least {limits.min_cluster_accounts} accounts in each: "
    if best is None:
        return Clustering(None, None, None, basis + ", ".join(tried))
    score, count, labels = best
    return Clustering(_numbered(values, labels), count, score, basis + ", ".join(tried))


def _numbered(values: np.ndarray, labels: np.ndarray) -> list[int]:
    """Labels from 1 on, the cluster with the lowest peak first. Sums of whole millionths are exact in any order."""
    units = np.rint(values * 1e6).astype(np.int64)
    centres = {
        label: units[labels == label].sum(axis=0) / (labels == label).sum() for label in np.unique(labels).tolist()
    }
    order = sorted(centres, key=lambda label: (centres[label].max(), centres[label].tolist()))
    number = {label: n for n, label in enumerate(order, 1)}
    return [number[label] for label in labels.tolist()]


def cluster_loads(warehouse: Warehouse) -> int:
    """Labels every profile of the warehouse, month by month, in place of the labels of before; returns the rows.

    Where neither a profile nor a parameter changed, the labels are those that they would be: they stay, and none is made.
    """
    with warehouse.as_role(TRANSFORMER).connect() as connection:
        connection.execute("select quality.assert_fence()")
        due = connection.execute("select transform.due('load_cluster_labels')").fetchone()[0]
        if due == "no":
            return 0
        connection.execute("select transform.begin_build('load_cluster_labels')")
        rows = labels(connection)
        connection.execute("delete from warehouse.load_cluster_labels")
        write_labels(connection, "warehouse.load_cluster_labels", rows)
        connection.execute("select transform.end_build('load_cluster_labels', 'anew: profiles or parameters changed')")
    return len(rows)


def write_labels(connection, relation: str, rows: list[tuple]) -> None:
    with connection.cursor().copy(f"copy {relation} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def labels(connection) -> list[tuple]:
    """Rows of warehouse.load_cluster_labels that the profiles of a session's warehouse ask for, in order of its columns."""
    months: dict[date, list] = {}
    for month, account_no, profile in connection.execute(
        "select month_start_date, account_no, profile::double precision[] from warehouse.int_load_profiles"
        ' where profile is not null order by month_start_date, account_no collate "C"'
    ):
        months.setdefault(month, []).append((account_no, profile))
    rows = []
    for month, accounts in months.items():
        found = cluster_profiles([profile for _, profile in accounts], _limits(connection, month))
        numbers = found.labels or [None] * len(accounts)
        rows += [
            (month, account_no, label, found.count, found.silhouette, found.basis)
            for (account_no, _), label in zip(accounts, numbers, strict=True)
        ]
    return rows


def _limits(connection, month: date) -> Limits:
    """The parameters as valid at the end of the month."""
    found = dict(
        connection.execute(
            "select parameter_code, number_value::integer from staging.load_cluster_parameters"
            " where valid_from <= %(day)s + interval '1 month' - interval '1 day'"
            " and (valid_to is null or %(day)s + interval '1 month' - interval '1 day' < valid_to)",
            {"day": month},
        ).fetchall()
    )
    return Limits(**{name: found[name] for name in Limits.__dataclass_fields__})
