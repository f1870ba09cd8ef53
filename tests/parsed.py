"""dbt's parsed project for all databases and homes of a session: dbt reads the project once, which costs nine seconds."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path
from types import SimpleNamespace

from include.transform.dbt import PROJECT

Key = tuple[str, Path, Path]  # address of the warehouse, the project, dbt's folder in the home


class ParsedOnce(dict):
    """In place of what a process of the product remembers of dbt's parsing.

    What was parsed first in this session is kept in its home and handed out for every other database, with the name of the
    database replaced: nothing else differs. A project that a test has changed is parsed as ever.
    """

    def __init__(self, session_home: Path) -> None:
        super().__init__()
        self._folder = session_home / "parsed"

    def get(self, key: Key, default: object = None) -> object:
        if key in self or key[1] != PROJECT or not self._folder.exists():
            return super().get(key, default)
        manifest, text = self._for_database(_database(key))
        key[2].mkdir(parents=True, exist_ok=True)
        (key[2] / "manifest.json").write_text(text, encoding="utf-8")
        return SimpleNamespace(success=True, result=manifest)

    def __setitem__(self, key: Key, outcome: object) -> None:
        super().__setitem__(key, outcome)
        if key[1] == PROJECT and not self._folder.exists():
            self._keep(_database(key), outcome.result, (key[2] / "manifest.json").read_text(encoding="utf-8"))

    def _keep(self, database: str, manifest: object, text: str) -> None:
        unfinished = self._folder.with_name(f"parsed_{database}")
        unfinished.mkdir()
        (unfinished / "database").write_text(database)
        (unfinished / "manifest.pickle").write_bytes(pickle.dumps(manifest))
        (unfinished / "manifest.json").write_text(text, encoding="utf-8")
        with contextlib.suppress(OSError):  # another worker has kept its own meanwhile
            unfinished.rename(self._folder)

    def _for_database(self, name: str) -> tuple[object, str]:
        parsed = (self._folder / "database").read_text()
        manifest = pickle.loads((self._folder / "manifest.pickle").read_bytes())
        for node in (*manifest.nodes.values(), *manifest.sources.values()):
            assert node.database == parsed
            node.database = name
            if node.relation_name:
                node.relation_name = node.relation_name.replace(f'"{parsed}"', f'"{name}"')
        for index in [name for name in vars(manifest) if name.endswith("_lookup")]:
            setattr(manifest, index, None)  # dbt makes them anew; its own copying of a manifest confuses them
        manifest.build_flat_graph()
        text = (self._folder / "manifest.json").read_text(encoding="utf-8")
        return manifest, text.replace(f'"{parsed}"', f'"{name}"').replace(f'\\"{parsed}\\"', f'\\"{name}\\"')


def _database(key: Key) -> str:
    return key[0].rpartition("/")[2]
