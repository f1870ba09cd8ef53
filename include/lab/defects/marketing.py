"""Defects in the marketing system: customers, contacts, applications, tickets, installations and bills."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from include.lab.defects.contract import contract_row
from include.lab.defects.scene import Defect, Scene
from include.lab.simulator.accounts import Account
from include.lab.simulator.marketing_archive import mobile_number
from include.lab.simulator.points import CT_SERIES

_RECENT_DAYS = 30
_ZONE = ZoneInfo("Asia/Shanghai")
_CENT = Decimal("0.01")


def _customer(scene: Scene, a: Account) -> int:
    return scene.edit.find("mkt_customer", cons_no=a.cons_no)[0]


def _spoil_customer(code: str, column: str, rules: list[str], value, scene: Scene, a: Account) -> None:
    row = _customer(scene, a)
    scene.note(code, "mkt_customer", row, column, rules)
    scene.edit.set("mkt_customer", row, **{column: value})


def _spoil_contact(code: str, role: str, column: str, rules: list[str], value, scene: Scene, a: Account) -> None:
    row = scene.edit.find("mkt_contact", cons_no=a.cons_no, contact_role=role)[0]
    scene.note(code, "mkt_contact", row, column, rules)
    scene.edit.set("mkt_contact", row, **{column: value})


def _placeholder_mobile(scene: Scene, a: Account, number: int) -> None:
    """The usual ones, four times each at most: a number of five customers is a defect of its own; then one digit eight times."""
    usual = ("13800000000", "13800138000", "18888888888")
    mobile = usual[number % 3] if number < 12 else f"1{3 + number // 10 % 7}{number // 70 % 10}" + str(number % 10) * 8
    _spoil_contact("P", "LEGAL", "mobile", ["MKT-06"], mobile, scene, a)


def _placeholder_email(scene: Scene, a: Account, number: int) -> None:
    _spoil_contact("P", "FINANCE", "email", ["MKT-06"], "1@1.com", scene, a)


def _placeholder_name(scene: Scene, a: Account, number: int) -> None:
    _spoil_customer("P", "cons_name", ["MKT-03"], ("无", "不详", "1")[number % 3], scene, a)


def _placeholder_date(scene: Scene, a: Account, number: int) -> None:
    _spoil_customer(
        "P", "open_date", ["MKT-11"], (date(1900, 1, 1), date(1970, 1, 1), date(2000, 1, 1))[number % 3], scene, a
    )


def _placeholder_capacity(scene: Scene, a: Account, number: int) -> None:
    """A capacity that nobody measured; the contract still has the true one.

    Large industry gets 999 kVA, so that its tariff terms stay those of its class.
    """
    small = a.kind.cons_class != "LARGE_IND" and a.terms[0].basic_mode == "NONE"
    _spoil_customer("P", "contract_cap_kva", ["MKT-10"], (1, 111, 11)[number % 3] if small else 999, scene, a)
    scene.note("P", "con_contract", contract_row(scene, a), "contract_cap_kva", ["XSR-06"])


def _shared_mobile(scene: Scene, a: Account, number: int) -> None:
    _spoil_contact("C", "ELECTRICAL", "mobile", ["MKT-07"], mobile_number(77_345_677), scene, a)


def _shared_address(scene: Scene, a: Account, number: int) -> None:
    _spoil_customer("C", "addr", ["MKT-08"], "合成市示范1区共用大道1号", scene, a)


def _instant_stage(scene: Scene, a: Account, number: int) -> None:
    """A survey on site that began and ended in the same second."""
    row = scene.edit.find("mkt_app_stage", app_no=f"AP{a.cons_no}N", stage="VERIFY")[0]
    scene.note("C", "mkt_app_stage", row, "end_at", ["MKT-31"])
    scene.edit.set("mkt_app_stage", row, end_at=scene.edit.value("mkt_app_stage", row, "start_at"))


def _accepted_late(scene: Scene, a: Account, number: int) -> None:
    row = scene.edit.find("mkt_application", app_no=f"AP{a.cons_no}N")[0]
    scene.note("I", "mkt_application", row, "accepted_at", ["MKT-12"])
    late = a.connect_on + timedelta(days=40 + number)
    scene.edit.set("mkt_application", row, accepted_at=datetime(late.year, late.month, late.day, 10, 15, tzinfo=_ZONE))


def _closed(scene: Scene, a: Account, number: int) -> None:
    _spoil_customer("X9", "status", ["XSR-15"], "CLOSED", scene, a)
    scene.edit.set("mkt_customer", _customer(scene, a), close_date=scene.simulation.business_date - timedelta(days=40))


def _customer_twice(scene: Scene, a: Account, number: int) -> None:
    row = _customer(scene, a)
    scene.note("MKT-01", "mkt_customer", row, "cons_no", ["MKT-01"])
    scene.edit.copy("mkt_customer", row, addr=f"合成市示范{a.org + 1}区复制大道{a.number + 9001}号")


def _unknown_channel(scene: Scene, a: Account, number: int) -> None:
    row = _closed_tickets(scene, a)[0]
    scene.note("MKT-13", "mkt_ticket", row, "channel", ["MKT-13"])
    scene.edit.set("mkt_ticket", row, channel=("微信", "95598热线", "柜台")[number % 3])


def _orphan_meter(scene: Scene, a: Account, number: int) -> None:
    rows = scene.edit.find("mkt_meter_install", mp_no=scene.mp(a))
    point = scene.edit.find("met_measuring_point", mp_no=scene.mp(a))[0]
    scene.note("X1", "met_measuring_point", point, "meter_asset_no", ["XSR-01"])
    scene.edit.delete("mkt_meter_install", rows)


def _other_ratio(scene: Scene, a: Account, number: int) -> None:
    """Marketing kept the ratio of the old current transformers."""
    row = scene.edit.find("mkt_meter_install", mp_no=scene.mp(a))[0]
    point = scene.edit.find("met_measuring_point", mp_no=scene.mp(a))[0]
    ratio = scene.edit.value("mkt_meter_install", row, "ct_ratio")
    wrong = float(next(p // 5 for p in CT_SERIES if p // 5 > ratio) if ratio < 400 else 300)
    scene.note("X3", "met_measuring_point", point, "ct_ratio", ["XSR-03"])
    pt_ratio = scene.edit.value("mkt_meter_install", row, "pt_ratio")
    scene.edit.set("mkt_meter_install", row, ct_ratio=wrong, multiplier=wrong * pt_ratio)


def _shared_meter(scene: Scene, a: Account, number: int) -> None:
    """For twelve days long ago, the meter of this account also stood at another customer."""
    other = next(
        b for b in scene.world.accounts[a.number + 1 :] + scene.world.accounts[: a.number] if b.number != a.number
    )
    row = scene.edit.find("mkt_meter_install", mp_no=scene.mp(a))[0]
    start = max(a.connect_on, other.connect_on) + timedelta(days=100)
    change = {"mp_no": scene.mp(other), "install_date": start}
    scene.note("X16", "mkt_meter_install", row, "meter_asset_no", ["XSR-23"])
    scene.note(
        "X16", "mkt_meter_install", row, "meter_asset_no", ["XSR-23"], **{**change, "install_date": start.isoformat()}
    )
    readings = {f"remove_reading_{rate}": 10 for rate in ("total", "sharp", "peak", "flat", "valley", "deep")}
    scene.edit.copy(
        "mkt_meter_install",
        row,
        **change,
        cons_no=other.cons_no,
        remove_date=start + timedelta(days=12),
        work_order_no=f"WOX{a.number:08d}",
        **readings,
    )


def recent_bill(scene: Scene, a: Account) -> int | None:
    """The newest bill, if it was issued in the days that are compared again, and was paid without penalty."""
    since = scene.simulation.business_date - timedelta(days=_RECENT_DAYS)
    rows = [
        r
        for r in scene.edit.find("mkt_bill", cons_no=a.cons_no)
        if scene.edit.value("mkt_bill", r, "issued_on") >= since
    ]
    if not rows:
        return None
    row = max(rows, key=lambda r: scene.edit.value("mkt_bill", r, "issued_on"))
    return None if scene.edit.find("mkt_penalty", bill_no=scene.edit.value("mkt_bill", row, "bill_no")) else row


def _wrong_sum(scene: Scene, a: Account, number: int) -> None:
    row = recent_bill(scene, a)
    scene.note("MKT-21", "mkt_bill", row, "total_charge", ["MKT-21"])
    scene.edit.set("mkt_bill", row, total_charge=scene.edit.value("mkt_bill", row, "total_charge") + Decimal("0.37"))


def _wrong_percent(scene: Scene, a: Account, number: int) -> None:
    """A percentage that is not in the table, carried through to the total."""
    row = recent_bill(scene, a)
    value = lambda column: scene.edit.value("mkt_bill", row, column)  # noqa: E731
    percent = value("pf_adj_pct") + Decimal("0.37")
    charge = (value("pf_adj_base") * percent / 100).quantize(_CENT, ROUND_HALF_UP)
    scene.note("MKT-23", "mkt_bill", row, "pf_adj_pct", ["MKT-23"])
    scene.edit.set(
        "mkt_bill",
        row,
        pf_adj_pct=percent,
        pf_adj_charge=charge,
        total_charge=value("total_charge") + charge - value("pf_adj_charge"),
    )


def _wrong_demand(scene: Scene, a: Account, number: int) -> None:
    row = recent_bill(scene, a)
    scene.note("X13", "mkt_bill", row, "md_actual_kw", ["XSR-19"])
    scene.edit.set("mkt_bill", row, md_actual_kw=scene.edit.value("mkt_bill", row, "md_actual_kw") * Decimal("1.2"))


def _wrong_energy(scene: Scene, a: Account, number: int) -> None:
    """A quarter more energy on one line than the register shows; the line itself, its reading and its charge, fits."""
    bill = scene.edit.value("mkt_bill", recent_bill(scene, a), "bill_no")
    row = max(
        scene.edit.find("mkt_bill_line", bill_no=bill), key=lambda r: scene.edit.value("mkt_bill_line", r, "kwh_billed")
    )

    def value(column: str) -> Decimal:
        return scene.edit.value("mkt_bill_line", row, column)

    more = value("kwh_read") * Decimal("0.25")
    billed = value("kwh_billed") + more
    scene.note("X11", "mkt_bill_line", row, "kwh_billed", ["XSR-17"])
    scene.edit.set(
        "mkt_bill_line",
        row,
        curr_reading=(value("curr_reading") + more / Decimal(value("multiplier"))).quantize(Decimal("0.0001")),
        kwh_read=value("kwh_read") + more,
        kwh_billed=billed,
        charge=(billed * value("price")).quantize(_CENT, ROUND_HALF_UP),
    )


def _closed_tickets(scene: Scene, a: Account) -> list[int]:
    """Closed tickets that no survey names."""
    rows = scene.edit.find("mkt_ticket", cons_no=a.cons_no)
    return [
        r
        for r in rows
        if scene.edit.value("mkt_ticket", r, "closed_at") is not None
        and not scene.edit.find("mkt_survey", ticket_no=scene.edit.value("mkt_ticket", r, "ticket_no"))
    ]


def _pays_alone(scene: Scene, a: Account) -> bool:
    """Customers of one payer may share a number or an address."""
    return a.payer == a.number


def _is_new(scene: Scene, a: Account) -> bool:
    return a.number % 3 == 0


def _may_lose_capacity(scene: Scene, a: Account) -> bool:
    return a.has_fixed_terms and a.backup_feeder is None and a.voltage in ("AC10kV", "AC380V")


def _has_bill(scene: Scene, a: Account) -> bool:
    return recent_bill(scene, a) is not None


_CUSTOMER = frozenset({"customer"})
CLASSES = [
    Defect("P mobile", frozenset({"contact legal"}), _placeholder_mobile, 0.002),
    Defect("P email", frozenset({"contact finance"}), _placeholder_email, 0.002),
    Defect("P name", _CUSTOMER | {"c.name"}, _placeholder_name),
    Defect("P date", _CUSTOMER, _placeholder_date),
    Defect("P capacity", _CUSTOMER | {"c.cap"}, _placeholder_capacity, 0.0, _may_lose_capacity),
    Defect("C mobile", frozenset({"contact electrical"}), _shared_mobile, 0.0, _pays_alone, least=5),
    Defect("C address", _CUSTOMER, _shared_address, 0.0, _pays_alone),
    Defect("C stage", frozenset({"stage"}), _instant_stage, 0.0, _is_new),
    Defect("I application", frozenset({"application"}), _accepted_late, 0.0, _is_new),
    Defect("X9", _CUSTOMER | {"application"}, _closed, 0.001),
    Defect("MKT-01", _CUSTOMER, _customer_twice),
    Defect("MKT-13", frozenset({"ticket"}), _unknown_channel, 0.0, lambda s, a: bool(_closed_tickets(s, a))),
    Defect("X1", frozenset({"install", "point"}), _orphan_meter, 0.003),
    Defect("X3", frozenset({"install", "point"}), _other_ratio, 0.003),
    Defect("X16", frozenset({"install"}), _shared_meter, 0.001),
    Defect("MKT-21", frozenset({"bill"}), _wrong_sum, 0.0, _has_bill),
    Defect("MKT-23", frozenset({"bill"}), _wrong_percent, 0.0, _has_bill),
    Defect("X13", frozenset({"bill"}), _wrong_demand, 0.003, _has_bill),
    Defect("X11", frozenset({"line"}), _wrong_energy, 0.003, _has_bill),
]
