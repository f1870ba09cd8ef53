"""What the values of a column stand for: the meanings that a contract may declare, and how each is judged.

A text meaning names the lists of placeholders (seed `quality_placeholders`, column kind) that are no value of it and its
formats (seed `quality_formats`). Numbers, days and times are judged by the column's plausible range, days and times also by
the list of default dates (seed `quality_default_dates`).
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, NUMBER, DAY, TIME, OTHER = "text", "number", "day", "time", "other"


@dataclass(frozen=True)
class Meaning:
    """`placeholders` are kinds of the seed of placeholders, `formats` meanings of the seed of formats."""

    name: str
    kind: str
    placeholders: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()


_ALL = (
    # numbers of things
    Meaning("account_no", TEXT, ("number",), ("account_no", "any_number", "any_text")),
    Meaning("settlement_account_no", TEXT, ("number",), ("settlement_account_no", "any_number", "any_text")),
    Meaning("metering_point_no", TEXT, ("number",), ("metering_point_no", "any_number", "any_text")),
    Meaning("meter_asset_no", TEXT, ("number",), ("meter_asset_no", "any_number", "any_text")),
    Meaning("organisation_no", TEXT, ("number",), ("organisation_no", "any_number", "any_text")),
    Meaning("staff_no", TEXT, ("number",), ("staff_no", "any_number", "any_text")),
    Meaning("equipment_no", TEXT, ("number",), ("equipment_no", "any_number", "any_text")),
    Meaning("document_no", TEXT, ("number",), ("document_no", "any_number", "any_text")),
    Meaning("credit_code", TEXT, ("number",), ("credit_code", "any_number", "any_text")),
    Meaning("tax_no", TEXT, ("number",), ("tax_no", "any_number", "any_text")),
    Meaning("bank_account_no", TEXT, ("number",), ("bank_account_no", "any_number", "any_text")),
    # names and texts
    Meaning("organisation_name", TEXT, ("name",), ("organisation_name", "any_text")),
    Meaning("person_name", TEXT, ("name", "signer"), ("person_name", "any_text")),
    Meaning("address", TEXT, ("text",), ("address", "any_text")),
    Meaning("mobile_number", TEXT, ("mobile",), ("mobile_number", "any_text")),
    Meaning("phone_number", TEXT, ("phone",), ("phone_number", "any_text")),
    Meaning("email", TEXT, ("email",), ("email", "any_text")),
    Meaning("free_text", TEXT, ("text",), ("any_text",)),
    Meaning("remark", TEXT, ("code",), ("any_text",)),
    Meaning("label", TEXT, ("code",), ("any_text",)),
    Meaning("industry_code", TEXT, ("number",), ("industry_code", "any_number", "any_text")),
    Meaning("tariff_code", TEXT, ("code",), ("any_text",)),
    Meaning("month", TEXT, (), ("month", "any_text")),
    # days and times
    Meaning("fact_date", DAY),
    Meaning("archive_date", DAY),
    Meaning("planned_date", DAY),
    Meaning("first_day", DAY),
    Meaning("last_day", DAY),
    Meaning("fact_time", TIME),
    Meaning("archive_time", TIME),
    Meaning("planned_time", TIME),
    Meaning("change_time", TIME),
    # numbers
    *(
        Meaning(name, NUMBER)
        for name in (
            "capacity_kva",
            "capacity_or_demand",
            "demand_kw",
            "power_kw",
            "power_kvar",
            "power_factor",
            "energy_kwh",
            "energy_kvarh",
            "energy_mwh",
            "energy_per_capacity",
            "register_reading",
            "voltage_v",
            "current_a",
            "ratio",
            "rated_value",
            "money_cny",
            "price_cny_kwh",
            "price_cny_mwh",
            "price_cny_month",
            "daily_rate",
            "share",
            "percent",
            "minutes",
            "hours",
            "days",
            "day_of_month",
            "count",
            "ordinal",
            "score",
        )
    ),
    # judged by the list of allowed values, by the curve's own rules, or not at all
    Meaning("listed_code", OTHER),
    Meaning("flag", OTHER),
    Meaning("flags", OTHER),
    Meaning("batch_no", OTHER),
    Meaning("hash", OTHER),
    Meaning("curve_value", OTHER),
)
MEANINGS = {meaning.name: meaning for meaning in _ALL}
# Meaning of what an instrument measures -> its quantity in the seed of overflow codes.
QUANTITIES = {"voltage_v": "u", "current_a": "i", "power_kw": "p", "power_kvar": "q", "power_factor": "pf"}
