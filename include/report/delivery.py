"""What was delivered, and where every row of it is now: arrivals, conservation, rejected and withheld rows."""

from __future__ import annotations

import psycopg
from psycopg.rows import dict_row

from include.contracts import load_contracts
from include.report.text import Text

STATES = ("admitted", "waived", "quarantined", "blocked_by_parent", "superseded", "duplicate", "rejected")
LISTED = 200  # rows of one kind on the page; all are in the database


def arrivals(conn: psycopg.Connection, run: dict) -> list[dict]:
    """Per source its tables: the receipts of the business date and of late files, and one line that sums them.

    A late file is dated earlier and landed since the nights of earlier dates. A table without a receipt is listed too, for
    what did not come is what matters. Files that were not read are a list of their own.
    """
    receipts: dict[str, list[dict]] = {}
    unread: dict[str, list[dict]] = {}
    for row in conn.cursor(row_factory=dict_row).execute(
        "select * from quality.receipts where load_id <= %(last)s and (business_date = %(day)s or business_date < %(day)s"
        " and load_id > (select coalesce(max(last_load_id), 0) from quality.runs where business_date < %(day)s))"
        " order by load_id",
        {"day": run["business_date"], "last": run["last_load_id"]},
    ):
        if row["state"] == "ignored":
            unread.setdefault(row["source_name"], []).append(row)
        else:
            receipts.setdefault(row["table_name"], []).append(row)
    counted = ("delivered_rows", "inserted_rows", "duplicate_rows", "rejected_rows", "tombstone_rows")
    sources = []
    for source, tables in load_contracts().items():
        lines = []
        for table in tables.values():
            own = receipts.get(table.name, [])
            refused = [r for r in own if r["state"] == "refused"]
            has_arrived = any(r["business_date"] == run["business_date"] for r in own)
            lines.append(
                {
                    "name": table.name,
                    "is_daily": table.is_daily,
                    "receipts": own,
                    "refused": len(refused),
                    "announced": sum(r["announced_rows"] or 0 for r in own)
                    if any(r["announced_rows"] for r in own)
                    else None,
                    "state": "refused"
                    if refused
                    else "left out"
                    if table.name in run["left_out"]
                    else "landed"
                    if has_arrived
                    else "no delivery",
                    "reason": run["left_out"].get(table.name, ""),
                    **{name: sum(r[name] for r in own) for name in counted},
                }
            )
        lines.sort(key=lambda line: line["state"] != "refused")
        sources.append(
            {
                "name": source,
                "tables": lines,
                "unread": unread.get(source, []),
                "landed": sum(line["state"] == "landed" for line in lines),
                "refused": sum(line["refused"] for line in lines),
                "absent": sum(line["state"] == "no delivery" for line in lines),
                "left_out": sum(line["state"] == "left out" for line in lines),
                **{name: sum(line[name] for line in lines) for name in counted},
            }
        )
    return sources


def rejected(conn: psycopg.Connection, run: dict) -> dict:
    """Rows that did not cast and that no later load answered, by table, column and reason.

    Their values stay in the database: they may be personal.
    """
    rows = (
        conn.cursor(row_factory=dict_row)
        .execute(
            """
        select
            rejected.source_name, rejected.table_name, rejected.column_name, rejected.reason,
            count(*) as rows,
            (array_agg(coalesce(rejected.file_name, rejected.table_name) || coalesce(':' || rejected.file_line, '')
                order by rejected.load_id, rejected.file_line))[1:5] as places
        from quality.rejected_rows as rejected
        inner join quality.receipts as receipts on rejected.load_id = receipts.load_id
        where
            receipts.business_date <= %(day)s
            and rejected.load_id <= %(last)s
            and (rejected.superseded_by is null or rejected.superseded_by > %(last)s)
        group by 1, 2, 3, 4
        order by 1, 2, 3, 4
        """,
            {"day": run["business_date"], "last": run["last_load_id"]},
        )
        .fetchall()
    )
    return {"groups": rows, "total": sum(row["rows"] for row in rows)}


def conservation(conn: psycopg.Connection, run: dict) -> dict:
    """Per table: delivered, and the states that must add up to it. Empty where the run was stopped before it was counted."""
    sums = ", ".join(f"sum({name})::bigint as {name}" for name in STATES)
    rows = (
        conn.cursor(row_factory=dict_row)
        .execute(
            f"select table_name, sum(delivered)::bigint as delivered, {sums} from quality.conservation where run_id = %s"
            " group by table_name order by table_name",
            [run["run_id"]],
        )
        .fetchall()
    )
    sources = {table: source for source, tables in load_contracts().items() for table in tables}
    for row in rows:
        row["source_name"] = sources.get(row["table_name"], "")
        row["sum"] = sum(row[name] for name in STATES)
    rows.sort(
        key=lambda row: (
            list(load_contracts()).index(row["source_name"]) if row["source_name"] else 9,
            row["table_name"],
        )
    )
    total = {name: sum(row[name] for row in rows) for name in ("delivered", *STATES, "sum")}
    return {
        "rows": rows,
        "total": total,
        "unbalanced": [row["table_name"] for row in rows if row["sum"] != row["delivered"]],
    }


def missing(conn: psycopg.Connection, run: dict) -> dict:
    """Rows in force that deliveries left out, per table as the gate saw them, and what was decided since the night before.

    Beside them the tables whose rows in force do not add up; empty where the run was stopped before they were counted.
    """
    cursor = conn.cursor(row_factory=dict_row)
    values = {
        "run": run["run_id"],
        "day": run["business_date"],
        "last": run["last_load_id"],
        "started": run["started_at"],
    }
    open_ones = cursor.execute(
        "select source_name, table_name, severity, observed, expected from quality.violations"
        " where run_id = %(run)s and rule_id = 'PIP-06' order by severity, table_name",
        values,
    ).fetchall()
    decided = cursor.execute(
        """
        select
            table_name, business_date, decision, decided_by, approver, reason, waiver_id, count(*) as rows
        from quality.pending_withdrawals
        where
            decision in ('confirmed', 'denied')
            and case
                when decided_load_id is null  -- a denial makes no load
                    then decided_at <= %(started)s and decided_at > (
                        select coalesce(max(started_at), '-infinity')
                        from quality.runs
                        where business_date < %(day)s and run_id < %(run)s
                    )
                else decided_load_id <= %(last)s and decided_load_id > (
                    select coalesce(max(last_load_id), 0) from quality.runs where business_date < %(day)s and run_id < %(run)s
                )
            end
        group by 1, 2, 3, 4, 5, 6, 7
        order by 1, 2, 3, 4
        """,
        values,
    ).fetchall()
    in_force = cursor.execute(
        "select count(*) as tables, coalesce(sum(before_rows), 0)::bigint as before, coalesce(sum(new_rows), 0)::bigint as new,"
        " coalesce(sum(withdrawn_rows), 0)::bigint as withdrawn, coalesce(sum(in_force_rows), 0)::bigint as in_force,"
        " coalesce(sum(pending_rows), 0)::bigint as pending,"
        " count(*) filter (where in_force_rows <> before_rows + new_rows - withdrawn_rows) as unbalanced"
        " from quality.rows_in_force where run_id = %(run)s",
        values,
    ).fetchone()
    return {"open": open_ones, "decided": decided, "in_force": in_force}


def withheld(conn: psycopg.Connection, run: dict) -> dict:
    """Withheld rows as of the run, grouped by table, state and rules, the first of them, and the values of admitted rows."""
    kept = """(
        select *
        from (
            select distinct on (table_name, raw_id) *
            from quality.quarantine_events
            where run_id <= %(run)s
            order by table_name, raw_id, run_id desc
        ) as latest
        where state in ('quarantined', 'blocked_by_parent')
    ) as kept"""
    cursor = conn.cursor(row_factory=dict_row)
    groups = cursor.execute(
        f"""
        select
            source_name, table_name, state, rule_ids, count(*) as rows,
            sum(energy_at_stake_kwh) as kwh, sum(amount_at_stake_cny) as cny
        from {kept}
        group by 1, 2, 3, 4
        order by state desc, source_name, table_name, rule_ids
        """,
        {"run": run["run_id"]},
    ).fetchall()
    rows = cursor.execute(
        f"select * from {kept} order by state desc, source_name, table_name, raw_id limit {LISTED}",
        {"run": run["run_id"]},
    ).fetchall()
    states = {
        state: sum(g["rows"] for g in groups if g["state"] == state) for state in ("quarantined", "blocked_by_parent")
    }
    values = cursor.execute(
        """
        select table_name, column_name, rule_ids, count(*) as values, count(distinct account_no) as accounts
        from quality.withheld_values
        where from_run <= %(run)s and coalesce(released_run, superseded_run, %(run)s + 1) > %(run)s
        group by table_name, column_name, rule_ids
        order by table_name, column_name, rule_ids
        """,
        {"run": run["run_id"]},
    ).fetchall()
    return {"groups": groups, "rows": rows, "values": values, **states, "total": sum(states.values())}


def tiles(content: dict) -> list[dict]:
    """The figures at the top: as of the run where conservation was counted, else what is known without it."""
    total = content["conservation"]["total"] if content["conservation"]["rows"] else {}
    tonight = sum(source["delivered_rows"] + source["tombstone_rows"] for source in content["arrivals"])
    tested = sum(rule["tested"] or 0 for rule in content["rules"])
    kept = content["withheld"]
    delivered = total.get("delivered")
    note = Text(f"rows so far, {tonight:,} of them for this date", f"累计行数，其中当日 {tonight:,} 行")
    uncounted = Text("not counted: stopped at gate 1", "未统计：止于一号闸门")
    admitted = Text("rows that the warehouse builds on", "仓库所依据的行") if total else uncounted
    rejected = content["rejected"]["total"]
    tiles = [
        (
            Text("delivered", "交付"),
            tonight if delivered is None else delivered,
            "",
            note if total else Text("rows for this date", "当日行数"),
        ),
        (Text("tested", "检验"), tested, "", Text("checks of a record by a rule", "次：一条规则检验一条记录")),
        (Text("admitted", "准入"), total.get("admitted"), "good", admitted),
        (
            Text("quarantined", "隔离"),
            kept["quarantined"],
            "attention",
            Text("rows kept with a finding", "行：因问题暂存"),
        ),
        (
            Text("blocked by parent", "上级数据隔离"),
            kept["blocked_by_parent"],
            "attention",
            Text("rows that refer to a quarantined one", "行：引用了被隔离的行"),
        ),
        (Text("rejected", "拒收"), rejected, "attention", Text("rows that do not cast", "行：类型不符")),
        (
            Text("waived", "豁免"),
            content["findings"].states["waived"],
            "attention",
            Text("findings let through by a named approver", "个问题：由署名批准人放行"),
        ),
    ]
    return [dict(zip(("label", "value", "tone", "note"), tile, strict=True)) for tile in tiles]
