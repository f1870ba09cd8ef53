"""Two small synthetic marts that a test fills and publishes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from include.publish import publish, status
from include.publish.content import built_content, candidate_digests, candidate_types
from include.publish.marts import read_marts
from include.records import ledger
from include.records.database import connect
from include.records.warehouse import Warehouse

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def model(name: str, columns: dict[str, str], meta: dict) -> dict:
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": "candidate",
        "description": f"Synthetic {name}.",
        "original_file_path": f"models/marts/{name}.sql",
        "config": {"meta": {"published": True} | meta},
        "columns": {c: {"name": c, "description": f"{c}, synthetic", "data_type": t} for c, t in columns.items()},
    }


ENERGY = model(
    "mart_energy",
    {
        "account_no": "text",
        "month": "date",
        "energy_kwh": "numeric(18, 4)",
        "load_factor": "double precision",
        "load_id": "bigint",
    },
    {
        "grain": ["account_no", "month"],
        "published_month": "month",
        "technical": ["load_id"],
        "scales": {"load_factor": 3},
    },
)
HEALTH = model("mart_health", {"account_no": "text", "score": "integer"}, {"grain": ["account_no"]})


def enter_verdicts(
    url: str, manifest: Path, run_id: int, business_date: date, fence: str, gates: dict[int, str]
) -> None:
    """Ledger entries as the gates write them, without a gate."""
    with connect(url) as conn:
        for gate, verdict in gates.items():
            detail = {"run_id": run_id, "gate": gate, "fence": fence, "verdict": verdict}
            if gate == 2:
                marts = read_marts(manifest)
                built = built_content(conn, marts, candidate_types(conn, marts), business_date)
                detail["candidates"] = candidate_digests(built)
            ledger.append(conn, "verdict", detail)


class Night:
    """A warehouse with two candidate marts that a test fills and publishes."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.warehouse, self.manifest = url, Warehouse(url), folder / "manifest.json"
        self.describe(ENERGY, HEALTH)
        self.execute("""
            create table candidate.mart_energy (
                account_no text, month date, energy_kwh numeric(18, 4), load_factor double precision, load_id bigint
            );
            create table candidate.mart_health (account_no text, score integer);
        """)
        self.fill(1, [JUNE, JULY])

    def describe(self, *models: dict) -> None:
        self.manifest.write_text(json.dumps({"nodes": {m["name"]: m for m in models}}))

    def execute(self, statement: str, parameters=None) -> list[tuple]:
        with connect(self.url) as conn:
            cursor = conn.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

    def fill(self, value: int, months: list[date], accounts: int = 3) -> None:
        """Every row of both marts carries `value`, so that a reader of two versions at once would see two values."""
        self.execute("truncate candidate.mart_energy, candidate.mart_health")
        self.execute(
            "insert into candidate.mart_energy select 'A' || a, m, %s, 0.5, %s from generate_series(1, %s) as a,"
            " unnest(%s::date[]) as m",
            [value, value, accounts, months],
        )
        self.execute(
            "insert into candidate.mart_health select 'A' || a, %s from generate_series(1, %s) as a", [value, accounts]
        )

    def publish(self, business_date: date = date(2026, 7, 10), fence: str = ""):
        """A run that both gates let pass, and its publish."""
        return self.publish_run(self.judge(business_date, fence), business_date, fence)

    def publish_run(self, run_id: int, business_date: date = date(2026, 7, 10), fence: str = ""):
        return publish(self.warehouse.fenced(fence), run_id, business_date, self.manifest)

    def judge(
        self, business_date: date = date(2026, 7, 10), fence: str = "", gates: dict[int, str] | None = None
    ) -> int:
        """A new run of which these gates gave these verdicts on the candidates as they are now; its number."""
        given = {1: "passed", 2: "passed"} if gates is None else gates
        state = "blocked" if "blocked" in given.values() else "passed" if 2 in given else "running"
        ((run_id,),) = self.execute(
            "insert into quality.runs (business_date, state) values (%s, %s) returning run_id", [business_date, state]
        )
        enter_verdicts(self.url, self.manifest, run_id, business_date, fence, given)
        return run_id

    def seen(self) -> set:
        return set(self.execute("select month, energy_kwh::integer from marts.mart_energy"))

    def hashes(self) -> dict:
        return {name: mart["hash"] for name, mart in status(self.url)["marts"].items()}
