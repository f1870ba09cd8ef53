"""A utility as a profile: the folder that KAW_PROFILE names, with `profile.yaml` and a reviewed mapping per source.

`profile.yaml` says which tables are delivered and how often, and which are left out and why; `sources/<source>.yaml` says how
the files of a source become the contract's tables (`include.landing.mapping` reads it); `seeds/<seed>.csv` has its own
thresholds and names (`include.seeds`). docs/reference/profile.md lists the
keys. Without a profile every table is delivered as the contract has it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import yaml

from include import seeds
from include.contracts import Table, all_tables, load_contracts
from include.errors import UsageError
from include.settings import SOURCE_NAMES, settings

FILE = "profile.yaml"
SOURCES = "sources"
OFTEN = {
    "daily": 1,
    "monthly": 35,
    "once": None,
}  # how often a table comes: so many days its delivery lasts; None for good
KEYS = ("name", "company", "province", "addresses", "delivered", "left_out", "others_left_out")
CODES = {  # whose rows of the parameter seeds hold: key -> what it looks like, and an example
    "company": (re.compile(r"[A-Z][A-Z0-9_]*"), "capitals as in the seeds, such as SGCC or CSG"),
    "province": (re.compile(r"[1-9][0-9]"), 'the two digits of GB/T 2260 in quotes, such as "31"'),
}


@dataclass(frozen=True)
class LeftOut:
    """Why a table is left out, and who approved it: needed where the table was delivered before."""

    reason: str
    approver: str = ""

    @property
    def told(self) -> str:
        return f"{self.reason} (approved by {self.approver})" if self.approver else self.reason


@dataclass(frozen=True)
class Profile:
    """`delivered` is table -> daily, monthly or once; `left_out` is table -> LeftOut. A table in neither is delivered as the
    contract says. `folder` is None where there is no profile."""

    folder: Path | None = None
    name: str = ""
    company: str | None = None  # None: as dbt_project.yml has it
    province: str | None = None
    addresses: dict[str, str] = field(default_factory=dict)  # source -> where it delivers, where no variable says so
    delivered: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def lasts_days(self, table: Table) -> int | None:
        """Days that a delivery of the table lasts: 1 is every night, None for good."""
        return OFTEN[self.delivered.get(table.name, "daily")]


def profile() -> Profile:
    """The profile of this moment. Raises UsageError with file, key and what is allowed."""
    folder = settings().profile
    if folder is None:
        return Profile()
    path = folder / FILE
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"The profile cannot be read ({getattr(error, 'strerror', None) or error}).",
            where=f"KAW_PROFILE={folder}",
            next_step=f"let ./kaw init-source write {FILE}, or unset KAW_PROFILE.",
        ) from None
    seeds.check_own()
    return _parsed(folder, text)


def digest() -> str | None:
    """Of all that the profile says, as the ledger notes it; None where there is none."""
    folder = settings().profile
    if folder is None:
        return None
    read = (folder / FILE, *sorted((folder / SOURCES).glob("*.yaml")), *seeds.own_files().values())
    files = [path for path in read if path.is_file()]
    return hashlib.sha256(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in files)).hexdigest()


def is_source_left_out(source: str) -> bool:
    """Whether all tables of a source are left out: it needs no address, and lands nothing."""
    return all(name in profile().left_out for name in load_contracts()[source])


def left_out() -> dict[str, str]:
    """Table -> reason of the tables that the profile leaves out, with who approved it, in the order of the contracts."""
    given = profile().left_out
    return {name: given[name].told for name in all_tables() if name in given}


def parameter_variables() -> dict[str, str]:
    """dbt's variables that say whose rows of the parameter seeds hold, where the profile says it."""
    stated = {"company_code": profile().company, "province_code": profile().province}
    return {name: code for name, code in stated.items() if code}


def refuse_what_was_delivered(delivered: Collection[str]) -> None:
    """Raises UsageError where a table that was delivered before is left out, and nobody approved that."""
    given = profile()
    if bold := [name for name in delivered if name in given.left_out and not given.left_out[name].approver]:
        raise UsageError(
            f"{', '.join(bold)} was delivered before, and the profile leaves it out.",
            where=str(given.folder / FILE),
            next_step=f"deliver it, or name who approved it: left_out: {{{bold[0]}: {{reason: TEXT, approver: NAME}}}}.",
        )


@lru_cache(maxsize=8)
def _parsed(folder: Path, text: str) -> Profile:
    try:
        given = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise _wrong(folder, f"is no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(given, dict):
        raise _wrong(folder, "holds no `key: value` lines")
    if unknown := [str(key) for key in given if key not in KEYS]:
        raise _wrong(folder, f"has the unknown key {', '.join(unknown)}; known are {', '.join(KEYS)}")
    delivered, stated = given.get("delivered") or {}, given.get("left_out") or {}
    for key, tables in (("delivered", delivered), ("left_out", stated)):
        if not isinstance(tables, dict):
            raise _wrong(folder, f"{key} is no list of `table: ...` lines")
        if unknown := [str(name) for name in tables if name not in all_tables()]:
            raise _wrong(folder, f"{key} names {', '.join(unknown)}, which is no table of the contracts")
    if both := [name for name in stated if name in delivered]:
        raise _wrong(folder, f"{', '.join(both)} is in delivered and in left_out; allowed is one of them")
    if often := [f"{name}: {value}" for name, value in delivered.items() if value not in OFTEN]:
        raise _wrong(folder, f"delivered says {', '.join(often)}; allowed are {', '.join(OFTEN)}")
    left = {name: _left_out(folder, name, value) for name, value in stated.items()}
    if others := given.get("others_left_out"):
        rest = _left_out(folder, "others_left_out", others)
        left |= {name: rest for name in all_tables() if name not in delivered and name not in left}
    addresses = {name: str(address) for name, address in (given.get("addresses") or {}).items()}
    if unknown := [name for name in addresses if name not in SOURCE_NAMES]:
        raise _wrong(folder, f"addresses names {', '.join(unknown)}; allowed are {', '.join(SOURCE_NAMES)}")
    codes = {key: _code(folder, key, given.get(key)) for key in CODES}
    return Profile(
        folder, str(given.get("name") or ""), **codes, addresses=addresses, delivered=delivered, left_out=left
    )


def _code(folder: Path, key: str, value: object) -> str | None:
    pattern, allowed = CODES[key]
    if value is None or (isinstance(value, str) and pattern.fullmatch(value)):
        return value
    raise _wrong(folder, f"{key} is {value!r}; allowed is {allowed}")


def _left_out(folder: Path, name: str, value: object) -> LeftOut:
    if isinstance(value, str) and value.strip():
        return LeftOut(value.strip())
    if isinstance(value, dict) and value.get("reason") and set(value) <= {"reason", "approver"}:
        return LeftOut(str(value["reason"]).strip(), str(value.get("approver") or "").strip())
    raise _wrong(folder, f"{name} says no reason; allowed is a text, or reason and approver")


def _wrong(folder: Path, problem: str) -> UsageError:
    return UsageError(
        f"{FILE} {problem}.",
        where=str(folder / FILE),
        next_step="correct it; docs/reference/profile.md lists the keys.",
    )
