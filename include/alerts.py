"""One JSON message to a webhook for what somebody must look at: a block, a refused file, rows that are missing, a missed deadline."""

from __future__ import annotations

import json
import logging
import urllib.error
import urllib.request
from datetime import datetime

from include.settings import TIMEZONE, settings

KINDS = ("blocked", "file_refused", "withdrawal_pending", "deadline_missed")
TIMEOUT_S = 5
log = logging.getLogger(__name__)


def alert(kind: str, message: str, detail: dict | None = None) -> bool:
    """Post `{kind, message, detail, at}` to KAW_ALERT_WEBHOOK; whether it was taken. False where none is set.

    Never raises: a night does not fail because a messenger does. The address is a secret and is not logged.
    """
    try:
        address = settings().alert_webhook
        if not address:
            return False
        if kind not in KINDS:
            log.warning("an alert of the unknown kind %s was sent", kind)
        body = json.dumps(
            {"kind": kind, "message": message, "detail": detail or {}, "at": datetime.now(TIMEZONE).isoformat()},
            ensure_ascii=False,
            default=str,
        ).encode()
        if not address.lower().startswith(("http://", "https://")):
            log.warning("alert %s was not sent: KAW_ALERT_WEBHOOK is not an http address", kind)
            return False
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
