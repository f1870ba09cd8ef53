"""`docs/pictures/rooms.svg`: which room of `include/` imports which, drawn from the imports themselves.

A room lies above all that it imports. An arrow that follows from others is left out, so that the picture changes with the
structure and not with every import.
"""

from __future__ import annotations

import ast
import textwrap
from collections import defaultdict
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[3]
BASICS = {"alerts", "errors", "progress", "settings"}  # used everywhere, drawn nowhere
OUTSIDE = {"local", "lab"}  # this machine and the laboratory: the product imports neither
WIDTH, BOX_WIDTH, BOX_HEIGHT, ROW = 1240, 256, 92, 136
INK, LINE = "#1d2733", "#44546a"


def imports_between_rooms() -> dict[str, set[str]]:
    """Each room and what it imports, `dags` among them. A circle of rooms cannot be drawn; see `ranks`."""
    import grimp

    graph = grimp.build_graph("include", cache_dir=None)
    found: dict[str, set[str]] = defaultdict(set)
    pairs = [(m, t) for m in graph.modules for t in graph.find_modules_directly_imported_by(m)]
    for importer, imported in [*pairs, *_imports_of_dags()]:
        here, there = _room(importer), _room(imported)
        if here and there and here != there:
            found[here].add(there)
            found[there] |= set()
    return dict(found)


def rooms_picture() -> str:
    """The picture, SVG."""
    imports = imports_between_rooms()
    of_room = ranks(imports)
    rows = [sorted(room for room in of_room if of_room[room] == row) for row in range(max(of_room.values()), -1, -1)]
    height = ROW * len(rows) + 70
    boxes = {room: _place(number, place, len(row)) for number, row in enumerate(rows) for place, room in enumerate(row)}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="Helvetica,Arial,sans-serif" role="img"'
        ' aria-label="Rooms of the code and what they import; every arrow runs down">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<defs><marker id="a" markerWidth="9" markerHeight="8" refX="8" refY="4" orient="auto"><path d="M0,0 L9,4 L0,8 z" fill="{LINE}"/>'
        "</marker></defs>",
    ]
    for room in sorted(imports):
        targets = sorted(_not_implied(room, imports), key=lambda there: (boxes[there][0], there))
        for number, there in enumerate(targets, 1):
            parts.append(_arrow(boxes[room], boxes[there], number / (len(targets) + 1)))
    parts += [_box(room, *boxes[room]) for room in sorted(boxes)]
    for number, line in enumerate(_legend(), 1):
        parts.append(f'<text x="20" y="{ROW * len(rows) + 16 + 20 * number}" font-size="13" fill="{INK}">{line}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> list[str]:
    return [
        f"An arrow is an import. Left out: what follows from other arrows, and {', '.join(sorted(BASICS))}, which every room may use.",
        "Orange: this machine and the laboratory, which the product (blue) never imports. Green: Airflow's files.",
    ]


def _imports_of_dags() -> list[tuple[str, str]]:
    """What the DAG files import of `include`; they are no package, so grimp does not read them."""
    found = []
    for path in sorted((ROOT / "dags").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "include":
                names = [f"include.{alias.name}" for alias in node.names] if node.module == "include" else [node.module]
                found += [("include.dags", name) for name in names]
    return found


def _room(module: str) -> str | None:
    room = module.partition(".")[2].partition(".")[0]
    return room if room and room not in BASICS else None


def ranks(imports: dict[str, set[str]]) -> dict[str, int]:
    """Row of each room from the bottom: one above the highest that it imports. Raises ValueError for a circle."""
    found: dict[str, int] = {}
    while len(found) < len(imports):
        ready = [room for room, there in imports.items() if room not in found and there <= found.keys()]
        if not ready:
            circle = ", ".join(sorted(imports.keys() - found.keys()))
            raise ValueError(f"These rooms import each other in a circle, or are above one: {circle}.")
        found |= {room: 1 + max((found[there] for there in imports[room]), default=-1) for room in ready}
    return found


def _not_implied(room: str, imports: dict[str, set[str]]) -> set[str]:
    return {
        there
        for there in imports[room]
        if not any(there in _below(other, imports) for other in imports[room] - {there})
    }


def _below(room: str, imports: dict[str, set[str]]) -> set[str]:
    return imports[room].union(*(_below(there, imports) for there in imports[room]))


def _place(row: int, place: int, count: int) -> tuple[float, float]:
    """Left upper corner of a box."""
    gap = (WIDTH - count * BOX_WIDTH) / (count + 1)
    return round(gap + place * (BOX_WIDTH + gap), 1), 20 + row * ROW


def _arrow(start: tuple[float, float], end: tuple[float, float], part: float) -> str:
    x, y = round(start[0] + BOX_WIDTH * part, 1), start[1] + BOX_HEIGHT
    to_x, to_y = round(end[0] + BOX_WIDTH * (0.25 + part / 2), 1), end[1] - 2
    bend = (to_y - y) / 2
    path = f"M{x},{y} C{x},{y + bend:.1f} {to_x},{to_y - bend:.1f} {to_x},{to_y}"
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.8" marker-end="url(#a)"/>'


def _box(room: str, x: float, y: float) -> str:
    fill = "#fdebd3" if room in OUTSIDE else "#e3f1e5" if room == "dags" else "#e8eef7"
    middle = x + BOX_WIDTH / 2
    lines = textwrap.wrap(_says(room), 38, max_lines=3, placeholder=" ...")
    texts = [
        f'<text x="{middle}" y="{y + 44 + 16 * n}" text-anchor="middle" font-size="12" fill="{INK}">{escape(line)}</text>'
        for n, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<rect x="{x}" y="{y}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8" fill="{fill}" stroke="{LINE}"/>',
            f'<text x="{middle}" y="{y + 24}" text-anchor="middle" font-size="16" font-weight="bold" fill="{INK}">{room}</text>',
            *texts,
        ]
    )


def _says(room: str) -> str:
    """The first sentence of the room's docstring, without what it says before a colon."""
    if room == "dags":
        return "Airflow: when each step runs, wiring only"
    path = next(p for p in (ROOT / "include" / room / "__init__.py", ROOT / "include" / f"{room}.py") if p.exists())
    sentence = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).split("\n")[0]
    return sentence.split(". ")[0].rstrip(".").replace("`", "")
