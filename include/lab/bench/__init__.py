"""Measurements of the warehouse by itself, each on a database of its own that is dropped afterwards."""
