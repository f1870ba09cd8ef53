"""Where the warehouse's keys come from. The database never holds one.

On a laptop a key is made into `KAW_HOME/keys`, readable by its owner only. Elsewhere KAW_<NAME>_KEY holds it, KAW_<NAME>_KEY_FILE
names a file of it, or the secrets backend of Airflow (AIRFLOW__SECRETS__BACKEND) has it as the variable `kaw_<name>_key`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from include.errors import UsageError
from include.settings import settings


@dataclass(frozen=True)
class KeyPlace:
    """The places of one key: `name` is that of settings and file, `what` and `how_to_give` are for messages."""

    name: str
    what: str
    how_to_give: str

    @property
    def file(self) -> Path:
        return settings().home / "keys" / f"{self.name}.key"

    @property
    def is_of_home(self) -> bool:
        """True where no setting and no secrets backend says otherwise."""
        now = settings()
        return not (self._setting("key") or self._setting("key_file") or now.has_secrets_backend)

    def given(self) -> tuple[str, str] | None:
        """The text of the key from the environment, a file, a secrets backend or the home, and where it was found. Makes none.

        Raises UsageError where a file is there that cannot be used.
        """
        if text := self._setting("key"):
            return text, f"KAW_{self.name.upper()}_KEY"
        if path := self._setting("key_file"):
            return self.read(path), str(path)
        if text := self._from_backend():
            return text, f"secrets backend of Airflow, variable kaw_{self.name}_key"
        return (self.read(self.file), str(self.file)) if self.file.exists() else None

    def read(self, path: Path) -> str:
        """The text of a file. Raises UsageError where it cannot be read, or where others may read it in the home."""
        try:
            mode, text = path.stat().st_mode & 0o077, path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise self.unusable(str(path), f"it cannot be read ({type(error).__name__})") from None
        if mode & 0o066 and path.parent == self.file.parent:
            raise self.unusable(str(path), "others than its owner may read or write it")
        return text

    def write(self, path: Path, content: bytes) -> None:
        """A new file beside the key or in its place, of mode 0600 and on the disk. Raises FileExistsError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def unusable(self, where: str, why: str) -> UsageError:
        return UsageError(f"{self.what} cannot be used: {why}.", where=where, next_step=self.how_to_give)

    def _setting(self, kind: str):
        return getattr(settings(), f"{self.name}_{kind}")

    def _from_backend(self) -> str | None:
        """Asked only where Airflow is told of a backend: its own look-up would go on to a database that may not be there."""
        if not settings().has_secrets_backend:
            return None
        from airflow.configuration import get_custom_secret_backend

        backend = get_custom_secret_backend()
        return backend.get_variable(f"kaw_{self.name}_key") if backend else None
