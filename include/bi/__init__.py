"""Dashboards as code: what `dashboards/` declares, made into a bundle that Superset imports."""
