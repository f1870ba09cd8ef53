"""`./kaw backup` and `./kaw restore`: the warehouse, the heads of its ledger and the state of the home, out and in again.

A back-up is a folder: `warehouse.dump` (pg_dump, custom format, one consistent snapshot), `home/` (head, state, reports), and
`backup.json`, which says what is in it, with the SHA-256 of each file and the signature of the ledger's key. The vault's
rows, its key and the ledger's are personal and secret: they go into another folder, and only when asked for.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
from psycopg import sql

from include.errors import InfrastructureError, UsageError
from include.local import identities, pg_programs, server
from include.publish import status
from include.quality import erasure
from include.records import ledger, ledger_heads, ledger_key, locks, migrations, runs, vault_key
from include.records.database import connect
from include.records.ledger_key import is_signed
from include.records.warehouse import Warehouse
from include.settings import Settings, mask_secrets, settings

DUMP, VAULT_DUMP, CONTENTS, HEADS = "warehouse.dump", "vault.dump", "backup.json", "ledger.heads"
KEYS = {"ledger.key": ledger_key, "vault.key": vault_key}  # file -> the module that knows its place
STATE = ("ledger.head", "simulation.json", "alerts.json", "reports", "evidence")
SCHEMA_OF_VAULT = "vault"


@dataclass(frozen=True)
class Made:
    folder: Path
    contents: dict
    size_bytes: int


@dataclass(frozen=True)
class Restored:
    contents: dict
    hash: str | None
    notes: list[str]


# -- out


def backup(folder: Path, *, keys: Path | None = None, patience_s: float = 0) -> Made:
    """Writes a back-up into a new or empty folder; `keys` is another one, for the vault's rows and the ledger's key.

    Raises UsageError where a folder cannot be used or a night is at work after `patience_s` seconds, LedgerBroken where the ledger was
    tampered with, InfrastructureError where there is no pg_dump of the server's version or it fails; what was written is then removed.
    """
    given = settings()
    for each in filter(None, (folder, keys)):
        _require_empty(each, given.home)
    if keys and (keys == folder or folder in keys.parents or keys in folder.parents):
        raise UsageError(
            "Keys and personal data may not lie in the back-up.", where=str(keys), next_step="give another folder."
        )
    url = server.warehouse_url(given)
    with _quiet(url, patience_s):
        ledger.require_intact(url)
        with contextlib.ExitStack() as undo:
            for each in filter(None, (folder, keys)):
                each.mkdir(parents=True, exist_ok=True)
                each.chmod(0o700)
                undo.callback(_empty, each)
            contents = _write(url, folder, keys, given)
            undo.pop_all()
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return Made(folder, contents, size)


def _write(url: str, folder: Path, keys: Path | None, given: Settings) -> dict:
    with Warehouse(url).connect() as conn:
        conn.execute("set transaction isolation level repeatable read, read only")
        (snapshot,) = conn.execute("select pg_export_snapshot()").fetchone()
        major = conn.info.server_version // 10000
        (migration,) = conn.execute("select max(version) from quality.migrations").fetchone()
        roles = conn.execute(
            "select distinct rolname from pg_policy, unnest(polroles) as named inner join pg_roles on named = pg_roles.oid"
            " order by 1"
        ).fetchall()
        number, digest = conn.execute(
            "select entry_no, digest from quality.ledger order by entry_no desc limit 1"
        ).fetchone()
        pg_dump = pg_programs.program("pg_dump", major)
        common = ["--format=custom", "--compress=1", "--no-owner", "--no-privileges", f"--snapshot={snapshot}"]
        failed = ("The warehouse could not be dumped", "see what pg_dump says, and repeat the command.")
        out = [f"--exclude-table-data={SCHEMA_OF_VAULT}.*", f"--file={folder / DUMP}"]
        pg_programs.run(pg_dump, url, common + out, *failed)
        if keys:
            of_vault = ["--data-only", f"--schema={SCHEMA_OF_VAULT}", f"--file={keys / VAULT_DUMP}"]
            pg_programs.run(pg_dump, url, common + of_vault, *failed)
        rows = published_rows(conn)
    home = folder / "home"
    home.mkdir()
    for name in STATE:
        if (source := given.home / name).is_dir():
            shutil.copytree(source, home / name)
        elif source.exists():
            shutil.copy2(source, home / name)
    with (folder / HEADS).open("w") as file:
        for _, heads, _ in ledger_heads.kept(is_patient=True):
            file.writelines(head.as_line() for head in heads)
    key = ledger_key.given()
    for name, module in KEYS.items() if keys else ():
        if module.key_file().exists():
            shutil.copy2(module.key_file(), keys / name)
    contents = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "code_version": runs.code_version(),
        "migration": migration,
        "postgresql": major,
        "roles": [name for (name,) in roles],
        "ledger": {"entry_no": number, "digest": digest},
        "published": {"hash": status(url)["hash"], "rows": rows},
        "files": {str(path.relative_to(folder)): _sha256(path) for path in sorted(folder.rglob("*")) if path.is_file()},
    }
    signed = {"contents": contents, "public_key": key.public, "signature": key.sign(_text(contents))}
    _write_private(folder / CONTENTS, json.dumps(signed, ensure_ascii=False, indent=1))
    return contents


@contextlib.contextmanager
def _quiet(url: str, patience_s: float) -> Iterator[None]:
    """No run and no night at work meanwhile."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(runs.alone(url, patience_s))
        except InfrastructureError as error:
            raise UsageError(error.what, where=error.where, next_step="wait until it ends, or give --wait.") from None
        if not held.enter_context(locks.held(url, locks.RUN)):
            raise UsageError(
                "A ./kaw run is at work in this warehouse.", next_step="wait until it ends, and repeat the command."
            )
        yield


def published_rows(conn: psycopg.Connection) -> dict[str, str]:
    """Published table -> number of its rows and a digest of them, whatever their order: to tell that two databases hold the same."""
    tables = conn.execute(
        "select relname from pg_class where relnamespace = 'publish'::regnamespace and relkind = 'r' order by relname"
    ).fetchall()
    query = "select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) from publish.{} as t"
    return {name: conn.execute(sql.SQL(query).format(sql.Identifier(name))).fetchone()[0] for (name,) in tables}


# -- in


def restore(folder: Path, *, keys: Path | None = None, is_forced: bool = False, approver: str, reason: str) -> Restored:
    """Makes the warehouse and the state of this home from a back-up, and notes it in the ledger.

    A warehouse that is there stays, under another name, as evidence; one of a server of one's own must be empty.
    Raises UsageError where the folder is no back-up or something would be written over without `is_forced`, InfrastructureError where
    the back-up was changed, is newer than code or server, or does not hold what it says: nothing is then in its place.
    """
    given = settings()
    contents, signed = _read(folder)
    for name, module in KEYS.items() if keys else ():
        if module.given() is None and (keys / name).exists():
            module.key_file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shutil.copy2(keys / name, module.key_file())
            module.key_file().chmod(0o600)
    notes = _hold_to_key(signed)
    known = max(step.version or 0 for step in migrations.steps())
    if contents["migration"] > known:
        raise InfrastructureError(
            f"The back-up is newer than this code: it has migration {contents['migration']}, the code ends at {known}.",
            where=str(folder),
            next_step=f"use the code that made it ({contents['code_version']}), or a newer one.",
        )
    is_there = _is_there(given)
    if is_there and not is_forced:
        raise UsageError(
            "There is a warehouse already.",
            where=str(given.home) if given.warehouse is None else mask_secrets(given.warehouse),
            next_step="restore into an empty home (KAW_HOME), or give --force: the warehouse of now then stays under another name.",
        )
    if is_there and given.warehouse is not None:
        raise UsageError(
            "The warehouse of a server of one's own is not replaced.",
            where=mask_secrets(given.warehouse),
            next_step="make an empty database, let KAW_WAREHOUSE name it, and repeat the command.",
        )
    if given.warehouse is not None:
        url = server.warehouse_url(given)
        _fill(url, folder, keys, contents)
    else:
        url, former = _in_place(given, folder, keys, contents)
        notes += [f"the warehouse of before is the database {former}."] if former else []
    former_head = ledger.read_head(ledger.default_head_file())
    _take_state(folder / "home", given.home)
    now = status(url)["hash"]
    ledger.note_restore(
        url,
        {
            "approver": approver,
            "reason": reason,
            "backup": {name: contents[name] for name in ("made_at", "code_version", "migration", "ledger")},
            "backup_sha256": _sha256(folder / CONTENTS),
            "published_hash": now,
            "is_same": now == contents["published"]["hash"],
            "former_head": {"entry_no": former_head.entry_no, "digest": former_head.digest} if former_head else None,
        },
    )
    identities.opened(given)  # a night and every command want the logins of their roles
    if problems := ledger.verify(url):
        notes += [f"the ledger does not verify: {problem}" for problem in problems]
    if not keys:
        notes.append(
            "the keys are not in this back-up, and what the vault has of persons is not: their values come back with the next"
            " deliveries, under the key of this home."
        )
    return Restored(contents, now, notes)


def _read(folder: Path) -> tuple[dict, dict]:
    """What the back-up says of itself, held to its files."""
    try:
        signed = json.loads((folder / CONTENTS).read_text())
        contents = signed["contents"]
        files = dict(contents["files"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UsageError(
            "This is no back-up.", where=str(folder / CONTENTS), next_step="give the folder that ./kaw backup wrote."
        ) from None
    wrong = [name for name, digest in files.items() if not _is_inside(folder, name) or _sha256(folder / name) != digest]
    if wrong or DUMP not in files:
        raise InfrastructureError(
            f"The back-up is not as it was written: {', '.join(wrong[:5]) or DUMP} differs or is missing.",
            where=str(folder),
            next_step="take another copy of it. Nothing was changed.",
        )
    return contents, signed


def _hold_to_key(signed: dict) -> list[str]:
    """Raises InfrastructureError where the signature is not of the key that it names; a note where that is not this home's."""
    if not is_signed(signed.get("public_key"), signed.get("signature"), _text(signed["contents"])):
        raise InfrastructureError(
            f"The back-up is not as it was written: {CONTENTS} does not have its signature.",
            where=CONTENTS,
            next_step="take another copy of it. Nothing was changed.",
        )
    key = ledger_key.given()
    if key and key.public != signed["public_key"]:
        return [f"the back-up was signed with the key {signed['public_key']}, which is not this home's."]
    return [] if key else ["there was no key to hold the back-up to; a new one signs from now on."]


def _is_there(given: Settings) -> bool:
    if given.warehouse is None and not server.exists(given):
        return False
    with connect(server.warehouse_url(given)) as conn:
        return conn.execute("select to_regclass('quality.runs') is not null").fetchone()[0]


def _in_place(given: Settings, folder: Path, keys: Path | None, contents: dict) -> tuple[str, str | None]:
    """Fills a database beside the warehouse, and exchanges the two when it is whole."""
    started = server.ensure(given)
    fresh, former = "warehouse_restored", f"warehouse_before_{datetime.now(UTC):%Y%m%dt%H%M%S}"
    with contextlib.closing(psycopg.connect(started.url("airflow"), autocommit=True)) as conn:
        for statement in (
            "drop database if exists {} with (force)",
            "create database {}",
            "revoke all on database {} from public",
        ):
            conn.execute(sql.SQL(statement).format(sql.Identifier(fresh)))
    _fill(started.url(fresh), folder, keys, contents)
    with contextlib.closing(psycopg.connect(started.url("airflow"), autocommit=True)) as conn:
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname in ('warehouse', %s) and usename = current_user",
            [fresh],
        )
        (had,) = conn.execute("select exists (select 1 from pg_database where datname = 'warehouse')").fetchone()
        try:
            if had:
                conn.execute(sql.SQL("alter database warehouse rename to {}").format(sql.Identifier(former)))
            conn.execute(sql.SQL("alter database {} rename to warehouse").format(sql.Identifier(fresh)))
        except psycopg.errors.ObjectInUse as error:
            raise InfrastructureError(
                "The warehouse is in use, so nothing was exchanged.",
                where="warehouse",
                next_step="./kaw down, let readers leave, and repeat the command.",
            ) from error
    return server.warehouse_url(given), former if had else None


def _fill(url: str, folder: Path, keys: Path | None, contents: dict) -> None:
    """An empty database from the dump, brought to the state of this code and held to what the back-up says of its rows."""
    with Warehouse(url).connect(autocommit=True) as conn:
        major = conn.info.server_version // 10000
        if major < contents["postgresql"]:
            raise InfrastructureError(
                f"The back-up is of PostgreSQL {contents['postgresql']}, this server is {major}.",
                where=mask_secrets(url),
                next_step="restore into a server of that version or a newer one. Nothing was changed.",
            )
        for role in contents["roles"]:
            if not conn.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                conn.execute(sql.SQL("create role {} nologin").format(sql.Identifier(role)))
    pg_restore = pg_programs.program("pg_restore", major)
    failed = ("The back-up could not be restored", "see what pg_restore says; nothing is in its place.")
    arguments = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    pg_programs.run(pg_restore, url, [*arguments, str(folder / DUMP)], *failed)
    if keys and (keys / VAULT_DUMP).exists():
        pg_programs.run(pg_restore, url, [*arguments, "--data-only", str(keys / VAULT_DUMP)], *failed)
    with Warehouse(url).connect() as conn:
        rows = published_rows(conn)
    if differing := sorted(name for name, held in contents["published"]["rows"].items() if rows.get(name) != held):
        raise InfrastructureError(
            f"The restored tables are not those of the back-up: {', '.join(differing[:5])}.",
            where=mask_secrets(url),
            next_step="take another copy of the back-up; nothing is in its place.",
        )
    migrations.migrate(Warehouse(url))
    with Warehouse(url).connect() as conn:
        erasure.erase_again(conn)
        migrations.grant_again(conn)
        conn.execute("analyze")


def _take_state(source: Path, home: Path) -> None:
    """Reports and state of the back-up; what the home has of them stays, but for the head, which is the warehouse's."""
    home.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.rglob("*")):
        target = home / path.relative_to(source)
        if path.is_dir():
            target.mkdir(exist_ok=True)
        elif path.name == "ledger.head" or not target.exists():
            shutil.copy2(path, target)


# -- files


def _require_empty(folder: Path, home: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            "The folder of a back-up must be new or empty.", where=str(folder), next_step="give another one."
        )
    if home == folder or home in folder.parents:
        raise UsageError(
            "A back-up inside the home is lost with it.", where=str(folder), next_step="give a folder on another disk."
        )


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _is_inside(folder: Path, name: str) -> bool:
    path = (folder / name).resolve()
    return folder.resolve() in path.parents and path.is_file()


def _text(contents: dict) -> str:
    return "kaw backup\n" + json.dumps(contents, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
