"""The deformed copies: how each is written, and what a proposal must make of it, typed in before there was a mapper.

`expected` is `right` (no doubt about anything that the copy has, and every value as it was) or the settings that must be named
as doubtful. A copy is deformed from the same truth as all others; only how it is written differs.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.deformed import truth

RIGHT = "right"
CHINESE = (
    "华东精密铸造有限公司",
    "滨江化纤厂",
    "恒泰水泥股份有限公司",
    "新港物流园",
    "金桥电子",
    "大江纸业",
    "东海钢管厂",
    "明珠食品",
)
GERMAN = (
    "Müller Gießerei",
    "Brömse Kälte",
    "Jäger & Söhne",
    "Weiß Möbel",
    "Grün Bäder",
    "Schröder Öle",
    "Krüger Ton",
    "Höfer",
)
ENGLISH = {
    "bill_no": "Bill number",
    "cons_no": "Customer number",
    "acct_no": "Settlement account number",
    "bill_month": "Billing month",
    "read_from": "First reading day",
    "read_to": "Last reading day",
    "kwh_total": "Billed energy, total",
    "kwh_peak": "Billed energy, peak",
    "kwh_valley": "Billed energy, valley",
    "energy_charge": "Energy charge",
    "total_charge": "Total charge",
    "issued_on": "Date of issue",
    "due_on": "Due date",
    "status": "Bill status",
    "src_updated_at": "Time of last change",
}
ZH = {
    "bill_no": "应收电费单号",
    "cons_no": "户号",
    "acct_no": "结算户号",
    "bill_month": "电费年月",
    "read_from": "上次抄表日期",
    "read_to": "本次抄表日期",
    "kwh_total": "计费电量·总",
    "kwh_peak": "计费电量·峰",
    "kwh_valley": "计费电量·谷",
    "energy_charge": "电度电费",
    "total_charge": "应收合计",
    "issued_on": "发行日期",
    "due_on": "缴费截止日期",
    "status": "电费状态",
    "src_updated_at": "更新时间",
}


@dataclass(frozen=True)
class Copy:
    name: str
    table: str
    file: str
    content: bytes
    expected: str | tuple[str, ...]
    rows: tuple[dict, ...]  # the truth
    minutes: int = 15


def written(rows: list[list], delimiter: str = ",", encoding: str = "utf-8", quote: int = csv.QUOTE_MINIMAL) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=quote, lineterminator="\n").writerows(rows)
    return text.getvalue().encode(encoding)


def grid(rows: list[dict], names: dict | None = None, **change: Callable[[str], str]) -> list[list]:
    columns = list(rows[0])
    header = [(names or {}).get(name, name) for name in columns]
    return [header, *[[change.get(name, str)(row[name]) for name in columns] for row in rows]]


def day(form: str) -> dict[str, Callable[[str], str]]:
    return {name: lambda text: date.fromisoformat(text).strftime(form) for name in truth.DATES}


def amount(decimal: str, thousands: str) -> dict[str, Callable[[str], str]]:
    def change(text: str) -> str:
        return f"{float(text):,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands)

    return dict.fromkeys(truth.AMOUNTS, change)


def xlsx(rows: list[list], above: tuple[list, ...] = (), merged: tuple[str, ...] = ()) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    for row in [*above, *rows]:
        book.active.append(row)
    for place in merged:
        book.active.merge_cells(place)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet(rows: list[dict]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    columns = {name: [row[name] for row in rows] for name in rows[0]}
    typed = {}
    for name, values in columns.items():
        if name in truth.DATES:
            typed[name] = pa.array([date.fromisoformat(v) for v in values])
        elif name in truth.AMOUNTS:
            typed[name] = pa.array([float(v) for v in values])
        else:
            typed[name] = pa.array(values)
    content = io.BytesIO()
    pa.parquet.write_table(pa.table(typed), content)
    return content.getvalue()


def bill_copies() -> list[Copy]:
    rows = truth.bills()
    header, *body = grid(rows)
    early = [r | {n: f"{r[n][:8]}{1 + int(r[n][8:]) % 12:02d}" for n in truth.DATES} for r in rows]
    whole = [r | {"cons_no": r["cons_no"].lstrip("0")} for r in rows]
    merged_top = ["Bill"] * 6 + ["Energy, kWh", None, None, "Charges", None, "Days", None, "Bill", "Bill"]
    own = ("kwh_total", "kwh_peak", "kwh_valley")
    merged = [[name if name in own else ENGLISH[name] for name in truth.BILL_COLUMNS]]
    units = [""] * 6 + ["kWh", "kWh", "kWh", "CNY", "CNY", "", "", "", ""]
    words = dict(zip(truth.STATUS, ("bezahlt", "offen", "teilweise", "storniert"), strict=True))
    excel = {n: lambda text: str((date.fromisoformat(text) - date(1899, 12, 30)).days) for n in truth.DATES}
    total = ["Total", "", "", "", "", "", "1699999.10", "", "", "", "", "", "", "", ""]
    nulls = [[*row[:7], "-" if n % 3 else row[7], "N/A" if n % 4 else row[8], *row[9:]] for n, row in enumerate(body)]
    rows_with_nulls = [
        r | {"kwh_peak": "" if n % 3 else r["kwh_peak"], "kwh_valley": "" if n % 4 else r["kwh_valley"]}
        for n, r in enumerate(rows)
    ]
    made: list[tuple[str, str, bytes, str | tuple[str, ...], list[dict]]] = [
        ("contract names", "bills.csv", written([header, *body]), RIGHT, rows),
        ("semicolons", "bills.csv", written([header, *body], ";"), RIGHT, rows),
        ("tabs", "bills.txt", written([header, *body], "\t"), RIGHT, rows),
        ("pipes", "bills.csv", written([header, *body], "|"), RIGHT, rows),
        ("decimal comma", "bills.csv", written(grid(rows, **amount(",", "")), ";"), RIGHT, rows),
        ("decimal comma, points for thousands", "bills.csv", written(grid(rows, **amount(",", ".")), ";"), RIGHT, rows),
        ("commas for thousands, quoted", "bills.csv", written(grid(rows, **amount(".", ","))), RIGHT, rows),
        ("blanks for thousands", "bills.csv", written(grid(rows, **amount(",", "\u00a0")), ";"), RIGHT, rows),
        ("apostrophes for thousands", "bills.csv", written(grid(rows, **amount(".", "'"))), RIGHT, rows),
        ("byte order mark", "bills.csv", written([header, *body], encoding="utf-8-sig"), RIGHT, rows),
        ("UTF-16", "bills.csv", written([header, *body], "\t", "utf-16"), RIGHT, rows),
        ("GBK with Chinese headers", "账单.csv", written(grid(rows, ZH), encoding="gb18030"), RIGHT, rows),
        ("days with points", "bills.csv", written(grid(rows, **day("%d.%m.%Y"))), RIGHT, rows),
        ("day first", "bills.csv", written(grid(rows, **day("%d/%m/%Y"))), RIGHT, rows),
        ("month first", "bills.csv", written(grid(rows, **day("%m/%d/%Y"))), RIGHT, rows),
        ("day or month first", "bills.csv", written(grid(early, **day("%d/%m/%Y"))), ("columns.issued_on",), early),
        ("two-digit years", "bills.csv", written(grid(rows, **day("%d.%m.%y"))), ("columns.issued_on",), rows),
        ("days without dashes", "bills.csv", written(grid(rows, **day("%Y%m%d"))), RIGHT, rows),
        ("days with midnight", "bills.csv", written(grid(rows, **day("%Y-%m-%d 00:00:00"))), RIGHT, rows),
        ("names of months", "bills.csv", written(grid(rows, **day("%d-%b-%Y"))), RIGHT, rows),
        ("days of a spreadsheet", "bills.csv", written(grid(rows, **excel)), ("columns.issued_on",), rows),
        ("months with a dash", "bills.csv", written(grid(rows, bill_month=lambda t: f"{t[:4]}-{t[4:]}")), RIGHT, rows),
        ("months before years", "bills.csv", written(grid(rows, bill_month=lambda t: f"{t[4:]}/{t[:4]}")), RIGHT, rows),
        (
            "numbers as floats",
            "bills.csv",
            written(grid(whole, cons_no=lambda t: f"{t}.0")),
            ("columns.cons_no",),
            whole,
        ),
        (
            "numbers cut by a spreadsheet",
            "bills.csv",
            written(grid(rows, bill_no=lambda t: f"{float(t):.2E}")),
            ("columns.bill_no",),
            rows,
        ),
        ("Chinese headers", "bills.csv", written(grid(rows, ZH)), RIGHT, rows),
        ("English headers", "bills.csv", written(grid(rows, ENGLISH)), RIGHT, rows),
        (
            "headers in capitals",
            "BILLS.CSV",
            written(grid(rows, {n: e.upper().replace(" ", "_").replace(",", "") for n, e in ENGLISH.items()})),
            RIGHT,
            rows,
        ),
        (
            "a title above",
            "bills.csv",
            b"Export of bills\nJune 2026;;\n\n" + written([header, *body], ";"),
            RIGHT,
            rows,
        ),
        ("units in a row", "bills.csv", written([header, units, *body]), RIGHT, rows),
        ("a header of two lines", "bills.csv", written([merged_top, *merged, *body], ";"), RIGHT, rows),
        ("a total below", "bills.csv", written([header, *body, total]), ("rows.last",), rows),
        ("everything quoted", "bills.csv", written([header, *body], quote=csv.QUOTE_ALL), RIGHT, rows),
        ("a workbook", "bills.xlsx", xlsx(grid(rows, ENGLISH)), RIGHT, rows),
        (
            "a workbook with title and merged header",
            "bills.xlsx",
            xlsx([*merged, *body], (["Bills of June"], [], merged_top), ("A3:F3", "G3:I3", "J3:K3")),
            RIGHT,
            rows,
        ),
        ("Parquet", "bills.parquet", parquet(rows), RIGHT, rows),
        ("codes in words", "bills.csv", written(grid(rows, status=words.get)), ("columns.status",), rows),
        ("dashes for nothing", "bills.csv", written([header, *nulls]), RIGHT, rows_with_nulls),
        ("two columns alike", "bills.csv", written(_alike(rows)), ("columns.total_charge",), rows),
    ]
    return [Copy(name, "mkt_bill", file, content, want, tuple(truth_)) for name, file, content, want, truth_ in made]


def _alike(rows: list[dict]) -> list[list]:
    """Amount 1 and Amount 2 instead of the names of the charges: nobody can know which is which."""
    return grid(rows, {"energy_charge": "Amount 1", "total_charge": "Amount 2"})


def customer_copies() -> list[Copy]:
    chinese, german = truth.customers(CHINESE), truth.customers(GERMAN)
    return [
        Copy(
            "GBK names", "mkt_customer", "customers.csv", written(grid(chinese), encoding="gbk"), RIGHT, tuple(chinese)
        ),
        Copy(
            "a Western code page",
            "mkt_customer",
            "customers.csv",
            written(grid(german), ";", "cp1252"),
            ("format.encoding",),
            tuple(german),
        ),
    ]


def curve_copies() -> list[Copy]:
    quarter, half = truth.slots(), truth.slots(30)
    head = ["Metering point", "Timestamp", "kWh", "kvarh lagging"]

    def long(stamp: Callable[[datetime], str], of=quarter, names=head, delimiter=",") -> bytes:
        return written([names, *[[p, stamp(at), str(kwh), str(kvarh)] for p, at, kwh, kvarh in of]], delimiter)

    def end(at: datetime, minutes: int = 15) -> datetime:
        return at + timedelta(minutes=minutes)

    def same_day(at: datetime) -> str:
        ends = end(at)
        return f"{at:%d-%m-%Y} 00:00" if (ends.hour, ends.minute) == (0, 0) else f"{ends:%d-%m-%Y %H:%M}"

    def as_24(at: datetime) -> str:
        ends = end(at)
        return f"{at:%Y-%m-%d} 24:00" if (ends.hour, ends.minute) == (0, 0) else f"{ends:%Y-%m-%d %H:%M}"

    def wide(of, minutes: int) -> bytes:
        names = [f"{m // 60:02d}:{m % 60:02d}" for m in range(0, 1440, minutes)]
        days: dict[tuple, list] = {}
        for p, at, kwh, _ in of:
            days.setdefault((p, at.date()), []).append(str(kwh))
        return written(
            [["Meter point", "Date", *names], *[[p, f"{d:%d.%m.%Y}", *v] for (p, d), v in days.items()]], ";"
        )

    by_channel = [["MP", "Time", "Register", "Value"]]
    for p, at, kwh, kvarh in quarter:
        by_channel += [[p, f"{at:%Y-%m-%d %H:%M}", "Active import kWh", str(kwh)]]
        by_channel += [[p, f"{at:%Y-%m-%d %H:%M}", "Reactive lagging kvarh", str(kvarh)]]
    apart = [["mp_no", "Date", "Time", "kWh", "kvarh lagging"]]
    apart += [[p, f"{at:%d/%m/%Y}", f"{at:%H:%M}", str(kwh), str(kvarh)] for p, at, kwh, kvarh in quarter]
    counted = [["mp_no", "Settlement date", "Settlement period", "kWh"]]
    counted += [[p, f"{at:%Y-%m-%d}", str(1 + (at.hour * 60 + at.minute) // 30), str(kwh)] for p, at, kwh, _ in half]
    wh = [["mp_no", "Timestamp", "Energy (Wh)"]]
    wh += [[p, f"{at:%Y-%m-%d %H:%M}", f"{kwh * 1000:.0f}"] for p, at, kwh, _ in quarter]
    rated = [["Meter point", "Timestamp", "power", "transformer_kW"]]
    rated += [[p, f"{at:%Y-%m-%d %H:%M}", str(kwh), "35.6"] for p, at, kwh, _ in quarter]
    both = [["Meter point", "Timestamp", "Energy A kWh", "Energy B kWh"]]
    both += [[p, f"{at:%Y-%m-%d %H:%M}", str(kwh), str(kvarh)] for p, at, kwh, kvarh in quarter]
    utc = timedelta(hours=8)
    made: list[tuple[str, bytes, str | tuple[str, ...], list, int, int]] = [
        ("start of the slot", long(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"), RIGHT, quarter, 15, 2),
        ("end of the slot", long(lambda at: f"{end(at):%Y-%m-%d %H:%M}"), RIGHT, quarter, 15, 2),
        ("end, 24:00 as 00:00 of the same day", long(same_day), RIGHT, quarter, 15, 2),
        ("end, 24:00", long(as_24), RIGHT, quarter, 15, 2),
        ("UTC with Z", long(lambda at: f"{at - utc:%Y-%m-%dT%H:%M:%SZ}"), RIGHT, quarter, 15, 2),
        ("offsets", long(lambda at: f"{at:%Y-%m-%d %H:%M:%S}+08:00"), RIGHT, quarter, 15, 2),
        (
            "UTC without a word",
            long(lambda at: f"{at - utc:%Y-%m-%d %H:%M}"),
            ("intervals.stamp.zone",),
            quarter,
            15,
            2,
        ),
        ("thirty minutes", long(lambda at: f"{at:%Y-%m-%d %H:%M}", half), RIGHT, half, 30, 2),
        ("month first by the hour", long(lambda at: f"{at:%m/%d/%Y %I:%M %p}"), RIGHT, quarter, 15, 2),
        (
            "Chinese header",
            long(lambda at: f"{at:%Y/%m/%d %H:%M}", names=["计量点编号", "数据时间", "正向有功电量", "感性无功电量"]),
            RIGHT,
            quarter,
            15,
            2,
        ),
        ("a column a quarter", wide(quarter, 15), ("intervals.quantities",), quarter, 15, 1),
        ("a column a half hour", wide(half, 30), ("intervals.quantities",), half, 30, 1),
        ("a row a register", written(by_channel), RIGHT, quarter, 15, 2),
        ("date and time apart", written(apart, ";"), RIGHT, quarter, 15, 2),
        ("periods counted", written(counted), RIGHT, half, 30, 1),
        ("watt-hours", written(wh), RIGHT, quarter, 15, 1),
        # found in a public export: the rating was taken for the power, whose unit no header says
        ("a rating beside the power", written(rated), ("intervals.quantities.power",), quarter, 15, 1),
        ("two energies", written(both), ("intervals.quantities.Energy A kWh",), quarter, 15, 1),
    ]
    copies = []
    for name, content, want, of, minutes, quantities in made:
        rows = tuple(
            {"mp_no": p, "start": at, "E+": kwh, **({"RQ1": kvarh} if quantities == 2 else {})}
            for p, at, kwh, kvarh in of
        )
        copies.append(Copy(name, "met_interval_96", "load_curve.csv", content, want, rows, minutes))
    return copies


def copies() -> list[Copy]:
    return [*bill_copies(), *customer_copies(), *curve_copies()]
