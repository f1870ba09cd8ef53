"""docs/explanation/identities.md: the roles of the warehouse and what each may do, from the file that grants are made from."""

from __future__ import annotations

from include.records.grants import Role, roles

HEAD = """# Identities: who may do what in the warehouse

Made from [include/sql/grants.yml](../../include/sql/grants.yml) by `./kaw docs --code`. Grants are made from the same file after every migration,
and a test tries each role on each relation and verb from a login of that role.

## One login a role

- A **role** (`kaw_loader`) carries the rights. It cannot log in, belongs to the server and is shared by its databases.
- A **login** (`<database>_loader`) belongs to one warehouse. It is a member of its role, owns nothing and has no other right: `set role none`
  leads to the login, which may do less, and `set role` to no other role.
- The **owner** (`kaw` on the embedded server, the login of `KAW_WAREHOUSE` elsewhere) migrates the warehouse and makes the logins. No task of a
  night has its address, in `./kaw run` as in Airflow.
- Functions that run with the owner's rights do the few things that a role may do only in one way: take a fence, begin a run, make the table and
  the views of a published model. Each is granted to the roles that need it, and checks what it is given.

Passwords are 24 random bytes each, made at set-up into `KAW_HOME/logins.json` (mode 0600), or given by the environment (`KAW_LOGIN_LOADER` and so
on) or by Airflow's connections (`AIRFLOW_CONN_KAW_LOADER` and so on): [logins on a PostgreSQL of your own](../how-to/own-postgresql-logins.md).
`./kaw logins` lists them; `./kaw logins --new-passwords` gives all of them others.

Airflow keeps its metadata in a database of its own, with a login of its own (`<database>_airflow`); the simulated sources have theirs
(`<database>_simulation`). Neither may enter the warehouse.

## What each role may do

`publish.<mart>` is the stored table of each published model; *columns* means some of them. What is not listed is denied.
"""

TAIL = """
## People

- `./kaw sql` asks as the auditor. `./kaw sql --personal` asks as the role that reads raw and staged rows, personal values too.
- Waivers and notes on findings are entered by the approver's login. Beside the name that is signed, the ledger keeps who acted as a server knows
  it: the user of Airflow, the personal login in `KAW_LOGIN_APPROVER` (any login that is a member of `kaw_approver`), else the user of the machine.
- A waiver that lets more yuan through than the parameter `second_approver_cny` (seed `quality_parameters`, rule `WAIVER`, dated) holds from the
  moment a second person confirms it: `./kaw waive --confirm NO --approver NAME --reason TEXT`, or the same in Airflow's `approve_waiver`.
  The second person must be another in both: the name, and who acted.
- Readers of dashboards and account managers have logins that `./kaw bi` makes; row-level security shows them the published version, and managers
  the rows of their accounts.

## Attempts that stopped

A process that was stopped (SIGSTOP, a suspended machine) and wakes up changes nothing. It shows that it works by a word to the server every four
seconds; after 20 seconds of silence the server takes its lock of the night away. The next night then ends the sessions that carry an older
fence, takes the next one and begins, all in one transaction; so does a landing that waits for a table. These limits are settings of sessions
and logins, and hold on any PostgreSQL.
"""


def identities_page() -> str:
    lines = [HEAD]
    for role in roles().values():
        lines += [f"### {role.name}", "", f"{role.does[0].upper()}{role.does[1:]}.", "", "| right | on |", "|---|---|"]
        lines += [f"| {right} | {on} |" for right, on in _rights(role)]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n" + TAIL


def _rights(role: Role) -> list[tuple[str, str]]:
    found: dict[str, list[str]] = {}
    for on in role.on:
        name = f"{on.schema}.{on.relation}" + (" (columns)" if on.columns else "")
        if on.but:
            name += f" but {', '.join(f'{on.schema}.{each}' for each in sorted(on.but))}"
        found.setdefault(", ".join(on.verbs), []).append(name)
    rights = [("use schemas", role.use), ("create in", role.create), *found.items()]
    rights += [("draw from", role.usage), ("call", role.execute)]
    if role.by_scope:
        rights.append(("select by scope", ["publish.<mart> and its views in marts, as meta.scope of the model allows"]))
    if role.is_temporary:
        rights.append(("make", ["temporary tables"]))
    return [(right, ", ".join(f"`{each}`" if " " not in each else each for each in on)) for right, on in rights if on]
