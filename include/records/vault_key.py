"""The key of the pseudonyms (HMAC-SHA-256). `key_places.py` says where it comes from."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import secrets
from pathlib import Path

from include.records.key_places import KeyPlace

PLACE = KeyPlace(
    "vault",
    "The key of the vault",
    "give 32 random bytes in base64 (openssl rand -base64 32), in a file of mode 0600; docs/explanation/vault.md.",
)
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
    return PLACE.file


def given() -> Key | None:
    """The key that is given or in the home; None where there is none. Makes none.

    Raises UsageError where one is there that cannot be used.
    """
    return _read(*found) if (found := PLACE.given()) else None


def made() -> Key:
    """A key made into the home, or the one that another process made at the same moment."""
    path = key_file()
    fresh = path.with_name(f"vault.key.{os.getpid()}.{secrets.token_hex(4)}")
    PLACE.write(fresh, base64.b64encode(secrets.token_bytes(_SIZE)) + b"\n")
    with contextlib.suppress(FileExistsError):
        os.link(fresh, path)
    fresh.unlink()
    return _read(PLACE.read(path), str(path))


def _read(text: str, where: str) -> Key:
    try:
        secret = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        secret = b""
    if len(secret) < _SIZE:
        raise PLACE.unusable(where, f"it is not {_SIZE} bytes in base64")
    return Key(secret)
