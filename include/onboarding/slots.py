"""Interval files: where their stamps, points, slots and quantities are, and how long a slot is and which end its stamp names."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from include.landing.formats import Format
from include.landing.values import number
from include.onboarding.dates import STAMPS, candidates, day_forms, read_all, step_of
from include.onboarding.names import plain, words
from include.onboarding.notes import Notes
from include.onboarding.sniff import Sniffed, cell_kind

MINUTES = (5, 10, 15, 30, 60)
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(:00)?")
_ENDS = re.compile(r"end|ending|until|bis|结束|止", re.I)


@dataclass
class Slots:
    """A layout of `docs/reference/interval-files.md`, with `wide` and `channel` for other shapes, and what is not sure of it."""

    layout: dict
    notes: Notes = field(default_factory=Notes)
    unused: list[str] = field(default_factory=list)


def find_slots(sniffed: Sniffed) -> Slots | None:
    """The layout of a file of intervals; None where it is none."""
    return _wide(sniffed) or _long(sniffed)


def _filled(sniffed: Sniffed, name: str) -> list[str]:
    return [value for value in sniffed.grid.column(name) if value]


def _headers(sniffed: Sniffed) -> list[str]:
    names = sniffed.grid.names
    return [name for name in names if name and names.count(name) == 1]


# --- a row a slot


def _long(sniffed: Sniffed) -> Slots | None:
    found = _stamp(sniffed)
    if found is None:
        return None
    stamp, forms, texts = found
    slots = Slots({"stamp": stamp})
    used = {
        *(stamp["column"] if isinstance(stamp["column"], list) else [stamp["column"]]),
        *([stamp["slot"]] if "slot" in stamp else []),
    }
    point = _point(sniffed, used, slots)
    if point:
        used.add(point)
    channel = _channel(sniffed, used, slots)
    if channel:
        slots.layout["channel"] = channel
        used |= {channel["column"], channel["value"]}
    else:
        slots.layout["quantities"] = _quantities(sniffed, used, slots)
        used |= set(slots.layout["quantities"])
        if not slots.layout["quantities"]:
            return None
    slots.unused = [name for name in _headers(sniffed) if name not in used]
    if not _time_the_slots(sniffed, slots, point, forms, texts):
        return None
    _ask_for_what_no_file_says(slots)
    return slots


def _stamp(sniffed: Sniffed) -> tuple[dict, list[str], list[str]] | None:
    """The column of stamps, or those of day and time, or of day and number of the slot; with forms and texts."""
    days: list[str] = []
    for name in _headers(sniffed):
        values = _filled(sniffed, name)
        if not values or len(values) < 0.9 * len(sniffed.grid.rows) or cell_kind(values[0]) not in ("day", "number"):
            continue
        if forms := candidates(values[:3000], STAMPS):
            clocks = {re.search(r"\d:\d{2}", value)[0] for value in values[:400] if ":" in value}
            if len(clocks) > 3:
                return {"column": name}, forms, values
        elif day_forms(values[:200]) and cell_kind(values[0]) == "day":
            days.append(name)
    for name in days:
        others = [other for other in _headers(sniffed) if other != name]
        for other in others:
            values = _filled(sniffed, other)
            if (
                len(values) == len(sniffed.grid.rows)
                and all(_CLOCK.fullmatch(v) for v in values[:400])
                and len(set(values)) > 3
            ):
                texts = [f"{a} {b}" for a, b in zip(sniffed.grid.column(name), values, strict=True)]
                if forms := candidates(texts[:3000], STAMPS):
                    return {"column": [name, other]}, forms, texts
        for other in others:
            values = _filled(sniffed, other)
            counts = {int(v) for v in values if v.isdigit()}
            is_counted = (
                len(values) == len(sniffed.grid.rows) and counts and min(counts) == 1 and max(counts) == len(counts)
            )
            is_named = re.search(r"period|slot|interval|hour|时段|点数|序号", plain(other))
            if is_counted and is_named and len(counts) in (24 * 60 // minutes for minutes in MINUTES):
                return {"column": name, "slot": other}, day_forms(_filled(sniffed, name)), values
    return None


def _point(sniffed: Sniffed, used: set[str], slots: Slots) -> str | None:
    known = {plain(name) for name in words()["columns"]["mp_no"]} | {
        "mp no",
        "计量点编号",
        "mp",
        "metering point number",
    }
    headers = [name for name in _headers(sniffed) if name not in used]
    named = [name for name in headers if plain(name) in known]
    if len(named) == 1:
        (name,) = named
        slots.layout["metering_point_column"] = name
        values = _filled(sniffed, name)
        slots.notes.say(
            "intervals.metering_point_column", f"{name!r} is a name of the metering point; it has {len(set(values))}"
        )
        if any(re.fullmatch(r"\d+\.0+", value) for value in values):
            slots.layout["point"] = {"whole": True}
            slots.notes.doubt(
                "intervals.point", name, f"{values[0]} was a number for a while: zeros in front of it would be lost"
            )
        if any(re.fullmatch(r"\d([.,]\d+)?[eE]\+?\d+", value) for value in values):
            slots.notes.doubt(
                "intervals.point", name, f"{values[0]} is a number that a spreadsheet has cut; export it as text"
            )
        return name
    like = [name for name in headers if cell_kind(_filled(sniffed, name)[0] if _filled(sniffed, name) else None) in ("text", "number")
            and re.search(r"\b(id|no|number|meter|point|编号|表号)\b", plain(name))]  # fmt: skip
    if named or like:
        chosen = (named or like)[0]
        slots.layout["metering_point_column"] = chosen
        slots.notes.doubt(
            "intervals.metering_point_column", chosen, f"{', '.join(named or like)} may name the metering point"
        )
        return chosen
    slots.layout["metering_point_no"] = ""
    slots.notes.doubt("intervals.metering_point_no", "", "no column names the metering point: write its number here")
    return None


def _channel(sniffed: Sniffed, used: set[str], slots: Slots) -> dict | None:
    """A column that says what the one column of values is."""
    headers = [name for name in _headers(sniffed) if name not in used]
    numbers = [name for name in headers if _is_numeric(_filled(sniffed, name), sniffed.form)]
    if len(numbers) != 1 or quantity_of(numbers[0], sniffed.units.get(numbers[0], ""))[0]:
        return None
    for name in headers:
        kinds = Counter(_filled(sniffed, name))
        if name in numbers or not 2 <= len(kinds) <= 16 or len(set(kinds.values())) > 2:
            continue
        codes, unknown = {}, []
        for kind in kinds:
            quantity, scale, _ = quantity_of(kind, "")
            if quantity and scale == 1:
                codes[kind] = quantity
            else:
                unknown.append(kind)
        if not codes:
            continue
        if len(set(codes.values())) < len(codes):
            slots.notes.doubt("intervals.channel", codes, "two kinds would be one quantity")
        if unknown:
            slots.notes.doubt(
                "intervals.channel", codes, f"{', '.join(unknown)} is no quantity that is known; it is left out"
            )
        slots.notes.say("intervals.channel", f"{name!r} says what {numbers[0]!r} is")
        return {"column": name, "value": numbers[0], "codes": codes}
    return None


def _is_numeric(values: list[str], form: Format) -> bool:
    looked = values[:200]
    return bool(looked) and sum(number(value, form) is not None for value in looked) >= 0.9 * len(looked)


def quantity_of(header: str, unit: str) -> tuple[str | None, float, str]:
    """The quantity that a name and its unit say, the factor to the contract's unit, and why it is not sure, where it is not."""
    text = f"{header} {unit}"
    name = " ".join([plain(header), *plain_units(text)])
    units = plain_units(text)
    is_reactive = bool(re.search(r"reactive|kvarh?|blind|无功|感性|容性|lagging|leading", name, re.I))
    out = bool(re.search(r"export|reverse|feed ?in|generat|produc|received|einspeis|反向|上网", name))
    if "power factor" in name or re.search(r"\bpf\b|cos ?phi|功率因数", name):
        return "PF", 1, ""
    if re.search(r"co2|carbon|price|cost|charge|temperature|温度|电价", name):
        return None, 1, ""
    scale = 1.0
    if is_reactive:
        if "kvar" in units and "kvarh" not in units:
            return "Q", 1, ""
        if re.search(r"lead|capacit|容性|q4\b", name):
            return "RQ4", 1, ""
        if re.search(r"lag|induct|感性|q1\b", name):
            return "RQ1", 1, ""
        return ("RQ2" if out else "RQ1"), 1, "a reactive energy that does not say whether it lags or leads"
    for label, factor in (("mwh", 1000), ("kwh", 1), ("wh", 0.001), ("千瓦时", 1), ("度", 1)):
        if label in units:
            return ("E-" if out else "E+"), factor, ""
    for label, factor in (("mw", 1000), ("kw", 1), ("w", 0.001), ("千瓦", 1)):
        if label in units:
            return "P", factor, ""
    if "v" in units or re.search(r"voltage|电压", name):
        return "U", 1, "" if re.search(r"phase|相|\b[abc]\b|l[123]", name) else "a voltage that names no phase"
    if "a" in units or re.search(r"current|电流", name):
        return "I", 1, "" if re.search(r"phase|相|\b[abc]\b|l[123]", name) else "a current that names no phase"
    if re.search(r"有功电量|用电量|^电量$", name):
        return ("E-" if out else "E+"), 1, ""
    if re.search(r"有功功率|负荷", name):
        return "P", 1, ""
    if re.search(r"consumption|energy|usage|import", name):
        return ("E-" if out else "E+"), scale, "an energy that names no unit; kWh is the contract's"
    if re.search(r"power|demand|load", name):
        return "P", 1, "a power that names no unit; kW is the contract's"
    return None, 1, ""


def plain_units(text: str) -> list[str]:
    """The units that a name has as words of their own, in lower case."""
    parts = re.split(r"[^A-Za-z\u4e00-\u9fff]+", text)
    known = {"mwh", "kwh", "wh", "kvarh", "mw", "kw", "w", "kvar", "v", "a", "千瓦时", "千瓦", "度"}
    return [part.lower() for part in parts if part.lower() in known]


def _quantities(sniffed: Sniffed, used: set[str], slots: Slots) -> dict[str, dict]:
    found: dict[str, list[tuple[str, float, str]]] = {}
    for name in _headers(sniffed):
        if name in used or not _is_numeric(_filled(sniffed, name), sniffed.form):
            continue
        quantity, scale, doubt = quantity_of(name, sniffed.units.get(name, ""))
        values = _filled(sniffed, name)
        if (
            quantity and len(set(values)) == 1 and len(values) >= 20
        ):  # a rating beside each value, or a meter that stands still
            slots.notes.doubt(
                f"intervals.unused.{name}", None, f"it would be {quantity}, but every value is {values[0]}"
            )
            continue
        if quantity:
            found.setdefault(quantity, []).append((name, scale, doubt))
    chosen: dict[str, dict] = {}
    for quantity, columns in found.items():
        if len(columns) > 1:
            names = ", ".join(repr(name) for name, *_ in columns)
            if quantity == "PF":
                slots.notes.say(
                    "intervals.unused", f"{names} are both power factors; none is taken, energies say it better"
                )
                continue
            slots.notes.doubt(f"intervals.quantities.{columns[0][0]}", quantity, f"{names} would each be {quantity}")
        name, scale, doubt = columns[0]
        if quantity == "PF":
            highest = max(abs(float(number(v, sniffed.form) or 0)) for v in _filled(sniffed, name)[:2000])
            scale = 0.01 if highest > 1.5 else 1
        chosen[name] = {"data_type": quantity} | ({} if scale == 1 else {"scale": scale})
        slots.notes.say(
            f"intervals.quantities.{name}",
            f"its name and unit say {quantity}" + ("" if scale == 1 else f", times {scale:g}"),
        )
        if doubt:
            slots.notes.doubt(f"intervals.quantities.{name}", quantity, doubt)
    return chosen


def _time_the_slots(sniffed: Sniffed, slots: Slots, point: str | None, forms: list[str], texts: list[str]) -> bool:
    """Form, minutes, labels, midnight and zone of the stamps. False where they have no steady step: then they are no slots."""
    stamp, notes = slots.layout["stamp"], slots.notes
    if "slot" in stamp:
        count = max(int(v) for v in _filled(sniffed, stamp["slot"]))
        slots.layout["slot_minutes"] = 24 * 60 // count
        stamp["format"] = forms[0]
        notes.say(
            "intervals.stamp.slot",
            f"{stamp['slot']!r} counts from 1 to {count}: slots of {slots.layout['slot_minutes']} minutes",
        )
        if len(forms) > 1:
            notes.doubt("intervals.stamp.format", forms[0], f"{texts[0]} reads as {' and as '.join(forms)}")
        return True
    of_point = _of_first_point(sniffed, point, slots.layout.get("channel"), texts)
    scored = sorted(((*_steady(of_point, form), form) for form in forms), key=lambda each: -each[0])
    share, gap, is_same_day, form = scored[0]
    minutes = int(gap.total_seconds() // 60)
    if minutes not in MINUTES or share < 0.8:
        return False
    stamp["format"] = form
    slots.layout["slot_minutes"] = minutes
    notes.say("intervals.slot_minutes", f"{share:.1%} of its stamps are {minutes} minutes apart")
    if len(forms) > 1:
        if scored[1][0] > share - 0.1:
            notes.doubt("intervals.stamp.format", form, f"{texts[0]} reads as {' and as '.join(forms)}")
        else:
            notes.say("intervals.stamp.format", f"only as {form} are the stamps in steady steps")
    for name in [n for n, q in slots.layout.get("quantities", {}).items() if q["data_type"] == "PF" and minutes < 15]:
        del slots.layout["quantities"][name]
        slots.unused.append(name)
        notes.say(
            "intervals.unused",
            f"{name!r} is a power factor in slots finer than 15 minutes: it can be neither summed nor averaged",
        )
    stamps = read_all(of_point, form)
    is_24 = any("24:00" in text for text in of_point)
    _label(slots, stamps, gap, is_same_day, is_24, form)
    return True


def _of_first_point(sniffed: Sniffed, point: str | None, channel: dict | None, texts: list[str]) -> list[str]:
    rows = texts
    keys = [sniffed.grid.column(name) for name in filter(None, [point, channel and channel["column"]])]
    if keys:
        first = tuple(column[0] for column in keys)
        rows = [text for at, text in enumerate(texts) if tuple(column[at] for column in keys) == first]
    return rows


def _steady(texts: list[str], form: str) -> tuple[float, timedelta, bool]:
    """The share of steps that are the common one, that step, and whether 24:00 is written 00:00 of the same day."""
    stamps = read_all(texts[:5000], form)
    gap, share = step_of(stamps)
    moved = [each + timedelta(days=1) if (each.hour, each.minute) == (0, 0) else each for each in stamps]
    other_gap, other_share = step_of(moved)
    if other_share > share:
        return other_share, other_gap, True
    return share, gap, False


def _label(slots: Slots, stamps: list[datetime], gap: timedelta, is_same_day: bool, is_24: bool, form: str) -> None:
    stamp, notes = slots.layout["stamp"], slots.notes
    header = " ".join(stamp["column"]) if isinstance(stamp["column"], list) else stamp["column"]
    first, last = stamps[0], stamps[-1]
    if first.tzinfo:
        from include.landing.values import LOCAL

        first, last = first.astimezone(LOCAL), last.astimezone(LOCAL)
        notes.say("intervals.stamp.zone", "its stamps have their offset")
    first, last = first.replace(tzinfo=None), last.replace(tzinfo=None)
    midnight, end = time(0, 0), (datetime.min + gap).time()
    if is_24 or is_same_day:
        stamp |= {"labels": "end", "midnight": "same_day"}
        written = "24:00" if is_24 else "00:00 after 23:45 of the same day"
        notes.say("intervals.stamp.labels", f"its days end with {written}: stamps name the end of their slot")
        return
    if first.time() == midnight and (last + gap).time() == midnight:
        stamp["labels"] = "start"
        notes.say(
            "intervals.stamp.labels",
            f"it begins at 00:00 and ends at {last:%H:%M}: stamps name the start of their slot",
        )
        if _ENDS.search(plain(header)):
            why = f"it begins at 00:00 and ends at {last:%H:%M}, as starts do; its header {header!r} says that they name the end"
            notes.doubt("intervals.stamp.labels", "start", why)
        return
    if first.time() == end and last.time() == midnight:
        stamp["labels"] = "end"
        notes.say(
            "intervals.stamp.labels", f"it begins at {first:%H:%M} and ends at 00:00: stamps name the end of their slot"
        )
        return
    stamp["labels"] = "end" if _ENDS.search(plain(header)) else "start"
    if "%z" not in form and first.time() in (time(16, 0), (datetime.min + timedelta(hours=16) + gap).time()):
        stamp["zone"] = "UTC"
        stamp["labels"] = "start" if first.time() == time(16, 0) else "end"
        notes.doubt(
            "intervals.stamp.zone", "UTC", f"it begins at {first:%H:%M}, which in UTC is the start of a day in China"
        )
        return
    notes.doubt(
        "intervals.stamp.labels",
        stamp["labels"],
        f"it begins at {first} and ends at {last}: neither says which end of a slot they name",
    )
    if "%z" not in form:
        notes.doubt("intervals.stamp.zone", "+08:00", "its days do not begin at midnight, and its stamps name no zone")


def _ask_for_what_no_file_says(slots: Slots) -> None:
    slots.layout["is_primary"] = True
    slots.notes.doubt(
        "intervals.is_primary",
        True,
        "no file says whether its values are primary (true), or are to be multiplied by the ratios of the transformers (false)",
    )


# --- a row a day


def _wide(sniffed: Sniffed) -> Slots | None:
    columns = _slot_columns(sniffed)
    if columns is None:
        return None
    minutes = 24 * 60 // len(columns)
    rest = [name for name in _headers(sniffed) if name not in columns]
    days = [
        name
        for name in rest
        if (values := _filled(sniffed, name)) and cell_kind(values[0]) in ("day", "number") and day_forms(values)
    ]
    if not days:
        return None
    day = next((name for name in days if re.search(r"date|day|datum|日期", plain(name))), days[0])
    slots = Slots({"stamp": {"column": day}, "wide": {"slots": columns}, "slot_minutes": minutes})
    forms = day_forms(_filled(sniffed, day))
    slots.layout["stamp"]["format"] = forms[0]
    if len(forms) > 1:
        slots.notes.doubt(
            "intervals.stamp.format", forms[0], f"{_filled(sniffed, day)[0]} reads as {' and as '.join(forms)}"
        )
    slots.notes.say(
        "intervals.wide", f"{len(columns)} columns from {columns[0]!r} to {columns[-1]!r} are the slots of a day"
    )
    point = _point(sniffed, {day, *columns}, slots)
    for name in rest:
        kinds = set(_filled(sniffed, name))
        codes = {kind: quantity_of(kind, "")[0] for kind in kinds}
        if name not in (day, point) and 1 <= len(kinds) <= 16 and any(codes.values()):
            known = {kind: code for kind, code in codes.items() if code}
            if unknown := sorted(kinds - set(known)):
                slots.notes.doubt(
                    "intervals.channel", known, f"{', '.join(unknown)} is no quantity that is known; it is left out"
                )
            slots.layout["channel"] = {"column": name, "codes": known}
            break
    else:
        slots.layout["quantities"] = {"value": {"data_type": "E+"}}
        slots.notes.doubt(
            "intervals.quantities",
            "E+",
            "nothing in the file says what the slots measure, and in which unit (E+ is kWh, P is kW)",
        )
    taken = {day, point, *columns, slots.layout.get("channel", {}).get("column")}
    slots.unused = [name for name in rest if name not in taken]
    _ask_for_what_no_file_says(slots)
    return slots


def _slot_columns(sniffed: Sniffed) -> list[str] | None:
    """Columns that are the slots of a day in order: clock times, or one prefix and rising numbers."""
    headers = _headers(sniffed)
    clocks = [name for name in headers if _CLOCK.search(name)]
    if len(clocks) in (24 * 60 // minutes for minutes in MINUTES):
        starts = [int(found[1]) * 60 + int(found[2]) for name in clocks if (found := _CLOCK.search(name))]
        step = 24 * 60 // len(clocks)
        if [at % 1440 for at in starts] in (
            [n * step for n in range(len(clocks))],
            [(n + 1) * step % 1440 for n in range(len(clocks))],
        ):
            return clocks
    counted: dict[str, list[tuple[int, str]]] = {}
    for name in headers:
        if found := re.fullmatch(r"(.*?)0*(\d{1,3})", name):
            counted.setdefault(found[1].strip().lower(), []).append((int(found[2]), name))
    for numbered in counted.values():
        numbered.sort()
        first = numbered[0][0]
        if len(numbered) in (24 * 60 // minutes for minutes in MINUTES) and [n for n, _ in numbered] == list(
            range(first, first + len(numbered))
        ):
            return [name for _, name in numbered]
    return None
