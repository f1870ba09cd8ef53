"""Connections to the warehouse and what it keeps on record: schemas, runs, fences, ledger, read-only queries."""
