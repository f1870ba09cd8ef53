"""`verify`, `rotate-key`, `backup`, `restore`, `clean`: the ledger held to its heads, and a home that can be restored."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from include.local.cli.access import reading, writing
from include.local.cli.options import command, positive


def add_to(commands) -> None:
    verify = command(
        commands,
        "verify",
        _verify,
        "hold the ledger to its chain, its key and every head that is known of it; exit 1 where it was tampered with",
    )
    verify.add_argument("--json", action="store_true", help="everything, for a program")
    verify.add_argument("--public-key", metavar="KEY", help="trust this key (base64), not the one of this home")
    verify.add_argument("--head", type=Path, metavar="FILE", help="a head file of elsewhere, not the one of this home")

    rotate = command(
        commands, "rotate-key", _rotate, "exchange the key that signs the ledger; both keys sign the entry"
    )
    rotate.add_argument("--to", type=Path, metavar="FILE", help="the new key, where it does not lie in this home")

    backup = command(
        commands, "backup", _backup, "write warehouse, heads of the ledger and state of this home into a folder"
    )
    backup.add_argument("directory", type=Path, metavar="DIR", help="new or empty, and not inside the home")
    backup.add_argument(
        "--with-keys", type=Path, metavar="DIR", help="another folder, for personal data in clear text and the keys"
    )
    backup.add_argument("--wait", type=positive, default=0, metavar="SECONDS", help="for a night that is at work")

    restore = command(
        commands, "restore", _restore, "make warehouse and state of this home from a back-up; a ledger entry"
    )
    restore.add_argument("directory", type=Path, metavar="DIR", help="the back-up, as ./kaw backup wrote it")
    restore.add_argument("--keys", type=Path, metavar="DIR", help="the folder that ./kaw backup --with-keys wrote")
    restore.add_argument("--force", action="store_true", help="the warehouse of now stays, under another name")
    restore.add_argument("--approver", required=True, help="who takes responsibility")
    restore.add_argument("--reason", required=True, help="why; it goes into the ledger")

    clean = command(
        commands,
        "clean",
        _clean,
        "remove reports, evidence and logs that are older than KAW_KEEP_REPORTS, KAW_KEEP_EVIDENCE and KAW_KEEP_LOGS (days)",
    )
    clean.add_argument("--dry-run", action="store_true", help="say what would be removed, and remove nothing")


def _verify(arguments: argparse.Namespace) -> int:
    from include.records import ledger, ledger_heads

    with reading() as warehouse:
        found = ledger.look_at(warehouse, arguments.head, public_key=arguments.public_key, is_patient=True)
    problems = found.problems + ([found.unsigned] if found.unsigned else [])
    number, digest = found.last
    if arguments.json:
        answer = {
            "intact": not problems,
            "problems": problems,
            "notes": found.notes,
            "entries": found.entries,
            "head": {"entry_no": number, "digest": digest},
            "public_key": found.keys.newest,
            "anchored_to": found.anchored_to,
            "places": [place.name for place in ledger_heads.places()],
        }
        print(json.dumps(answer, ensure_ascii=False, indent=1))
        return 1 if problems else 0
    print(f"Ledger: {found.entries:,} entries, the last is {number} with digest {digest}")
    print(f"Key: {found.keys.newest or 'none is announced yet'}")
    print(f"Anchored: {', '.join(found.anchored_to) or 'nowhere outside this home'}")
    for note in found.notes:
        print(f"Note: {note}")
    for problem in problems:
        print(f"TAMPERED: {problem}")
    if problems:
        print("Next: keep the database as evidence, and restore a back-up: docs/how-to/back-up-and-restore.md")
    else:
        print("Intact.")
    return 1 if problems else 0


def _rotate(arguments: argparse.Namespace) -> int:
    from include.records import ledger, ledger_key

    new = ledger_key.read_file(arguments.to.expanduser().absolute()) if arguments.to else None
    with writing() as warehouse:
        made = ledger.rotate(warehouse.address, new)
    print(f"The ledger is signed with {made.public} from now on; the entry bears the signatures of both keys.")
    print(
        f"Next: put {arguments.to} where the key of before came from; until then nothing is published."
        if new
        else f"Next: keep a copy of {ledger_key.key_file()} where only you can read it."
    )
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    from include.local.backup import backup
    from include.local.doctor import size

    with writing():
        keys = _folder(arguments.with_keys) if arguments.with_keys else None
        made = backup(_folder(arguments.directory), keys=keys, patience_s=arguments.wait)
    head = made.contents["ledger"]
    print(f"{made.folder}: {size(made.size_bytes)}, ledger entry {head['entry_no']}")
    print(f"Published hash: {made.contents['published']['hash'] or 'nothing is published'}")
    if keys:
        print(f"Keys and personal data: {keys}. Next: move the two folders to different places.")
    else:
        print("Next: copy the folder to another machine. Personal data and the keys are not in it (--with-keys DIR).")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from include.local import scheduler
    from include.local.backup import restore
    from include.local.in_use import server_in_use

    scheduler.refuse_while_up()
    with server_in_use():
        done = restore(
            _folder(arguments.directory),
            keys=_folder(arguments.keys) if arguments.keys else None,
            is_forced=arguments.force,
            approver=arguments.approver,
            reason=arguments.reason,
        )
    is_same = done.hash == done.contents["published"]["hash"]
    print(f"Restored as of ledger entry {done.contents['ledger']['entry_no']}, made {done.contents['made_at']}")
    print(f"Published hash: {done.hash}, {'the same as' if is_same else 'NOT that'} of the back-up")
    for note in done.notes:
        print(f"Note: {note}")
    print("Next: ./kaw verify, ./kaw status; logins of readers are not in a back-up: ./kaw bi makes them.")
    return 0 if is_same else 1


def _clean(arguments: argparse.Namespace) -> int:
    from include.upkeep import clean

    for removed in clean(is_dry_run=arguments.dry_run):
        print(f"{removed}{' (nothing was removed)' if arguments.dry_run and removed.paths else ''}")
        for path in removed.paths:
            print(f"  {path}")
    return 0


def _folder(path: Path) -> Path:
    return path.expanduser().absolute()
