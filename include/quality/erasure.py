"""`./kaw erase`: what the vault has of a person goes for good; a keyed tombstone stays and masks what is delivered later.

Raw rows, figures, hashes and reports rest on pseudonyms and do not change. An entry of the ledger says what was erased, by
pseudonym, and which loads brought it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import psycopg

from include.contracts import all_tables
from include.errors import UsageError
from include.quality.waivers import check_signature, identity, signing
from include.records import ledger, vault
from include.records.warehouse import Warehouse
from include.settings import settings

OUT_OF_REACH = (
    "files and databases of the sources (they may deliver it again: it is then masked)",
    "back-ups with keys, made before (./kaw restore erases again what was restored of it)",
    "what was copied or sent before: work lists, exports, pictures, query results",
    "disk blocks and write-ahead log of the server until it uses them again",
)


@dataclass
class Value:
    """A value that was asked for: where it is (table, column, rows), the loads that brought it, and what else its rows tell."""

    pseudonym: str
    is_in_vault: bool
    is_erased: bool
    places: list[tuple[str, str, int]] = field(default_factory=list)
    loads: set[int] = field(default_factory=set)
    beside: dict[str, str] = field(default_factory=dict)  # pseudonym -> column


@dataclass(frozen=True)
class Listed:
    values: list[Value]
    contained_in: dict[str, str]  # pseudonym of a longer text that a value occurs in -> column


def find(reader: Warehouse, asked: list[str]) -> Listed:
    """What is meant by values, in any spelling, or pseudonyms. `reader` acts as the role that reads the vault.

    Raises UsageError where nothing was asked for, InfrastructureError where the key of this warehouse's pseudonyms is not there.
    """
    texts = [text for text in asked if text.strip() and not vault.is_pseudonym(text)]
    wanted = [text for text in asked if vault.is_pseudonym(text)]
    if not texts and not wanted:
        raise UsageError("No value is given.", where="erase", next_step="give a name, number, address or pseudonym.")
    if nobody := [text for text in texts if vault.identifies_nobody(text)]:
        raise UsageError(
            f"{nobody[0]!r} identifies nobody and is not in the vault.", where="erase", next_step="give another value."
        )
    with reader.connect() as connection:
        if texts:
            key = vault.key_of(connection)
            wanted += [key.pseudonym(text.strip(" ")) for text in texts] + _spelled_otherwise(connection, texts)
        held = dict(
            connection.execute(
                "select pseudonym, erased_at is not null from vault.clear_texts where pseudonym = any(%s)", [wanted]
            ).fetchall()
        )
        values = {name: Value(name, name in held, held.get(name, False)) for name in dict.fromkeys(wanted)}
        longer = {
            name: ""
            for (name,) in connection.execute(
                "select pseudonym from vault.clear_texts, unnest(%s::text[]) as part where erased_at is null"
                " and length(part) > 1 and strpos(clear_text, part) > 0 and not pseudonym = any(%s)",
                [[text.strip(" ") for text in texts], list(values)],
            )
        }
        _look_up(connection, values, longer)
    return Listed(list(values.values()), longer)


def erase(place: str | Warehouse, listed: Listed, approver: str, reason: str) -> list[str]:
    """Erases the listed values and enters it in the ledger; returns the pseudonyms that were erased now, which may be none.

    Raises UsageError, with nothing erased, where the signature is missing or all of them were erased before.
    """
    check_signature(approver, reason)
    wanted = sorted(value.pseudonym for value in listed.values if not value.is_erased)
    if not wanted:
        raise UsageError("All of it was erased before.", where="erase", next_step="nothing is left to do.")
    loads = sorted({load for value in listed.values for load in value.loads})
    note_at_home(
        wanted
    )  # first: what is noted and not erased is erased by the next restore, and not the other way round
    with signing(place) as connection:
        done = sorted(name for (name,) in connection.execute("select vault.erase(%s)", [wanted]))
        ledger.append(
            connection,
            "erasure",
            {"pseudonyms": wanted, "loads": loads, "approver": approver.strip(), "reason": reason.strip()},
            identity(),
        )
    ledger.write_head(place)
    return done


def note_at_home(pseudonyms: list[str]) -> None:
    """Pseudonyms that a restore must erase again, kept beside the key: a back-up of before does not know of them."""
    known = noted_at_home()
    path = _noted()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_text("".join(f"{each}\n" for each in sorted({*known, *pseudonyms})))
    path.chmod(0o600)


def noted_at_home() -> list[str]:
    return [line for line in _noted().read_text().split() if vault.is_pseudonym(line)] if _noted().exists() else []


def erase_again(connection: psycopg.Connection) -> int:
    """After a restore: what the restored ledger or this home notes as erased; returns how many values had come back."""
    wanted = set(noted_at_home())
    for (pseudonyms,) in connection.execute(
        "select detail -> 'pseudonyms' from quality.ledger where event = 'erasure'"
    ):
        wanted.update(pseudonyms)
    return len(connection.execute("select vault.erase(%s)", [sorted(wanted)]).fetchall()) if wanted else 0


def _noted():
    return settings().home / "keys" / "erased"


def _spelled_otherwise(connection: psycopg.Connection, texts: list[str]) -> list[str]:
    query = (
        "select pseudonym from vault.clear_texts where erased_at is null and lower(quality.plain_phone(clear_text)) in"
        " (select lower(quality.plain_phone(given)) from unnest(%s::text[]) as given)"
    )
    return [name for (name,) in connection.execute(query, [texts])]


def _look_up(connection: psycopg.Connection, values: dict[str, Value], longer: dict[str, str]) -> None:
    """Where values are in raw, and what is beside them."""
    for table in all_tables().values():
        for column in table.identifying_columns:
            place = f"{table.raw_name}.{column}"
            others = [name for name in table.identifying_columns if name != column]
            beside = ", ".join(["array_agg(distinct _load_id)", *(f"array_agg(distinct {name})" for name in others)])
            for pseudonym, rows, loads, *found in connection.execute(
                f"select {column}, count(*), {beside} from {table.raw_name} where {column} = any(%s) group by 1",
                [[*values, *longer]],
            ):
                if pseudonym in longer:
                    longer[pseudonym] = place
                    continue
                value = values[pseudonym]
                value.places.append((table.raw_name, column, rows))
                value.loads.update(loads)
                for name, told in zip(others, found, strict=True):
                    value.beside |= {each: name for each in told if each and vault.is_pseudonym(each)}
