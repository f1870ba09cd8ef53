"""The one way to a connection to the warehouse, and what it keeps on record: schema, runs, fences, ledger, read-only queries."""
