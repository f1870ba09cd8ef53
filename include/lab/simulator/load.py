"""The stand-in source databases: the tables of the marketing and contract systems in PostgreSQL."""

from __future__ import annotations

import psycopg
from psycopg import sql

from include.contracts import load_contracts
from include.lab.simulator.deliver import without_forms
from include.lab.simulator.delivery_text import csv_bytes
from include.lab.simulator.simulation import Simulation


def load_databases(simulation: Simulation, addresses: dict[str, str]) -> None:
    """Recreate the tables of each source in schema public of its database, in one transaction, by COPY.

    `addresses` is source name -> PostgreSQL address. Types are the contract's; there are no constraints, as the
    sources' promises may be broken. Rows that units deliver by form are left out. Raises psycopg.Error.
    """
    for source, address in addresses.items():
        with psycopg.connect(address) as connection, connection.cursor() as cursor:
            for name, contract in load_contracts()[source].items():
                table = without_forms(simulation, source, name)
                target = sql.Identifier("public", name)
                columns = sql.SQL(", ").join(
                    sql.SQL("{} " + c.physical_type).format(sql.Identifier(c.name)) for c in contract.columns
                )
                cursor.execute(sql.SQL("drop table if exists {} cascade").format(target))
                cursor.execute(sql.SQL("create table {} ({})").format(target, columns))
                cursor.execute(sql.SQL("comment on table {} is 'synthetic'").format(target))
                with cursor.copy(sql.SQL("copy {} from stdin (format csv)").format(target)) as copy:
                    copy.write(csv_bytes(table, header=False))
