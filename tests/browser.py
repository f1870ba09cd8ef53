"""A headless Chromium with its network cut, driven over its own debugging pipe; everything that goes wrong in it is kept."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

WIDTH, HEIGHT = 1280, 900
PAPER = 1047  # A4 across without its margins, in pixels of CSS
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
    f"--window-size={WIDTH},{HEIGHT}",
)
_LOADED = """new Promise((done) => {
  const wait = () => setTimeout(done);
  if (document.readyState === 'complete') wait(); else addEventListener('load', wait);
})"""


class Browser:
    """One page of it. `problems` are console messages, exceptions, requests for anything but the page, and failed requests.

    With `site`, an address, the network is there for what lies under it; its console may say what is no error.
    """

    def __init__(self, read: int, write: int, site: str = "") -> None:
        self.site = site
        self._read, self._write = os.fdopen(read, "rb"), os.fdopen(write, "wb", buffering=0)
        self._last_id, self._session, self._page = 0, None, ""
        self.problems: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")
        if not site:
            self._call(
                "Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0
            )

    def visit(self, path: str, is_shown: str, patience_s: float = 90) -> float:
        """Goes to a page of the site and waits until an expression holds there; the seconds that it took."""
        began = time.monotonic()
        self._call("Page.navigate", url=self.site + path)
        self.wait(is_shown, patience_s)
        return time.monotonic() - began

    def wait(self, is_shown: str, patience_s: float = 90) -> None:
        until = time.monotonic() + patience_s
        while not self.evaluate(f"document.readyState === 'complete' && !!({is_shown})"):
            assert time.monotonic() < until, f"not shown after {patience_s} s: {is_shown}"
            time.sleep(0.25)

    def open(self, path: Path) -> float:
        """Loads the page and returns the seconds until it had loaded, as the browser measured them."""
        self._page = path.as_uri()
        for url in ("about:blank", self._page):  # a page that is open already would only be scrolled
            self._call("Page.navigate", url=url)
            self.evaluate(_LOADED)
        return self.evaluate("performance.getEntriesByType('navigation')[0].duration") / 1000

    def evaluate(self, script: str):
        """Value of an expression, or of the promise that it is."""
        answer = self._call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def show(self, scheme: str, media: str = "", width: int = WIDTH, height: int = HEIGHT) -> None:
        """`scheme` light or dark; `media` print, or nothing for a screen of this width and height in pixels."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._call("Emulation.setEmulatedMedia", media=media, features=features)
        width = PAPER if media == "print" else width
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """As the name ends, .png or .webp. The whole page, however long; or what is in the window, whose charts are not drawn anew for it."""
        kind = {"format": "webp", "quality": 80} if path.suffix == ".webp" else {"format": "png"}
        shot = self._call("Page.captureScreenshot", captureBeyondViewport=whole, **kind)["data"]
        path.write_bytes(base64.b64decode(shot))

    def pdf(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self._call("Page.printToPDF", printBackground=True)["data"]))

    def _call(self, method: str, **parameters) -> dict:
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._write.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._last_id:
                assert "error" not in answer, answer
                return answer["result"]
            self._hear(answer)

    def _receive(self) -> dict:
        message = bytearray()
        while (byte := self._read.read(1)) != b"\0":
            assert byte, "the browser has ended"
            message += byte
        return json.loads(message)

    def _hear(self, event: dict) -> None:
        name, said = event.get("method"), event.get("params", {})
        if self.site:
            self._hear_of_site(name, said)
        elif name == "Runtime.consoleAPICalled":
            self.problems.append(f"console.{said['type']}: {[part.get('value') for part in said['args']]}")
        elif name == "Runtime.exceptionThrown":
            self.problems.append(f"exception: {said['exceptionDetails'].get('exception', {}).get('description')}")
        elif name == "Log.entryAdded":
            self.problems.append(f"log: {said['entry']['text']}")
        elif name == "Network.loadingFailed":
            self.problems.append(f"failed request: {said['errorText']}")
        elif name == "Network.requestWillBeSent" and said["request"]["url"] not in (self._page, "about:blank"):
            self.problems.append(f"request: {said['request']['url']}")

    def _hear_of_site(self, name: str | None, said: dict) -> None:
        if name == "Runtime.consoleAPICalled" and said["type"] in ("error", "assert"):
            self.problems.append(f"console: {[part.get('value') or part.get('description') for part in said['args']]}")
        elif name == "Runtime.exceptionThrown":
            self.problems.append(f"exception: {said['exceptionDetails'].get('exception', {}).get('description')}")
        elif name == "Log.entryAdded" and said["entry"]["level"] == "error":
            self.problems.append(f"log: {said['entry']['text']} {said['entry'].get('url', '')}")
        elif name == "Network.loadingFailed" and not said.get("canceled"):
            self.problems.append(f"failed request: {said['errorText']}")
        elif name == "Network.responseReceived" and said["response"]["status"] >= 400:
            self.problems.append(f"answer {said['response']['status']}: {said['response']['url']}")
        elif name == "Network.requestWillBeSent":
            url = said["request"]["url"]
            if not url.startswith((self.site, "about:", "data:", "blob:")):
                self.problems.append(f"request outside: {url}")


@contextlib.contextmanager
def browser(profile: Path, site: str = "") -> Iterator[Browser]:
    """Chromium reads its pipe from descriptor 3 and writes to 4."""
    its_read, our_write = os.pipe()
    our_read, its_write = os.pipe()
    options = [option.replace("~NOTFOUND", "~NOTFOUND, EXCLUDE 127.0.0.1") if site else option for option in _OPTIONS]
    command = f"exec {shlex.join(['chromium', *options, f'--user-data-dir={profile}'])} 3<&{its_read} 4>&{its_write}"
    process = subprocess.Popen(
        ["bash", "-c", command], pass_fds=(its_read, its_write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(its_read)
    os.close(its_write)
    try:
        yield Browser(our_read, our_write, site)
    finally:
        process.terminate()
        process.wait(timeout=20)
