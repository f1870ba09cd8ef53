"""The overview's words in English and Chinese: one sentence a chart, what codes mean is in the marts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from include.profiles import left_out
from include.report.overview_data import Overview, Part
from include.report.text import Text, money, plural

TITLES = {
    "portfolio": Text("Portfolio", "客户组合"),
    "risk": Text("Risk by yuan", "流失风险与收入"),
    "supply": Text("Supply quality", "供电质量"),
    "connections": Text("Connections waiting", "在途业扩"),
    "data": Text("Data quality", "数据质量"),
    "load": Text("Load of one account", "典型客户负荷"),
}
NOTHING = Text("Nothing is published about it yet.", "尚无已发布的数据。")

RESTS_ON = {  # the tables without which a part is empty
    "portfolio": ("mkt_bill",),
    "risk": ("mkt_bill",),
    "supply": ("met_power_event", "met_supply_outage"),
    "connections": ("mkt_application",),
    "data": ("met_interval_96",),
    "load": ("met_interval_96", "mkt_bill"),
}


def percent(share: Decimal | float, digits: int = 1) -> str:
    """Never 100 where something is missing: it is cut, not rounded."""
    scale = 10**digits
    return f"{int(Decimal(share) * 100 * scale) / Decimal(scale):.{digits}f} %"


def month(day: date) -> Text:
    return Text(f"{day:%B %Y}", f"{day.year}年{day.month}月")


def sentences(overview: Overview) -> dict[str, Text]:
    """Chart -> what it says in one sentence, with names and figures."""
    made = {
        "portfolio": _portfolio,
        "risk": _risk,
        "supply": _supply,
        "connections": _connections,
        "data": _data,
        "load": _load,
    }
    found = {name: getattr(overview, name) for name in made}
    return {name: made[name](part) if part.facts else _why_nothing(name) for name, part in found.items()}


def _why_nothing(name: str) -> Text:
    left = [table for table in RESTS_ON[name] if table in left_out()]
    if not left:
        return NOTHING
    tables = ", ".join(left)
    return Text(f"Not delivered: {tables}, left out by the profile.", f"未交付：配置中未纳入 {tables}。")


def _portfolio(part: Part) -> Text:
    facts = part.facts
    revenue, when = money(facts["revenue_cny"]), month(facts["month"])
    share = percent(facts["first_share"])
    entered, left = len(facts["entered"]), len(facts["left"])
    named = ", ".join([*facts["entered"][:3], *facts["left"][:3]])
    named = f" ({named})" if named else ""
    moved = f"{entered} entered and {left} left" if entered or left else "none entered or left"
    return Text(
        f"{facts['first']:,} of {facts['ranked']:,} accounts bring {share} of {revenue.en} in twelve months;"
        f" {plural(facts['key_accounts'], 'is a key account', 'are key accounts')}, {moved} with {when.en}{named}.",
        f"{facts['ranked']:,} 户中的 {facts['first']:,} 户贡献了近十二个月 {revenue.zh}收入的 {share}；大客户共 {facts['key_accounts']:,} 户，"
        f"{when.zh}进入 {entered} 户、退出 {left} 户{named}。",
    )


def called(row: dict) -> str:
    """An account or organisation by its name and number."""
    number = row.get("account_no") or row.get("org_no") or "–"
    return f"{row['name']} ({number})" if row["name"] else number


def _risk(part: Part) -> Text:
    facts = part.facts
    revenue, first = money(facts["revenue_cny"]), facts["first"]
    driver = first["churn_driver_1_label"]
    if first["churn_driver_1"] == "DAYS_TO_END" and first["days_to_end"] is not None:
        until = first["days_to_end"]
        driver = Text(f"its agreement ends in {plural(until, 'day')}", f"协议 {until} 天后到期")
    return Text(
        f"The {plural(facts['accounts'], 'key account')} with the highest churn score bring{'s' if facts['accounts'] == 1 else ''}"
        f" {revenue.en} a year; first {called(first)}: score {first['churn_score']:.0f}, {driver.en}.",
        f"流失评分最高的 {facts['accounts']} 户大客户年收入合计 {revenue.zh}；首位 {called(first)}："
        f"评分 {first['churn_score']:.0f}，主因{driver.zh}。",
    )


def _supply(part: Part) -> Text:
    facts = part.facts
    lowest = facts["lowest"]
    en, zh = [], []
    if "month" in facts:
        when = month(facts["month"])
        en.append(
            f"{when.en}: {plural(facts['only_meter'], 'interruption was', 'interruptions were')} seen by the meters alone,"
            f" {facts['only_supply']:,} by the supply side alone, {facts['matched']:,} by both"
        )
        zh.append(
            f"{when.zh}：仅电表发现的停电 {facts['only_meter']:,} 次，仅供电侧记录 {facts['only_supply']:,} 次，双方一致 {facts['matched']:,} 次"
        )
    if lowest:
        en.append(f"the meters' lowest reliability is {lowest['customer']:.3f} %, at {called(lowest)}")
        zh.append(f"电表侧可靠率最低为 {called(lowest)} 的 {lowest['customer']:.3f} %")
    return Text("; ".join(en) + ".", "；".join(zh) + "。")


def _connections(part: Part) -> Text:
    facts = part.facts
    longest = facts["longest"]
    stage = longest["last_stage_code_label"]
    days = longest["total_working_days"] or 0
    return Text(
        f"{plural(facts['open'], 'application is', 'applications are')} open, {facts['late']:,} past the utility's clock; the longest,"
        f" {longest['application_no']}, takes {plural(days, 'working day')} and is at the stage of {stage.en}.",
        f"在途申请 {facts['open']:,} 件，其中 {facts['late']:,} 件超出供电企业时限；最久的 {longest['application_no']}"
        f" 已历时 {days} 个工作日，处于{stage.zh}环节。",
    )


def _data(part: Part) -> Text:
    facts = part.facts
    when, share = month(facts["month"]), percent(Decimal(facts["arrived"]) / facts["expected"], 2)
    first = facts["shown_rules"][0] if facts["shown_rules"] else None
    most = Text(f", most by {first['rule_id']}", f"，最多的是 {first['rule_id']}") if first else Text("", "")
    return Text(
        f"{share} of {facts['expected']:,} readings expected in {when.en} arrived;"
        f" {plural(facts['findings'], 'finding is', 'findings are')} open{most.en}.",
        f"{when.zh}应采 {facts['expected']:,} 点，到达 {share}；未关闭问题 {facts['findings']:,} 个{most.zh}。",
    )


def _load(part: Part) -> Text:
    facts = part.facts
    peak = facts["peak"]
    advice, saving = facts["advice_code_label"], money(facts["saving_cny"] or 0)
    could = (
        Text(f"; best advice: {advice.en}, {saving.en} that month", f"；最优建议：{advice.zh}，当月可节省 {saving.zh}")
        if facts["advice_code"]
        else Text("", "")
    )
    return Text(
        f"{called(facts)} differs most from the {facts['cluster_accounts']:,} accounts that work alike: its working day"
        f" peaks at {peak['hour']:02}:00 with {peak['own']:.2f} times its mean{could.en}.",
        f"{called(facts)} 与同类 {facts['cluster_accounts']:,} 户差异最大：工作日 {peak['hour']:02}:00 达到峰值，"
        f"为其均值的 {peak['own']:.2f} 倍{could.zh}。",
    )
