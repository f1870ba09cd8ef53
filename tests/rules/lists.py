"""Entries of the lists that rules read, such as placeholders: each counts from its first day to the day before its end."""
# ruff: noqa: E501  (one list a line reads as a table)
from __future__ import annotations

from tests.rules.faults import ACCOUNT, BILLING, IN_FORCE

_CONTRACT = f"contract_no = {IN_FORCE} and status = 'EFFECTIVE'"
_FINANCE = f"cons_no = {ACCOUNT} and contact_role = 'FINANCE'"
_CT = "it_asset_no = (select min(it_asset_no) from {{met_it}} where kind = 'CT')"
_EVENT = "event_id = (select min(event_id) from {{met_power_event}} where event = 'POWER_DOWN')"
_DONE = "(select max(app_no) from {{mkt_application}} where status = 'DONE' and app_type in ('NEW', 'INCREASE'))"

# rule, list, entries, change of rows, severity while the entries are in force, severity without them
_LISTS = [
    ("MKT-03", "quality_placeholders", "kind = 'name' and value = '测试'", f"update {{{{mkt_customer}}}} set cons_name = '测试' where cons_no = {ACCOUNT}", "quarantine", None),
    ("MKT-06", "quality_placeholders", "kind = 'email' and value = '1@1.com'", f"update {{{{mkt_contact}}}} set email = '1@1.com' where {_FINANCE}", "warn", None),
    ("MKT-08", "quality_placeholders", "kind = 'address_token'", f"update {{{{mkt_customer}}}} set addr = '甲路乙丙丁戊' where cons_no = {ACCOUNT}", None, "warn"),
    ("MKT-10", "quality_placeholders", "kind = 'capacity' and value = '9999'", f"update {{{{mkt_customer}}}} set contract_cap_kva = 9999 where cons_no = {ACCOUNT}", "quarantine", None),
    ("CON-06", "quality_placeholders", "kind = 'text' and value = '/'", f"update {{{{con_contract}}}} set property_boundary = '/' where {_CONTRACT}", "quarantine", None),
    ("CON-15", "quality_placeholders", "kind = 'signer' and value = '经办人'", f"update {{{{con_contract}}}} set signer = '经办人', signer_mandate_no = 'M-1' where {_CONTRACT}", "warn", None),
    ("MKT-11", "quality_default_dates", "default_date = date '2000-01-01'", f"update {{{{mkt_customer}}}} set open_date = date '2000-01-01' where cons_no = {ACCOUNT}", "quarantine", None),
    ("CON-03", "quality_default_dates", "default_date = date '9999-12-31'", f"update {{{{con_contract}}}} set valid_to = date '9999-12-31', auto_renew = true where {_CONTRACT}", None, "warn"),
    ("MKT-18", "quality_series", "kind = 'transformer_kva'", "update {{mkt_transformer}} set cap_kva = cap_kva", None, "warn"),
    ("MET-28", "quality_series", "kind = 'ct_primary_a'", f"update {{{{met_it}}}} set kind = kind where {_CT}", None, "warn"),
    ("MET-28", "quality_series", "kind = 'ct_secondary_a'", f"update {{{{met_it}}}} set kind = kind where {_CT}", None, "warn"),
    ("CON-11", "quality_series", "kind = 'penalty_rate'", "update {{con_contract}} set penalty_rate = penalty_rate", None, "quarantine"),
    ("MET-31", "quality_overflow_codes", "overflow_value = 655.34", f"update {{{{met_interval_96}}}} set v[40] = 655.34 where data_type = 'I' and phase = 'A' and data_date = date '2026-11-03' and mp_no = {BILLING}", "quarantine", None),
]  # fmt: skip


def _in_force(seed: str, entries: str, days: str, change: str) -> list[str]:
    first, end = days.split(" to ")
    ended = f"date '{end}'" if end != "open" else "null"
    return [f"with listed as (update staging.{seed} set valid_from = date '{first}', valid_to = {ended} where {entries} returning 1) {change}"]


def _required(days: str) -> list[str]:
    """A connection without its final check, accepted in the first hour of 1 September, while the stage is required on some days."""
    return [
        *_in_force("quality_required_stages", "stage_code = 'FINAL_CHECK'", days, f"delete from {{{{mkt_app_stage}}}} where stage = 'FINAL_CHECK' and app_no = {_DONE}"),
        "update {{mkt_application}} set accepted_at = '2026-09-01 00:30+08'",
    ]


def _default_event(days: str) -> list[str]:
    """A power event of 1 January 2000 at a point without installation."""
    change = f"update {{{{met_power_event}}}} set event_ts = '2000-01-01 00:00:07+08' where {_EVENT}"
    return ["update {{met_measuring_point}} set install_ts = null", *_in_force("quality_default_dates", "default_date = date '2000-01-01'", days, change)]


_DAYS = ("2026-11-05 to 2026-11-06", "2026-11-05 to open", "2026-11-06 to open", "2000-01-01 to 2026-11-05")
LISTED: list[tuple[str, str, list[str], str | None]] = [
    *(
        (rule_id, f"{entries} from {days}", _in_force(seed, entries, days, change), meant if days.startswith("2026-11-05") else otherwise)
        for rule_id, seed, entries, change, meant, otherwise in _LISTS
        for days in _DAYS
    ),
    *(("MET-20", f"a default date from {days}", _default_event(days), "quarantine" if days.startswith("2026-11-05") else None) for days in _DAYS),
    *(
        ("MKT-32", f"a stage required from {days}", _required(days), severity)
        for days, severity in (
            ("2026-09-01 to 2026-09-02", "quarantine"), ("2026-09-01 to open", "quarantine"), ("2026-09-02 to open", None), ("2000-01-01 to 2026-09-01", None),
        )
    ),
    ("CON-11", "a rate of penalty that is in another list", ["update {{con_contract}} set penalty_rate = '5'"], "quarantine"),
    ("MKT-18", "a capacity that is in another list", ["update {{mkt_transformer}} set cap_kva = 75"], "warn"),
    ("CON-15", "a signer of a name that is in another list", [f"update {{{{con_contract}}}} set signer = '镇', signer_mandate_no = 'M-1' where {_CONTRACT}"], None),
    *(
        ("MKT-11", f"a default date that is allowed in the opening, as {column}", [
            f"with allowed as (update staging.quality_default_dates set allowed_in = 'mkt_contract.valid_to mkt_customer.open_date' where default_date = date '2000-01-01' returning 1)"
            f" update {{{{mkt_customer}}}} set {column} = date '2000-01-01' where cons_no = {ACCOUNT}"], severity)
        for column, severity in (("open_date", None), ("connect_date", "quarantine"))
    ),
]  # fmt: skip
