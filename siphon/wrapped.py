"""A month or a year in one page: what was done, in large figures and a few charts."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import altair as alt
import vl_convert

from siphon import charts, figures
from siphon.choice import streak
from siphon.errors import SiphonError
from siphon.sums import Row, folded, grouped, total
from siphon.zones import Zone, local

WIDTH = 720  # pixels of the charts, without the words before them
_LABELS = 130  # pixels of the words before the bars
_DAYS = 34  # of the weekdays
_TILE = 84  # pixels high
_GAP = 30
_ACROSS = 4  # tiles in a row
_TINT = "#e6f2ef"


class Rows(NamedTuple):
    """The views' rows that a page is made of, already narrowed to its days."""

    sessions: Sequence[Row]  # session_shapes
    usage: Sequence[Row]  # cost_by_hour
    acts: Sequence[Row]  # activity_by_hour
    active: Sequence[Row]  # active_time
    files: Sequence[Row]  # files


class Tile(NamedTuple):
    """One large figure."""

    figure: str
    label: str


def tiles(rows: Rows, zone: Zone) -> list[Tile]:
    """The figures, the most telling first."""
    days = _days(rows, zone)
    hours = (total(rows.active, "active_ms") or 0) / 3.6e6
    edited = [row for row in rows.files if row["edits"]]
    clocks = Counter(local(row["hour"], zone).hour for row in rows.active for _ in range(_minutes(row)))
    return [
        Tile(f"{len(rows.sessions):,}", "sessions"),
        Tile(f"{hours:,.0f} h", "of active work"),
        Tile(figures.count(total(rows.acts, "prompts") or 0), "prompts typed"),
        Tile(figures.count(total(rows.acts, "tool_calls") or 0), "tool calls made"),
        Tile(figures.count(_tokens(rows.usage)), "tokens"),
        Tile(figures.usd(total(rows.usage, "cost_usd")), _priced(rows.usage)),
        Tile(f"+{figures.count(total(edited, 'lines_added') or 0)}", f"lines in {len(edited):,} files"),
        Tile(f"{len(days)}", f"active days, {streak(sorted(days))} in a row"),
        Tile(_most(Counter(days)) or "–", "the busiest day"),
        Tile(f"{clocks.most_common(1)[0][0]}:00" if clocks else "–", "the busiest hour"),
        Tile(_longest(rows.sessions), "the longest session"),
        Tile(_first(rows.files, "language", "edits"), "the language of most edits"),
    ]


def _priced(usage: Sequence[Row]) -> str:
    """What the cost is, and what it leaves out."""
    unpriced = total(usage, "unpriced_requests") or 0
    return f"at API prices, {unpriced:,} unpriced" if unpriced else "at API prices"


def _minutes(row: Mapping[str, Any]) -> int:
    return int((row["active_ms"] or 0) // 60_000) if row["hour"] is not None else 0


def _days(rows: Rows, zone: Zone) -> Counter[str]:
    """Active minutes by local day; also days with less than one."""
    found: Counter[str] = Counter()
    for row in rows.active:
        if row["hour"] is not None:
            found[local(row["hour"], zone).date().isoformat()] += _minutes(row)
    return found


def _tokens(usage: Sequence[Row]) -> int:
    names = ("input", "cache_read", "cache_write", "cache_write_1h", "output")
    return sum(total(usage, f"{name}_tokens") or 0 for name in names)


def _most(days: Counter[str]) -> str | None:
    if not days:
        return None
    day = date.fromisoformat(days.most_common(1)[0][0])
    return f"{day.day} {day:%b}"


def _longest(sessions: Sequence[Row]) -> str:
    return figures.duration(max((row["active_ms"] or 0 for row in sessions), default=None))


def _first(rows: Sequence[Row], key: str, by: str) -> str:
    known = [row for row in rows if row[key] is not None and row[by]]
    return str(max(grouped(known, [key], [by]), key=lambda row: row[by])[key]) if known else "–"


def page(title: str, rows: Rows, days: Sequence[str], zone: Zone) -> Any:
    """The whole page as one chart: for the screen, as PNG and as HTML."""
    parts = [
        _tiled(tiles(rows, zone)),
        _calendar(_days(rows, zone), days),
        alt.hconcat(
            _top(rows.usage, "project", "Projects, by cost", 0),
            _top(rows.usage, "model", "Models, by cost", 1),
            spacing=_GAP,
        ),
        alt.hconcat(
            _top(rows.usage, "tool", "Tools, by cost", 2),
            _top(rows.usage, "host", "Machines, by cost", 3),
            spacing=_GAP,
        ),
    ]
    whole = alt.vconcat(*parts, spacing=28).properties(
        title=alt.TitleParams(title, fontSize=28, fontWeight=700, offset=18, color="#1f1d1a"),
        padding=24,
        usermeta=charts.MENU,
    )
    return charts.dressed(whole, background="white")


def _calendar(active: Mapping[str, int], days: Sequence[str]) -> Any:
    """Charts below each other begin where their axes stand: this one begins before its own."""
    cells = [(day, active.get(day)) for day in days]
    chart = charts.calendar(cells, "active minutes", span=(_DAYS - _LABELS, WIDTH))
    return chart.properties(width=WIDTH, height=130, title="Day by day")


def _tiled(shown: Sequence[Tile]) -> Any:
    rows = [
        {"x": at % _ACROSS, "y": at // _ACROSS, "figure": tile.figure, "label": tile.label}
        for at, tile in enumerate(shown)
    ]
    base = alt.Chart(charts.data(rows)).encode(
        x=alt.X("x:O", axis=None, scale=alt.Scale(range=[-_LABELS, WIDTH], paddingInner=0.05)),
        y=alt.Y("y:O", axis=None, scale=alt.Scale(paddingInner=0.12)),
    )
    ground = base.mark_rect(cornerRadius=8, color=_TINT)
    figure = base.mark_text(dy=-10, fontSize=24, fontWeight=700, color=charts.PALETTE[0])
    label = base.mark_text(dy=18, fontSize=12, color="#857f76")
    return alt.layer(ground, figure.encode(text="figure:N"), label.encode(text="label:N")).properties(
        width=WIDTH, height=_TILE * -(-len(rows) // _ACROSS)
    )


def _top(usage: Sequence[Row], key: str, title: str, hue: int) -> Any:
    found = grouped(folded(usage, key, "cost_usd", 6, "not told"), [key], ["cost_usd"])
    chart = charts.bars(found, key, "cost_usd", color=charts.PALETTE[hue], words=_LABELS, fixed=True)
    width = (WIDTH - _GAP - _LABELS) // 2
    return chart.properties(width=width, height=charts.height(found), title=title)


def png(chart: Any) -> bytes:
    """The page as a picture."""
    return bytes(vl_convert.vegalite_to_png(chart.to_json(), scale=2))


def html(chart: Any) -> bytes:
    """The page as one file that needs nothing else."""
    return str(chart.to_html(inline=True)).encode()


def save(chart: Any, to: str) -> None:
    """Write the page as .png or .html; raises SiphonError for another ending."""
    make = {".png": png, ".html": html}.get(Path(to).suffix)
    if make is None:
        raise SiphonError(f"{to}: the page is written as .png or .html")
    Path(to).write_bytes(make(chart))
