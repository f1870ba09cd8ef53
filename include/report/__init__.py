"""The auditors' report of one run: a single HTML file that opens without network, the complete lists beside it.

`<folder>/<business date>_run_<number>/report.html`, `findings.csv`, `.json`, `.xlsx`, `absent.csv` and `receipts.csv`. All of it is as of
the run's last entry in the ledger, so the same code writes the same bytes again, whatever happened since. Their digests
are an entry of the ledger too, noted by the night that ends the run; every later one is held to them.

The entry names the edition of the page and the language that it opens with: a report is rebuilt in its own, with the
templates of that edition. An entry without them is of the first edition.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from include.errors import NotReproduced, UsageError
from include.records import ledger, locks
from include.records.database import connect
from include.records.runs import code_version
from include.records.warehouse import Warehouse
from include.report import (
    delivery,
    expected,
    fill_scores,
    findings,
    lineage,
    opinion,
    published,
    reconciliation,
    reproduce,
    trend,
    verdict,
)
from include.report.text import Text, clip, code_label, money, plural
from include.settings import TIMEZONE, settings

EDITION = 2
TEMPLATES = {number: Path(__file__).parent / name for number, name in ((1, "first_edition"), (2, "second_edition"))}
ENDED = ("blocked", "published", "failed")  # states of a run in which its report is final


@dataclass(frozen=True)
class Written:
    """`path` of the HTML file, and the ledger's entry of the report: None where no night that ended has noted one."""

    path: Path
    sha256: str
    ledger_entry: int | None
    is_rebuilt: bool

    def told(self) -> str:
        if self.ledger_entry is None:
            return "the ledger has no entry of it: the night that ends a run notes its report"
        return f"{'same bytes as' if self.is_rebuilt else 'noted in'} ledger entry {self.ledger_entry}"


def write_report(
    url: str | Warehouse,
    run_id: int | None = None,
    folder: Path = Path(),
    head_file: Path | None = None,
    *,
    notes: bool = True,
) -> Written:
    """Write the report of a run (the newest without `run_id`), or rebuild it and compare it with the ledger.

    Where the ledger has no entry of it, the night notes one (`notes`); who only reads does not.
    Raises UsageError where there is no such run, and NotReproduced where the bytes are not those that the ledger notes; the
    report that was there is then left as it is.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report_", dir=folder) as scratch:  # another may write the same report
        made = Path(scratch)
        with connect(url) as conn:
            conn.execute("set transaction isolation level repeatable read read only")
            run = verdict.run(conn, run_id)
            if run is None:
                raise UsageError(
                    f"There is no run {run_id}." if run_id else "There is no run yet.",
                    where="quality.runs",
                    next_step="./kaw run makes one; ./kaw status shows the last.",
                )
            noted = _noted(conn, run)
            kind = _kind(noted)
            content = kind | _content(conn, run, made, kind["edition"])
        content["ledger"] = published.ledger_state(url, run, head_file)
        if noted is None:
            kind["anchored"] = content["ledger"]["anchored"]
        content["ledger"]["anchored"] = kind["anchored"]
        content["tiles"] = delivery.tiles(content)
        content["summary"] = verdict.summary(content)
        content["statements"] = opinion.statements(content)
        (made / "report.html").write_text(_template(kind["edition"]).render(content), encoding="utf-8")
        digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(made.iterdir())}
        evidence = {f"evidence/{file['name']}": file["sha256"] for file in content["evidence"]}
        entry, is_rebuilt = None, False
        target = folder / f"{run['business_date']}_run_{run['run_id']}"
        if run["state"] in ENDED:
            rebuilt = target.with_name(f"{target.name}_rebuilt")
            try:
                entry, is_rebuilt = _held_to_the_ledger(url, run, digests | evidence, kind, rebuilt, head_file, notes)
            except NotReproduced:
                shutil.rmtree(rebuilt, ignore_errors=True)
                shutil.copytree(made, rebuilt)
                raise
        target.mkdir(exist_ok=True)
        for path in made.iterdir():
            path.replace(target / path.name)
    return Written(target / "report.html", digests["report.html"], entry, is_rebuilt)


def _noted(conn, run: dict) -> tuple[int, dict] | None:
    """Number and detail of the ledger's entry of this report."""
    return conn.execute(
        "select entry_no, detail from quality.ledger where event = 'report' and detail ->> 'run_id' = %s::text"
        " order by entry_no limit 1",
        [run["run_id"]],
    ).fetchone()


def _kind(noted: tuple[int, dict] | None) -> dict:
    """`{edition, language, anchored}` of a report: those that the ledger notes, else today's.

    `anchored` is the number of places outside that agreed with the ledger then; None where it is to be found, or was not noted.
    """
    if noted is None:
        return {"edition": EDITION, "language": settings().language, "anchored": None}
    number, detail = noted
    edition = detail.get("edition", 1)
    if edition not in TEMPLATES:
        raise UsageError(
            f"The report of run {detail['run_id']} is of edition {edition}, which this code does not know.",
            where=f"ledger entry {number}",
            next_step=f"check out the code that the entry names, {detail['code_version']}, and repeat the command.",
        )
    return {"edition": edition, "language": detail.get("language", "en"), "anchored": detail.get("anchored")}


def _content(conn, run: dict, folder: Path, edition: int) -> dict:
    """What the page shows, but for the ledger's own state; writes the lists that lie beside it."""
    rules = verdict.rules(conn, run)
    before = findings.night_before(conn, run)
    listed = findings.write(conn, run, folder, rules, before=before, edition=edition)
    findings.shorten(listed, rules)
    content = {
        "run": run,
        "before": before,
        "rules": rules,
        "reason_length": 0 if len(rules) > findings.HUGE_BOOK else 300,
        "axes": sorted({rule["axis"] for rule in rules if rule["axis"]}),
        "areas": sorted({rule["area"] for rule in rules if rule["area"]}),
        "counts": verdict.counts(rules),
        "repaired": sorted((r for r in rules if r["found"]), key=lambda r: (r["owner"], -r["found"], r["id"])),
        "failing": [rule for rule in rules if rule["id"] in listed.by_rule],
        "findings": listed,
        "arrivals": delivery.arrivals(conn, run),
        "rejected": delivery.rejected(conn, run),
        "missing": delivery.missing(conn, run),
        "conservation": delivery.conservation(conn, run),
        "withheld": delivery.withheld(conn, run),
        "waivers": verdict.waivers(conn, run),
        "reconciliation": reconciliation.matrix(conn, run, rules),
        "trend": trend.trend(conn, run, rules),
        "expected": expected.content(conn, run, folder, rules),
        "receipts": lineage.receipts(conn, run, folder),
        "evidence": lineage.evidence(settings().home / "evidence", run),
        "published": published.content(conn, run),
        "nights": verdict.nights(conn, run),
    }
    content |= {
        "fill_scores": fill_scores.scores(conn, content["published"]),
        "lineage": lineage.marts(content["published"]),
    }
    if edition > 1:  # an older home has no records of these before its next night
        content |= {
            "partial": published.partial(content["published"]),
            "reproduce": reproduce.content(conn, run, content["published"]),
        }
    return content


def _held_to_the_ledger(
    url: str | Warehouse, run: dict, digests: dict, kind: dict, rebuilt: Path, head_file: Path | None, notes: bool
) -> tuple[int | None, bool]:
    """Number of the ledger's entry of this report, noted now where there is none; True where it was there and agrees."""
    with connect(url) as conn:
        if notes:
            locks.hold(conn, "report")
        noted = _noted(conn, run)
        if noted is None and not notes:
            return None, False
        if noted is None:
            detail = {
                "run_id": run["run_id"],
                "business_date": run["business_date"],
                "code_version": code_version(),
                "sha256": digests,
            } | kind
            number, _ = ledger.append(conn, "report", detail)
    if noted is None:
        ledger.write_head(url, head_file)
        return number, False
    number, detail = noted
    differing = sorted(
        name for name in digests.keys() | detail["sha256"].keys() if digests.get(name) != detail["sha256"].get(name)
    )
    if not differing:
        return number, True
    now, then = code_version(), detail["code_version"]
    raise NotReproduced(
        f"The report of run {run['run_id']} is not the one of ledger entry {number}: {', '.join(differing)}"
        f" {'differs' if len(differing) == 1 else 'differ'}.",
        where=f"{rebuilt}, rebuilt by code {now}; the ledger names code {then}",
        next_step="compare it with the report that was written then: with the same code, records of that run were changed since."
        if now == then
        else "check out the code that the ledger names, and repeat the command.",
    )


def _template(edition: int):
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES[edition]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"count": _count, "number": _number, "instant": _instant, "clip": clip, "share": _share}
    environment.filters |= {"t": _both, "yuan": lambda value: _both(money(value)) if value is not None else "–"}
    environment.globals |= {"Text": Text, "b": lambda en, zh: _both(Text(en, zh)), "plural": plural, "code": code_label}
    return environment.get_template("report.html.j2")


def _both(text: Text | str) -> Markup:
    """A text in both languages, of which the page shows one; one without Chinese as it is."""
    if not isinstance(text, Text) or text == text.zh:
        return escape(str(text))
    return Markup('<span lang="en">{}</span><span lang="zh">{}</span>').format(text.en, text.zh)


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _number(value) -> str:
    """kWh or yuan, two decimals."""
    return "–" if value is None else f"{value:,.2f}"


def _share(value) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _instant(value: datetime | None) -> str:
    return "–" if value is None else value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M:%S")
