"""供用电合同: contracts, annexes, amendments and trade as they were typed in from paper."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from include.lab.second_planter.desk import Desk
from include.lab.second_planter.kinds import INVENTED, MISMATCHED, MISSING, UNNAMED, Kind, slip

DAY = timedelta(days=1)


def _in_force(row) -> bool:
    return row["status"] == "EFFECTIVE"


def _customer(desk: Desk, row) -> tuple[dict, ...]:
    return ({"cons_no": row["cons_no"]},)


def _is_newest(desk: Desk, row) -> bool:
    versions = desk.find("con_contract", contract_no=row["contract_no"])
    newest = max(versions, key=lambda r: r["version"])
    return newest["version"] == row["version"] and newest["status"] == "EFFECTIVE"


def _newest_lines(desk: Desk, kind: Kind, table: str, where=lambda r: True, **equals):
    return desk.draw(kind, table, lambda r: _is_newest(desk, r) and where(r), **equals)


def _scan_of_another_contract(desk: Desk, kind: Kind) -> None:
    others = [r for r in desk.shuffled(kind, "con_contract", {}) if r["page_hash"]]
    for row in desk.draw(kind, "con_contract", lambda r: _in_force(r) and r["page_hash"] is not None):
        other = next(r for r in others if r["contract_no"] != row["contract_no"])
        desk.spoil(kind, row, (other.key,), page_hash=other["page_hash"], scan_pages=other["scan_pages"])


def _transformer_missing_in_annex(desk: Desk, kind: Kind) -> None:
    for row in _newest_lines(desk, kind, "con_transformer_annex", seq=2):
        desk.remove(kind, row, ({"contract_no": row["contract_no"]},))


def _nameplate_transposed(desk: Desk, kind: Kind) -> None:
    swapped = {
        "630": "360",
        "315": "351",
        "250": "205",
        "1250": "1520",
        "1600": "1060",
        "800": "80",
        "400": "40",
        "500": "50",
    }

    def fits(row):
        return str(int(row["cap_kva"])) in swapped

    for row in _newest_lines(desk, kind, "con_transformer_annex", fits, seq=1):
        desk.spoil(
            kind, row, ({"contract_no": row["contract_no"]},), cap_kva=Decimal(swapped[str(int(row["cap_kva"]))])
        )


def _meter_number_transposed(desk: Desk, kind: Kind) -> None:
    for row in _newest_lines(desk, kind, "con_metering_annex", lambda r: r["meter_asset_no"] is not None):
        number = row["meter_asset_no"]
        place = next(n for n in range(14, len(number) - 1) if number[n] != number[n + 1])
        wrong = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
        desk.spoil(kind, row, ({"mp_no": row["mp_no"]},), meter_asset_no=wrong)


def _primary_current_as_ratio(desk: Desk, kind: Kind) -> None:
    for row in _newest_lines(desk, kind, "con_metering_annex", lambda r: r["ct_ratio"] > 1):
        point = tuple(r.key for r in desk.find("met_measuring_point", mp_no=row["mp_no"]))
        desk.spoil(kind, row, (*point, {"mp_no": row["mp_no"]}), ct_ratio=row["ct_ratio"] * 5)


def _amended_to_something_else(desk: Desk, kind: Kind) -> None:
    def was_booked(row):
        return row["version"] is not None and row["new_value"].replace(".", "").isdigit()

    for row in desk.draw(kind, "con_amendment", was_booked):
        version = desk.find("con_contract", contract_no=row["contract_no"], version=row["version"])
        desk.spoil(kind, row, tuple(r.key for r in version), new_value=f"{Decimal(row['new_value']) + 90:.2f}")


def _amends_a_contract_nobody_has(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "con_amendment", lambda r: True):
        number = row["contract_no"]
        desk.spoil(kind, row, contract_no=number[:4] + "9" + number[5:])


def _settled_apart_from_the_bill(desk: Desk, kind: Kind) -> None:
    """Eight per cent more than was billed, the deviation made to fit."""

    def is_recent(row):
        return row["trade_month"] >= "202601" and row["deviation_mwh"] is not None

    for row in desk.draw(kind, "con_trade_settle", is_recent):
        cons = desk.one("con_trade_agreement", agree_no=row["agree_no"])["cons_no"]
        bills = tuple(r.key for r in desk.find("mkt_bill", cons_no=cons, bill_month=row["trade_month"]))
        actual = (row["actual_mwh"] * Decimal("1.08")).quantize(Decimal("0.0001"))
        desk.spoil(kind, row, bills, actual_mwh=actual, deviation_mwh=actual - row["contract_mwh"])


def _a_slot_of_the_trade_curve_missing(desk: Desk, kind: Kind) -> None:
    for row in desk.draw(kind, "con_trade_curve", lambda r: r["trade_month"] >= "202601", slot=24):
        desk.remove(kind, row, ({"agree_no": row["agree_no"], "trade_month": row["trade_month"]},))


CLASSES = [
    slip(
        "signed-by-the-seal",
        "M6",
        "con_contract.signer",
        (INVENTED, MISSING),
        "Where the signer's name should be the typist wrote 盖章, sealed.",
        lambda r, n: {"signer": "盖章"},
        _in_force,
    ),
    slip(
        "signed-in-nineteen-hundred",
        "M6",
        "con_contract.signed_on",
        (INVENTED, MISMATCHED),
        "An empty date cell of the typing sheet became 1900-01-01.",
        lambda r, n: {"signed_on": date(1900, 1, 1)},
        _in_force,
    ),
    slip(
        "settled-on-the-forty-fifth",
        "M6",
        "con_contract.settle_day",
        (INVENTED, MISMATCHED),
        "The day of settlement was filled with the days of payment: the 45th of the month.",
        lambda r, n: {"settle_day": 45},
        _in_force,
    ),
    slip(
        "points-agreed-are-not-the-points",
        "M3",
        "con_contract.metering_point_cnt",
        (MISMATCHED,),
        "The contract speaks of five metering points; annex, marketing and acquisition have one.",
        lambda r, n: {"metering_point_cnt": 5},
        lambda r: _in_force(r) and r["metering_point_cnt"] == 1,
        others=("con_metering_annex.seq", "mkt_mp.mp_no", "con_metering_annex.mp_no"),
        other_keys=_customer,
    ),
    slip(
        "backed-up-by-itself",
        UNNAMED,
        "con_contract.backup_feeder_no",
        (MISMATCHED, INVENTED),
        "The main feeder was entered a second time as backup: a supply that backs itself up.",
        lambda r, n: {"backup_feeder_no": r["main_feeder_no"]},
        lambda r: _in_force(r) and r["backup_feeder_no"] is not None,
        columns=("main_feeder_no",),
        others=("mkt_mp.feeder_no",),
        cost="none in kWh; the reliability of an important user",
    ),
    slip(
        "power-factor-standard-of-another-class",
        "M3",
        "con_contract.pf_standard",
        (MISMATCHED,),
        "The contract was typed with the standard 0.80 of another class; marketing bills by 0.90.",
        lambda r, n: {"pf_standard": "0.80"},
        lambda r: _in_force(r) and r["pf_standard"] == "0.90",
        others=("mkt_tariff_assign.pf_standard", "mkt_bill.pf_standard"),
        other_keys=_customer,
        cost="the adjustment by another table, up to some per cent of each bill",
    ),
    slip(
        "not-renewed-and-renewed",
        "M5",
        "con_contract.valid_from",
        (MISMATCHED, INVENTED),
        "At a renewal the new term was typed into the old version: a contract valid from a date after the "
        "bills it covers.",
        lambda r, n: {"valid_from": date(2026, 10, 25), "signed_on": date(2026, 10, 20)},
        lambda r: (
            _in_force(r)
            and r["version"] == 1
            and r["valid_from"] < date(2024, 1, 1)
            and r["valid_to"] > date(2027, 6, 1)
        ),
        columns=("signed_on",),
        others=("mkt_bill.bill_month", "mkt_customer.connect_date", "mkt_bill.read_from"),
        other_keys=_customer,
        cost="exposure: the bills before it have no contract; error 0",
    ),
    Kind(
        "scan-of-another-contract",
        "M8",
        "con_contract",
        ("page_hash", "scan_file_id"),
        (INVENTED, MISMATCHED),
        "To have a scan at all, another contract's pages were uploaded under a new file number.",
        "the contract whose pages they are; versions of one contract",
        "none in kWh; no proof of the contract",
        _scan_of_another_contract,
    ),
    Kind(
        "transformer-missing-in-annex",
        "M2",
        "con_transformer_annex",
        (),
        (MISSING, MISMATCHED),
        "The second line of the equipment annex was cut off at scanning and never typed.",
        "transformers that joined after the contract's version",
        "capacity of the contract cannot be explained",
        _transformer_missing_in_annex,
        near=(("contract_no", "version"),),
    ),
    Kind(
        "nameplate-transposed-in-annex",
        "M4",
        "con_transformer_annex",
        ("cap_kva",),
        (MISMATCHED, INVENTED),
        "Digits of a nameplate were exchanged in the annex: a capacity that no transformer has.",
        "the transformer in marketing",
        "none in kWh while billed by marketing's capacity",
        _nameplate_transposed,
        others=("con_contract.contract_cap_kva", "mkt_transformer.cap_kva"),
        near=(("contract_no", "version"),),
    ),
    Kind(
        "meter-number-transposed-in-annex",
        "M3",
        "con_metering_annex",
        ("meter_asset_no",),
        (MISMATCHED, MISSING),
        "Two digits of the meter's number were exchanged in the contract's annex.",
        "the meter itself",
        "none in kWh",
        _meter_number_transposed,
        others=("met_measuring_point.meter_asset_no", "mkt_meter_install.meter_asset_no"),
        near=(("contract_no", "version"),),
    ),
    Kind(
        "primary-current-typed-as-ratio",
        "M3",
        "con_metering_annex",
        ("ct_ratio",),
        (MISMATCHED,),
        "The annex has the primary current instead of the ratio: 500 instead of 500/5 = 100.",
        "ratios of marketing and acquisition",
        "0 kWh while marketing bills by the right ratio",
        _primary_current_as_ratio,
        others=("met_measuring_point.ct_ratio", "mkt_meter_install.ct_ratio", "con_contract.ct_ratio"),
        near=(("contract_no", "version"),),
    ),
    Kind(
        "amended-to-something-else",
        "M4",
        "con_amendment",
        ("new_value",),
        (MISMATCHED,),
        "The amendment on paper says one figure, the version that was booked has another.",
        "the old value",
        "90 kVA or kW of basic charge",
        _amended_to_something_else,
        others=("con_contract.contract_cap_kva", "con_contract.contract_md_kw"),
        near=(("contract_no", "version"), ("contract_no",)),
    ),
    Kind(
        "amends-a-contract-nobody-has",
        "M3",
        "con_amendment",
        ("contract_no", "version"),
        (MISMATCHED, MISSING),
        "A digit of the contract's number was mistyped on the amendment: no such contract.",
        "the contract that was meant",
        "the change is booked nowhere",
        _amends_a_contract_nobody_has,
    ),
    slip(
        "price-in-yuan-per-kwh",
        "M6",
        "con_trade_agreement.price_yuan_mwh",
        (INVENTED, MISMATCHED),
        "The price was typed in yuan per kWh: 0.4 yuan a megawatt-hour.",
        lambda r, n: {"price_yuan_mwh": r["price_yuan_mwh"] / 1000},
        lambda r: r["price_kind"] == "FIXED" and r["price_yuan_mwh"] is not None,
        others=("con_trade_settle.settle_yuan",),
        cost="999 of 1,000 yuan of the agreement",
    ),
    slip(
        "green-share-in-percent",
        "M6",
        "con_trade_agreement.green_share",
        (INVENTED, MISMATCHED),
        "The share of green energy was typed in per cent: 15 instead of 0.15.",
        lambda r, n: {"green_share": r["green_share"] * 100},
        lambda r: r["green_share"] is not None and r["green_share"] > Decimal("0.02"),
    ),
    slip(
        "agreement-with-nobody",
        "M2",
        "con_trade_agreement.counterparty",
        (MISSING, MISMATCHED),
        "An agreement with a retailer does not say with which.",
        lambda r, n: {"counterparty": None},
        lambda r: r["counterparty"] is not None,
        equals={"trade_mode": "RETAIL"},
        columns=("trade_mode",),
    ),
    slip(
        "deviation-is-not-the-difference",
        "M4",
        "con_trade_settle.deviation_mwh",
        (MISMATCHED,),
        "The deviation was settled with the sign of the year before: it is not actual less contract.",
        lambda r, n: {"deviation_mwh": -r["deviation_mwh"]},
        lambda r: r["deviation_mwh"] is not None and abs(r["deviation_mwh"]) > 1,
        columns=("actual_mwh", "contract_mwh", "penalty_yuan"),
        cost="a penalty for energy that was not deviated",
    ),
    Kind(
        "settled-apart-from-the-bill",
        "M3",
        "con_trade_settle",
        ("actual_mwh",),
        (MISMATCHED,),
        "The trading centre settled eight per cent more than was billed, and the deviation was made to fit.",
        "the bill",
        "eight per cent of the month's energy",
        _settled_apart_from_the_bill,
        others=("mkt_bill.kwh_total",),
        near=(("agree_no", "trade_month"),),
    ),
    slip(
        "one-slot-of-the-trade-curve-tenfold",
        "M4",
        "con_trade_curve.mwh",
        (MISMATCHED, INVENTED),
        "The decimal point of one slot slipped: the curve no longer adds up to the month's contract energy.",
        lambda r, n: {"mwh": r["mwh"] * 10},
        lambda r: r["trade_month"] >= "202601",
        equals={"slot": 10},
        others=("con_trade_settle.contract_mwh",),
        near=(("agree_no", "trade_month"),),
        cost="nine times a slot's energy",
    ),
    Kind(
        "last-slot-of-the-trade-curve-missing",
        "M2",
        "con_trade_curve",
        (),
        (MISSING, MISMATCHED),
        "The import stopped before the last line of each block: slot 24 of a month is missing.",
        "the other slots",
        "a slot's energy",
        _a_slot_of_the_trade_curve_missing,
        near=(("agree_no", "trade_month"),),
    ),
]
