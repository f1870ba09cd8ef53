"""A trace as `./kaw trace` prints it: the row, its version, what it was made of, source rows, loads, rules, findings."""

from __future__ import annotations

from collections import Counter

from include.records.tables import print_rows
from include.report.trace import LAYERS
from include.report.trace_sources import LISTED


def print_trace(found: dict) -> None:
    if "candidates" in found:
        print_rows(found["grain"], [list(row.values()) for row in found["candidates"]])
        shown = f", the first {LISTED} shown" if found["total"] > LISTED else ""
        print(
            f"{found['total']:,} rows of {found['mart']} fit{shown}. Next: give a whole key, {', '.join(found['grain'])}."
        )
        return
    version, run = found["version"], found["run"]
    print(f"marts.{found['mart']}")
    print_rows(["column", "value"], [[name, value] for name, value in found["row"].items()])
    pinned = f", pinned by {version['pinned_by']}: {version['pinned_reason']}" if version["pinned_by"] else ""
    print(
        f"\nVersion {version['version']} of {version['published_month']:%Y-%m}, hash {version['hash']}, {version['rows']:,} rows,"
        f" ledger entry {version['ledger_entry']}{pinned}\n"
        f"As known by run {run['run_id']} of {run['business_date']}, code {run['code_version']}\n\nMade from"
    )
    for layer in reversed(LAYERS[:-1]):
        if found["lineage"]["layers"][layer]:
            print(f"  {layer:<13} {', '.join(found['lineage']['layers'][layer])}")
    loads = {load["load_id"]: load for load in found["loads"]}
    print("\nSource rows")
    for source in found["sources"]:
        of = "" if source["by"] == "read whole" else f" by {source['by']}"
        window = f", {source['window']}" if source["window"] else ""
        count = f"{source['total']:,} row{'' if source['total'] == 1 else 's'}"
        print(f"  {source['table']}: {count}{of or ' in all, read whole'}{window}")
        for row in source["rows"]:
            load = loads[row["load_id"]]
            place = (load["file_name"] or f"{load['source_name']} database") + (
                f":{row['line']}" if row["line"] else ""
            )
            kept = "" if row["state"] == "admitted" else f"  {row['state']} by {', '.join(row['rule_ids'])}"
            print(f"    {_short(row['key'])}  {place}, load {row['load_id']}{kept}")
        if source["rows"] and source["total"] > LISTED:
            print(f"    and {source['total'] - LISTED:,} more")
    print("\nLoads")
    print_rows(
        ["load", "table", "business date", "file", "sha256", "ledger entry"],
        [
            [
                x["load_id"],
                x["table_name"],
                x["business_date"],
                x["file_name"],
                (x["content_sha256"] or "")[:16],
                x["ledger_entry"],
            ]
            for x in found["loads"]
        ],
    )
    verdicts = Counter(rule["verdict"] or "not judged" for rule in found["rules"])
    print(
        f"\nRules over these tables and the mart: {', '.join(f'{n} {verdict}' for verdict, n in sorted(verdicts.items()))}"
    )
    notable = [rule for rule in found["rules"] if rule["verdict"] in ("failed", "waived")]
    if notable:
        print_rows(
            ["rule", "verdict", "tested", "failed", "sentence"],
            [[r["rule_id"], r["verdict"], r["tested_rows"], r["failed_rows"], r["sentence"]] for r in notable],
        )
    print(f"\nFindings on these rows or this account: {len(found['findings']) or 'none'}")
    if found["findings"]:
        names = ("rule_id", "severity", "state", "table_name", "record_key", "column_name", "observed", "expected")
        print_rows(list(names), [[finding[name] for name in names] for finding in found["findings"][:LISTED]])


def _short(key: dict) -> str:
    return ", ".join(f"{name}={value}" for name, value in key.items())
