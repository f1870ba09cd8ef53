"""The contract system: supply contracts with annexes and amendments."""

from __future__ import annotations

from datetime import date, timedelta
from hashlib import sha256

import numpy as np
import pyarrow as pa

from include.lab.simulator import stages, tables
from include.lab.simulator.accounts import Account
from include.lab.simulator.applications import increase_number, increase_schedule, rename_number
from include.lab.simulator.hashing import uniform
from include.lab.simulator.metering_archive import at_evening
from include.lab.simulator.points import Points
from include.lab.simulator.world import World


def contract_number(account: Account) -> str:
    return f"HT{account.cons_no}"


def _years_later(day: date, years: int) -> date:
    return date(day.year + years, day.month, min(day.day, 28)) - timedelta(days=1)


def versions(account: Account, today: date) -> list[tuple[int, date, date, str]]:
    """(version, first day, last day, status) of the versions of a contract in force by `today`."""
    years = 5 if account.number % 10 == 4 else 10
    end = account.closed_on - timedelta(days=1) if account.leaves_at_term else _years_later(account.connect_on, years)
    first = (account.connect_on, end)
    starts = [account.growth_on] if account.growth_on else [terms.since for terms in account.terms[1:]]
    starts = [account.story.changes_contract_on] if account.story.changes_contract_on else starts
    starts = [first[0], *(start for start in starts if start <= today)]
    return [
        (n, start, starts[n] - timedelta(days=1), "AMENDED")
        if n < len(starts)
        else (n, start, first[1] if n == 1 else _years_later(start, 8), "EFFECTIVE")
        for n, start in enumerate(starts, 1)
    ]


def _changes(account: Account, points: Points, rows: list[int], version: int) -> list[tuple[str, str, str]]:
    """Field, old and new value of what a version changed; `rows` are the meters of the account's points."""
    if account.story.new_owner_on:
        old, new = account.holders
        return [("party_b_name", old.name, new.name), ("uscc", old.uscc, new.uscc)]
    if account.story.changes_contract_on:
        old, new = (f"{points.ct[row]:.6f}" for row in rows[:2])
        return [("ct_ratio", old, new)]
    if account.growth_on:
        return [("contract_cap_kva", f"{account.contract_cap:.2f}", f"{account.contract_cap + account.growth_kva:.2f}")]
    old, new = account.terms[version - 2], account.terms[version - 1]
    if old.basic_mode != new.basic_mode:
        return [("basic_mode", old.basic_mode, new.basic_mode)]
    return [("contract_md_kw", f"{old.contract_md:.2f}", f"{new.contract_md:.2f}")]


def build_contracts(world: World, business_date: np.datetime64) -> dict[str, pa.Table]:
    """con_contract, con_amendment, con_transformer_annex and con_metering_annex."""
    today = business_date.item()
    contracts, amendments, transformers, metering = [], [], [], []
    points_of: dict[int, list[int]] = {}
    for i, account in enumerate(world.points.account.tolist()):
        points_of.setdefault(account, []).append(i)
    for a in world.accounts:
        for version, start, end, status in versions(a, today):
            booked = a.signed_on if version == 1 else start
            key = {
                "contract_no": contract_number(a),
                "version": version,
                "src_updated_at": at_evening(booked, a.number),
            }
            listed = [t for t in a.transformers if t.run_from <= start]
            there = [i for i in points_of[a.number] if world.points.is_there(i, np.datetime64(start))]
            contracts.append(_contract(world, a, there, version, start, end, status, today))
            transformers += [
                key | {"seq": n, "cap_kva": t.cap_kva, "model": f"S20-{t.cap_kva}", "primary_backup": t.duty}
                for n, t in enumerate(listed, 1)
            ]
            metering += [
                key
                | {
                    "seq": n,
                    "mp_no": world.points.mp_no[i],
                    "meter_asset_no": world.points.meter_no[i],
                    "ct_ratio": float(world.points.ct[i]),
                    "pt_ratio": float(world.points.pt[i]),
                    "accuracy": "0.2S",
                }
                for n, i in enumerate(there, 1)
            ]
            signed = _amendment_signed(world, a, start) if version > 1 else None
            is_signed = signed is not None and signed <= today
            amendments += [
                {
                    "amend_no": f"AM{a.cons_no}{version - 1}",
                    "contract_no": contract_number(a),
                    "version": version,
                    "field_name": field,
                    "old_value": old,
                    "new_value": new,
                    "effective_on": start,
                    "signed_on": signed if is_signed else None,
                    "app_no": increase_number(a) if a.growth_on else rename_number(a) if a.story.new_owner_on else None,
                    "src_updated_at": at_evening(max(start, signed) if is_signed else start, a.number),
                }
                for field, old, new in (_changes(a, world.points, points_of[a.number], version) if version > 1 else [])
            ]
    build = lambda name, rows: tables.from_rows("contract", name, rows)  # noqa: E731
    return {
        "con_contract": build("con_contract", contracts),
        "con_amendment": build("con_amendment", amendments),
        "con_transformer_annex": build("con_transformer_annex", transformers),
        "con_metering_annex": build("con_metering_annex", metering),
    }


def _amendment_signed(world: World, a: Account, start: date) -> date | None:
    """When an amendment was signed: with the agreement, in one of six cases weeks after it took effect, and now and then never."""
    draw = float(uniform(world.seed, "amendment", a.number, start.toordinal()))
    if draw < 0.10:
        return None
    if draw < 0.27:
        return start + timedelta(days=int(draw * 150))
    if a.growth_on:
        return stages.end_of(increase_schedule(world.seed, a), "AGREEMENT")
    return start - timedelta(days=9)


def _contract(
    world: World, a: Account, points: list[int], version: int, start: date, end: date, status: str, today: date
) -> dict:
    p = world.points
    is_high = a.voltage != "AC380V"
    has_mandate = a.number % 5 < 2
    deposit = a.contract_cap * 20
    terms, holder = a.terms_on(start), a.holder_on(start)
    changed = max([a.signed_on, *(begun for _, begun, *_ in versions(a, today)[1:])])
    return {
        "contract_no": contract_number(a),
        "version": version,
        "cons_no": a.cons_no,
        "party_a": "合成市供电公司",
        "party_b_name": holder.name,
        "uscc": holder.uscc,
        "signer": f"合成签约人{a.number + 1:04d}" if has_mandate else holder.legal_rep,
        "signer_mandate_no": f"SQ{a.cons_no}" if has_mandate else None,
        "kind": "HV" if is_high else "LV",
        "signed_on": a.signed_on,
        "valid_from": start,
        "valid_to": end,
        "auto_renew": a.number % 10 not in (2, 6, 8) and not a.leaves_at_term,
        "status": status,
        "voltage_level": a.voltage,
        "supply_mode": a.supply_mode,
        "main_feeder_no": a.main_feeder,
        "backup_feeder_no": a.backup_feeder,
        "interlock": "MECH" if a.backup_feeder else "NONE",
        "property_boundary": f"{a.main_feeder}线路{a.number % 60 + 1}号杆T接点" if is_high else "低压出线开关负荷侧",
        "contract_cap_kva": a.contract_cap + (a.growth_kva if a.growth_on and version == 2 else 0),
        "contract_md_kw": terms.contract_md,
        "basic_mode": terms.basic_mode,
        "tariff_code": a.tariff,
        "pf_standard": a.pf_standard,
        "is_tou": a.is_tou,
        "metering_point_cnt": len(points),
        "ct_ratio": float(p.ct[points[0]]),
        "pt_ratio": float(p.pt[points[0]]),
        "metering_side": a.side,
        "loss_bearing": "用电人",
        "self_gen_kva": a.self_gen_kva,
        "security_load_kva": a.security_kva,
        "importance": a.importance,
        "settle_day": 1,
        "installments": 1,
        "pay_term_days": 20,
        "penalty_rate": "0.002",
        "deposit_yuan": deposit if a.number % 4 == 0 else 0,
        "guarantee_kind": "保证金" if a.number % 4 == 0 else "信用",
        "guarantee_yuan": deposit if a.number % 4 == 0 else 0,
        "scan_file_id": f"SC{a.cons_no}{version}",
        "scan_pages": 12 + a.number % 9,
        "page_hash": sha256(f"synthetic {a.cons_no} {version}".encode()).hexdigest(),
        "src_updated_at": at_evening(changed, a.number),
    }
