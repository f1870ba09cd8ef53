"""The SQL of models as dbt compiled it for a database, for tests that run it on copies of that database."""

from __future__ import annotations

import json

from include.transform.dbt import manifest_path, target_folder


def compiled_models(database: str) -> list[dict]:
    """Nodes of all models that dbt compiled last in this home, each with its `sql`, which no longer names the database."""
    manifest = json.loads(manifest_path().read_text())
    models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
    folder = target_folder() / "compiled" / manifest["metadata"]["project_name"]
    written = {node["name"]: folder / node["original_file_path"] for node in models}
    return [
        node | {"sql": written[node["name"]].read_text().replace(f'"{database}".', "")}
        for node in models
        if written[node["name"]].exists()
    ]
