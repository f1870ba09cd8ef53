"""Defects in the contract system, and between it and marketing."""

from __future__ import annotations

from datetime import timedelta

from include.lab.defects.scene import Defect, Scene
from include.lab.simulator.accounts import Account, uscc_of
from include.lab.simulator.contracts import contract_number

# What is compared with the version in force on a day; a defect of its validity hides all of these.
_COMPARED = frozenset({"c.valid", "c.cap", "c.tariff", "c.voltage", "c.name", "c.supply", "c.standard"})


def contract_row(scene: Scene, a: Account) -> int:
    """The row of the version in force."""
    return scene.edit.find("con_contract", contract_no=contract_number(a), status="EFFECTIVE")[0]


def _spoil(code: str, column: str, rules: list[str], new_value, scene: Scene, a: Account) -> None:
    row = contract_row(scene, a)
    scene.note(code, "con_contract", row, column, rules)
    scene.edit.set("con_contract", row, **{column: new_value})


def _capacity(scene: Scene, a: Account, number: int) -> None:
    _spoil("X4", "contract_cap_kva", ["XSR-06", "CON-07"], a.contract_cap + 500, scene, a)


def _tariff(scene: Scene, a: Account, number: int) -> None:
    _spoil("X5", "tariff_code", ["XSR-09"], "GSY-010" if a.tariff != "GSY-010" else "NY-010", scene, a)


def _voltage(scene: Scene, a: Account, number: int) -> None:
    _spoil("X6", "voltage_level", ["XSR-12"], "AC35kV" if a.voltage != "AC35kV" else "AC10kV", scene, a)


def _name(scene: Scene, a: Account, number: int) -> None:
    _spoil("X7", "party_b_name", ["XSR-13"], f"示范更名企业第{a.number + 7001}分厂", scene, a)
    scene.edit.set("con_contract", contract_row(scene, a), uscc=uscc_of(a.number + 500_000))


def _expired(scene: Scene, a: Account, number: int) -> None:
    """The contract ended a month before the last bill and nobody renewed it."""
    row = contract_row(scene, a)
    bills = scene.edit.find("mkt_bill", cons_no=a.cons_no)
    month = max(scene.edit.value("mkt_bill", r, "bill_month") for r in bills)
    last = [r for r in bills if scene.edit.value("mkt_bill", r, "bill_month") == month]
    end = scene.edit.value("mkt_bill", last[0], "read_from") - timedelta(days=1)
    for bill in last:
        if scene.edit.value("mkt_bill", bill, "status") != "REVERSED":
            scene.note("X8", "mkt_bill", bill, "bill_month", ["XSR-14"])
    if a.voltage != "AC380V" and end - scene.edit.value("con_contract", row, "valid_from") < timedelta(days=364):
        scene.note("X8", "con_contract", row, "valid_to", ["CON-03"])  # so young a contract has had too short a term
    scene.edit.set("con_contract", row, valid_to=end, auto_renew=False)


def _unsigned(scene: Scene, a: Account, number: int) -> None:
    """Nobody ever signed the contract by which the account is billed."""
    for bill in scene.edit.find("mkt_bill", cons_no=a.cons_no):
        if scene.edit.value("mkt_bill", bill, "status") != "REVERSED":
            scene.note("X8", "mkt_bill", bill, "bill_month", ["XSR-14"])
    scene.edit.set("con_contract", contract_row(scene, a), signed_on=None)


def _scan(scene: Scene, a: Account, number: int) -> None:
    """No scan at all, or the first pages of one."""
    row = contract_row(scene, a)
    scene.note("CON-04", "con_contract", row, "scan_file_id", ["CON-04"])
    missing = {"scan_file_id": None, "scan_pages": None, "page_hash": None}
    scene.edit.set("con_contract", row, **({"scan_pages": 2} if number % 3 == 2 else missing))


def _supply(scene: Scene, a: Account, number: int) -> None:
    feeders = [
        f for f in scene.edit.table("met_feeder")["feeder_no"].to_pylist() if f.startswith("10F") and f != a.main_feeder
    ]
    _spoil("X10", "supply_mode", ["XSR-16"], "DUAL_CIRCUIT", scene, a)
    scene.edit.set("con_contract", contract_row(scene, a), backup_feeder_no=feeders[number % len(feeders)])


def _signed_late(scene: Scene, a: Account, number: int) -> None:
    late = a.connect_on + timedelta(days=20 + number)
    _spoil("X15", "signed_on", ["XSR-22"], late, scene, a)
    scene.edit.set("con_contract", contract_row(scene, a), valid_from=late)
    for bill in scene.edit.find("mkt_bill", cons_no=a.cons_no):
        month, status = (scene.edit.value("mkt_bill", bill, column) for column in ("bill_month", "status"))
        if month < f"{late:%Y%m}" and status != "REVERSED":
            scene.note("X15", "mkt_bill", bill, "bill_month", ["XSR-14"])


def _twice(scene: Scene, a: Account, number: int) -> None:
    row = contract_row(scene, a)
    scene.note("CON-01", "con_contract", row, "contract_no", ["CON-01"])
    scene.edit.copy("con_contract", row, scan_file_id=f"SC{a.cons_no}D", page_hash=f"{a.number:064d}", scan_pages=9)


def _ends_before_start(scene: Scene, a: Account, number: int) -> None:
    rules = ["CON-02"] if a.voltage == "AC380V" else ["CON-02", "CON-03"]  # terms are prescribed at high voltage
    _spoil("CON-02", "valid_to", rules, a.connect_on - timedelta(days=30), scene, a)


def _boundary(scene: Scene, a: Account, number: int) -> None:
    _spoil("P", "property_boundary", ["CON-06"], ("/", "无", "同上")[number % 3], scene, a)


def _demand(scene: Scene, a: Account, number: int) -> None:
    """Contract demand under 40 % of the capacity, in both systems alike."""
    below = a.contract_cap * 3 // 10
    _spoil("CON-08", "contract_md_kw", ["CON-08"], below, scene, a)
    for row in scene.edit.find("mkt_tariff_assign", cons_no=a.cons_no):
        scene.edit.set("mkt_tariff_assign", row, contract_md_kw=below)


def _standard(scene: Scene, a: Account, number: int) -> None:
    """A works of the large industry with the power-factor standard of a farm, in both systems alike."""
    row = scene.edit.find("mkt_tariff_assign", cons_no=a.cons_no)[0]
    scene.note("I", "mkt_tariff_assign", row, "pf_standard", ["MKT-16"])
    scene.edit.set("mkt_tariff_assign", row, pf_standard="0.80")
    scene.edit.set("con_contract", contract_row(scene, a), pf_standard="0.80")


def _is_plain(scene: Scene, a: Account) -> bool:
    """One version, one source, high voltage."""
    return a.has_fixed_terms and a.backup_feeder is None and a.voltage != "AC380V"


def _was_in_force_at_close(scene: Scene, a: Account) -> bool:
    """The version in force was so when the last month closed, and a tariff is compared of then."""
    starts = scene.edit.value("con_contract", contract_row(scene, a), "valid_from")
    return starts < scene.simulation.business_date.replace(day=1)


def _is_small(scene: Scene, a: Account) -> bool:
    return a.number not in scene.key_accounts and a.has_fixed_terms


def _renews(scene: Scene, a: Account) -> bool:
    return _is_small(scene, a) and scene.edit.value("con_contract", contract_row(scene, a), "auto_renew")


CLASSES = [
    Defect(
        "X4",
        frozenset({"c.cap"}),
        _capacity,
        0.01,
        lambda s, a: _is_plain(s, a) and a.terms[0].basic_mode != "BY_CONTRACT_MD",
    ),
    Defect("X5", frozenset({"c.tariff"}), _tariff, 0.005, _was_in_force_at_close),
    Defect("X6", frozenset({"c.voltage"}), _voltage, 0.002, _is_plain),
    Defect("X7", frozenset({"c.name"}), _name, 0.02),
    Defect("X8", _COMPARED | {"bill"}, _expired, 0.01, _is_small),
    Defect("X8 unsigned", frozenset({"c.valid", "bill"}), _unsigned, 0.0, _is_plain),
    Defect("X10", frozenset({"c.supply"}), _supply, 0.003, lambda s, a: _is_plain(s, a) and a.voltage == "AC10kV"),
    Defect("X15", frozenset({"c.valid"}), _signed_late, 0.01, _is_plain),
    Defect("CON-01", _COMPARED | {"c.demand", "c.boundary", "c.scan"}, _twice, 0.0, lambda s, a: a.has_fixed_terms),
    Defect("CON-02", _COMPARED, _ends_before_start, 0.0, _renews),
    Defect("P boundary", frozenset({"c.boundary"}), _boundary, 0.0, _is_plain),
    Defect("CON-04", frozenset({"c.scan"}), _scan, 0.0, lambda s, a: a.has_fixed_terms),
    Defect(
        "CON-08",
        frozenset({"c.demand"}),
        _demand,
        0.0,
        lambda s, a: a.has_fixed_terms and a.terms[0].basic_mode == "BY_CONTRACT_MD",
    ),
    Defect(
        "I standard",
        frozenset({"c.standard"}),
        _standard,
        0.0,
        lambda s, a: _is_plain(s, a) and a.kind.cons_class == "LARGE_IND" and a.contract_cap > 160,
    ),
]
