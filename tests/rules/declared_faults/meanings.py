"""Values outside what a column means: ranges, days, texts, numbers and seeds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from include.contracts import Column, Table
from include.contracts.meanings import DAY, MEANINGS, NUMBER, TEXT, TIME
from include.quality.meaning_rules import meaning_rule
from tests.rules.declared_faults.made import BUSINESS_DATE, Fault, as_numbers, fault, set_each, tables_with_rows
from tests.rules.staged import Staged


def day(bound: str) -> date:
    """A plausible day as it is typed in a contract, on the business date of these tests."""
    if not bound.startswith("business_date"):
        return date.fromisoformat(bound)
    _, count, unit = bound.removeprefix("business_date ").split()
    return (
        BUSINESS_DATE + timedelta(days=int(count)) if unit == "days" else BUSINESS_DATE.replace(year=2026 + int(count))
    )


def ranges(staged: Staged) -> Iterator[Fault]:
    """Every number at its ends, which pass, and one step outside them; those that another rule judges are never told."""
    for table in tables_with_rows(staged):
        columns = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind == NUMBER and not c.allowed]
        columns = [c for c in columns if any(c.plausible)]
        if not columns:
            continue
        rule = meaning_rule(table)
        judged = {c.name for c in columns if "range" not in dict(c.judged_by)}
        for end, sign in enumerate("-+"):
            for is_outside in (False, True):
                values = {c.name: f"{c.plausible[end]} {sign} {_step(c) if is_outside else 0}" for c in columns}
                statements = (*as_numbers(table, [*values]), set_each(table, values))
                yield fault((table.name, sign, is_outside), rule, judged if is_outside else set(), *statements)


def _step(column: Column) -> str:
    return "1" if "int" in column.physical_type else "0.0001"


def days(staged: Staged) -> Iterator[Fault]:
    """The first and the last day that can be pass, one day outside fails, in the morning and late at night alike."""
    for table in tables_with_rows(staged):
        columns = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind in (DAY, TIME) and any(c.plausible)]
        if not columns:
            continue
        judged = {c.name for c in columns if "range" not in dict(c.judged_by)}
        for end, step, hour in ((0, -1, "00:00"), (1, 1, "23:59")):
            for is_outside in (False, True):
                at = {c.name: day(c.plausible[end]) + timedelta(days=step * is_outside) for c in columns}
                values = {
                    c.name: f"'{at[c.name]}'" if MEANINGS[c.meaning].kind == DAY else f"'{at[c.name]} {hour}+08'"
                    for c in columns
                }
                told = judged if is_outside else set()
                yield fault((table.name, end, is_outside), meaning_rule(table), told, set_each(table, values))


PLACEHOLDER = "a value, not a placeholder"
READABLE, NOT_REWRITTEN = "readable characters", "a number that no spreadsheet has rewritten or readable characters"
# Meaning -> a value in its format, one that is not, and what is then expected.
TEXT_VALUES = {
    "account_no": ("0310000001", "031", "10, 13 or 16 digits"),
    "credit_code": ("91310101MA1508372X", None, ""),
    "address": ("合成路1号", "2026", "an address with letters"),
    "mobile_number": ("13912345678", "139", "11 digits from 13 to 19"),
    "bank_account_no": ("62220001", "6222000", "8 or more digits"),
    "document_no": ("HT〔2026〕1", "HT 1", "letters and digits"),
    "equipment_no": ("E/1#2", "E 1", "letters and digits"),
    "meter_asset_no": ("A12345", "A1234", "6 or more letters and digits"),
    "metering_point_no": ("A12345", "A1234", "6 or more letters and digits"),
    "settlement_account_no": ("A12345", "A1234", "6 or more letters and digits"),
    "organisation_no": ("O1", "O", "2 or more letters and digits"),
    "staff_no": ("S_1", "S", "2 or more letters and digits"),
    "tax_no": ("91310101MA1508X", "91310101MA1508XY", "15 digits or capitals or 17 to 20 digits or capitals"),
    "industry_code": ("C31", "U", "a letter and 2 to 4 digits or one letter"),
    "organisation_name": ("合成甲", "2026", "a name with letters"),
    "person_name": ("合成甲", "2026", "a name with letters"),
    "phone_number": (
        "400-123-4567",
        "2000",
        "a 400 or 800 number or a local number of 7 or 8 digits or a mobile number or a short number or area code and number",
    ),
    "email": ("a@example.com", "a@b", "name@domain"),
    "month": ("202612", "202613", "a month YYYYMM"),
    "free_text": ("2026", None, ""),
    "remark": ("2026", None, ""),
    "label": ("2026", None, ""),
    "tariff_code": ("2026", None, ""),
}
NUMBERS = {
    "bank_account_no",
    "document_no",
    "equipment_no",
    "meter_asset_no",
    "metering_point_no",
    "settlement_account_no",
    "organisation_no",
    "staff_no",
    "tax_no",
    "industry_code",
}
NAMES, CODES = {"organisation_name", "person_name"}, {"remark", "label", "tariff_code"}
NO_DOCUMENT = NUMBERS - {"document_no"}  # Chinese characters are in the numbers of documents
# Value -> the meanings of which it is a placeholder, those in whose format it is not, and those of which it is no readable text.
TEXTS = {
    "无": (NUMBERS | NAMES | {"free_text", "phone_number", "email"}, {"month"}, set()),
    "不详": (NUMBERS | NAMES | CODES | {"free_text", "phone_number", "email"}, {"month"}, set()),
    "-": (NUMBERS | NAMES | CODES | {"free_text", "phone_number", "email"}, {"month"}, set()),
    " ／ ": (NUMBERS | NAMES | CODES | {"free_text", "phone_number", "email"}, {"month"}, set()),  # of full width
    "0000": (NUMBERS, NAMES | {"phone_number", "email", "month"}, set()),
    "张三": ({"person_name"}, NO_DOCUMENT | {"phone_number", "email", "month"}, set()),
    "TEST": (NUMBERS | NAMES | CODES | {"free_text", "phone_number"}, {"email", "month"}, set()),
    "asdf": ({"free_text"}, {"bank_account_no", "meter_asset_no", "metering_point_no", "settlement_account_no", "tax_no"}
        | {"industry_code", "phone_number", "email", "month"}, set()),
    "88888888": ({"phone_number"}, NAMES | {"tax_no", "industry_code", "email", "month"}, set()),
    "6.22E+18": (set(), {"phone_number", "email", "month"}, NUMBERS),
    "高\ufffd": (set(), set(), {*TEXT_VALUES}),
}  # fmt: skip


def text_columns(table: Table) -> list[Column]:
    """The columns whose texts are judged: no listed codes, and no numbers of rows that they refer to."""
    referring = {column for reference in table.references for column in reference.columns}
    texts = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind == TEXT]
    return [c for c in texts if not c.allowed and c.name not in referring]


def texts(staged: Staged) -> Iterator[Fault]:
    for table in tables_with_rows(staged):
        columns = [c for c in text_columns(table) if c.meaning in TEXT_VALUES]
        if not columns:
            continue
        good = {c: TEXT_VALUES[c.meaning][0] for c in columns}
        bad = {c: TEXT_VALUES[c.meaning][1] for c in columns if TEXT_VALUES[c.meaning][1]}
        cases = [("in format", good, {}), ("not in format", bad, {c: TEXT_VALUES[c.meaning][2] for c in bad})]
        for value, (placeholder, no_format, unreadable) in TEXTS.items():
            told = {}
            for c in columns:
                if c.meaning in placeholder:
                    told[c] = PLACEHOLDER
                elif c.meaning in unreadable:
                    told[c] = NOT_REWRITTEN if c.meaning in NUMBERS else READABLE
                elif c.meaning in no_format:
                    told[c] = TEXT_VALUES[c.meaning][2]
            fits = [c for c in columns if c.meaning != "month" or len(value) <= 6]
            cases.append((value, dict.fromkeys(fits, value), {c: said for c, said in told.items() if c in fits}))
        for what, values, told in cases:
            words = {
                c.name: said
                for c, said in told.items()
                if ("placeholder" if said == PLACEHOLDER else "format") not in dict(c.judged_by)
            }
            if values:
                planted = set_each(table, {c.name: f"'{value}'" for c, value in values.items()})
                yield fault((table.name, what), meaning_rule(table), {*words}, planted, words=words)


SEEDS = ("quality_placeholders", "quality_formats", "quality_default_dates")


def seeds(staged: Staged) -> Iterator[Fault]:
    """What a seed states counts from its first day on and no more on its end; a listed day not where it is allowed."""
    for table in tables_with_rows(staged):
        columns = [c for c in text_columns(table) if c.meaning in TEXT_VALUES]
        of_days = [c for c in table.scalar_columns if MEANINGS[c.meaning].kind in (DAY, TIME)]
        of_days = [c for c in of_days if "range" not in dict(c.judged_by)]
        impossible = {c.name for c in of_days if day(c.plausible[0]) > date(2000, 1, 1)}
        rule, every_day = meaning_rule(table), {c.name for c in of_days}
        for value, judgement in ((None, "format"), ("不详", "placeholder"), ("高\ufffd", "format")):
            texts = {c.name: value or TEXT_VALUES[c.meaning][1] for c in columns}
            told = {c.name for c in columns if judgement not in dict(c.judged_by) and texts[c.name]}
            values = {name: f"'{said}'" for name, said in texts.items() if said} | dict.fromkeys(
                every_day, "'2000-01-01'"
            )
            if not values:
                continue
            planted = set_each(table, values)
            for what, period, is_stated in (
                ("from today", "valid_from = '2026-11-05'", True),
                ("until tomorrow", "valid_to = '2026-11-06'", True),
                ("from tomorrow", "valid_from = '2026-11-06'", False),
                ("until today", "valid_to = '2026-11-05'", False),
            ):
                stated = [f"update staging.{seed} set {period}" for seed in SEEDS]
                found = told | every_day if is_stated else impossible
                words = {}
                if value == "不详" and is_stated:
                    said = {c.name: TEXT_VALUES["month"][2] if c.meaning == "month" else PLACEHOLDER for c in columns}
                    words = {name: said[name] for name in told}
                yield fault((table.name, value, what), rule, found, planted, *stated, words=words)
        if every_day:
            allowed = " ".join(f"{table.name}.{name}" for name in every_day)
            stated = f"update staging.quality_default_dates set allowed_in = 'another.column {allowed}'"
            default = set_each(table, dict.fromkeys(every_day, "'2000-01-01'"))
            yield fault((table.name, "allowed"), rule, impossible, default, stated)
