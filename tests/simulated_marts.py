"""A small simulated utility, landed straight into raw, with every model and test of dbt built on it: once a session for a seed."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import psycopg
import pytest
from psycopg import sql

from include.contracts import load_contracts
from include.lab.utility import generate
from include.local.server import Server
from include.publish.marts import column_types, hash_of_rows, read_marts
from include.records.warehouse import Warehouse
from include.transform.dbt import Built, manifest_path, run_dbt
from tests.databases import copied, made_once

BUSINESS_DATE = date(2025, 11, 22)
COLLECTION_START = date(2025, 11, 13)
ACCOUNTS = 20
NO_BILLS = "0310000003"


def land(connection: psycopg.Connection, seed: int) -> None:
    """Puts the simulated tables into raw as one delivery of the business date; an account is left without bills."""
    contracts = load_contracts()
    simulation = generate(BUSINESS_DATE, accounts=ACCOUNTS, days=10, seed=seed)
    for (source, name), table in simulation.tables.items():
        columns = [
            c
            for c in table.column_names
            if not (name == "met_interval_96" and c in contracts[source][name].curve_slots)
        ]
        values = [table[c].to_pylist() for c in columns]
        if name == "met_interval_96":
            slots = np.column_stack(
                [table[c].to_numpy(zero_copy_only=False) for c in contracts[source][name].curve_slots]
            )
            values.append([[None if np.isnan(v) else float(v) for v in row] for row in slots])
            columns.append("v")
        keys = [columns.index(k) for k in contracts[source][name].key]
        target = sql.SQL("copy {} (_load_id, _business_date, _channel, _key, _hash, {}) from stdin").format(
            sql.Identifier(f"raw_{source}", name), sql.SQL(", ").join(map(sql.Identifier, columns))
        )
        with connection.cursor().copy(target) as copy:
            for row in zip(*values, strict=True):
                key = uuid.uuid5(uuid.NAMESPACE_OID, "|".join(str(row[k]) for k in keys))
                copy.write_row((1, BUSINESS_DATE, "auto", key, key, *row))
    for child in ("mkt_payment", "mkt_penalty", "mkt_bill_line"):
        connection.execute(
            f"delete from raw_marketing.{child} where bill_no in (select bill_no from raw_marketing.mkt_bill where cons_no = %s)",
            [NO_BILLS],
        )
    connection.execute("delete from raw_marketing.mkt_bill where cons_no = %s", [NO_BILLS])


class Marts:
    def __init__(self, url: str, built: list[Built]):
        self.url = url
        self.built = built

    def rows(self, query: str) -> list[tuple]:
        with psycopg.connect(self.url, options="-c timezone=Asia/Shanghai") as connection:
            return connection.execute(query).fetchall()

    def one(self, query: str):
        ((value,),) = self.rows(query)
        return value

    def hashes(self) -> dict[str, str]:
        found = {}
        with psycopg.connect(self.url) as connection:
            for mart in read_marts(manifest_path()):
                types = column_types(connection, *mart.relation)
                query = sql.SQL("select {} from {}").format(hash_of_rows(mart, types), mart.candidate)
                found[mart.name] = connection.execute(query).fetchone()[0]
        return found


@contextlib.contextmanager
def built_marts(server: Server, home: Path, template: str, seed: int = 1) -> Iterator[Marts]:
    """A copy of that warehouse for the caller alone; KAW_HOME is a folder of its own, in which dbt's manifest is."""
    ran = f"marts_simulated_{seed}"
    folder = home / ran
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KAW_HOME", str(folder))
        with made_once(server, home, ran, template) as unfinished:
            if unfinished:
                folder.mkdir(exist_ok=True)
                built = _build(server.url(unfinished), seed)
                (folder / "built.json").write_text(json.dumps([dataclasses.asdict(node) for node in built]))
        built = [Built(**node) for node in json.loads((folder / "built.json").read_text())]
        with copied(server, ran) as name:
            yield Marts(server.url(name), built)


def _build(url: str, seed: int) -> list[Built]:
    with psycopg.connect(url, options="-c timezone=Asia/Shanghai") as connection:
        land(connection, seed)
        connection.execute(
            "insert into quality.current_run (run_id, business_date, phase, last_passed_load_id, collection_start)"
            " values (1, %s, 'admit', 0, %s)",
            [BUSINESS_DATE, COLLECTION_START],
        )
    return run_dbt(["build"], Warehouse(url))
