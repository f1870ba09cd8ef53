"""What an auditor may rest an opinion on: statements, each with its evidence and whether it holds."""

from __future__ import annotations

from include.report.text import Text, plural

HOLDS, EXCEPTIONS = Text("holds", "成立"), Text("holds with exceptions", "基本成立，有例外")
FAILS, UNKNOWN = Text("does not hold", "不成立"), Text("not shown", "未证明")
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


def _n(content: dict, count: int, one: str, several: str | None = None) -> str:
    """The first edition knew no singular."""
    return f"{count:,} {several or one + 's'}" if content["edition"] == 1 else plural(count, one, several)


def _arrived(content: dict) -> tuple:
    landed, refused, absent = (
        sum(source[name] for source in content["arrivals"]) for name in ("landed", "refused", "absent")
    )
    refusals = _n(content, refused, "delivery", "deliveries")
    en = f"{_n(content, landed, 'table')} landed, {refusals} refused, {_n(content, absent, 'table')} without delivery"
    zh = f"{landed:,} 张表已到，{refused:,} 份交付被拒收，{absent:,} 张表无交付"
    daily = sum(t["is_daily"] and t["state"] != "landed" for source in content["arrivals"] for t in source["tables"])
    if daily:
        en += f", {daily:,} of the latter expected every day"
        zh += f"，后者中 {daily:,} 张应每日交付"
    conclusion = UNKNOWN if not landed else EXCEPTIONS if refused or daily else HOLDS
    statement = Text("What was announced and expected for the date has arrived.", "当日预告和应到的交付均已到达。")
    return statement, Text(en, zh), conclusion, "arrivals"


def _there(content: dict) -> tuple:
    tables = content["expected"]["tables"]
    expected, absent = sum(row["expected"] for row in tables), content["expected"]["total"]
    kinds = f"{len(tables):,} kinds" if content["edition"] == 1 else plural(len(tables), "kind")
    evidence = (
        Text(
            f"{expected:,} readings, bills, contacts, notices and stages expected of {kinds}; {absent:,} absent",
            f"按档案应有 {len(tables):,} 类共 {expected:,} 项，缺 {absent:,} 项",
        )
        if tables
        else Text("not counted: the run did not reach gate 1", "未统计：运行未到达一号闸门")
    )
    conclusion = UNKNOWN if not tables else EXCEPTIONS if absent else HOLDS
    statement = Text("What the archives lead one to expect is there.", "按档案应有的数据均已存在。")
    return statement, evidence, conclusion, "expected"


def _accounted_for(content: dict) -> tuple:
    counted = content["conservation"]
    evidence = Text("not counted: the run was stopped before rows were admitted", "未统计：运行在数据准入之前已停止")
    if counted["rows"]:
        delivered, placed, off = counted["total"]["delivered"], counted["total"]["sum"], len(counted["unbalanced"])
        evidence = Text(
            f"{_n(content, delivered, 'row')} delivered, {placed:,} in exactly one state; {_n(content, off, 'table')} out of balance",
            f"交付 {delivered:,} 行，{placed:,} 行恰处于一种状态；{off:,} 张表不平衡",
        )
    conclusion = UNKNOWN if not counted["rows"] else FAILS if counted["unbalanced"] else HOLDS
    return (
        Text("Every delivered row is accounted for.", "每一行交付数据都有去向。"),
        evidence,
        conclusion,
        "conservation",
    )


def _tested(content: dict) -> tuple:
    counts = content["counts"]
    total, unbalanced = len(content["rules"]), sum(not rule["balances"] for rule in content["rules"])
    silent = counts["not tested"] + counts["not delivered"] + counts["not evaluated"]
    en = f"{total - silent:,} of {total:,} rules tested records, {counts['not tested']:,} had nothing to test"
    zh = f"{total:,} 条规则中 {total - silent:,} 条检验了数据，{counts['not tested']:,} 条无可检验"
    if counts["not delivered"]:
        en += f", {counts['not delivered']:,} rest on tables that are left out"
        zh += f"，{counts['not delivered']:,} 条所依据的表未交付"
    if counts["not evaluated"]:
        en += f", {counts['not evaluated']:,} were not evaluated"
        zh += f"，{counts['not evaluated']:,} 条未执行"
    if unbalanced:
        en += f"; {_n(content, unbalanced, 'rule')} whose passed and failed records are not those tested"
        zh += f"；{unbalanced:,} 条规则的通过数与失败数之和不等于检验数"
    conclusion = FAILS if unbalanced else UNKNOWN if silent == total else EXCEPTIONS if silent else HOLDS
    return (
        Text("Every rule of the book was applied to its whole population.", "规则书的每条规则都已应用于其全部对象。"),
        Text(en, zh),
        conclusion,
        "not-tested" if silent else "rules",
    )


def _right(content: dict) -> tuple:
    run, findings, kept = content["run"], content["findings"], content["withheld"]
    opened = findings.states["open"]
    en = (
        f"{_n(content, opened, 'open finding')}, of {len(content['failing']):,} of the rules;"
        f" {_n(content, kept['quarantined'], 'row')} quarantined and {kept['blocked_by_parent']:,} blocked by a parent, out of the marts"
    )
    zh = (
        f"未关闭问题 {opened:,} 个，涉及 {len(content['failing']):,} 条规则；隔离 {kept['quarantined']:,} 行、"
        f"因上级数据隔离 {kept['blocked_by_parent']:,} 行，均不在集市中"
    )
    if run["blocking"]:
        names = ", ".join(sorted(run["blocking"])[:3])
        en, zh = f"{en}; blocked by {names}", f"{zh}；被 {names} 阻断"
    conclusion = FAILS if run["blocking"] else EXCEPTIONS if opened or kept["total"] else HOLDS
    statement = Text("What the marts rest on is free of known defects.", "集市所依据的数据没有已知缺陷。")
    return statement, Text(en, zh), conclusion, "findings"


def _agree(content: dict) -> tuple:
    lines = content["reconciliation"]["lines"]
    compared = sum(line["compared"] or 0 for line in lines)
    different, absent = (sum(line[name] or 0 for line in lines) for name in ("different", "absent"))
    cny = sum(line["cny"] or 0 for line in lines)
    open_ones = sum(line["findings"] for line in lines)
    evidence = Text(
        f"{_n(content, compared, 'comparison')}, {different:,} different, {absent:,} absent on a side; {cny:,.2f} yuan at stake",
        f"比对 {compared:,} 次，不一致 {different:,} 次，一侧缺失 {absent:,} 次；差错 {cny:,.2f} 元",
    )
    conclusion = UNKNOWN if not compared else EXCEPTIONS if different or absent or open_ones else HOLDS
    statement = Text("Metering, marketing and contract agree.", "计量、营销与合同三方一致。")
    return statement, evidence, conclusion, "reconciliation"


def _waived(content: dict) -> tuple:
    active = [waiver for waiver in content["waivers"] if waiver["state"] == "in force"]
    let_through = sum(waiver["findings"] for waiver in content["waivers"])
    evidence = Text(
        f"{_n(content, len(active), 'waiver')} in force, {_n(content, let_through, 'finding')} let through by them in this run",
        f"有效豁免 {len(active):,} 项，本次放行问题 {let_through:,} 个",
    )
    conclusion = EXCEPTIONS if active or let_through else HOLDS
    return Text("No finding was let through.", "没有问题被放行。"), evidence, conclusion, "waivers"


def _on_record_by_hash(content: dict) -> tuple:
    run, published = content["run"], content["published"]
    is_shown = run["state"] == "published" and published["run"] == run["run_id"]
    code = (run["code_version"] or "unknown")[:12]
    evidence = (
        Text(
            f"{_n(content, len(published['marts']), 'mart')} with their hash, code {code};"
            " for this report nothing was reproduced, the command under Reproduce does that and compares",
            f"{len(published['marts']):,} 张集市表有哈希，代码 {code}；本报告未做重现，“重现”一节的命令会重现并比对",
        )
        if is_shown
        else Text("readers see another run than this one", "读者看到的是另一次运行的结果")
        if published["marts"]
        else Text("nothing is published", "尚未发布")
    )
    statement = Text(
        "What readers see is on record by its hash, which tells whether it is the same when it is reproduced.",
        "读者所见内容以哈希留有记录，重现时可判断是否相同。",
    )
    return statement, evidence, HOLDS if is_shown else UNKNOWN, "published"


def _on_record(content: dict) -> tuple:
    ledger = content["ledger"]
    number, wrong = ledger["entry_no"], len(ledger["problems"])
    evidence = Text(
        f"{_n(content, number, 'entry', 'entries')} verified, {_n(content, wrong, 'problem')}",
        f"已核验台账 {number:,} 条，问题 {wrong:,} 个",
    )
    conclusion = UNKNOWN if not number else FAILS if wrong else HOLDS
    statement = Text(
        "The record of loads, verdicts and decisions is complete and unchanged.",
        "装载、裁决与决定的记录完整且未被改动。",
    )
    return statement, evidence, conclusion, "ledger"
