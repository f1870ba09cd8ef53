"""What is published, which versions stay, and the way back: a roll-back is a flip that stays until it is released."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import psycopg
from psycopg.rows import dict_row

from include.errors import UsageError
from include.publish.content import sha256_of
from include.publish.verdicts import published_without_verdicts
from include.records import ledger, locks
from include.records.database import connect
from include.records.pointers import pin, unpin
from include.records.versions import delete_unheld, note_deleted
from include.records.warehouse import Warehouse

KEPT_VERSIONS = 7
PUBLISHER = "kaw_publisher"


def status(url: str | Warehouse) -> dict:
    """What readers see now."""
    with connect(url) as conn:
        rows = (
            conn.cursor(row_factory=dict_row)
            .execute("select * from publish.pointer order by published_month")
            .fetchall()
        )
        return shown(conn, {row["published_month"]: row for row in rows})


def pointers_as_of(conn: psycopg.Connection, entry_no: int) -> dict[date, dict]:
    """The pointers as they stood once that entry of the ledger was written, from the ledger alone.

    Columns of publish.pointer: version, business_date, run_id, published_at, withheld_share, pinned_by, pinned_reason.
    """
    pointers: dict[date, dict] = {}
    known: dict[tuple[date, int], date] = {}  # the last business date that found a version true
    for at, event, detail in conn.execute(
        "select at, event, detail from quality.ledger where entry_no <= %s and event in ('publish', 'roll_back', 'release')"
        " order by entry_no",
        [entry_no],
    ):
        versions = {_month(name): version for name, version in detail.get("versions", {}).items()}
        if event == "publish":
            day = date.fromisoformat(detail["business_date"])
            unchanged = [month for month in map(_month, detail["unchanged_months"]) if month in pointers]
            for month in [*versions, *unchanged]:
                version = versions[month]["version"] if month in versions else pointers[month]["version"]
                known[month, version] = max(day, known.get((month, version), day))
                pointers[month] = {
                    "version": version,
                    "business_date": day,
                    "run_id": detail["run_id"],
                    "published_at": at,
                    "withheld_share": _withheld_share(detail),
                    "pinned_by": None,
                    "pinned_reason": None,
                }
        elif event == "roll_back":
            for month in versions.keys() & pointers.keys():
                back = known.get((month, versions[month]), pointers[month]["business_date"])
                signed = {"pinned_by": detail["approver"], "pinned_reason": detail["reason"]}
                pointers[month] |= {"version": versions[month], "business_date": back, **signed}
        else:
            for month in pointers.keys() & set(map(_month, detail.get("months") or detail["versions"])):
                pointers[month] |= {"pinned_by": None, "pinned_reason": None}
    return dict(sorted(pointers.items()))


def _withheld_share(detail: dict) -> Decimal | None:
    """As an entry of the ledger has it; older ones by its former name, the oldest not at all."""
    share = detail.get("withheld_share", detail.get("held_back_share"))
    return None if share is None else Decimal(share)


def _month(name: str) -> date:
    return date.fromisoformat(f"{name}-01")


def shown(conn: psycopg.Connection, pointers: dict[date, dict]) -> dict:
    """What readers see through these pointers.

    `{business_date, run, months: {month: {version, business_date, state}}, marts: {mart: {versions: {month: version},
    rows, hash}}, hash}`; months as YYYY-MM. A mart's hash is the SHA-256 over its months and their hashes, and the hash of
    all is the SHA-256 over the marts and theirs: they tell equal content in two homes, whatever the version numbers and
    times. Dates and the hash of all are None where nothing was published.
    """
    pointers = {month: pointer for month, pointer in pointers.items() if pointer["version"]}
    rows = conn.execute(
        "select v.mart, to_char(v.published_month, 'YYYY-MM'), v.version, v.rows, v.hash from publish.versions as v"
        " inner join unnest(%s::date[], %s::integer[]) as p (month, version)"
        " on v.published_month = p.month and v.version = p.version order by v.mart, v.published_month",
        [list(pointers), [pointer["version"] for pointer in pointers.values()]],
    ).fetchall()
    newest = max(pointers.values(), key=lambda p: (p["business_date"], p["run_id"]), default=None)
    marts: dict[str, dict] = {}
    for mart, month, version, count, hash_ in rows:
        entry = marts.setdefault(mart, {"versions": {}, "rows": 0, "lines": []})
        if count:
            entry["versions"][month] = version
            entry["rows"] += count
            entry["lines"].append(f"{month} {hash_}\n")
    for entry in marts.values():
        entry["hash"] = sha256_of(entry.pop("lines"))
    return {
        "business_date": newest["business_date"].isoformat() if newest else None,
        "run": newest["run_id"] if newest else None,
        "months": {
            f"{month:%Y-%m}": {
                "version": pointer["version"],
                "business_date": pointer["business_date"].isoformat(),
                "state": "pinned" if pointer["pinned_by"] else "published",
            }
            for month, pointer in pointers.items()
        },
        "marts": marts,
        "hash": sha256_of(f"{mart} {entry['hash']}\n" for mart, entry in sorted(marts.items())) if newest else None,
    }


def rollback(
    warehouse: Warehouse, month: date | None = None, *, approver: str, reason: str, entered_by: str | None = None
) -> dict[date, int]:
    """Point the months of the last publish that changed any (or one month) back to the version before, and pin them there.

    Returns the version that each month shows now; 0 where that publish was its first, so that nothing is shown of it.
    Raises UsageError where a version to go back to was published without passing verdicts of both gates.
    """
    _require_signature(approver, reason)
    with warehouse.as_role(PUBLISHER).connect() as conn:
        locks.hold(conn, "publish")
        targets = _moves_to_undo(conn, month.replace(day=1) if month else None)
        pinned = conn.execute(
            "select published_month from publish.pointer where pinned_by is not null and published_month = any(%s)",
            [list(targets)],
        ).fetchall()
        if pinned:
            raise UsageError(
                f"Already rolled back and pinned: {', '.join(f'{m:%Y-%m}' for (m,) in pinned)}.",
                where="marts.publication",
                next_step="./kaw rollback --release --approver … --reason … lets the next run publish these months again.",
            )
        if not any(targets.values()):
            raise UsageError(
                "There is no earlier version to go back to.",
                where=f"months {', '.join(f'{m:%Y-%m}' for m in targets) or 'none published'}",
                next_step="correct the data and run again; a new version replaces this one.",
            )
        if unjudged := published_without_verdicts(conn, targets):
            raise UsageError(
                "The ledger has no passing verdicts of both gates for "
                + ", ".join(f"version {version} of {m:%Y-%m}" for m, version in unjudged.items())
                + ".",
                where="quality.ledger",
                next_step="correct the data and run again; a new version replaces the one that is shown.",
            )
        pin(conn, targets, approver=approver, reason=reason)
        ledger.append(
            conn,
            "roll_back",
            {"approver": approver, "reason": reason, "versions": {f"{m:%Y-%m}": v for m, v in targets.items()}},
            entered_by=entered_by,
        )
    ledger.write_head(warehouse.address)
    return targets


def release(warehouse: Warehouse, *, approver: str, reason: str, entered_by: str | None = None) -> list[date]:
    """Let the runs publish all pinned months again. What readers see changes with the next run, not before."""
    _require_signature(approver, reason)
    with warehouse.as_role(PUBLISHER).connect() as conn:
        locks.hold(conn, "publish")
        released = unpin(conn, approver=approver)
        if not released:
            raise UsageError(
                "No month is pinned.", where="marts.publication", next_step="./kaw status shows what is published."
            )
        detail = {
            "approver": approver,
            "reason": reason,
            "versions": {f"{month:%Y-%m}": version for month, version in released.items()},
        }
        ledger.append(conn, "release", detail, entered_by=entered_by)
    ledger.write_head(warehouse.address)
    return list(released)


def _require_signature(approver: str, reason: str) -> None:
    for name, value in (("--approver", approver), ("--reason", reason)):
        if not (value or "").strip():
            raise UsageError(
                f"{name} is empty.", where="rollback", next_step="say who decides and why; the ledger keeps it."
            )


def _moves_to_undo(conn: psycopg.Connection, month: date | None) -> dict[date, int]:
    """Month -> version before: of the last publish that moved pointers, or of one month's last publish.

    That version is the one that readers saw before, and its rows must still be there. A move that was taken back and
    released is over: it would lead to the version that readers see already.
    """
    rows = conn.execute(
        """
        with moves as (
            select published_month, from_version, run_id, moved_at, move_id
            from publish.pointer_moves as moved
            where
                event = 'publish'
                and (%(month)s::date is null or published_month = %(month)s)
                and not exists (
                    select 1
                    from publish.pointer_moves as back
                    inner join publish.pointer_moves as released
                        on back.published_month = released.published_month and back.move_id < released.move_id
                    where
                        back.published_month = moved.published_month
                        and back.event = 'roll_back'
                        and back.from_version = moved.to_version
                        and back.move_id > moved.move_id
                        and released.event = 'release'
                )
        )

        select published_month, from_version
        from moves
        where (run_id, moved_at) = (select run_id, moved_at from moves order by move_id desc limit 1)
        order by published_month
        """,
        {"month": month},
    ).fetchall()
    return dict(rows)


def delete_old_versions(publisher: Warehouse) -> None:
    """Retention, in its own transaction: the last seven versions of a month, its closing one and the pointed one stay."""
    with publisher.connect() as conn:
        locks.hold(conn, "publish")
        conn.execute("select quality.assert_fence()")
        old = conn.execute(
            """
            with ranked as (
                select published_month, version, row_number() over (partition by published_month order by version desc) as age
                from publish.versions
                where deleted_at is null
                group by published_month, version
            )

            select ranked.published_month, ranked.version
            from ranked
            left join publish.pointer on ranked.published_month = pointer.published_month
            left join publish.closing on ranked.published_month = closing.published_month
            where
                ranked.age > %s
                and ranked.version is distinct from closing.version
                and ranked.version is distinct from pointer.version
            """,
            [KEPT_VERSIONS],
        ).fetchall()
        if not old:
            return
        note_deleted(conn, old)
        months = sorted({month for month, _ in old})
        for (mart,) in conn.execute("select distinct mart from publish.versions order by mart").fetchall():
            delete_unheld(conn, mart, months)
