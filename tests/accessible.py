"""axe-core over the page that a browser shows: what keeps people from reading or using it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.browser import Browser

AXE = "axe-core@4.14.1"
SERIOUS = ("serious", "critical")
_RUN = """(async () => {
  const found = await axe.run(document, {resultTypes: ['violations']});
  return found.violations.map((v) => [v.impact, v.id, v.nodes.slice(0, 3).map((n) => n.target.join(' ')).join(' | ')]);
})()"""


def axe(folder: Path) -> str:
    """The script of axe-core, of the npm package of this version."""
    if not shutil.which("npm"):
        pytest.skip("npm")
    done = subprocess.run(
        ["npm", "pack", AXE, "--silent"], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        pytest.skip(f"npm cannot fetch {AXE}")
    (packed,) = folder.glob("axe-core-*.tgz")
    subprocess.run(["tar", "xzf", packed.name, "package/axe.min.js"], cwd=folder, check=True)
    return (folder / "package" / "axe.min.js").read_text("utf-8")


def violations(page: Browser, script: str) -> list[list[str]]:
    """Impact, rule and first places of what axe finds serious or critical."""
    page.evaluate(f"(() => {{ {script} }})()")
    return [found for found in page.evaluate(_RUN) if found[0] in SERIOUS]


def keyboard_stops(page: Browser, most: int = 60) -> list[str]:
    """What the key Tab reaches one after the other, by its words; `!` before one that nothing shows to be reached."""
    stops: list[str] = []
    page.evaluate("document.activeElement.blur()")
    for _ in range(most):
        for kind in ("keyDown", "keyUp"):
            page._call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        stop = page.evaluate(
            """(() => {
          const at = document.activeElement;
          if (!at || at === document.body) return null;
          const style = getComputedStyle(at);
          const isShown = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
          return (isShown ? '' : '!') + (at.getAttribute('aria-label') || at.innerText || at.name || at.tagName).trim().slice(0, 40);
        })()"""
        )
        if stop is None:
            break
        stops.append(stop)
    return stops
