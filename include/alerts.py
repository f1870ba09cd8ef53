"""What somebody must look at, told once a cause: to a webhook as JSON, and by Apprise to mail, WeCom, DingTalk, Slack and others.

What was told is noted in KAW_HOME/alerts.json, so that a night that repeats a cause does not repeat its alert, and so that what
clears is told as resolved. Nothing here ever raises: a night does not fail because a messenger does. Addresses are secrets and
are neither logged nor shown.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime

from include.settings import TIMEZONE, settings

# kind -> its title in English and Chinese
TITLES = {
    "blocked": ("A gate stopped the night", "质量关口已阻断夜间批处理"),
    "file_refused": ("A delivery was refused", "数据文件被拒收"),
    "withdrawal_pending": ("Rows are missing from a delivery", "交付数据缺行待确认"),
    "deadline_missed": ("A run has missed its deadline", "批处理超时未完成"),
    "task_failed": ("A task failed", "任务失败"),
    "findings_over_limit": ("Open findings are above the limit", "未关闭问题超过限值"),
    "unprotected": ("Readers could see too much", "读者可能看到越权数据"),
    "head_not_sent": ("A head of the ledger was not kept outside", "台账头未能送达外部存证"),
    "ledger_broken": ("The ledger was tampered with", "台账被篡改"),
    "source_silent": ("A source is silent", "数据源未按时报送"),
    "resolved": ("Resolved", "已恢复"),
    "test": ("Test of the alerts", "告警测试"),
}
KINDS = tuple(TITLES)
TIMEOUT_S = 5
STATE = "alerts.json"
LOGS_WITH_ADDRESSES = ("apprise", "requests", "urllib3", "urllib3.connectionpool", "urllib3.util.retry")
CLEARED = "cleared_at"  # of what has cleared, where nobody took the notice yet
log = logging.getLogger(__name__)


def alert(
    kind: str, message: str, detail: dict | None = None, *, cause: str | None = None, next_step: str | None = None
) -> bool:
    """Tell every receiver that is set; whether one took it. A cause that was told and has not cleared is not repeated."""
    try:
        with _told() as told:
            if cause and cause in told:
                told[cause] = {name: value for name, value in told[cause].items() if name != CLEARED}
                return False
            is_taken = any(is_taken for _, is_taken in _send(kind, message, detail, next_step))
            if cause and is_taken:
                told[cause] = {"kind": kind, "message": message, "at": _now()}
            return is_taken
    except Exception as error:  # no text of it: it may hold an address
        log.warning("alert %s was not sent: %s", kind, type(error).__name__)
        return False


def clear(cause: str, *, but: set[str] | frozenset[str] = frozenset()) -> int:
    """This cause has cleared, or all that begin so where it ends with a colon, but for those of `but`: each is told as resolved.

    Returns how many.
    """
    return clear_where(
        lambda told: (told == cause or (cause.endswith(":") and told.startswith(cause))) and told not in but
    )


def clear_where(has_cleared: Callable[[str], bool]) -> int:
    """Each cause of which that holds is told as resolved; what no receiver took is told with the next that clears."""
    try:
        with _told() as told:
            cleared = [cause for cause, former in told.items() if CLEARED not in former and has_cleared(cause)]
            for cause in cleared:
                told[cause] = told[cause] | {CLEARED: _now()}
            for cause in [cause for cause, former in told.items() if CLEARED in former]:
                former = told[cause]
                detail = {"kind": former["kind"], "told_at": former["at"]}
                answers = _send("resolved", former["message"].splitlines()[0], detail, None)
                if not answers or any(is_taken for _, is_taken in answers):
                    del told[cause]
            return len(cleared)
    except Exception as error:
        log.warning("what has cleared was not sent: %s", type(error).__name__)
        return 0


def open_alerts() -> dict[str, dict]:
    """Cause -> kind, message and instant of what was told and has not cleared."""
    with _told() as told:
        return {cause: alert for cause, alert in told.items() if CLEARED not in alert}


def send_test() -> list[tuple[str, bool]]:
    """One message to each receiver; its name without secrets, and whether it took it."""
    return _send("test", "This is a test of the key-account warehouse's alerts.", None, None)


def _send(kind: str, message: str, detail: dict | None, next_step: str | None) -> list[tuple[str, bool]]:
    if kind not in KINDS:
        log.warning("an alert of the unknown kind %s was sent", kind)
    given = settings()
    taken = []
    if given.alert_webhook:
        taken.append(("webhook", _post(given.alert_webhook, kind, message, (detail or {}) | _next(next_step))))
    addresses = re.split(r"[\s,]+", given.alert_urls or "")
    for number, address in enumerate(filter(None, addresses), 1):
        name = f"address {number} ({address.partition('://')[0] if '://' in address else 'no address'})"
        try:
            is_taken = _notify(number, address, kind, message, next_step, given.language)
        except Exception as error:  # of one receiver: the others are told all the same
            log.warning("alert %s was not sent to address %s: %s", kind, number, type(error).__name__)
            is_taken = False
        taken.append((name, is_taken))
    return taken


def _next(next_step: str | None) -> dict:
    return {"next": next_step} if next_step else {}


def _notify(number: int, address: str, kind: str, message: str, next_step: str | None, language: str) -> bool:
    """One receiver by Apprise; whether it took it."""
    import apprise

    receiver = apprise.Apprise()
    with _silent():
        is_known = receiver.add(address)
    if not is_known:
        log.warning("alert %s was not sent: KAW_ALERT_URLS, address %s, is none that Apprise knows", kind, number)
        return False
    title = TITLES.get(kind, (kind, kind))[language == "zh"]
    body = message + (f"\nNext: {next_step}" if next_step else "")
    types = {
        "resolved": apprise.NotifyType.SUCCESS,
        "test": apprise.NotifyType.INFO,
        "blocked": apprise.NotifyType.FAILURE,
    }
    with _silent():
        is_taken = bool(
            receiver.notify(title=title, body=body, notify_type=types.get(kind, apprise.NotifyType.WARNING))
        )
    if not is_taken:
        log.warning("alert %s was not taken by address %s of KAW_ALERT_URLS", kind, number)
    return is_taken


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """What Apprise and the libraries under it log could hold an address, and with it a token: nothing, meanwhile."""
    former = {name: logging.getLogger(name).level for name in LOGS_WITH_ADDRESSES}
    try:
        for name in former:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for name, level in former.items():
            logging.getLogger(name).setLevel(level)


def _post(address: str, kind: str, message: str, detail: dict) -> bool:
    body = json.dumps(
        {"kind": kind, "message": message, "detail": detail, "at": _now()}, ensure_ascii=False, default=str
    ).encode()
    if not address.lower().startswith(("http://", "https://")):
        log.warning("alert %s was not sent: KAW_ALERT_WEBHOOK is not an http address", kind)
        return False
    try:
        request = urllib.request.Request(
            address, data=body, method="POST", headers={"Content-Type": "application/json; charset=utf-8"}
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return 200 <= answer.status < 300
    except urllib.error.HTTPError as error:
        log.warning("alert %s was not taken: the webhook answered %s", kind, error.code)
    except Exception as error:  # whatever a messenger does, and no text of it: it may hold the address
        log.warning("alert %s was not sent: %s", kind, type(error).__name__)
    return False


def _now() -> str:
    return datetime.now(TIMEZONE).isoformat()


@contextlib.contextmanager
def _told() -> Iterator[dict[str, dict]]:
    """What was told, to be changed; one process at a time. A home that cannot be written tells everything again."""
    home = settings().home
    try:
        home.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(home / "alerts.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        log.warning("alerts are not noted: %s", error.strerror)
        yield {}
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            told = json.loads((home / STATE).read_text())
        except (OSError, ValueError):
            told = {}
        before = dict(told)
        yield told
        if told != before:
            partial = home / f"{STATE}.partial"
            partial.unlink(missing_ok=True)
            with os.fdopen(
                os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump(told, file, ensure_ascii=False)
            partial.replace(home / STATE)
    finally:
        os.close(descriptor)
