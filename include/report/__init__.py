"""The auditors' report of one run: a single HTML file that opens without network, the complete lists beside it.

`<folder>/<business date>_run_<number>/report.html`, `findings.csv`, `.json`, `.xlsx` and `receipts.csv`. Apart from instants,
the same run gives the same text.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.database import connect
from include.errors import UsageError
from include.report import delivery, findings, lineage, opinion, published, reconciliation, trend, verdict
from include.report.text import clip
from include.settings import TIMEZONE, settings

TEMPLATES = Path(__file__).parent


def write_report(url: str, run_id: int | None = None, folder: Path = Path(), head_file: Path | None = None) -> Path:
    """Write the report of a run (the newest without `run_id`) and return the path of its HTML file.

    Raises UsageError where there is no such run.
    """
    with connect(url) as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        run = verdict.run(conn, run_id)
        if run is None:
            raise UsageError(
                f"There is no run {run_id}." if run_id else "There is no run yet.",
                where="quality.runs",
                next_step="./kaw run makes one; ./kaw status shows the last.",
            )
        target = Path(folder) / f"{run['business_date']}_run_{run['run_id']}"
        target.mkdir(parents=True, exist_ok=True)
        rules = verdict.rules(conn, run)
        listed = findings.write(conn, run, target, rules)
        findings.shorten(listed, rules)
        content = {
            "run": run,
            "rules": rules,
            "reason_length": 0 if len(rules) > findings.HUGE_BOOK else 300,
            "axes": sorted({rule["axis"] for rule in rules if rule["axis"]}),
            "areas": sorted({rule["area"] for rule in rules if rule["area"]}),
            "counts": verdict.counts(rules),
            "failing": [rule for rule in rules if rule["id"] in listed.by_rule],
            "findings": listed,
            "arrivals": delivery.arrivals(conn, run),
            "rejected": delivery.rejected(conn, run),
            "conservation": delivery.conservation(conn, run),
            "kept_back": delivery.kept_back(conn, run),
            "waivers": verdict.waivers(conn, run),
            "reconciliation": reconciliation.matrix(conn, run, rules),
            "trend": trend.trend(conn, run, rules),
            "receipts": lineage.receipts(conn, run, target),
            "evidence": lineage.evidence(settings().home / "evidence", run),
            "published": published.content(url),
        }
        content["lineage"] = lineage.marts(conn, content["published"]["marts"])
    content["ledger"] = published.ledger_state(url, head_file)
    content["tiles"] = delivery.tiles(content)
    content["summary"] = verdict.summary(content)
    content["statements"] = opinion.statements(content)
    content["written_at"] = datetime.now(TIMEZONE)
    path = target / "report.html"
    partial = path.with_suffix(".html.partial")
    partial.write_text(_template().render(content), encoding="utf-8")
    partial.replace(path)
    return path


def _template():
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"count": _count, "number": _number, "instant": _instant, "clip": clip, "share": _share}
    return environment.get_template("report.html.j2")


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _number(value) -> str:
    """kWh or yuan, two decimals."""
    return "–" if value is None else f"{value:,.2f}"


def _share(value) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _instant(value: datetime | None) -> str:
    return "–" if value is None else value.astimezone(TIMEZONE).strftime("%Y-%m-%d %H:%M:%S")
