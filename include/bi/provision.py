"""Run by Superset's own Python: brings its metadata to what the bundle and the log-ins say. Everything may be repeated.

Reads one JSON document from standard input, so that no password is on a command line: `is_new`, `bundle` (folder, or null),
`database_password`, `users` (name, password, role), `rules` (name, clause, datasets) and `shared` (data sets without a rule).
Prints a line of JSON a step. It imports nothing of ours: only Superset and what is with it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ROLES = {"viewer": "Viewer of key accounts", "manager": "Account manager"}
# Gamma may write too; a viewer may keep what the page itself stores, and nothing else
WRITES = (
    "can_write",
    "can_add",
    "can_edit",
    "can_delete",
    "can_import",
    "can_save",
    "can_post",
    "can_put",
    "can_upload",
)
KEPT_WRITES = (
    "DashboardFilterStateRestApi",
    "DashboardPermalinkRestApi",
    "ExploreFormDataRestApi",
    "ExplorePermalinkRestApi",
)
SQL_LAB = (
    "SQL Lab",
    "SQLLab",
    "SavedQuery",
    "Saved Queries",
    "Query Search",
    "SQL Editor",
    "TabStateView",
    "TableSchemaView",
)


def main() -> None:
    wanted = json.load(sys.stdin)
    from superset.app import create_app

    if wanted["is_new"]:
        _tell("metadata")
        app = create_app()
        with app.app_context():
            import superset
            from flask_migrate import upgrade

            upgrade(directory=str(Path(superset.__file__).parent / "migrations"))
    app = create_app()
    with app.app_context():
        from flask import g
        from superset import appbuilder, db, security_manager

        if wanted["is_new"]:
            _tell("rights")
            appbuilder.add_permissions(update_perms=True)
            security_manager.sync_role_definitions()
            db.session.commit()
        if wanted["bundle"]:
            _tell("bundle")
            admins = [user for user in wanted["users"] if user["role"] == "Admin"]
            _make_users(security_manager, admins)
            g.user = security_manager.find_user(admins[0]["name"])
            _import_bundle(Path(wanted["bundle"]), wanted["database_password"])
        _tell("log-ins")
        _make_roles(db, security_manager, wanted)
        _make_users(security_manager, [user for user in wanted["users"] if user["role"] != "Admin"])
        _retire_users(db, security_manager, {user["name"] for user in wanted["users"]})
        db.session.commit()


def _tell(step: str) -> None:
    print(json.dumps({"step": step}), flush=True)


def _import_bundle(folder: Path, password: str) -> None:
    from superset.commands.importers.v1.assets import ImportAssetsCommand

    contents = {str(path.relative_to(folder)): path.read_text("utf-8") for path in sorted(folder.rglob("*.yaml"))}
    databases = [name for name in contents if name.startswith("databases/")]
    ImportAssetsCommand(contents, passwords=dict.fromkeys(databases, password)).run()


def _make_users(security_manager, users: list[dict]) -> None:
    for user in users:
        role = security_manager.find_role(ROLES.get(user["role"], user["role"]))
        found = security_manager.find_user(user["name"])
        if found is None:
            mail = f"{user['name']}@localhost"
            security_manager.add_user(user["name"], user["name"], "", mail, role, password=user["password"])
            continue
        found.roles, found.active = [role], True
        security_manager.update_user(found)
        if not security_manager.auth_user_db(user["name"], user["password"]):
            security_manager.reset_password(found.id, user["password"])


def _retire_users(db, security_manager, names: set[str]) -> None:
    """A manager without a login of the door has none here; users that somebody made by hand are theirs."""
    manager = security_manager.find_role(ROLES["manager"])
    for user in security_manager.get_all_users():
        if manager in user.roles and user.username not in names:
            user.active = False


def _make_roles(db, security_manager, wanted: dict) -> None:
    """Both see every data set that the bundle has, a manager by its row rule where it is not for all; neither has SQL Lab."""
    from superset.connectors.sqla.models import RowLevelSecurityFilter, SqlaTable

    tables = {str(table.uuid): table for table in db.session.query(SqlaTable)}
    gamma = [held for held in security_manager.find_role("Gamma").permissions if _is_for_viewers(held)]
    seen = {
        "viewer": list(tables.values()),
        "manager": [tables[uuid] for rule in wanted["rules"] for uuid in rule["datasets"] if uuid in tables]
        + [tables[uuid] for uuid in wanted["shared"] if uuid in tables],
    }
    for name, title in ROLES.items():
        role = security_manager.add_role(title)
        role.permissions = gamma + [
            security_manager.add_permission_view_menu("datasource_access", table.get_perm()) for table in seen[name]
        ]
    manager = security_manager.find_role(ROLES["manager"])
    for rule in wanted["rules"]:
        found = db.session.query(RowLevelSecurityFilter).filter_by(name=rule["name"]).one_or_none()
        if found is None:
            found = RowLevelSecurityFilter(name=rule["name"])
            db.session.add(found)
        found.filter_type, found.clause, found.group_key = "Regular", rule["clause"], rule["name"]
        found.roles, found.tables = [manager], [tables[uuid] for uuid in rule["datasets"] if uuid in tables]
    db.session.flush()


def _is_for_viewers(held) -> bool:
    permission, view = held.permission.name, held.view_menu.name
    if any(view.startswith(part) for part in SQL_LAB) or "sql_lab" in permission or "sqllab" in permission:
        return False
    return not permission.startswith(WRITES) or view in KEPT_WRITES


if __name__ == "__main__":
    main()
