"""The key that signs the ledger's heads (Ed25519). `key_places.py` says where it comes from."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from include.errors import UsageError
from include.records.key_places import KeyPlace

PLACE = KeyPlace(
    "ledger",
    "The key that signs the ledger",
    "give an Ed25519 key as PEM or as 32 bytes in base64, in a file of mode 0600; docs/explanation/ledger.md.",
)


@dataclass(frozen=True)
class Key:
    """A signing key; `public` is the public one, 32 bytes in base64. `is_new` where it was made at this moment."""

    private: Ed25519PrivateKey
    is_new: bool = False

    @property
    def public(self) -> str:
        return base64.b64encode(self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()

    def sign(self, text: str) -> str:
        """The signature of the text in UTF-8, in base64."""
        return base64.b64encode(self.private.sign(text.encode())).decode()


def is_signed(public: str, signature: str, text: str) -> bool:
    """Whether the signature of the text was made with the private key of `public`; False where either is no such thing."""
    try:
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public, validate=True))
        key.verify(base64.b64decode(signature, validate=True), text.encode())
    except (InvalidSignature, ValueError, TypeError, AttributeError, binascii.Error):
        return False
    return True


def key_file() -> Path:
    return PLACE.file


def given() -> Key | None:
    """The key from the environment, a file, a secrets backend or the home; None where there is none. Makes none.

    Raises UsageError where one is there that cannot be used.
    """
    return _read(*found) if (found := PLACE.given()) else None


def of_home(announced: str | None) -> Key:
    """The key to sign with, where the ledger announces this one (None: none yet).

    One that a killed process announced and did not put in place is put there; where there is none at all, one is made beside
    its place (`is_new`), to be put there by `take_next` once the ledger announces it.
    """
    key = given()
    is_behind = (key is None or key.public != announced) and PLACE.is_of_home
    if is_behind and _next_file().exists() and read_file(_next_file()).public == announced:
        take_next()
        return read_file(key_file())
    return key or _make_next()


def make_next() -> Key:
    """A new key to take the place of the home's. Raises UsageError where the key is not the home's."""
    if not key_file().exists() or not PLACE.is_of_home:
        raise UsageError(
            "The key of the ledger is not in this home, so none can be made in its place.",
            where=str(key_file()),
            next_step="make one where the present one comes from, and give it with --to FILE.",
        )
    return _make_next()


def take_next() -> None:
    """The next key takes the place of the home's."""
    _next_file().replace(key_file())


def _next_file() -> Path:
    return key_file().with_name("ledger.key.next")


def _make_next() -> Key:
    _next_file().unlink(missing_ok=True)
    key = Key(Ed25519PrivateKey.generate(), is_new=True)
    PLACE.write(_next_file(), key.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def read_file(path: Path) -> Key:
    """The key of a file. Raises UsageError where it cannot be used."""
    return _read(PLACE.read(path), str(path))


def _read(text: str, where: str) -> Key:
    """PEM (PKCS 8), or the 32 bytes of the private key in base64."""
    try:
        if "-----BEGIN" in text:
            private = load_pem_private_key(text.replace("\\n", "\n").encode(), password=None)
            if isinstance(private, Ed25519PrivateKey):
                return Key(private)
        else:
            return Key(Ed25519PrivateKey.from_private_bytes(base64.b64decode(text.strip(), validate=True)))
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm):
        pass
    raise PLACE.unusable(where, "it is no Ed25519 key")
