"""Values in a utility's own writing as the contract writes them. A value that does not read as stated stays as it is, so that
its row is rejected with its own text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from functools import cache
from zoneinfo import ZoneInfo

from include.landing.formats import Format

LOCAL = timezone(timedelta(hours=8))  # of the contract's times
EXCEL_SERIAL = "excel"  # a date as a spreadsheet's number of days
_EXCEL_DAY_0 = datetime(1899, 12, 30)
TRUE = ("true", "t", "1", "yes", "y", "j", "ja", "是", "x")
FALSE = ("false", "f", "0", "no", "n", "nein", "否")
_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def converted(texts: list[str | None], physical_type: str, spec: Mapping, form: Format) -> list[str | None]:
    """The values of a column of the contract. `spec` may have format, zone, scale, codes, whole, pad, as the mapping states."""
    convert = cache(_converter(physical_type, spec, form))
    return [None if text is None else convert(text) for text in texts]


def _converter(physical_type: str, spec: Mapping, form: Format) -> Callable[[str], str]:
    codes = spec.get("codes")
    if codes:
        return lambda text: str(codes.get(text, text))
    if physical_type in ("date", "timestamptz", "char(6)"):
        if "format" not in spec:
            return lambda text: text
        return lambda text: _moment(text, physical_type, spec["format"], spec.get("zone"))
    if physical_type == "boolean":
        return _boolean
    if re.match(r"numeric|integer|smallint|bigint|double|real", physical_type):
        scale = Decimal(str(spec.get("scale", 1)))
        return lambda text: number(text, form, scale) or text
    return lambda text: _number_of_a_thing(text, spec)


def number(text: str, form: Format, scale: Decimal = Decimal(1)) -> str | None:
    """A number as the contract writes it; None where the text is none in this format."""
    plain = _ungrouped(text.strip().replace("\N{MINUS SIGN}", "-"), form)
    if plain is None or not _PLAIN.fullmatch(plain):
        return None
    if scale == 1:
        return plain
    try:
        return format((Decimal(plain) * scale).normalize(), "f")
    except InvalidOperation:
        return None


def _ungrouped(text: str, form: Format) -> str | None:
    """Thousands only where they group: 1.2345 with '.' for thousands is no number, rather than 12345."""
    whole, point, fraction = text.partition(form.decimal)
    if point and form.decimal in fraction:
        return None
    if form.thousands:
        groups = _blanks(whole).split(_blanks(form.thousands))
        if len(groups) > 1:
            sized = re.fullmatch(r"[+-]?\d{1,3}", groups[0]) and all(re.fullmatch(r"\d{3}", g) for g in groups[1:])
            if not sized:
                return None
        whole = "".join(groups)
    if "." in whole or (form.decimal != "." and "." in fraction) or "," in whole + fraction:
        return None
    return f"{whole}.{fraction}" if point else whole


def _blanks(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ").replace("’", "'")


def _boolean(text: str) -> str:
    low = text.lower()
    return "true" if low in TRUE else "false" if low in FALSE else text


def _number_of_a_thing(text: str, spec: Mapping) -> str:
    """`whole: true` takes the .0 off that a spreadsheet or a data frame put on; `pad` fills with zeros in front."""
    if spec.get("whole") and (found := re.fullmatch(r"(\d+)\.0+", text)):
        text = found[1]
    return text.zfill(spec["pad"]) if spec.get("pad") and text.isdigit() else text


def _moment(text: str, physical_type: str, forms: str | list[str], zone: str | None) -> str:
    for form in [forms] if isinstance(forms, str) else forms:
        found = moment(text, form, zone)
        if found is not None:
            break
    else:
        return text
    if physical_type == "date":
        return found.strftime("%Y-%m-%d") if (found.hour, found.minute, found.second) == (0, 0, 0) else text
    if physical_type == "char(6)":
        return found.strftime("%Y%m")
    return found.astimezone(LOCAL).isoformat(" ") if found.tzinfo else f"{found.isoformat(' ')}+08:00"


def moment(text: str, form: str, zone: str | None = None) -> datetime | None:
    """A day or time as written; with a zone as an instant of it. None where it does not read so."""
    try:
        if form == EXCEL_SERIAL:
            found = _EXCEL_DAY_0 + timedelta(days=float(text))
            found = (found + timedelta(milliseconds=500)).replace(microsecond=0)
        else:
            found = datetime.strptime(text, form)
    except (ValueError, OverflowError):
        return None
    if zone and found.tzinfo is None:
        return found.replace(tzinfo=_zone(zone))
    return found


def _zone(zone: str):
    if found := re.fullmatch(r"([+-])(\d\d):(\d\d)", zone):
        offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
        return timezone(-offset if found[1] == "-" else offset)
    return ZoneInfo(zone)
