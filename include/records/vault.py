"""The vault: clear text of persons by its keyed pseudonym. Nothing else writes `vault.*`."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from functools import lru_cache

import psycopg
import pyarrow as pa
import pyarrow.csv

from include import seeds
from include.errors import InfrastructureError
from include.records import vault_key

PLACEHOLDERS = "quality_placeholders"


class Pseudonyms:
    """Pseudonyms of values, and what each stands for; `texts` is to be stored, it is in no raw table."""

    def __init__(self, key: vault_key.Key) -> None:
        self._key = key
        self.texts: dict[str, str] = {}
        self.is_moving_in = False  # values that are pseudonyms then stay

    def of(self, value: str | None) -> str | None:
        """The value as raw holds it: what identifies nobody stays as it is."""
        if value is None or (self.is_moving_in and is_pseudonym(value)):
            return value
        text = value.strip(" ")
        if identifies_nobody(text):
            return value
        pseudonym = self._key.pseudonym(text)
        self.texts[pseudonym] = text
        return pseudonym


def identifies_nobody(value: str) -> bool:
    """Empty, a placeholder that the seed lists, or one sign over and over: macro is_filled tells these apart without the vault."""
    text = value.strip(" ")
    return not text or text.lower() in placeholders() or (text[0] == text[-1] and text == text[0] * len(text))


def is_pseudonym(value: str) -> bool:
    return bool(re.fullmatch(rf"{vault_key.PREFIX}[0-9a-f]{{32}}", value))


def placeholders() -> frozenset[str]:
    return _placeholders(seeds.text(PLACEHOLDERS))


@lru_cache(maxsize=8)
def _placeholders(text: str) -> frozenset[str]:
    return frozenset(row["value"].lower() for row in seeds.parsed(text))


def pseudonyms(connection: psycopg.Connection) -> Pseudonyms:
    """To be asked in a transaction: the first to ask makes a key where there is none, and announces it.

    Raises InfrastructureError where the pseudonyms of this warehouse were made with another key, UsageError where the key that
    is given cannot be used.
    """
    announced = _announced(connection)
    if announced is None:
        key = vault_key.given() or vault_key.made()
        connection.execute("insert into vault.key (fingerprint) values (%s) on conflict do nothing", [key.fingerprint])
    return Pseudonyms(key_of(connection))


def key_of(connection: psycopg.Connection) -> vault_key.Key:
    """The key that the pseudonyms of this warehouse were made with; raises as `pseudonyms` does. Makes none."""
    key = vault_key.given()
    if key is None or key.fingerprint != _announced(connection):
        raise InfrastructureError(
            "The key of the vault is not the one that the pseudonyms of this warehouse were made with."
            if key
            else "The key of the vault is not there.",
            where=str(vault_key.key_file()),
            next_step="bring back the key (KAW_VAULT_KEY, or vault.key of a back-up --with-keys); nothing was done.",
        )
    return key


def _announced(connection: psycopg.Connection) -> str | None:
    found = connection.execute("select fingerprint from vault.key").fetchone()
    return found[0] if found else None


def store(connection: psycopg.Connection, texts: Mapping[str, str]) -> None:
    """Clear texts by pseudonym; one that is there, or was erased, stays as it is."""
    if not texts:
        return
    connection.execute(
        "create temp table if not exists to_vault (pseudonym text, clear_text text) on commit delete rows"
    )
    lines = pa.table(
        {"pseudonym": list(texts), "clear_text": [text.replace("\0", "\N{SYMBOL FOR NULL}") for text in texts.values()]}
    )
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(lines, buffer, pyarrow.csv.WriteOptions(include_header=False, quoting_style="all_valid"))
    with connection.cursor() as cursor, cursor.copy("copy to_vault from stdin (format csv)") as copy:
        copy.write(buffer.getbuffer())
    connection.execute(
        "insert into vault.clear_texts (pseudonym, clear_text) select pseudonym, clear_text from to_vault on conflict do nothing"
    )
    connection.execute("truncate to_vault")
