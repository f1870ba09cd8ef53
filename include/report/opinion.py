"""What an auditor may rest an opinion on: statements, each with its evidence and whether it holds."""

from __future__ import annotations

HOLDS, EXCEPTIONS, FAILS, UNKNOWN = "holds", "holds with exceptions", "does not hold", "not shown"
TONES = {HOLDS: "good", EXCEPTIONS: "attention", FAILS: "bad", UNKNOWN: "quiet"}


def statements(content: dict) -> list[dict]:
    """`[{statement, evidence, conclusion, tone, section}]`; what was not examined is *not shown*, never *holds*."""
    made = [
        _arrived(content),
        _there(content),
        _accounted_for(content),
        _tested(content),
        _right(content),
        _agree(content),
        _waived(content),
        _on_record_by_hash(content),
        _on_record(content),
    ]
    return [
        dict(zip(("statement", "evidence", "conclusion", "section"), s, strict=True), tone=TONES[s[2]]) for s in made
    ]


def _arrived(content: dict) -> tuple:
    landed, refused, absent = (
        sum(source[name] for source in content["arrivals"]) for name in ("landed", "refused", "absent")
    )
    evidence = f"{landed:,} tables landed, {refused:,} deliveries refused, {absent:,} tables without delivery"
    daily = sum(t["is_daily"] and t["state"] != "landed" for source in content["arrivals"] for t in source["tables"])
    if daily:
        evidence += f", {daily:,} of the latter expected every day"
    conclusion = UNKNOWN if not landed else EXCEPTIONS if refused or daily else HOLDS
    return "What was announced and expected for the date has arrived.", evidence, conclusion, "arrivals"


def _there(content: dict) -> tuple:
    tables = content["expected"]["tables"]
    expected, absent = sum(row["expected"] for row in tables), content["expected"]["total"]
    evidence = (
        f"{expected:,} readings, bills, contacts, notices and stages expected of {len(tables):,} kinds; {absent:,} absent"
        if tables
        else "not counted: the run did not reach gate 1"
    )
    conclusion = UNKNOWN if not tables else EXCEPTIONS if absent else HOLDS
    return "What the archives lead one to expect is there.", evidence, conclusion, "expected"


def _accounted_for(content: dict) -> tuple:
    counted = content["conservation"]
    evidence = (
        f"{counted['total']['delivered']:,} rows delivered, {counted['total']['sum']:,} in exactly one state;"
        f" {len(counted['unbalanced']):,} tables out of balance"
        if counted["rows"]
        else "not counted: the run was stopped before rows were admitted"
    )
    conclusion = UNKNOWN if not counted["rows"] else FAILS if counted["unbalanced"] else HOLDS
    return "Every delivered row is accounted for.", evidence, conclusion, "conservation"


def _tested(content: dict) -> tuple:
    counts = content["counts"]
    total, unbalanced = len(content["rules"]), sum(not rule["balances"] for rule in content["rules"])
    silent = counts["not tested"] + counts["not evaluated"]
    evidence = f"{total - silent:,} of {total:,} rules tested records, {counts['not tested']:,} had nothing to test"
    if counts["not evaluated"]:
        evidence += f", {counts['not evaluated']:,} were not evaluated"
    if unbalanced:
        evidence += f"; {unbalanced:,} rules whose passed and failed records are not those tested"
    conclusion = FAILS if unbalanced else UNKNOWN if silent == total else EXCEPTIONS if silent else HOLDS
    return (
        "Every rule of the book was applied to its whole population.",
        evidence,
        conclusion,
        "not-tested" if silent else "rules",
    )


def _right(content: dict) -> tuple:
    run, findings, kept = content["run"], content["findings"], content["withheld"]
    evidence = (
        f"{findings.states['open']:,} open findings, of {len(content['failing']):,} of the rules;"
        f" {kept['quarantined']:,} rows quarantined and {kept['blocked_by_parent']:,} blocked by a parent, out of the marts"
    )
    if run["blocking"]:
        evidence += f"; blocked by {', '.join(sorted(run['blocking'])[:3])}"
    conclusion = FAILS if run["blocking"] else EXCEPTIONS if findings.states["open"] or kept["total"] else HOLDS
    return "What the marts rest on is free of known defects.", evidence, conclusion, "findings"


def _agree(content: dict) -> tuple:
    lines = content["reconciliation"]["lines"]
    compared = sum(line["compared"] or 0 for line in lines)
    different, absent = (sum(line[name] or 0 for line in lines) for name in ("different", "absent"))
    cny = sum(line["cny"] or 0 for line in lines)
    open_ones = sum(line["findings"] for line in lines)
    evidence = (
        f"{compared:,} comparisons, {different:,} different, {absent:,} absent on a side; {cny:,.2f} yuan at stake"
    )
    conclusion = UNKNOWN if not compared else EXCEPTIONS if different or absent or open_ones else HOLDS
    return "Metering, marketing and contract agree.", evidence, conclusion, "reconciliation"


def _waived(content: dict) -> tuple:
    active = [waiver for waiver in content["waivers"] if waiver["state"] == "in force"]
    let_through = sum(waiver["findings"] for waiver in content["waivers"])
    evidence = f"{len(active):,} waivers in force, {let_through:,} findings let through by them in this run"
    return "No finding was let through.", evidence, EXCEPTIONS if active or let_through else HOLDS, "waivers"


def _on_record_by_hash(content: dict) -> tuple:
    run, published = content["run"], content["published"]
    is_shown = run["state"] == "published" and published["run"] == run["run_id"]
    evidence = (
        f"{len(published['marts']):,} marts with their hash, code {(run['code_version'] or 'unknown')[:12]};"
        " for this report nothing was reproduced, the command under Reproduce does that and compares"
        if is_shown
        else "readers see another run than this one"
        if published["marts"]
        else "nothing is published"
    )
    statement = "What readers see is on record by its hash, which tells whether it is the same when it is reproduced."
    return statement, evidence, HOLDS if is_shown else UNKNOWN, "published"


def _on_record(content: dict) -> tuple:
    ledger = content["ledger"]
    evidence = f"{ledger['entry_no']:,} entries verified, {len(ledger['problems']):,} problems"
    conclusion = UNKNOWN if not ledger["entry_no"] else FAILS if ledger["problems"] else HOLDS
    return "The record of loads, verdicts and decisions is complete and unchanged.", evidence, conclusion, "ledger"
