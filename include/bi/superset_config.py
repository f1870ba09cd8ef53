"""Superset's settings, read by Superset itself (SUPERSET_CONFIG_PATH) in its own environment.

Secrets come from one file of the owner's, named by KAW_SUPERSET_SECRETS; nothing of them is in the process's environment.
"""

import json
import os
import re
from pathlib import Path

from flask import Flask, jsonify, redirect, request
from flask_login import current_user

_kept = json.loads(Path(os.environ["KAW_SUPERSET_SECRETS"]).read_text())

SECRET_KEY = _kept["secret_key"]
SQLALCHEMY_DATABASE_URI = _kept["metadata_url"]
SQLALCHEMY_ENGINE_OPTIONS = {"pool_size": 4, "max_overflow": 4, "pool_pre_ping": True}
SUPERSET_WEBSERVER_ADDRESS = "127.0.0.1"
SUPERSET_WEBSERVER_PORT = _kept["port"]
APP_NAME = "Key accounts"

# English and Chinese, the one of the bundle first
LANGUAGES = {"en": {"flag": "us", "name": "English"}, "zh": {"flag": "cn", "name": "中文"}}
BABEL_DEFAULT_LOCALE = _kept["language"]
CURRENCIES = ["CNY"]

# Nothing leaves the machine: the page may ask this server alone
TALISMAN_ENABLED = True
CONTENT_SECURITY_POLICY_WARNING = False
_SELF = ["'self'"]
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": _SELF,
        "default-src": _SELF,
        "img-src": [*_SELF, "blob:", "data:"],
        "worker-src": [*_SELF, "blob:"],
        "connect-src": _SELF,
        "object-src": "'none'",
        "style-src": [*_SELF, "'unsafe-inline'"],
        "font-src": [*_SELF, "data:"],
        "frame-ancestors": "'none'",
        "form-action": _SELF,
        "script-src": [*_SELF, "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,  # 127.0.0.1 speaks plain HTTP
    "referrer_policy": "no-referrer",
}
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "kaw_superset"  # cookies know no port: Airflow on the same host has one too
WTF_CSRF_ENABLED = True
RATELIMIT_ENABLED = True
RATELIMIT_STORAGE_URI = "memory://"
AUTH_RATE_LIMITED = True
AUTH_RATE_LIMIT = "20 per minute"

# One worker, no Redis: what the page keeps between clicks is in the metadata database
_METASTORE = {"CACHE_TYPE": "SupersetMetastoreCache", "CACHE_KEY_PREFIX": "kaw", "CACHE_DEFAULT_TIMEOUT": 86400}
FILTER_STATE_CACHE_CONFIG = _METASTORE
EXPLORE_FORM_DATA_CACHE_CONFIG = _METASTORE

FEATURE_FLAGS = {
    "DASHBOARD_RBAC": False,
    "DRILL_BY": True,
    "DRILL_TO_DETAIL": True,
    "ENABLE_TEMPLATE_PROCESSING": True,  # the row rule of managers asks who is logged in
    "HORIZONTAL_FILTER_BAR": True,
    "ALERT_REPORTS": False,
    "SQLLAB_BACKEND_PERSISTENCE": True,
    "THUMBNAILS": False,
}
ROW_LIMIT = 10000
SUPERSET_WEBSERVER_TIMEOUT = 60
FAB_ADD_SECURITY_API = False
START = "/superset/dashboard/kaw-start/"
LOGO_TARGET_PATH = START


# Where a page asks for the rows of a chart, or has one kept to ask for later
DATA_PATHS = ("/api/v1/chart/data", "/api/v1/explore", "/superset/explore", "/explore")


def _asks_in_sql(stated) -> bool:
    """Whether a chart asks in SQL of its own: row rules hold a data set's rows, and not what an expression reads beside them.

    Superset sends a chart as JSON, or as JSON within a text of it.
    """
    if isinstance(stated, str) and stated.startswith(("{", "[")):
        try:
            stated = json.loads(stated)
        except ValueError:
            return False
    if isinstance(stated, list):
        return any(_asks_in_sql(part) for part in stated)
    if not isinstance(stated, dict):
        return False
    said = [stated.get(name) for name in ("sqlExpression", "where", "having")]
    # the axis of a chart is asked for as the name of a column
    is_own = any(text and not re.fullmatch(r"[A-Za-z_]\w*", str(text)) for text in said)
    return is_own or any(_asks_in_sql(part) for part in stated.values())


def FLASK_APP_MUTATOR(app: Flask) -> None:
    """Whoever leaves a dashboard makes Superset store the colours that labels happened to get. They are the bundle's, and only an
    owner may store them, so that a viewer's page would end with an error: the request is answered and does nothing.

    Superset's own first page, a list of what one looked at last, gives way to the page of questions.

    Charts of viewers and managers ask by name and never in SQL of their own, which all users' one login would answer."""

    @app.before_request
    def ask_by_name():
        asked = [request.get_json(silent=True), request.form.get("form_data"), request.args.get("form_data")]
        if not request.path.startswith(DATA_PATHS) or not _asks_in_sql(asked):
            return None
        roles = {role.name for role in getattr(current_user, "roles", [])}
        return None if "Admin" in roles else (jsonify(message="Charts ask by name, not in SQL of their own."), 403)

    @app.before_request
    def begin_at_the_questions():
        return redirect(START) if request.path == "/superset/welcome/" else None

    @app.before_request
    def keep_colours():
        if request.method == "PUT" and re.fullmatch(r"/api/v1/dashboard/[^/]+/colors", request.path):
            return jsonify(result={})
        return None
