"""Run by Superset's own Python: every asset that is in it, as JSON of file -> text on standard output's last line."""

import json


def main() -> None:
    from superset.app import create_app

    app = create_app()
    with app.app_context():
        from flask import g
        from superset import security_manager
        from superset.commands.export.assets import ExportAssetsCommand

        g.user = security_manager.find_user("admin")
        exported = {name: made() for name, made in ExportAssetsCommand().run()}
    print("\n" + json.dumps(exported))


if __name__ == "__main__":
    main()
