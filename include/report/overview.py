"""The overview: one page that a reader opens first, with six charts of what is published now. It loads nothing from anywhere.

Bars are HTML, so that their words wrap; the two curves are SVG. Both languages are in the page, KAW_LANG is the one it opens with.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from include.records.warehouse import Warehouse
from include.report import overview_text as words
from include.report.overview_data import Overview, Part, read
from include.report.overview_text import Text

NAME = "overview.html"
TEMPLATES = Path(__file__).parent
WIDTH, HEIGHT = 440, 240  # of a curve, in its own units; letters in it are 12 high
LEFT, RIGHT, TOP, BOTTOM = 44, 12, 14, 34


@dataclass(frozen=True)
class Curve:
    """Points in a curve's own units: `line` and `area` as SVG takes them, `ticks` as (place, label)."""

    line: str
    area: str
    other: str
    x_ticks: list[tuple[float, str]]
    y_ticks: list[tuple[float, str]]
    mark: tuple[float, float] | None = None


def read_overview(warehouse: Warehouse) -> Overview:
    """What is published now, and whether its sources call their rows synthetic, as a role that reads."""
    with warehouse.reader().connect() as conn:
        conn.execute("set transaction isolation level repeatable read read only")
        synthetic, is_synthetic = conn.execute(
            "select coalesce(array_agg(distinct source_name order by source_name) filter (where is_synthetic), '{}'),"
            " coalesce(bool_and(is_synthetic), false) from quality.receipts where state = 'landed' and inserted_rows > 0"
        ).fetchone()
        return replace(read(conn), synthetic_sources=tuple(synthetic), is_synthetic=is_synthetic)


def write_overview(overview: Overview, folder: Path, language: str = "en", *, report: str | None = None) -> Path:
    """Writes `overview.html` into the folder, in one step: who reads it meanwhile sees the old page or the new one.

    `report` is the auditors' report as seen from the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / NAME
    partial = folder / f".{NAME}.partial"
    partial.write_text(render(overview, language, report), encoding="utf-8")
    partial.replace(path)
    return path


def render(overview: Overview, language: str = "en", report: str | None = None) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters |= {"count": lambda number: f"{number:,}", "percent": words.percent}
    return environment.get_template("overview.html.j2").render(
        o=overview,
        language=language,
        report=report,
        words=words,
        Text=Text,
        sentences=words.sentences(overview),
        portfolio=_portfolio_curve(overview.portfolio),
        load=_load_curve(overview.load),
        rates=_rates(overview.supply),
        size={"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
    )


def _x(share: float) -> float:
    return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def _y(share: float) -> float:
    return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _points(points: list[tuple[float, float]]) -> str:
    return " ".join(f"{_x(x)},{_y(y)}" for x, y in points)


def _portfolio_curve(part: Part) -> Curve | None:
    """Share of accounts against their share of revenue, the account with most revenue first."""
    if not part.rows:
        return None
    ranked = len(part.rows)
    points = [(0.0, 0.0), *((n / ranked, float(row["cum_share"])) for n, row in enumerate(part.rows, 1))]
    step = max(1, len(points) // 200)  # a curve needs no more points than the page has pixels
    shown = points[:-1][::step] + points[-1:]
    mark = (part.facts["first"] / ranked, float(part.facts["first_share"])) if part.facts["first"] else None
    ticks = [(share / 100, f"{share} %") for share in (0, 20, 40, 60, 80, 100)]
    return Curve(
        line=_points(shown),
        area=_points([(0, 0), *shown, (1, 0)]),
        other="",
        x_ticks=[(_x(place), text) for place, text in ticks],
        y_ticks=[(_y(place), text) for place, text in ticks],
        mark=(_x(mark[0]), _y(mark[1])) if mark else None,
    )


def _load_curve(part: Part) -> Curve | None:
    """The account's day and the typical one of those that work alike, in multiples of each one's mean."""
    if not part.rows:
        return None
    highest = max(max(row["own"], row["typical"]) for row in part.rows)
    top = next(top for top in (1.5, 2, 3, 4, 6, 8, 12, 24, highest) if highest <= top)
    last = len(part.rows) - 1
    own = [(n / last, row["own"] / top) for n, row in enumerate(part.rows)]
    typical = [(n / last, row["typical"] / top) for n, row in enumerate(part.rows)]
    return Curve(
        line=_points(own),
        area=_points([(0, 0), *own, (1, 0)]),
        other=_points(typical),
        x_ticks=[(_x(hour / last), f"{hour:02}:00") for hour in (0, 6, 12, 18, last)],
        y_ticks=[(_y(n / 3), f"{n * top / 3:.1f}") for n in range(4)],
        mark=(_x(part.facts["peak"]["hour"] / last), _y(part.facts["peak"]["own"] / top)),
    )


def _rates(part: Part) -> list[dict]:
    """Each rate with its rows, and each side's place between the lowest rate of all and 100 %."""
    made = []
    for rate in ("reliability", "voltage"):
        rows = [row for row in part.rows if row["rate"] == rate]
        if not rows:
            continue
        lowest = min(float(min(row["customer"], row["supply"])) for row in rows)
        floor = 100 - (100 - lowest) * 1.15 if lowest < 100 else 99.0
        place = [
            row | {side: 100 * (float(row[side]) - floor) / (100 - floor) for side in ("customer", "supply")}
            for row in rows
        ]
        made.append(
            {
                "rate": rate,
                "month": rows[0]["month_start_date"],
                "floor": floor,
                "rows": [
                    {name: row[name] for name in ("org_no", "name", "customer", "supply")} | {"at": at}
                    for row, at in zip(rows, place, strict=True)
                ],
            }
        )
    return made
