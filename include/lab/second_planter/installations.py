"""营销, installations: transformers, metering points, meters on the wall and the tariffs that apply to them."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, Kind, slip

DAY = timedelta(days=1)


def _is_open(row) -> bool:
    return row["valid_to"] is None


def _metering_point(desk: Desk, row) -> tuple[dict, ...]:
    return ({"mp_no": row["mp_no"]},)


def _lines_of_contract(desk: Desk, row) -> tuple[dict, ...]:
    contracts = desk.find("con_contract", cons_no=row["cons_no"])
    return tuple(r.key for c in contracts for r in desk.find("con_transformer_annex", contract_no=c["contract_no"]))


def _gap_between_states(desk: Desk, kind: Kind) -> None:
    def is_second(row):
        return (
            any(r["state_to"] == row["state_from"] - DAY for r in desk.find("mkt_transformer", tran_no=row["tran_no"]))
            and row["state_to"] is None
        )

    for row in desk.draw(kind, "mkt_transformer", is_second):
        earlier = [r for r in desk.find("mkt_transformer", tran_no=row["tran_no"]) if r.number != row.number]
        later = row["state_from"] + timedelta(days=40)
        desk.spoil(kind, row, (row.key, *(r.key for r in earlier)), state_from=later)


def _point_never_entered(desk: Desk, kind: Kind) -> None:
    def is_second_point(row):
        return _is_open(row) and row["mp_role"] == "BILLING" and len(desk.find("mkt_mp", cons_no=row["cons_no"])) == 1

    for row in desk.draw(kind, "mkt_mp", is_second_point):
        desk.remove(kind, row, tuple(r.key for r in desk.find("mkt_meter_install", mp_no=row["mp_no"])))


def _feeder_re_hung(desk: Desk, kind: Kind) -> None:
    feeders = [r["feeder_no"] for r in desk.shuffled(kind, "met_feeder", {}) if r["voltage_level"] == "AC10kV"]
    for row in desk.draw(kind, "mkt_mp", lambda r: _is_open(r) and r["voltage_level"] == "AC10kV"):
        desk.spoil(kind, row, _metering_point(desk, row), feeder_no=next(f for f in feeders if f != row["feeder_no"]))


def _meter_number_transposed(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "mkt_meter_install", lambda r: r["remove_date"] is None):
        number = row["meter_asset_no"]
        place = next(n for n in range(12, len(number) - 1) if number[n] != number[n + 1])
        wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        desk.spoil(kind, row, (row.key, {"meter_asset_no": number}), meter_asset_no=wrong)


def _tariff_for_ten_days(desk: Desk, kind: Kind) -> None:
    """The month before the business date: its 10th to 20th under another tariff."""
    month = (desk.business_date.replace(day=1) - DAY).replace(day=1)
    codes = sorted(set(desk.column("mkt_tariff_assign", "tariff_code")))

    def ran_all_month(row):
        return _is_open(row) and row["valid_from"] < month and row["tariff_code"].startswith("DGY")

    for row in desk.draw(kind, "mkt_tariff_assign", ran_all_month):
        other = next(c for c in codes if not c.startswith("DGY"))
        desk.fit(kind, row, valid_to=month.replace(day=9))
        contract = tuple(r.key for r in desk.find("con_contract", cons_no=row["cons_no"]))
        desk.add(
            kind,
            row,
            (row.key, *contract),
            valid_from=month.replace(day=10),
            valid_to=month.replace(day=20),
            tariff_code=other,
        )
        desk.edit.copy("mkt_tariff_assign", row.number, valid_from=month.replace(day=21))


def _two_tariffs_at_once(desk: Desk, kind: Kind) -> None:
    def is_closed(row):
        return row["valid_to"] is not None and row["valid_to"] > date(2024, 12, 1)

    for row in desk.draw(kind, "mkt_tariff_assign", is_closed):
        later = [r.key for r in desk.find("mkt_tariff_assign", mp_no=row["mp_no"]) if r.number != row.number]
        desk.spoil(kind, row, tuple(later), valid_to=row["valid_to"] + timedelta(days=60))


CLASSES = [
    slip(
        "nameplate-with-a-zero-too-many",
        "M6",
        "mkt_transformer.cap_kva",
        (MISMATCHED, INVENTED),
        "A transformer's nameplate was typed with a zero too many: ten times the contract's annex and the "
        "customer's capacity.",
        lambda r, n: {"cap_kva": r["cap_kva"] * 10},
        lambda r: r["state_to"] is None and r["state"] == "RUN" and r["cap_kva"] < 2000,
        others=("con_transformer_annex.cap_kva", "mkt_customer.running_cap_kva", "mkt_customer.contract_cap_kva"),
        other_keys=_lines_of_contract,
        near=(("cons_no",),),
        cost="a capacity charge tenfold, were it billed by capacity",
    ),
    Kind(
        "forty-days-without-a-state",
        "M12",
        "mkt_transformer",
        ("state_from", "state_to", "state"),
        (MISSING, MISMATCHED),
        "A resumption was booked forty days late; between the two states a transformer is neither running nor stopped.",
        "the state before",
        "forty days of capacity charge in doubt",
        _gap_between_states,
        near=(("tran_no",), ("cons_no",)),
    ),
    Kind(
        "point-only-acquisition-knows",
        "M3",
        "mkt_mp",
        (),
        (MISSING, MISMATCHED),
        "A point was put into operation and read every day; in marketing its order was closed without the point.",
        "the customer's other records",
        "its energy reaches no bill once the old lines are gone; unknown",
        _point_never_entered,
        near=(("mp_no",),),
        breaks_identity=True,
    ),
    Kind(
        "feeder-re-hung-on-one-side",
        "M3",
        "mkt_mp",
        ("feeder_no",),
        (MISMATCHED,),
        "After re-hanging marketing has another feeder than acquisition: outage notices go to the wrong customers.",
        "the feeder in acquisition and contract",
        "none in kWh; reliability and notices",
        _feeder_re_hung,
        others=("met_measuring_point.feeder_no", "con_contract.main_feeder_no"),
        near=(("cons_no",),),
    ),
    slip(
        "metered-on-the-other-side",
        "M3",
        "mkt_mp.metering_side",
        (MISMATCHED,),
        "Marketing says metered at low voltage, acquisition and contract say high: transformer losses are "
        "added or not.",
        lambda r, n: {"metering_side": "HV_LV"},
        lambda r: _is_open(r) and r["metering_side"] == "HV_HV",
        others=("met_measuring_point.metering_side", "con_contract.metering_side"),
        other_keys=_metering_point,
        near=(("cons_no",),),
        cost="transformer losses, about one per cent of the energy",
    ),
    Kind(
        "meter-number-transposed-on-the-wall",
        "M3",
        "mkt_meter_install",
        ("meter_asset_no",),
        (MISMATCHED, MISSING),
        "Two digits of the bar code were exchanged on the installation sheet: a meter that exists nowhere.",
        "the meter in acquisition and its readings",
        "0 kWh while the bills have the right meter",
        _meter_number_transposed,
        near=(("mp_no",),),
        others=("met_measuring_point.meter_asset_no", "mkt_bill_line.meter_asset_no"),
        breaks_identity=True,
    ),
    slip(
        "start-reading-apart-from-its-rates",
        "M4",
        "mkt_meter_install.install_reading_total",
        (MISMATCHED, INVENTED),
        "The meter was not new: its total was read at installation, the rates were left at zero.",
        lambda r, n: {"install_reading_total": Decimal("128.4500")},
        lambda r: r["remove_date"] is None and r["install_reading_total"] == 0,
        columns=("install_reading_peak", "install_reading_flat", "install_reading_valley"),
        others=("met_register_freeze.reading",),
        cost="128 kWh of register times the multiplier in the first bill",
    ),
    Kind(
        "another-tariff-for-ten-days",
        "M12",
        "mkt_tariff_assign",
        ("tariff_code", "valid_from", "valid_to"),
        (MISMATCHED, INVENTED),
        "A test of the new price group was left in the data: another tariff from the 10th to the 20th, then "
        "the old one again.",
        "the tariff before and after",
        "the month's energy charge of eleven days by another price, were it billed",
        _tariff_for_ten_days,
        others=("con_contract.tariff_code",),
        near=(("mp_no",), ("cons_no",)),
    ),
    Kind(
        "two-tariffs-at-once",
        "M4",
        "mkt_tariff_assign",
        ("valid_to", "valid_from"),
        (MISMATCHED,),
        "The old tariff was closed two months after the new one began: two apply at a time.",
        "the tariff that follows",
        "two months' charge by one of two prices",
        _two_tariffs_at_once,
        near=(("mp_no",),),
    ),
    slip(
        "contract-demand-not-entered",
        "M2",
        "mkt_tariff_assign.contract_md_kw",
        (MISSING, MISMATCHED),
        "Charged by contract demand, and no demand was entered.",
        lambda r, n: {"contract_md_kw": None},
        lambda r: r["basic_mode"] == "BY_CONTRACT_MD" and r["contract_md_kw"] is not None and _is_open(r),
        columns=("basic_mode",),
        others=("con_contract.contract_md_kw",),
        cost="the demand charge of the point",
    ),
]
