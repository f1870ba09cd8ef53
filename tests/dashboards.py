"""Superset's pages as a reader has them: logged in, waited for until every chart is drawn."""

from __future__ import annotations

import json
import time

from tests.browser import Browser

DRAWN = "document.querySelectorAll('[data-test=\"slice-container\"]').length"
BUSY = (
    "document.querySelectorAll('[data-test=\"loading-indicator\"], .loading, .ant-skeleton, .ant-spin-spinning').length"
)
_LOGIN = """(async () => {
  const page = await (await fetch('/login/')).text();
  const token = (page.match(/csrf_token"[^>]*value="([^"]+)"/) || [])[1] || '';
  const form = new URLSearchParams({csrf_token: token, username: %s, password: %s});
  const answer = await fetch('/login/', {method: 'POST', body: form});
  return [answer.status, answer.url];
})()"""


def log_in(page: Browser, user: str, password: str) -> None:
    """From a page that asks for nothing itself: an answer that comes after the log-in would take its cookie away."""
    page.visit("/health", "true")
    status, url = page.evaluate(_LOGIN % (json.dumps(user), json.dumps(password)))
    assert (status, "/login" in url) == (200, False), url
    page.problems.clear()  # a page of plain text has no picture of its own, and the browser asks for one


def open_dashboard(page: Browser, path: str, charts: int) -> float:
    """Seconds until all its charts were there and none was still loading."""
    took = page.visit(path, f"{DRAWN} >= {charts} && {BUSY} === 0")
    time.sleep(1.5)  # animations
    page.wait(f"{DRAWN} >= {charts} && {BUSY} === 0")
    return took


FIRST_LINK = """(() => {
  const link = document.querySelector('a[href*="kaw-account"]');
  return [link.getAttribute('href'), link.innerText];
})()"""


def text_of(page: Browser, title: str) -> str:
    """What the chart of a title shows."""
    return page.evaluate(
        f"document.querySelector('[data-test-chart-name={json.dumps(title)}] .slice_container').innerText"
    )


def card(page: Browser, title: str) -> str:
    return text_of(page, title).strip().replace(",", "")
