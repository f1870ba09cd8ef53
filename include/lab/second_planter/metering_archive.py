"""用电信息采集, archives: feeders, meters, points and instrument transformers as somebody typed, re-hung or forgot them."""

from __future__ import annotations

from datetime import date, timedelta

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, UNNAMED, Kind, slip

A_YEAR = timedelta(days=365)


def _is_running(row) -> bool:
    return row["status"] == "RUNNING"


def _is_in_use(row) -> bool:
    return row["remove_ts"] is None and row["meter_asset_no"] is not None


def _marketing_point(desk: Desk, row) -> tuple[dict, ...]:
    return tuple(r.key for r in desk.find("mkt_mp", mp_no=row["mp_no"]))


def _installation(desk: Desk, row) -> tuple[dict, ...]:
    return tuple(r.key for r in desk.find("mkt_meter_install", meter_asset_no=row["meter_asset_no"]))


def _other_meter_at_comm_address(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_measuring_point", _is_in_use):
        other = next(
            r
            for r in desk.shuffled(kind, "met_measuring_point", {})
            if r["comm_addr"] != row["comm_addr"] and _is_in_use(r)
        )
        desk.spoil(kind, row, (other.key,), comm_addr=other["comm_addr"])


def _transformer_of_another(desk: Desk, kind: Kind) -> None:
    strangers = desk.shuffled(kind, "mkt_transformer", {})
    for row in desk.draw(kind, "met_measuring_point", lambda r: _is_in_use(r) and r["tran_no"] is not None):
        other = next(r for r in strangers if r["cons_no"] != row["cons_no"])
        desk.spoil(kind, row, _marketing_point(desk, row), tran_no=other["tran_no"])


def _a_phase_never_entered(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_it", lambda r: r["valid_to"] is None, kind="CT", phase="C"):
        desk.remove(kind, row)


def _old_transformer_not_closed(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "met_it", lambda r: r["valid_to"] is None, kind="CT", phase="A"):
        older = row["it_asset_no"][:-1] + "9"
        desk.add(
            kind,
            row,
            (row.key,),
            it_asset_no=older,
            ratio_primary=row["ratio_primary"] * 2,
            valid_from=row["valid_from"] + 2 * A_YEAR,
        )


def _feeder_of_another_office(desk: Desk, kind: Kind) -> None:
    offices = sorted(set(desk.column("met_feeder", "org_no")))
    for row in desk.draw(kind, "met_feeder", lambda r: bool(desk.find("mkt_mp", feeder_no=r["feeder_no"]))):
        other = offices[(offices.index(row["org_no"]) + 1) % len(offices)]
        desk.spoil(kind, row, org_no=other)


def _single_phase_meter(row, _) -> dict:
    return {"meter_type": "SINGLE_PHASE"}


CLASSES = [
    slip(
        "feeder-capacity-in-mva",
        "M6",
        "met_feeder.kva_connected",
        (MISMATCHED, INVENTED),
        "The connected capacity of a feeder was typed in MVA, as the single-line diagram gives it, not in kVA.",
        lambda r, n: {"kva_connected": r["kva_connected"] / 1000},
        lambda r: r["customers_connected"] > 5,
        spared="the other feeders of the substation",
    ),
    Kind(
        "feeder-filed-under-another-office",
        "M3",
        "met_feeder",
        ("org_no",),
        (MISMATCHED,),
        "After offices were re-cut a feeder was filed under the office next door; all its customers belong "
        "to the old one.",
        "the customers of the feeder, whose office is right",
        "none in kWh; reliability figures of two offices",
        _feeder_of_another_office,
        near=(("feeder_no",),),
    ),
    slip(
        "meter-verified-before-it-was-made",
        "M5",
        "met_meter.verified_on",
        (MISMATCHED, INVENTED),
        "The year of the verification certificate was misread: the meter was verified years before it was made.",
        lambda r, n: {"verified_on": r["manufactured_on"] - A_YEAR * (n + 2)},
        lambda r: _is_running(r) and r["manufactured_on"] is not None,
        columns=("manufactured_on",),
    ),
    slip(
        "meter-verification-never-expires",
        "M6",
        "met_meter.verify_due",
        (INVENTED, MISSING),
        "The expiry of the verification was unknown, so the form's last date was taken: 2099-12-31.",
        lambda r, n: {"verify_due": date(2099, 12, 31)},
        _is_running,
    ),
    slip(
        "meter-in-stock-and-running",
        "M3",
        "met_meter.status",
        (MISMATCHED,),
        "The warehouse clerk never booked the meter out: it is in stock, and it measures a customer every day.",
        lambda r, n: {"status": "STOCK"},
        _is_running,
        other_keys=_installation,
        others=("mkt_meter_install.meter_asset_no", "met_measuring_point.meter_asset_no"),
    ),
    slip(
        "meter-type-against-its-voltage",
        UNNAMED,
        "met_meter.meter_type",
        (MISMATCHED,),
        "A batch was entered as single-phase meters although rated voltage and wiring are those of three phases.",
        _single_phase_meter,
        lambda r: _is_running(r) and r["meter_type"] == "3P4W",
        columns=("rated_voltage_v",),
        others=("met_measuring_point.wiring",),
    ),
    slip(
        "meter-digits-too-few",
        "M7",
        "met_meter.digits_int",
        (MISMATCHED, INVENTED),
        "The register was entered with one digit, copied from the form's example; its readings have five.",
        lambda r, n: {"digits_int": 1},
        _is_running,
        others=("met_register_freeze.reading",),
        near=(("meter_asset_no",),),
        cost="a roll-over would be taken for 10 kWh of register, times the multiplier",
    ),
    slip(
        "both-ratios-wrong-product-right",
        "M11",
        "met_measuring_point.ct_ratio",
        (MISMATCHED,),
        "CT and PT ratio were typed into each other's field; their product, and so the multiplier, is right.",
        lambda r, n: {"ct_ratio": r["pt_ratio"], "pt_ratio": r["ct_ratio"]},
        lambda r: _is_in_use(r) and r["mp_role"] == "BILLING" and r["pt_ratio"] > 1 and r["ct_ratio"] != r["pt_ratio"],
        columns=("pt_ratio",),
        other_keys=_marketing_point,
        others=("mkt_meter_install.ct_ratio", "con_metering_annex.ct_ratio", "met_it.ratio_primary"),
        spared="the multiplier, the register and the bills of the point",
        cost="error 0 kWh, 0 yuan: the product is right",
        near=(("mp_no",),),
    ),
    Kind(
        "two-points-one-comm-address",
        "M3",
        "met_measuring_point",
        ("comm_addr",),
        (MISMATCHED,),
        "The installer scanned the neighbour's meter: two points are read under one communication address.",
        "the neighbour's meter and ratios",
        "the neighbour's energy may be read for this one; unknown",
        _other_meter_at_comm_address,
    ),
    slip(
        "point-is-its-own-parent",
        "M3",
        "met_measuring_point.parent_mp_no",
        (MISMATCHED,),
        "In the dialogue for sub-meters the point itself was picked as its parent.",
        lambda r, n: {"parent_mp_no": r["mp_no"]},
        lambda r: _is_in_use(r) and r["mp_role"] == "BILLING" and r["parent_mp_no"] is None,
        cost="its own energy would be deducted from it",
    ),
    slip(
        "point-wired-as-its-meter-cannot-be",
        "M4",
        "met_measuring_point.wiring",
        (MISMATCHED,),
        "The wiring of the point was left at the default of the form, three phases with four wires; its "
        "meter is a 3P3W one.",
        lambda r, n: {"wiring": "3P4W"},
        lambda r: _is_in_use(r) and r["wiring"] == "3P3W",
        others=("met_meter.meter_type",),
        near=(("meter_asset_no",), ("mp_no",)),
    ),
    Kind(
        "transformer-of-another-customer",
        "M3",
        "met_measuring_point",
        ("tran_no",),
        (MISMATCHED,),
        "The transformer of the customer next in the list was picked for a point.",
        "the transformer and its owner",
        "its losses are charged by the wrong nameplate; unknown",
        _transformer_of_another,
        others=("mkt_mp.tran_no", "mkt_transformer.tran_no", "mkt_transformer.cons_no"),
    ),
    slip(
        "one-phase-with-another-ct",
        "M4",
        "met_it.ratio_primary",
        (MISMATCHED, INVENTED),
        "A burnt current transformer of one phase was replaced by the one on the van: another primary "
        "current than A and C.",
        lambda r, n: {"ratio_primary": r["ratio_primary"] * 1.5},
        lambda r: r["valid_to"] is None,
        equals={"kind": "CT", "phase": "B"},
        near=(("mp_no",),),
        others=("met_measuring_point.ct_ratio",),
        cost="a third of the point's energy is measured by two thirds",
    ),
    Kind(
        "one-phase-never-entered",
        "M2",
        "met_it",
        (),
        (MISSING,),
        "The sheet had two transformers on its first page; the one of phase C was on the second and was never entered.",
        "the transformers of phases A and B",
        "none while the ratio is right elsewhere",
        _a_phase_never_entered,
        near=(("mp_no",),),
    ),
    Kind(
        "old-transformer-not-closed",
        "M4",
        "met_it",
        ("it_asset_no", "valid_to", "valid_from", "phase"),
        (MISMATCHED,),
        "A new current transformer was entered and the old one not closed: two of different ratio serve one "
        "phase at a time.",
        "the transformers of the other phases",
        "unknown which ratio the phase is billed by",
        _old_transformer_not_closed,
        near=(("mp_no", "phase"), ("mp_no",)),
    ),
]
