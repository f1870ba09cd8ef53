"""Settings, read from the environment at the moment they are asked for.

Nothing is read at import: a test or an Airflow task that changes the environment sees the change in its next `settings()`.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from dataclasses import dataclass, field, fields
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from zoneinfo import ZoneInfo

from include.errors import UsageError

ROOT = Path(__file__).resolve().parent.parent
TIMEZONE_NAME = "Asia/Shanghai"
TIMEZONE = ZoneInfo(TIMEZONE_NAME)
LANGUAGES = ("en", "zh")
SOURCE_NAMES = ("metering", "marketing", "contract")
# roles of which a night or a command has the login; the owner of the warehouse only migrates it
LOGINS = ("loader", "transformer", "gatekeeper", "publisher", "approver", "reader", "auditor", "personal_reader")
SHORTEST_SECRET = 4
# an address up to the last @ that a host and a path may follow
_ADDRESS = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*://)(?P<user>[^:/@]*):(?P<password>.*)@(?P<rest>[^@/\s?]*(/[^@]*)?(\?[^@]*)?)$",
    re.IGNORECASE,
)
# in a text: up to the last @ before a quote, the end of the line, or the next address
_PASSWORD_OF_ADDRESS = re.compile(
    r"""(\b[a-z][a-z0-9+.-]*://[^:/@\s]*):((?:(?!\b[a-z][a-z0-9+.-]*://)[^\n"])*)@""", re.IGNORECASE
)
_PORT = re.compile(r"\d{1,5}(?:[/?#]\S*)?\s")  # http://host:8080/path and, later in the line, a@b


@dataclass(frozen=True)
class Settings:
    """Where things are. An address that is None means: the embedded server, the simulated utility, or no such thing."""

    home: Path
    warehouse: str | None = None
    source_metering: str | None = None
    source_marketing: str | None = None
    source_contract: str | None = None
    source_forms: str | None = None
    profile: Path | None = None
    source_connect_timeout_s: float = 10
    source_statement_timeout_s: float = 900
    source_tries: int = 3
    source_pause_s: float = 5
    simulation: str | None = None
    logins: dict[str, str] = field(default_factory=dict)
    reader_memory_mib: float = 512
    reader_seconds: float = 60
    file_mib: float = 1024
    file_ratio: float = 100
    alert_webhook: str | None = None
    alert_urls: str | None = None
    alert_findings: int | None = None
    alert_findings_cny: float | None = None
    ledger_key: str | None = None
    ledger_key_file: Path | None = None
    vault_key: str | None = None
    vault_key_file: Path | None = None
    ledger_heads: tuple[str, ...] = ()
    has_secrets_backend: bool = False
    free_space_bytes: int = 1_000_000_000
    keep_reports_days: int = 730
    keep_evidence_days: int = 730
    keep_logs_days: int = 90
    lineage_file: Path | None = None
    lineage_by_openlineage: bool = False
    lineage_namespace: str = "key-account-warehouse"
    language: str = "en"
    timezone: str = TIMEZONE_NAME

    def source(self, name: str) -> str | None:
        """Address of a source system (`metering`, `marketing`, `contract` or `forms`), None where it is the simulated one."""
        return getattr(self, f"source_{name}")

    @property
    def tells_lineage(self) -> bool:
        return self.lineage_file is not None or self.lineage_by_openlineage

    def __repr__(self) -> str:
        shown = []
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name in ("alert_webhook", "alert_urls", "ledger_key", "vault_key", "ledger_heads") and value:
                value = "***"  # the path of a webhook is its secret
            if each.name == "logins":
                value = {role: mask_secrets(address) for role, address in value.items()}
            shown.append(f"{each.name}={mask_secrets(value) if isinstance(value, str) else value!r}")
        return f"Settings({', '.join(shown)})"


def settings() -> Settings:
    """The settings of this moment.

    KAW_HOME (default `.kaw` beside the code), KAW_WAREHOUSE, KAW_SOURCE_METERING, KAW_SOURCE_MARKETING, KAW_SOURCE_CONTRACT,
    KAW_SOURCE_FORMS, KAW_PROFILE (a folder: what the sources deliver, and how), KAW_SIMULATION (server of the simulated
    sources); the roles' own logins KAW_LOGIN_LOADER and so on (LOGINS), or the Airflow connections AIRFLOW_CONN_KAW_LOADER and
    so on; KAW_LANG (en or zh, of pages and alerts); of alerts KAW_ALERT_WEBHOOK, KAW_ALERT_URLS, and the limits
    KAW_ALERT_FINDINGS and KAW_ALERT_FINDINGS_CNY; of the ledger KAW_LEDGER_KEY, KAW_LEDGER_KEY_FILE and KAW_LEDGER_HEADS
    (addresses with blanks between them), of the vault KAW_VAULT_KEY and KAW_VAULT_KEY_FILE; of the disk KAW_FREE_SPACE_MB, and
    KAW_KEEP_REPORTS, KAW_KEEP_EVIDENCE and KAW_KEEP_LOGS
    (days); of lineage KAW_LINEAGE_FILE, and OpenLineage's own variables. A source
    without an address falls back to the Airflow connection of the same name (AIRFLOW_CONN_KAW_SOURCE_METERING and so on). How
    long a source database may keep silent, and how often it is asked: KAW_SOURCE_CONNECT_TIMEOUT,
    KAW_SOURCE_STATEMENT_TIMEOUT and KAW_SOURCE_PAUSE (seconds), KAW_SOURCE_TRIES. What a file may be and cost: KAW_FILE_MIB,
    KAW_FILE_RATIO (to how many times its size it may expand), KAW_READER_MEMORY_MIB and KAW_READER_SECONDS. An empty variable
    counts as unset. Raises UsageError where one cannot be used.
    """
    home = Path(os.environ.get("KAW_HOME") or ROOT / ".kaw").expanduser().absolute()
    return Settings(
        home=home,
        warehouse=_warehouse_address(),
        source_metering=_source_address("KAW_SOURCE_METERING"),
        source_marketing=_source_address("KAW_SOURCE_MARKETING"),
        source_contract=_source_address("KAW_SOURCE_CONTRACT"),
        source_forms=_source_address("KAW_SOURCE_FORMS"),
        profile=Path(given).expanduser().absolute() if (given := os.environ.get("KAW_PROFILE")) else None,
        **_source_limits(),
        simulation=_as_postgresql(os.environ.get("KAW_SIMULATION") or "") or None,
        logins={role: address for role in LOGINS if (address := _login_address(role))},
        alert_webhook=os.environ.get("KAW_ALERT_WEBHOOK") or None,
        alert_urls=os.environ.get("KAW_ALERT_URLS") or None,
        alert_findings=_limit("KAW_ALERT_FINDINGS", int),
        alert_findings_cny=_limit("KAW_ALERT_FINDINGS_CNY", float),
        **_keys(),
        **_upkeep(),
        **_lineage(),
        language=_language(),
    )


def default_business_date(now: datetime | None = None) -> date:
    """Yesterday in Asia/Shanghai: the last local day that is complete."""
    moment = now.astimezone(TIMEZONE) if now else datetime.now(TIMEZONE)
    return moment.date() - timedelta(days=1)


def mask_secrets(text: str) -> str:
    """The text with every password in it replaced by ***: of addresses, of `password=…` and "password": "…", and those that are set.

    A password may hold blanks, `@`, `/` and `:`; it ends at the last `@` of its address.
    """
    for secret in _secrets():
        text = text.replace(secret, "***")
    text = _PASSWORD_OF_ADDRESS.sub(lambda found: found[0] if _PORT.match(found[2]) else f"{found[1]}:***@", text)
    text = re.sub(
        r"""(["']password["']\s*:\s*)("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')""", r'\1"***"', text, flags=re.IGNORECASE
    )
    return re.sub(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^&\s]+)", r"\1***", text, flags=re.IGNORECASE)


def _secrets() -> list[str]:
    """Passwords of the addresses that are set, as written, quoted and unquoted; the longest first. Too short ones would mask words."""
    found = set()
    for name, value in os.environ.items():
        if not name.startswith(("KAW_WAREHOUSE", "KAW_SOURCE_", "AIRFLOW_CONN_", "KAW_LEDGER_KEY", "KAW_VAULT_KEY")):
            continue
        if name in ("KAW_LEDGER_KEY", "KAW_VAULT_KEY"):
            found.add(value)
        elif parts := _ADDRESS.match(value):
            found |= {parts["password"], unquote(parts["password"]), quote(unquote(parts["password"]), safe="")}
    return sorted((secret for secret in found if len(secret) >= SHORTEST_SECRET), key=len, reverse=True)


def _warehouse_address() -> str | None:
    address = os.environ.get("KAW_WAREHOUSE") or None
    if address is None:
        return None
    address = _as_postgresql(address)
    if "," in urlsplit(address).netloc.rpartition("@")[2]:
        raise UsageError(
            "KAW_WAREHOUSE names several hosts, and dbt takes one.",
            where=f"KAW_WAREHOUSE={mask_secrets(address)}",
            next_step="name the host that may be written to, or an address that always leads to it.",
        )
    if not address.startswith("postgresql://") or not urlsplit(address).path.strip("/"):
        raise UsageError(
            "KAW_WAREHOUSE is not the address of a PostgreSQL database.",
            where=f"KAW_WAREHOUSE={mask_secrets(address)}",
            next_step="set it to postgresql://user:password@host:port/database, or unset it to use the embedded server.",
        )
    return address


def _limit(variable: str, kind: type) -> int | float | None:
    text = os.environ.get(variable)
    if not text:
        return None
    with contextlib.suppress(ValueError):
        if (limit := kind(text)) >= 0:
            return limit
    raise UsageError(
        f"{variable} is no number from 0.", where=f"{variable}={text}", next_step="set it to a number, or unset it."
    )


def _keys() -> dict:
    """The keys of ledger and vault, where the ledger's heads go, and whether Airflow has a secrets backend that may hold the keys."""
    found = {}
    for name in ("ledger_key", "vault_key"):
        file = os.environ.get(f"KAW_{name.upper()}_FILE")
        found[name] = os.environ.get(f"KAW_{name.upper()}") or None
        found[f"{name}_file"] = Path(file).expanduser().absolute() if file else None
    return found | {
        "ledger_heads": tuple((os.environ.get("KAW_LEDGER_HEADS") or "").split()),
        "has_secrets_backend": bool(os.environ.get("AIRFLOW__SECRETS__BACKEND")),
    }


def _upkeep() -> dict[str, int]:
    """Free space that a night asks for, and how long files are kept; those that are set."""
    found = {}
    for name, variable, factor in (
        ("free_space_bytes", "KAW_FREE_SPACE_MB", 1_000_000),
        ("keep_reports_days", "KAW_KEEP_REPORTS", 1),
        ("keep_evidence_days", "KAW_KEEP_EVIDENCE", 1),
        ("keep_logs_days", "KAW_KEEP_LOGS", 1),
    ):
        if (number := _limit(variable, int)) is not None:
            found[name] = number * factor
    return found


def _lineage() -> dict:
    """Where lineage is told: to a file, and to what OpenLineage's own variables name; its switch turns off both."""
    if os.environ.get("OPENLINEAGE_DISABLED", "").strip().lower() == "true":
        return {}
    names = [name for name, value in os.environ.items() if value and name.startswith("OPENLINEAGE_")]
    file = os.environ.get("KAW_LINEAGE_FILE")
    given = {"lineage_namespace": namespace} if (namespace := os.environ.get("OPENLINEAGE_NAMESPACE")) else {}
    return given | {
        "lineage_file": Path(file).expanduser().absolute() if file else None,
        "lineage_by_openlineage": any(
            name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG") or name.startswith("OPENLINEAGE__TRANSPORT")
            for name in names
        ),
    }


def _language() -> str:
    language = os.environ.get("KAW_LANG") or LANGUAGES[0]
    if language not in LANGUAGES:
        raise UsageError(
            "KAW_LANG is no language of the pages.",
            where=f"KAW_LANG={language}",
            next_step=f"set it to {' or '.join(LANGUAGES)}, or unset it.",
        )
    return language


def _source_address(variable: str) -> str | None:
    if address := os.environ.get(variable):
        return _as_postgresql(address)
    connection = os.environ.get(f"AIRFLOW_CONN_{variable}")
    return _address_of_connection(connection, f"AIRFLOW_CONN_{variable}") if connection else None


def _login_address(role: str) -> str | None:
    if address := os.environ.get(f"KAW_LOGIN_{role.upper()}"):
        return _as_postgresql(address)
    connection = os.environ.get(f"AIRFLOW_CONN_KAW_{role.upper()}")
    return _address_of_connection(connection, f"AIRFLOW_CONN_KAW_{role.upper()}") if connection else None


def _source_limits() -> dict[str, float | int]:
    """The numbers above 0 that are set, of sources and their files; the others keep their defaults."""
    limits = {}
    for name, variable, kind in (
        ("source_connect_timeout_s", "KAW_SOURCE_CONNECT_TIMEOUT", float),
        ("source_statement_timeout_s", "KAW_SOURCE_STATEMENT_TIMEOUT", float),
        ("source_tries", "KAW_SOURCE_TRIES", int),
        ("source_pause_s", "KAW_SOURCE_PAUSE", float),
        ("reader_memory_mib", "KAW_READER_MEMORY_MIB", float),
        ("reader_seconds", "KAW_READER_SECONDS", float),
        ("file_mib", "KAW_FILE_MIB", float),
        ("file_ratio", "KAW_FILE_RATIO", float),
    ):
        if text := os.environ.get(variable):
            try:
                limits[name] = kind(text)
            except ValueError:
                limits[name] = 0
            if not 0 < limits[name] < 1e6:
                is_time = name.endswith(("_s", "_seconds"))
                number = "whole number" if kind is int else "number of seconds" if is_time else "number"
                raise UsageError(
                    f"{variable} is no {number} above 0.",
                    where=f"{variable}={text}",
                    next_step=f"set it to a {number}, or unset it.",
                )
    return limits


def _as_postgresql(address: str) -> str:
    """The address as libpq takes it; a password with blanks, `@`, `/` or `%` may be written as it is."""
    address = re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql://", address)
    parts = _ADDRESS.match(address)
    if not parts or not address.startswith("postgresql://"):
        return address
    password = re.sub(r"%(?![0-9a-fA-F]{2})", "%25", parts["password"])
    return f"{parts['scheme']}{parts['user']}:{quote(password, safe='%')}@{parts['rest']}"


def _address_of_connection(text: str, variable: str) -> str:
    """The address behind an Airflow connection, written as a URI or as JSON; of type postgres, or fs/file with a path."""
    try:
        given = json.loads(text) if text.lstrip().startswith("{") else _parsed_connection_uri(text)
        extra = given.get("extra") or {}
        extra = json.loads(extra) if isinstance(extra, str) else extra
        kind = given["conn_type"]
        if kind in ("fs", "file"):
            folder = extra.get("path") or extra.get("basepath") or given.get("host")
            if folder:
                return str(folder)
        if kind in ("postgres", "postgresql"):
            login = quote(given.get("login") or "", safe="")
            secret = quote(given.get("password") or "", safe="")
            user = f"{login}:{secret}@" if secret else f"{login}@" if login else ""
            port = f":{given['port']}" if given.get("port") else ""
            return f"postgresql://{user}{given.get('host') or 'localhost'}{port}/{given.get('schema') or ''}"
    except (ValueError, KeyError, AttributeError, TypeError):
        pass
    raise UsageError(
        "An Airflow connection cannot be used.",
        where=variable,
        next_step="make it a connection of type postgres, or of type fs with the folder as its path.",
    )


def _parsed_connection_uri(uri: str) -> dict:
    parts = urlsplit(uri)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    if parts.scheme in ("fs", "file"):
        query.setdefault("path", unquote(parts.path))
    return {
        "conn_type": parts.scheme,
        "login": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "host": parts.hostname,
        "port": parts.port,
        "schema": unquote(parts.path.lstrip("/")),
        "extra": query,
    }
