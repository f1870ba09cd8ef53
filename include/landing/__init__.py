"""Landing: what the sources deliver becomes rows of the append-only raw tables, with a receipt for every load."""
