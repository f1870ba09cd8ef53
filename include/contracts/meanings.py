"""What the values of a column stand for: the meanings that a contract may declare, and how each is judged.

A text meaning names the lists of placeholders (seed `quality_placeholders`, column kind) that are no value of it and, where
it has one, its format (seed `quality_formats`). Numbers, days and times are judged by the column's plausible range.
"""

from __future__ import annotations

from dataclasses import dataclass

TEXT, NUMBER, DAY, TIME, OTHER = "text", "number", "day", "time", "other"


@dataclass(frozen=True)
class Meaning:
    """`placeholders` are kinds of the seed of placeholders; `has_format` where the seed of formats has patterns of it."""

    name: str
    kind: str
    placeholders: tuple[str, ...] = ()
    has_format: bool = False


_ALL = (
    # numbers of things
    Meaning("account_no", TEXT, ("number",), True),
    Meaning("settlement_account_no", TEXT, ("number",), True),
    Meaning("metering_point_no", TEXT, ("number",), True),
    Meaning("meter_asset_no", TEXT, ("number",), True),
    Meaning("organisation_no", TEXT, ("number",), True),
    Meaning("staff_no", TEXT, ("number",), True),
    Meaning("equipment_no", TEXT, ("number",), True),
    Meaning("document_no", TEXT, ("number",), True),
    Meaning("credit_code", TEXT, ("number",)),
    Meaning("tax_no", TEXT, ("number",), True),
    Meaning("bank_account_no", TEXT, ("number",), True),
    # names and texts
    Meaning("organisation_name", TEXT, ("name",), True),
    Meaning("person_name", TEXT, ("name", "signer"), True),
    Meaning("address", TEXT, ("text",), True),
    Meaning("mobile_number", TEXT, ("mobile",), True),
    Meaning("phone_number", TEXT, ("phone",), True),
    Meaning("email", TEXT, ("email",), True),
    Meaning("free_text", TEXT, ("text",)),
    Meaning("label", TEXT, ("text",)),
    Meaning("industry_code", TEXT, ("number",), True),
    Meaning("tariff_code", TEXT, ("text",)),
    Meaning("month", TEXT, (), True),
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
    Meaning("hash", OTHER),
    Meaning("curve_value", OTHER),
)
MEANINGS = {meaning.name: meaning for meaning in _ALL}
