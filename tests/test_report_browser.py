"""Ten questions of an auditor, each answered in at most three clicks, in a browser without a network."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.test_report import Warehouse, warehouse  # noqa: F401

# question, what is clicked, where the answer is then seen, what it says
QUESTIONS = [
    ("Did the night pass?", [], "#verdict", "Passed with findings"),
    ("What may an opinion rest on?", ["nav a[href='#opinion']"], "#opinion", "Every delivered row is accounted for."),
    ("Which delivery was refused, and why?", ["nav a[href='#arrivals']"], "#arrivals", "The file is GBK, not UTF-8."),
    ("Is every row accounted for?", ["nav a[href='#conservation']"], "#conservation", "all 2 tables balance"),
    ("What failed of MET-02?", ["nav a[href='#rules']", "#rule-table a[href='#f-MET-02']"], "#f-MET-02 table", "3 slots"),
    ("What was not tested?", ["nav a[href='#not-tested']", "#not-tested summary"], "#not-tested table", "MET-31"),
    ("What is the three systems' difference?", ["nav a[href='#reconciliation']"], "#reconciliation", "XSR-03"),
    ("How does this night compare?", ["nav a[href='#trend']"], "#trend", "Violations per 10,000"),
    ("Which files were read?", ["nav a[href='#lineage']", "#lineage summary"], "#lineage details table", "abababab"),
    ("Is the ledger intact?", ["nav a[href='#ledger']"], "#ledger", "intact"),
]
_SCRIPT = """
<script>
addEventListener("error", (event) => { document.title = "error: " + event.message; });
const pause = () => new Promise((done) => setTimeout(done, 50));
(async () => {
  const answers = [];
  for (const [question, clicks, place, answer] of QUESTIONS) {
    for (const click of clicks) {
      document.querySelector(click).click();
      await pause();
    }
    const seen = document.querySelector(place);
    answers.push([question, !!seen && seen.checkVisibility() && seen.innerText.includes(answer)]);
  }
  document.body.innerHTML = "<pre id=answers></pre>";
  document.querySelector("#answers").textContent = JSON.stringify(answers);
})();
</script>"""


def test_ten_questions_are_answered_in_three_clicks(warehouse: Warehouse) -> None:  # noqa: F811
    if not shutil.which("chromium"):
        pytest.skip("chromium")
    path = warehouse.report() and warehouse.path
    assert len(QUESTIONS) == 10
    assert all(len(clicks) <= 3 for _, clicks, _, _ in QUESTIONS)
    asked: Path = path.with_name("asked.html")
    script = _SCRIPT.replace("QUESTIONS", json.dumps(QUESTIONS))
    asked.write_text(path.read_text(encoding="utf-8").replace("</body>", f"{script}</body>"), encoding="utf-8")
    page = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
         f"--user-data-dir={warehouse.folder / 'chromium'}", "--virtual-time-budget=3000", "--dump-dom", asked.as_uri()],
        capture_output=True, text=True, timeout=60, check=True,
    ).stdout  # fmt: skip
    assert "<title>error" not in page
    answers = json.loads(re.search(r'<pre id="answers">(.*?)</pre>', page, re.DOTALL).group(1))
    assert [question for question, is_answered in answers if not is_answered] == []
