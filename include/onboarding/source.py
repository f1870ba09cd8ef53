"""A whole source: each of its files proposed, files of one table brought together, numbers followed from table to table, and
the YAML that a person reviews."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from include.contracts import load_contracts
from include.errors import UsageError
from include.landing.formats import KINDS
from include.onboarding.propose import Proposed, dumped, propose
from include.profiles import FILE, SOURCES

HEAD = """\
# How the files of the source {source} become the tables of its contract. Proposed by ./kaw init-source on {today};
# docs/reference/profile.md explains each key. Read every line. Where `confirmed` is false the table does not land: check the
# setting, correct it, and write `confirmed: true`.
source: {source}
tables:
"""


@dataclass
class SourceProposal:
    """Tables with their files and proposal, files that fit none, and what was seen of numbers across tables."""

    source: str
    tables: dict[str, Proposed] = field(default_factory=dict)
    patterns: dict[str, str] = field(default_factory=dict)
    problems: list[tuple[str, str]] = field(default_factory=list)
    overlaps: list[str] = field(default_factory=list)

    @property
    def doubts(self) -> int:
        return sum(len(proposed.doubts) for proposed in self.tables.values())


def propose_source(source: str, place: Path, today: date) -> SourceProposal:
    """Every file below a folder, or one file. Raises UsageError where there is none."""
    files = [place] if place.is_file() else sorted(p for p in place.rglob("*") if _is_sample(p))
    if not files:
        raise UsageError(
            "There is no sample to read.",
            where=str(place),
            next_step=f"give a file or a folder with files of {', '.join(KINDS)}.",
        )
    root = place.parent if place.is_file() else place
    found = SourceProposal(source)
    of_table: dict[str, list[Proposed]] = {}
    for path in files:
        name = path.relative_to(root).as_posix()
        proposed = propose(source, name, path.read_bytes(), today)
        if proposed.problem:
            found.problems.append((name, proposed.problem))
        else:
            of_table.setdefault(proposed.table, []).append(proposed)
    for table in load_contracts()[source]:
        if of_table.get(table):
            _bring_together(found, table, of_table[table])
    _follow_numbers(found)
    return found


def _is_sample(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in KINDS and not path.name.startswith(("_", ".", "~"))


def _bring_together(found: SourceProposal, table: str, proposals: list[Proposed]) -> None:
    """Files of one table that are written alike share a pattern; one that is written otherwise is told, and left."""
    first, alike, others = proposals[0], [proposals[0].file], []
    for proposed in proposals[1:]:
        same = (proposed.sniffed.grid.names, proposed.intervals is None) == (
            first.sniffed.grid.names,
            first.intervals is None,
        )
        if same:
            alike.append(proposed.file)
            first.doubts |= {k: v for k, v in proposed.doubts.items() if k not in first.reasons}
        else:
            others.append(proposed.file)
    found.tables[table] = first
    found.patterns[table] = pattern_of(alike)
    for name in others:
        found.problems.append((name, f"it looks like {table} too, but has other columns than {first.file}"))


def pattern_of(names: list[str]) -> str:
    """A pattern of all names; digits that are a date may change from night to night."""
    starred = {re.sub(r"\d{4}-?\d{2}(-?\d{2})?", "*", name) for name in names}
    if len(starred) == 1:
        return re.sub(r"\*+", "*", starred.pop())
    start = names[0]
    for name in names[1:]:
        while not name.startswith(start):
            start = start[:-1]
    ends = {Path(name).suffix for name in names}
    return f"{start}*{ends.pop() if len(ends) == 1 else ''}"


def _follow_numbers(found: SourceProposal) -> None:
    """Whether numbers that refer to another table of the files are there: the best proof of a mapping, or of lost zeros."""
    for name, proposed in found.tables.items():
        table = load_contracts()[found.source][name]
        for reference in table.references:
            target = found.tables.get(reference.target_table)
            if target is None or len(reference.columns) != 1 or reference.target_table == name:
                continue
            own, theirs = _values(proposed, reference.columns[0]), _values(target, reference.target_columns[0])
            if not own or not theirs:
                continue
            share = len(own & theirs) / len(own)
            said = f"{name}.{reference.columns[0]}: {share:.0%} of {len(own)} numbers are in {reference.target_table}"
            found.overlaps.append(said)
            width = max(map(len, theirs))
            if share < 0.5 and len({v.zfill(width) for v in own} & theirs) > 0.9 * len(own):
                setting = f"columns.{reference.columns[0]}"
                proposed.columns[reference.columns[0]]["pad"] = width
                proposed.doubts[setting] = (
                    width,
                    f"with zeros in front, to {width} digits, its numbers are in {reference.target_table}",
                )
            elif share < 0.5:
                proposed.doubts.setdefault(
                    f"columns.{reference.columns[0]}",
                    (None, f"only {share:.0%} of its numbers are in {reference.target_table}"),
                )


def _values(proposed: Proposed, column: str) -> set[str]:
    header = proposed.columns.get(column, {}).get("from")
    return {value for value in proposed.sniffed.grid.column(header) if value} if header else set()


def text_of(found: SourceProposal, today: date) -> str:
    """The YAML of a source, with the reasons as comments."""
    parts = [HEAD.format(source=found.source, today=today)]
    for table, proposed in found.tables.items():
        contract = load_contracts()[found.source][table]
        mapped = len(proposed.columns) if not proposed.intervals else len(proposed.intervals.get("quantities", {}))
        parts.append(
            f"\n  # {contract.name_en} ({contract.name_zh}), from {proposed.file}: {mapped} mapped, {len(proposed.doubts)} doubtful.\n"
        )
        for setting, why in proposed.reasons.items():
            parts.append(_comment(f"{setting}: {why}."))
        body = dumped({table: proposed.entry(found.patterns[table])})
        parts.append(textwrap.indent(body, "  "))
    for name, problem in found.problems:
        parts.append(_comment(f"Not mapped: {name}: {problem}."))
    return "".join(parts)


def _comment(text: str) -> str:
    return textwrap.fill(text, 118, initial_indent="  # ", subsequent_indent="  #   ") + "\n"


def write(found: SourceProposal, folder: Path, address: Path, today: date, *, force: bool) -> list[Path]:
    """Writes `sources/<source>.yaml`, and `profile.yaml` where there is none. Raises UsageError where it would overwrite."""
    path = folder / SOURCES / f"{found.source}.yaml"
    if path.exists() and not force:
        raise UsageError(
            "This source has a mapping already, which a person may have reviewed.",
            where=str(path),
            next_step="add --force to propose it anew, or give another --profile.",
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text_of(found, today), encoding="utf-8")
    written = [path]
    main = folder / FILE
    if not main.exists():
        main.write_text(_profile_text(found, address), encoding="utf-8")
        written.append(main)
    return written


def _profile_text(found: SourceProposal, address: Path) -> str:
    delivered = "\n".join(f"  {table}: once" for table in found.tables) or "  {}"
    return f"""\
# What this utility delivers. docs/reference/profile.md explains each key.
name: {found.source}
addresses:
  {found.source}: {address}
# How often each table is delivered: daily, monthly, or once (what was delivered stays in force).
delivered:
{delivered}
# Every other table is left out for this reason. Rules and marts that rest on one say so, and nothing waits for it.
others_left_out: not exported yet
"""
