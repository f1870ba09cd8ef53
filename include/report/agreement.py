"""What a supplier is expected to deliver, for people: one workbook and one page, and a form to fill in for each table.

Made from the contract and the rule book alone. The workbook has a sheet of tables, one of columns and one of rules; a form has
the headings of its table in the first row, as landing reads them, lists of the values that are allowed, and text cells, so that
no number loses its zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from jinja2 import Environment
from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from include.contracts import Column, Table, load_contracts
from include.quality.base_rules import load_base_rules
from include.quality.rules import load_rules

FORM_ROWS = 2000
_LIST_CHARACTERS = 255  # what Excel takes as a list within a cell's validation
EFFECTS = {"warn": "is reported", "quarantine": "keeps the row out until it is corrected", "block": "stops the night"}
PATTERNS = {
    "append": "new rows; delivered rows stay as they are",
    "late": "new rows and corrections of earlier ones",
    "in_place": "the whole table each time; a row that is absent is withdrawn",
    "validity_rows": "the whole table each time, with rows of the past",
}
# by meaning; every value is made up
_EXAMPLES = {
    "account_no": "0310000001",
    "settlement_account_no": "8000000001",
    "metering_point_no": "031000000101",
    "meter_asset_no": "3130000000000000000101",
    "organisation_no": "310101",
    "staff_no": "S0101",
    "equipment_no": "10F001",
    "document_no": "D20260001",
    "credit_code": "91310000MA1FL0001X",
    "tax_no": "91310000MA1FL0001X",
    "bank_account_no": "6222000000000001",
    "organisation_name": "合成第0001号电子有限公司",
    "person_name": "张三",
    "address": "合成路1号",
    "mobile_number": "13800000001",
    "phone_number": "02160000001",
    "email": "name@example.org",
    "free_text": "text",
    "remark": "text",
    "label": "text",
    "industry_code": "3990",
    "tariff_code": "IND_TOU_10",
    "month": "202611",
}
_BY_TYPE = {
    "date": "2026-11-22",
    "timestamptz": "2026-11-22T08:15:00+08:00",
    "timestamp": "2026-11-22T08:15:00",
    "boolean": "true",
}


@dataclass(frozen=True)
class Applied:
    """A rule that judges rows of a table, with its thresholds as of a day."""

    table: str
    rule_id: str
    sentence: str
    severity: str
    office: str

    @property
    def effect(self) -> str:
        return EFFECTS[self.severity]


def write_agreement(source: str, folder: Path, day: date) -> list[Path]:
    """Writes `<source>.xlsx`, `<source>.html` and `forms/<table>.xlsx` into the folder; returns the paths."""
    tables = list(load_contracts()[source].values())
    rules = applied_rules(tables, day)
    (folder / "forms").mkdir(parents=True, exist_ok=True)
    book, page = folder / f"{source}.xlsx", folder / f"{source}.html"
    _workbook(tables, rules).save(book)
    page.write_text(_html(source, tables, rules), encoding="utf-8")
    forms = []
    for table in tables:
        forms.append(folder / "forms" / f"{table.name}.xlsx")
        form(table).save(forms[-1])
    return [book, page, *forms]


def applied_rules(tables: list[Table], day: date) -> list[Applied]:
    """The rules whose findings are rows of these tables, by table and id."""
    names = [table.name for table in tables]
    return sorted(
        (
            Applied(name, rule.id, rule.sentence_on(day), rule.severity, rule.owner)
            for rule in (*load_base_rules(), *load_rules())
            for name in rule.subjects or (rule.table_name,)
            if name in names
        ),
        key=lambda applied: (names.index(applied.table), applied.rule_id),
    )


def example(table: Table, column: Column) -> str:
    """A made-up value that the contract permits."""
    if column.allowed:
        return column.allowed[0]
    if column.meaning in _EXAMPLES:
        return _EXAMPLES[column.meaning]
    kind = column.physical_type.partition("(")[0]
    if kind in _BY_TYPE:
        return _BY_TYPE[kind]
    if kind in ("numeric", "integer", "bigint", "smallint", "real", "double precision"):
        least = column.plausible[0]
        number = least if least is not None and least.replace(".", "").replace("-", "").isdigit() else "1"
        return number if float(number) > 0 else "1"
    return "text"


def form(table: Table) -> Workbook:
    """An empty form: headings, a note on each, text cells, and a list where only some values are allowed."""
    book = Workbook()
    sheet, lists = book.active, None
    sheet.title = table.name[:31]
    sheet.freeze_panes = "A2"
    for place, column in enumerate(table.columns, start=1):
        letter = get_column_letter(place)
        head = sheet.cell(1, place, column.name)
        head.font = Font(bold=True)
        if column.is_required or column.name in table.key:
            head.fill = PatternFill("solid", fgColor="FFE699")
        head.comment = Comment(_note(table, column), "contract")
        sheet.column_dimensions[letter].width = max(12, len(column.name) + 2)
        sheet.column_dimensions[letter].number_format = "@"
        if column.allowed:
            values = ",".join(column.allowed)
            if len(values) <= _LIST_CHARACTERS and not any("," in value for value in column.allowed):
                formula = f'"{values}"'
            else:
                lists = lists or book.create_sheet("lists")
                at = get_column_letter(lists.max_column + (1 if lists["A1"].value else 0))
                for row, value in enumerate(column.allowed, start=1):
                    lists[f"{at}{row}"] = value
                formula = f"lists!${at}$1:${at}${len(column.allowed)}"
            shown = DataValidation(type="list", formula1=formula, allow_blank=not column.is_required)
            shown.error, shown.errorTitle = "Take a value of the list.", column.name
            shown.showErrorMessage = True
            sheet.add_data_validation(shown)
            shown.add(f"{letter}2:{letter}{FORM_ROWS}")
    for row in range(2, 202):  # Excel takes a cell's own format before its column's
        for place in range(1, len(table.columns) + 1):
            sheet.cell(row, place).number_format = "@"
    return book


def _note(table: Table, column: Column) -> str:
    told = [f"{column.name_en} {column.name_zh}", column.description, column.physical_type]
    told += ["key"] if column.name in table.key else ["required"] if column.is_required else []
    return "\n".join(told)


def column_rows(tables: list[Table]) -> list[list[str]]:
    """Each column of each table, under COLUMN_HEADINGS."""
    return [
        [
            table.name,
            column.name,
            column.name_en,
            column.name_zh,
            column.description,
            column.physical_type,
            "key" if column.name in table.key else "yes" if column.is_required else "",
            ", ".join(column.allowed or ()),
            _range(column),
            "yes" if column.classification == "personal" else "",
            example(table, column),
        ]
        for table in tables
        for column in table.columns
    ]


COLUMN_HEADINGS = (
    "table",
    "column",
    "English 英文",
    "Chinese 中文",
    "meaning 含义",
    "type 类型",
    "required 必填",
    "allowed 取值",
    "plausible 合理范围",
    "personal 个人信息",
    "example 示例",
)
TABLE_HEADINGS = ("table", "English 英文", "Chinese 中文", "meaning 含义", "key 主键", "delivered 交付", "daily 每日")
RULE_HEADINGS = ("table", "rule", "what holds 规则", "a row that breaks it 处理", "answered by 责任部门")


def table_rows(tables: list[Table]) -> list[list[str]]:
    return [
        [
            table.name,
            table.name_en,
            table.name_zh,
            table.description,
            ", ".join(table.key),
            PATTERNS.get(table.update_pattern, table.update_pattern),
            "yes" if table.is_daily else "",
        ]
        for table in tables
    ]


def rule_rows(rules: list[Applied]) -> list[list[str]]:
    return [[rule.table, rule.rule_id, rule.sentence, rule.effect, rule.office] for rule in rules]


def _range(column: Column) -> str:
    least, most = column.plausible
    if least is None and most is None:
        return ""
    return f"{least if least is not None else ''} … {most if most is not None else ''}".strip()


def _workbook(tables: list[Table], rules: list[Applied]) -> Workbook:
    book = Workbook()
    book.remove(book.active)
    for title, headings, rows in _sheets(tables, rules):
        sheet = book.create_sheet(title)
        sheet.freeze_panes = "A2"
        sheet.append(list(headings))
        for head in sheet[1]:
            head.font = Font(bold=True)
        for row in rows:
            sheet.append(row)
            for written in sheet[sheet.max_row]:
                written.data_type, written.number_format = "s", "@"
                written.alignment = Alignment(wrap_text=True, vertical="top")
        for place, heading in enumerate(headings):
            widest = max((len(row[place]) for row in rows), default=0)
            sheet.column_dimensions[get_column_letter(place + 1)].width = min(60, max(len(heading), widest) + 2)
        sheet.auto_filter.ref = sheet.dimensions
    return book


def _sheets(tables: list[Table], rules: list[Applied]) -> list[tuple]:
    return [
        ("tables", TABLE_HEADINGS, table_rows(tables)),
        ("columns", COLUMN_HEADINGS, column_rows(tables)),
        ("rules", RULE_HEADINGS, rule_rows(rules)),
    ]


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>What {{ source }} delivers</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; color: #1a1a1a; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; font-size: 13px; }
th, td { border: 1px solid #ccc; padding: .3rem .5rem; text-align: left; vertical-align: top; }
th { background: #f2f2f2; } code { font-size: 12px; }
</style></head><body>
<h1>What {{ source }} delivers {{ source_zh }}</h1>
<p>{{ tables | length }} tables. A file of each table has all its headings, UTF-8; dates are YYYY-MM-DD, times carry their zone.
Every example is made up.</p>
<ul>{% for t in tables %}<li><a href="#{{ t.name }}">{{ t.name }}</a> {{ t.name_en }} {{ t.name_zh }}</li>{% endfor %}</ul>
{% for t in tables %}
<h2 id="{{ t.name }}">{{ t.name }}: {{ t.name_en }} {{ t.name_zh }}</h2>
<p>{{ t.description }} Key: <code>{{ t.key | join(', ') }}</code>. Delivered: {{ patterns[t.update_pattern] or t.update_pattern }}.</p>
<table><tr>{% for h in headings %}<th>{{ h }}</th>{% endfor %}</tr>
{% for row in columns if row[0] == t.name %}<tr>{% for c in row[1:] %}<td>{{ c }}</td>{% endfor %}</tr>
{% endfor %}</table>
<table><tr><th>rule</th><th>what holds 规则</th><th>a row that breaks it 处理</th><th>answered by 责任部门</th></tr>
{% for r in rules if r.table == t.name %}<tr><td><code>{{ r.rule_id }}</code></td><td>{{ r.sentence }}</td>
<td>{{ r.effect }}</td><td>{{ r.office }}</td></tr>
{% endfor %}</table>
{% endfor %}</body></html>
"""
_SOURCES_ZH = {"metering": "用电信息采集系统", "marketing": "营销系统", "contract": "供用电合同管理系统"}


def _html(source: str, tables: list[Table], rules: list[Applied]) -> str:
    return (
        Environment(autoescape=True)
        .from_string(_PAGE)
        .render(
            source=source,
            source_zh=_SOURCES_ZH.get(source, ""),
            tables=tables,
            columns=column_rows(tables),
            rules=rules,
            patterns=PATTERNS,
            headings=COLUMN_HEADINGS[1:],
        )
    )
