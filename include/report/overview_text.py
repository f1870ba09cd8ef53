"""The overview's words in English and Chinese: one sentence a chart, and what the codes in it mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from include.report.overview_data import Overview, Part


@dataclass(frozen=True)
class Text:
    """Words in both languages."""

    en: str
    zh: str

    def of(self, language: str) -> str:
        return getattr(self, language)


DRIVERS = {
    "CAPACITY_REDUCTIONS": Text("capacity suspended or reduced", "减容或暂停"),
    "COMPLAINTS": Text("complaints", "投诉"),
    "DAYS_TO_END": Text("agreement ends soon", "协议临近到期"),
    "ENERGY_YOY": Text("less energy than a year before", "电量同比下降"),
    "LATE_PAYMENTS": Text("late payments", "逾期缴费"),
    "MANAGER_CHANGES": Text("manager changed", "客户经理更换"),
    "OUTAGES": Text("outages", "停电"),
    "PRICE_SPREAD": Text("cheaper in the market", "市场价更低"),
    "SATISFACTION_DROP": Text("less satisfied", "满意度下降"),
    "SELF_GENERATION": Text("own generation", "自发自用"),
    "VOLTAGE_OK": Text("voltage out of band", "电压不合格"),
}
STAGES = {
    "ACCEPT": Text("acceptance", "业务受理"),
    "VERIFY": Text("site survey", "现场勘查"),
    "SCHEME": Text("supply scheme", "供电方案答复"),
    "DESIGN_REVIEW": Text("design review", "设计审查"),
    "BUILD": Text("construction", "受电工程施工"),
    "MID_CHECK": Text("check during construction", "中间检查"),
    "FINAL_CHECK": Text("final check", "竣工检验"),
    "AGREEMENT": Text("supply agreement", "供用电合同签订"),
    "METER_ENERGISE": Text("metering and energising", "装表接电"),
    "ARCHIVE": Text("archiving", "归档"),
}
ADVICE = {
    "BASELOAD": Text("lower the load at rest", "降低基础负荷"),
    "MD_REDUCE": Text("lower the maximum demand", "降低最大需量"),
    "MODE_SWITCH": Text("pay the basic charge another way", "改变基本电费计收方式"),
    "PF_UP": Text("raise the power factor", "提高功率因数"),
    "REACH_260": Text("reach 260 kWh per kVA", "达到每千伏安260千瓦时"),
    "SHIFT_VALLEY": Text("move load into the valley", "移峰填谷"),
    "SUSPEND_TRAN": Text("suspend a transformer", "暂停变压器"),
}
TITLES = {
    "portfolio": Text("Portfolio", "客户组合"),
    "risk": Text("Risk by yuan", "流失风险与收入"),
    "supply": Text("Supply quality", "供电质量"),
    "connections": Text("Connections waiting", "在途业扩"),
    "data": Text("Data quality", "数据质量"),
    "load": Text("Load of one account", "典型客户负荷"),
}
NOTHING = Text("Nothing is published about it yet.", "尚无已发布的数据。")


def label(words: dict[str, Text], code: str | None) -> Text:
    """A code without a word is shown as it is."""
    return words.get(code or "", Text(code or "", code or ""))


def money(value: Decimal | float) -> Text:
    """Yuan to three figures, in the units that each language counts by."""
    number = float(value)
    en = next((f"{_three(number / unit)} {name}" for unit, name in _ENGLISH if abs(number) >= unit), f"{number:,.0f}")
    zh = next((f"{_three(number / unit)} {name}" for unit, name in _CHINESE if abs(number) >= unit), f"{number:,.0f} ")
    return Text(f"{en} yuan", f"{zh}元")


_ENGLISH = ((1e9, "billion"), (1e6, "million"))
_CHINESE = ((1e8, "亿"), (1e4, "万"))


def _three(number: float) -> str:
    digits = max(0, 3 - len(str(int(abs(number)))))
    return f"{number:,.{digits}f}"


def percent(share: Decimal | float, digits: int = 1) -> str:
    """Never 100 where something is missing: it is cut, not rounded."""
    scale = 10**digits
    return f"{int(Decimal(share) * 100 * scale) / Decimal(scale):.{digits}f} %"


def month(day: date) -> Text:
    return Text(f"{day:%B %Y}", f"{day.year}年{day.month}月")


def plural(count: int, one: str, several: str | None = None) -> str:
    return f"{count:,} {one if count == 1 else several or one + 's'}"


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
    return {name: made[name](part) if part.facts else NOTHING for name, part in found.items()}


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
    driver = label(DRIVERS, first["churn_driver_1"])
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
    stage = label(STAGES, longest["last_stage_code"])
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
    advice, saving = label(ADVICE, facts["advice_code"]), money(facts["saving_cny"] or 0)
    could = (
        Text(f"; to {advice.en} would have saved {saving.en} that month", f"；若{advice.zh}，当月可节省 {saving.zh}")
        if facts["advice_code"]
        else Text("", "")
    )
    return Text(
        f"{called(facts)} differs most from the {facts['cluster_accounts']:,} accounts that work alike: its working day"
        f" peaks at {peak['hour']:02}:00 with {peak['own']:.2f} times its mean{could.en}.",
        f"{called(facts)} 与同类 {facts['cluster_accounts']:,} 户差异最大：工作日 {peak['hour']:02}:00 达到峰值，"
        f"为其均值的 {peak['own']:.2f} 倍{could.zh}。",
    )
