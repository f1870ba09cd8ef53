"""The key of the pseudonyms (HMAC-SHA-256). The database never holds it.

On a laptop it is made into `KAW_HOME/keys`, readable by its owner only. Elsewhere KAW_VAULT_KEY holds it, KAW_VAULT_KEY_FILE
names a file of it, or the secrets backend of Airflow (AIRFLOW__SECRETS__BACKEND) has it as the variable `kaw_vault_key`.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
from pathlib import Path

from include.errors import UsageError
from include.settings import settings

NAME_IN_BACKEND = "kaw_vault_key"
PREFIX = "person-"
_SIZE = 32


class Key:
    """The key; it shows itself in no message."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def pseudonym(self, text: str) -> str:
        """Of a value without the blanks around it: 128 bits of its HMAC."""
        return (
            PREFIX + hmac.digest(self._secret, b"value\0" + text.encode("utf-8", "surrogatepass"), "sha256").hex()[:32]
        )

    @property
    def fingerprint(self) -> str:
        """What tells this key from another, and nothing of it."""
        return hmac.digest(self._secret, b"fingerprint", "sha256").hex()[:32]


def key_file() -> Path:
    return settings().home / "keys" / "vault.key"


def given() -> Key | None:
    """The key from the environment, a file, a secrets backend or the home; None where there is none. Makes none.

    Raises UsageError where one is there that cannot be used.
    """
    now = settings()
    if now.vault_key:
        return _read(now.vault_key, "KAW_VAULT_KEY")
    if now.vault_key_file:
        return _read_file(now.vault_key_file)
    if now.has_secrets_backend and (text := _from_backend()):
        return _read(text, f"secrets backend of Airflow, variable {NAME_IN_BACKEND}")
    return _read_file(key_file()) if key_file().exists() else None


def made() -> Key:
    """A key made into the home, or the one that another process made at the same moment."""
    path = key_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    fresh = path.with_name(f"vault.key.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(base64.b64encode(secrets.token_bytes(_SIZE)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    return _read_file(path)


def _read_file(path: Path) -> Key:
    try:
        mode, text = path.stat().st_mode & 0o077, path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(str(path), f"it cannot be read ({type(error).__name__})") from None
    if mode & 0o066 and path.parent == key_file().parent:
        raise _unusable(str(path), "others than its owner may read or write it")
    return _read(text, str(path))


def _read(text: str, where: str) -> Key:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) < _SIZE:
        raise _unusable(where, f"it is not {_SIZE} bytes in base64")
    return Key(secret)


def _unusable(where: str, why: str) -> UsageError:
    return UsageError(
        f"The key of the vault cannot be used: {why}.",
        where=where,
        next_step="give 32 random bytes in base64 (openssl rand -base64 32), in a file of mode 0600; docs/explanation/vault.md.",
    )


def _from_backend() -> str | None:
    from airflow.configuration import get_custom_secret_backend

    backend = get_custom_secret_backend()
    return backend.get_variable(NAME_IN_BACKEND) if backend else None
