"""How a file is written: encoding, delimiter, where its header ends and its data begin, how its numbers are written."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import PurePath

from include.landing.delivery import FileProblem
from include.landing.formats import KINDS, UTF_16, Format, Grid, decoded, header_of, read_grid, read_records
from include.onboarding.notes import Notes

SAMPLE_BYTES = 8 << 20
LOOKED_AT = 400  # records that tell header from data
DELIMITERS = (",", ";", "\t", "|")
BLANKS = " \N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}"
_NUMBER = re.compile(rf"[+-]?\d[\d.,'’{BLANKS}]*([eE][+-]?\d+)?|[+-]?[.,]\d+")
_TIME = re.compile(r"\d{1,2}[:.]\d{2}(:\d{2})?( ?[AaPp][Mm])?")
_DAY = re.compile(
    r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|\d{1,2}[- ][A-Za-z]{3,9}[- ]\d{2,4}.*|[A-Za-z]{3,9} \d{1,2}, \d{4}.*|\d{4}年\d{1,2}月.*"
)
_UNIT = re.compile(
    r"[\[(]?(kWh|MWh|Wh|kvarh|kVArh|kVAh|kW|W|MW|kvar|kVA|V|kV|A|%|CNY|RMB|EUR|USD|h|min|元|千瓦时|万千瓦时|千瓦|-)[\])]?",
    re.I,
)
_TOTAL = ("total", "totals", "sum", "summe", "gesamt", "合计", "总计", "小计")
NULLS = ("-", "--", "---", "n/a", "na", "null", "nan", "#n/a", "none", "\\n", "?", "无")


@dataclass
class Sniffed:
    form: Format
    grid: Grid
    units: dict[str, str]  # column -> the unit in the line below the header
    notes: Notes
    leaves: dict[str, str] = field(default_factory=dict)  # column of a header of several lines -> its name in the last


def sniff(content: bytes, file_name: str) -> Sniffed:
    """The format of a file. Raises FileProblem where it holds no table that can be told."""
    notes = Notes()
    kind = KINDS.get(PurePath(file_name).suffix.lower())
    if kind is None:
        raise FileProblem(f"it is none of {', '.join(KINDS)}")
    if kind == "parquet":
        form = Format(kind="parquet")
        return Sniffed(form, read_grid(content, form), {}, notes)
    content = _sample(content) if kind == "csv" else content
    form = Format(kind=kind)
    if kind == "csv":
        form = replace(form, encoding=_encoding(content, notes))
        form = replace(form, delimiter=_delimiter(decoded(content, form.encoding), notes))
    records = read_records(content, form)
    form, units = _places(records, form, notes)
    grid = read_grid(content, form)
    if not grid.rows:
        raise FileProblem("none of its lines has as many fields as the header")
    kinds = [_kind_of(column) for column in _columns(grid)]
    form = replace(form, nulls=_nulls(grid, kinds, notes))
    form = _number_format(grid, kinds, form, notes)
    _look_for_total(grid, notes)
    return Sniffed(form, read_grid(content, form), units, notes, _leaves(records, form, grid.names))


def _leaves(records: list, form: Format, names: list[str]) -> dict[str, str]:
    if len(form.header) < 2:
        return {}
    last = header_of(records[:LOOKED_AT], form.header[-1:])
    return {name: leaf for name, leaf in zip(names, last, strict=False) if leaf and last.count(leaf) == 1}


def _sample(content: bytes) -> bytes:
    if len(content) <= SAMPLE_BYTES or content[:2] in UTF_16:
        return content
    return content[: content.rindex(b"\n", 0, SAMPLE_BYTES) + 1]


def _encoding(content: bytes, notes: Notes) -> str:
    where = "format.encoding"
    if content[:2] in UTF_16:
        notes.say(where, "the file begins with the byte order mark of UTF-16")
        return "utf-16"
    if content[:200].count(0) > len(content[:200]) // 4:
        name = "utf-16-le" if content[1:2] == b"\0" else "utf-16-be"
        notes.say(where, "every other byte is zero, as in UTF-16 without a mark")
        return name
    try:
        content.decode("utf-8")
        notes.say(where, "every byte reads as UTF-8")
        return "utf-8-sig"
    except UnicodeDecodeError:
        pass
    chinese = _as_chinese(content)
    if chinese:
        notes.say(where, f"it is no UTF-8, and as GB18030 its text is Chinese (like {chinese})")
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    name = best.encoding if best else "cp1252"
    if name in ("latin_1", "cp1250", "cp1252", "iso8859_1", "iso8859_15") or not best:
        name = "cp1252"
    text = content.decode(name, errors="replace")
    shown = next((word for word in re.findall(r"[^\W\d_]+", text) if not word.isascii()), "")
    notes.doubt(where, name, f"it is no UTF-8; as {name} it has words like {shown}, and other code pages read it too")
    return name


def _as_chinese(content: bytes) -> str | None:
    """A word of the text where it reads as GB18030 and what is not ASCII is common Chinese."""
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    other = [c for c in text if not c.isascii()]
    common = 0
    for c in other:  # GB2312's first plane holds the common characters; a Western code page falls outside it
        try:
            first = c.encode("gb2312")[0]
        except UnicodeEncodeError:
            continue
        common += 0xA1 <= first <= 0xD7
    words = re.findall(r"[\u4e00-\u9fff]{2,}", text)
    return words[0] if words and common >= 0.9 * len(other) and len("".join(words)) >= 0.6 * len(other) else None


def _delimiter(text: str, notes: Notes) -> str:
    lines = text.splitlines(keepends=True)[:LOOKED_AT]
    scored = []
    for delimiter in DELIMITERS:
        rows = [row for row in csv.reader(io.StringIO("".join(lines), newline=""), delimiter=delimiter) if any(row)]
        if not rows:
            continue
        width, share = Counter(len(row) for row in rows).most_common(1)[0]
        if width < 2:
            continue
        header = next(row for row in rows if len(row) == width)
        is_text = sum(not _NUMBER.fullmatch(cell.strip()) for cell in header) >= 0.7 * width
        scored.append((share / len(rows) - (0 if is_text else 0.5), width, delimiter))
    if not scored:
        notes.doubt("format.delimiter", ",", "no delimiter splits its lines into columns")
        return ","
    scored.sort(reverse=True)
    best, others = scored[0], scored[1:]
    notes.say("format.delimiter", f"{best[2]!r} splits {best[0]:.0%} of the first lines into {best[1]} columns")
    if close := [other for other in others if other[0] >= best[0] - 0.02 and other[1] >= best[1] // 2]:
        notes.doubt("format.delimiter", best[2], f"{close[0][2]!r} splits as well, into {close[0][1]} columns")
    return best[2]


def cell_kind(text: str | None) -> str:
    """What a cell looks like: empty, number, time, day or text."""
    if not text:
        return "empty"
    if _TIME.fullmatch(text) and ":" in text:
        return "time"
    if _DAY.fullmatch(text):
        return "day"
    if _NUMBER.fullmatch(text):
        return "number"
    return "text"


def _kind_of(values: list[str | None]) -> str:
    looked = [value for value in values[:LOOKED_AT] if value and value.lower() not in NULLS]
    counted = Counter(map(cell_kind, looked))
    if not counted:
        return "empty"
    kind, times = counted.most_common(1)[0]
    return kind if times >= 0.5 * sum(counted.values()) else "text"


def _columns(grid: Grid) -> list[list[str | None]]:
    return [[row[at] for row in grid.rows] for at in range(len(grid.names))]


def _places(records: list[tuple[int, list]], form: Format, notes: Notes) -> tuple[Format, dict[str, str]]:
    """Lines of the header and the first line of data. A title has one cell; a line of units has nothing else."""
    head = [(line, fields) for line, fields in records[:LOOKED_AT] if any(fields)]
    if len(head) < 2:
        raise FileProblem("it has no line of data below its header")
    width = Counter(len(_trimmed(fields)) for _, fields in head).most_common(1)[0][0]
    body = head[len(head) // 2 :] if len(head) > 6 else head[1:]
    kinds = [_kind_of([fields[at] if at < len(fields) else None for _, fields in body]) for at in range(width)]
    typed = [at for at, kind in enumerate(kinds) if kind in ("number", "time", "day")]

    def is_data(fields: list) -> bool:
        cells = [(cell_kind(fields[at]), kinds[at]) for at in typed if at < len(fields) and fields[at]]
        return bool(cells) and sum(own == of for own, of in cells) >= 0.6 * len(cells)

    first = next((at for at, (_, fields) in enumerate(head) if is_data(fields)), None) if typed else 1
    if first is None or first == 0:
        notes.doubt("format.header", 1, "no line of names could be told from the data")
        first = 1
    above = head[:first]
    units: dict[str, str] = {}
    unit_row = None
    if len(above) > 1 and all(_UNIT.fullmatch(cell) for cell in above[-1][1] if cell):
        unit_row = above.pop()
    rows = []
    for line, fields in reversed(above):
        is_wider = len(_trimmed(fields)) > width  # facts of the export, above a table of its own
        if is_wider or len([cell for cell in fields if cell]) < 2 or len(rows) == 3:
            break
        rows.insert(0, (line, fields))
    if not rows:
        raise FileProblem("no header could be told from its data")
    lines = tuple(line for line, _ in rows)
    if len(lines) > 1:
        notes.say("format.header", f"lines {', '.join(map(str, lines))} together name the columns")
    elif lines[0] > 1:
        notes.say("format.header", f"the lines above {lines[0]} have a single cell, as a title has")
    form = replace(form, header=lines, data=head[first][0])
    if unit_row:
        names = header_of(records[:LOOKED_AT], lines)
        units = {name: cell for name, cell in zip(names, unit_row[1], strict=False) if cell}
        notes.say("format.data", f"line {unit_row[0]} has units and no names")
    return form, units


def _trimmed(fields: list) -> list:
    last = max((at for at, cell in enumerate(fields) if cell), default=-1)
    return fields[: last + 1]


def _nulls(grid: Grid, kinds: list[str], notes: Notes) -> tuple[str, ...]:
    typed, texts = set(), set()
    for values, kind in zip(_columns(grid), kinds, strict=True):
        found = {value for value in values if value and value.lower() in NULLS}
        (texts if kind in ("text", "empty") else typed).update(found)
    nulls = tuple(sorted(value for value in typed if value not in texts or value.lower() not in ("none", "无")))
    if nulls:
        notes.say("format.nulls", f"{', '.join(nulls)} is in columns of numbers or days, where it can only say nothing")
    return nulls


def _number_format(grid: Grid, kinds: list[str], form: Format, notes: Notes) -> Format:
    """The decimal mark and the mark between thousands, of all columns of numbers together."""
    marks: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    unclear: dict[str, str] = {}
    for values, kind in zip(_columns(grid), kinds, strict=True):
        if kind != "number":
            continue
        for value in values:
            if value and value not in form.nulls and _NUMBER.fullmatch(value):
                _vote(value, marks, groups, unclear)
    decimal = marks.most_common(1)[0][0] if marks else "."
    if len(marks) > 1:
        notes.doubt("format.decimal", decimal, f"both marks are used for decimals ({dict(marks)})")
    elif marks:
        notes.say("format.decimal", f"{marks[decimal]} numbers can have {decimal!r} before their decimals only")
    thousands = groups.most_common(1)[0][0] if groups else ""
    if not marks and thousands in (".", ","):
        decimal = "," if thousands == "." else "."
    for mark, example in unclear.items():
        if mark != decimal and mark != thousands and not marks:
            notes.doubt("format.decimal", decimal, f"{example} may be a thousand or a number of three decimals")
        elif mark != decimal and not thousands:
            thousands = mark
        elif mark == decimal and not marks:
            notes.doubt("format.decimal", decimal, f"{example} may be a thousand or a number of three decimals")
    if thousands == decimal:
        notes.doubt("format.thousands", thousands, "one mark is between thousands and before decimals")
        thousands = ""
    if thousands:
        notes.say("format.thousands", f"{thousands!r} stands between groups of three digits")
    return replace(form, decimal=decimal, thousands=thousands)


def _vote(value: str, marks: Counter, groups: Counter, unclear: dict[str, str]) -> None:
    value = value.lstrip("+-")
    if blank := next((mark for mark in (*BLANKS, "'", "’") if mark in value), None):
        if re.fullmatch(rf"\d{{1,3}}({blank}\d{{3}})+([.,]\d+)?", value):
            groups["'" if blank in "'’" else " "] += 1
        value = value.replace(blank, "")
    used = [mark for mark in ".," if mark in value]
    if len(used) == 2:
        last = max(used, key=value.rindex)
        marks[last] += 1
        groups["," if last == "." else "."] += 1
    elif used:
        (mark,) = used
        if value.count(mark) > 1:
            if re.fullmatch(rf"\d{{1,3}}({re.escape(mark)}\d{{3}})+", value):
                groups[mark] += 1
        elif re.fullmatch(rf"[1-9]\d{{0,2}}{re.escape(mark)}\d{{3}}", value):
            unclear.setdefault(mark, value)
        else:
            marks[mark] += 1


def _look_for_total(grid: Grid, notes: Notes) -> None:
    if len(grid.rows) < 3:
        return
    last, filled = grid.rows[-1], [sum(cell is not None for cell in row) for row in grid.rows[:-1]]
    words = [cell for cell in last if cell and cell.strip(" :：").lower() in _TOTAL]
    if words or sum(cell is not None for cell in last) < 0.5 * min(filled):
        why = f"line {grid.lines[-1]} looks like a sum of the others; it is rejected as a row"
        notes.doubt("rows.last", grid.lines[-1], why)
