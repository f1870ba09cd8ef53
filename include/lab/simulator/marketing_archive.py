"""Archives of the marketing system: organisations, customers, contacts, points, installations, tariffs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa

from include.lab.simulator import tables
from include.lab.simulator.accounts import ORG_AREAS, ORGS
from include.lab.simulator.energy import Energy
from include.lab.simulator.hashing import uniform
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.registers import rolled
from include.lab.simulator.world import World

_FOUNDED = date(2016, 1, 4)
_WEEKDAYS = ("星期一", "星期二", "星期三", "星期四", "星期五", "星期六", "星期日")
_PREFIXES = ("139", "158", "186", "135", "177", "152", "181", "137")
_DEPARTMENTS = {
    "D01": "合成营业厅",
    "D02": "合成业扩方案班",
    "D03": "合成客户工程班",
    "D04": "合成合同管理班",
    "D05": "合成装表接电班",
    "D06": "合成客服工单班",
    "D07": "合成配电抢修班",
    "D09": "合成施工单位",
}
FORM_ORGS = (1, 2)
WEEKLY_ORG = 2
_TRIAL_UNIT = f"U{ORGS[4]}CON"  # delivers, but nobody has found it fit yet
_FRIDAY = 4


def form_day(org: int, day: date) -> date:
    """The first day, from `day` on, on which the unit of an organisation writes its forms: one does so on Fridays."""
    return day + timedelta(days=(_FRIDAY - day.weekday()) % 7) if org == WEEKLY_ORG else day


def build_marketing_archive(world: World, energy: Energy, business_date: np.datetime64) -> dict[str, pa.Table]:
    """The in-place and validity tables about customers, as they stand on the business date."""
    today = business_date.item()
    return {
        "mkt_org": _orgs(),
        "mkt_customer": _customers(world, today),
        "mkt_contact": _contacts(world),
        "mkt_account": _settlement_accounts(world, today),
        "mkt_transformer": _transformers(world, today),
        "mkt_mp": _points(world),
        "mkt_meter_install": _installs(world, energy, business_date),
        "mkt_tariff_assign": _tariffs(world, today),
        "mkt_access_list": _access_list(today),
        "mkt_supply_security": _supply_security(world),
        "mkt_service_tier": _service_tiers(world, today),
        "mkt_department": _departments(),
    }


def _orgs() -> pa.Table:
    rows = [
        {"org_no": "31", "org_name": "合成省电力公司", "urban_rural": "URBAN"},
        {"org_no": "3101", "org_name": "合成市供电公司", "parent_org_no": "31", "urban_rural": "URBAN"},
    ]
    rows += [
        {"org_no": org, "org_name": f"合成第{n}供电所", "parent_org_no": "3101", "urban_rural": area}
        for n, (org, area) in enumerate(zip(ORGS, ORG_AREAS, strict=True), 1)
    ]
    return tables.from_rows("marketing", "mkt_org", [r | {"src_updated_at": at_evening(_FOUNDED)} for r in rows])


def _departments() -> pa.Table:
    rows = [
        {"dept_no": number, "dept_name": name, "org_no": "3101", "valid_from": _FOUNDED}
        for number, name in _DEPARTMENTS.items()
    ]
    return tables.from_rows("marketing", "mkt_department", [r | {"src_updated_at": at_evening(_FOUNDED)} for r in rows])


def _customers(world: World, today: date) -> pa.Table:
    rows = []
    for a in world.accounts:
        holder = a.holder_on(today)
        changes = [a.growth_on or a.connect_on, *(day for span in a.suspensions for day in span), holder.since]
        changed = max([day for day in changes if day <= today], default=a.connect_on)
        rows.append(
            {
                "cons_no": a.cons_no,
                "cons_name": holder.name,
                "uscc": holder.uscc,
                "legal_rep": holder.legal_rep,
                "addr": f"合成市示范{a.org + 1}区工业大道{a.number + 1}号",
                "org_no": ORGS[a.org],
                "industry_code": a.kind.industry_code,
                "cons_class": a.kind.cons_class,
                "voltage_level": a.voltage,
                "contract_cap_kva": a.cap_on(today),
                "running_cap_kva": a.running_on(today),
                "importance": a.importance,
                "load_property": a.kind.load_property,
                "urban_rural": ORG_AREAS[a.org],
                "status": "NORMAL",
                "open_date": a.signed_on,
                "connect_date": a.connect_on,
                "shift_mode": a.kind.shift_mode,
                "factory_rest_day": None if a.rest_day is None else _WEEKDAYS[a.rest_day],
                "src_updated_at": at_evening(changed, a.number),
            }
        )
    return tables.from_rows("marketing", "mkt_customer", rows)


def mobile_number(number: int) -> str:
    """A mobile number of its own for each number below 10^8, without long runs of one digit."""
    tail = (number * 7_920_013 + 31_415_927) % 10**8
    return _PREFIXES[number % len(_PREFIXES)] + f"{tail:08d}"


def _contacts(world: World) -> pa.Table:
    rows = []
    for a in world.accounts:
        roles = ["LEGAL", "ELECTRICAL", "FINANCE"] + (["DISPATCH"] if a.importance != "NONE" else [])
        for n, role in enumerate(roles):
            rows.append(
                {
                    "cons_no": a.cons_no,
                    "contact_role": role,
                    "contact_name": f"合成联系人{a.number * 4 + n + 1:04d}",
                    "mobile": mobile_number(a.number * 4 + n),
                    "phone": f"021-6{(a.number * 4 + n) * 7129 % 10**7:07d}",
                    "email": f"contact{a.number * 4 + n + 1:05d}@example.com",
                    "is_primary_contact": n == 1,
                    "src_updated_at": at_evening(a.connect_on, a.number + n),
                }
            )
    return tables.from_rows("marketing", "mkt_contact", rows)


def _settlement_accounts(world: World, today: date) -> pa.Table:
    modes = ("BANK_WITHHOLD", "TRANSFER", "ONLINE", "COUNTER")
    rows = []
    for a in world.accounts:
        payer = world.accounts[a.payer].holder_on(today)
        is_new = payer is not world.accounts[a.payer].holders[0]
        rows.append(
            {
                "acct_no": a.acct_no,
                "cons_no": a.cons_no,
                "payer_name": payer.name,
                "bank_acct": f"6228{payer.number * 104_729 + 310_101_907_153:015d}",
                "tax_no": payer.uscc,
                "pay_mode": modes[a.payer % 4],
                "bill_cycle": "MONTHLY",
                "installments": 1,
                "src_updated_at": at_evening(payer.since if is_new else a.connect_on, a.number + 3),
            }
        )
    return tables.from_rows("marketing", "mkt_account", rows)


def _transformers(world: World, today: date) -> pa.Table:
    rows = []
    for a in world.accounts:
        for t in a.transformers:
            states = [(t.run_from, "RUN")] + ([(t.sealed_from, "SEALED")] if t.sealed_from else [])
            if t is a.transformers[-1]:
                states += [state for start, end in a.suspensions for state in ((start, "STOP"), (end, "RUN"))]
            # a later state of the same day takes the place of an earlier one
            states = [state for state in dict(states).items() if state[0] <= today]
            for n, (start, state) in enumerate(states):
                end = states[n + 1][0] if n + 1 < len(states) else None
                rows.append(
                    {
                        "tran_no": t.tran_no,
                        "cons_no": a.cons_no,
                        "cap_kva": t.cap_kva,
                        "primary_backup": t.duty,
                        "state_from": start,
                        "state_to": end - timedelta(days=1) if end else None,
                        "state": state,
                        "src_updated_at": at_evening(end or start, a.number),
                    }
                )
    return tables.from_rows("marketing", "mkt_transformer", rows)


def _points(world: World) -> pa.Table:
    p, rows = world.points, []
    for i, key in enumerate(p.key.tolist()):
        if not p.is_first[i]:
            continue
        a = world.accounts[p.account[i]]
        rows.append(
            {
                "mp_no": p.mp_no[i],
                "valid_from": a.connect_on,
                "cons_no": a.cons_no,
                "mp_role": str(p.role[i]),
                "parent_mp_no": p.parent[i],
                "split_method": "METERED" if p.parent[i] else "NONE",
                "metering_side": str(p.side[i]),
                "voltage_level": a.voltage,
                "terminal_no": world.terminal_no[a.number],
                "feeder_no": str(p.feeder[i]),
                "tg_no": a.tg_no,
                "tran_no": p.tran_no[i],
                "src_updated_at": at_evening(a.connect_on, key + 13),
            }
        )
    return tables.from_rows("marketing", "mkt_mp", rows)


def _installs(world: World, energy: Energy, business_date: np.datetime64) -> pa.Table:
    """One row for each meter that a point has had; that of a meter that gave way to another has its last readings."""
    p, rows = world.points, []
    rates = {"total": "T", **{rate.lower(): rate for rate in ("SHARP", "PEAK", "FLAT", "VALLEY", "DEEP")}}
    zero = {f"install_reading_{rate}": 0 for rate in rates}
    last = {f"remove_reading_{rate}": rolled(world, energy.last_registers[name]) for rate, name in rates.items()}
    for i, key in enumerate(p.key.tolist()):
        a, begin = world.accounts[p.account[i]], p.begin[i].item()
        if not p.is_first[i] and begin > business_date.item():
            continue
        removed = p.taken_away_on(i, business_date)
        rows.append(
            {
                "mp_no": p.mp_no[i],
                "meter_asset_no": p.meter_no[i],
                "install_date": begin,
                "cons_no": a.cons_no,
                **zero,
                "remove_date": removed,
                **{name: Decimal(int(units[i])).scaleb(-4) if removed else None for name, units in last.items()},
                "ct_ratio": float(p.ct[i]),
                "pt_ratio": float(p.pt[i]),
                "multiplier": float(p.ct[i] * p.pt[i]),
                "work_order_no": f"WO{key + 500_000_000 * (not p.is_first[i]):09d}",
                "src_updated_at": at_evening(removed or begin, key + 17),
            }
        )
    return tables.from_rows("marketing", "mkt_meter_install", rows)


def _tariffs(world: World, today: date) -> pa.Table:
    p, rows = world.points, []
    for i in np.flatnonzero((p.role == "BILLING") & p.is_first).tolist():
        a = world.accounts[p.account[i]]
        terms = [t for t in a.terms if t.since <= today]
        for n, term in enumerate(terms):
            end = terms[n + 1].since if n + 1 < len(terms) else None
            rows.append(
                {
                    "cons_no": a.cons_no,
                    "mp_no": p.mp_no[i],
                    "valid_from": term.since,
                    "valid_to": end - timedelta(days=1) if end else None,
                    "tariff_code": a.tariff,
                    "basic_mode": term.basic_mode,
                    "contract_md_kw": term.contract_md,
                    "pf_standard": a.pf_standard,
                    "is_tou": a.is_tou,
                    "src_updated_at": at_evening(end or term.since, a.number + 19),
                }
            )
    return tables.from_rows("marketing", "mkt_tariff_assign", rows)


def _access_list(today: date) -> pa.Table:
    trial_since = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)  # each quarter it is decided on anew
    rows = []
    for n, org in enumerate(ORGS):
        for source in ("METERING", "MARKETING", "CONTRACT"):
            unit = f"U{org}{source[:3]}"
            is_form = n in FORM_ORGS and source == "MARKETING"
            is_trial = unit == _TRIAL_UNIT
            qualified = date(2022, 3 + n, 1)
            rows.append(
                {
                    "unit_no": unit,
                    "org_no": org,
                    "source": source,
                    "access_mode": "FORM" if is_form else "AUTO",
                    "qualified_on": None if is_form or is_trial else qualified,
                    "expected_freq_hours": 168 if is_form and n == WEEKLY_ORG else 24,
                    "submitter": f"F{org}1" if is_form else None,
                    "checker": f"F{org}2" if is_form else None,
                    "src_updated_at": at_evening(trial_since if is_trial else qualified, n),
                }
            )
    return tables.from_rows("marketing", "mkt_access_list", rows)


def _supply_security(world: World) -> pa.Table:
    rows = []
    for a in world.accounts:
        if a.importance == "NONE" and a.number % 20 not in (0, 2, 3):
            continue
        rows.append(
            {
                "cons_no": a.cons_no,
                "sensitive_load_kva": a.contract_cap // 20,
                "ups_kva": a.contract_cap // 40,
                "outage_cost_yuan": a.contract_cap * 35,
                "diagram_no": f"DG{a.cons_no}",
                "emergency_plan_no": f"EP{a.cons_no}",
                "src_updated_at": at_evening(a.connect_on, a.number + 23),
            }
        )
    return tables.from_rows("marketing", "mkt_supply_security", rows)


def _service_tiers(world: World, today: date) -> pa.Table:
    """The tiers given by size and importance; one in eight of these accounts changes its tier in a year.

    Small works with a project of the city are strategic accounts while it lasts, for a part of a year; none of the first twenty.
    """
    rows = []
    for a in world.accounts:
        tier = {0: "T1", 1: "T1", 2: "T2", 3: "T2", 8: "T3"}.get(a.number % 20)
        if not tier:
            continue
        start = date(2023, 1, 1) + timedelta(days=a.number % 90)
        spans = [(start, tier)]
        for year in range(2024, today.year + 1):
            share, when = uniform(world.seed, "tier", a.number, year, np.arange(2)).tolist()
            if tier == "T3" and a.number % 20 == 8 and a.number >= 20:
                if share < 0.5:
                    begin = date(year, 2 + int(when * 4), 1)
                    spans += [(begin, "T1"), (begin.replace(month=begin.month + 3 + int(share * 6)), "T3")]
            elif share < 0.125:
                tier = {"T1": "T2", "T2": "T1" if share < 0.06 else "T3", "T3": "T2"}[tier]
                spans.append((date(year, 1, 15) + timedelta(days=int(when * 330)), tier))
        spans = [span for span in spans if span[0] <= today]
        for n, (start, tier) in enumerate(spans):
            end = spans[n + 1][0] if n + 1 < len(spans) else None
            rows.append(
                {
                    "cons_no": a.cons_no,
                    "valid_from": start,
                    "valid_to": end - timedelta(days=1) if end else None,
                    "tier": tier,
                    "assessed_on": start - timedelta(days=5),
                    "assessor_no": f"E{(a.number + n) % 7 + 1:03d}",
                    "assess_reason": f"按规模与重要性评定为{tier}(合成{a.number + 1})"
                    if n == 0
                    else f"年度复评调整为{tier}(合成{a.number + 1})",
                    "src_updated_at": at_evening(end or start, a.number),
                }
            )
    return tables.from_rows("marketing", "mkt_service_tier", rows)
