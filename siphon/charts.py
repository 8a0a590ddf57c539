"""Charts of reports and notebooks: Altair, one look, every datum inside the chart."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import altair as alt

from siphon.sums import OTHERS, Row, ranked
from siphon.zones import monday

PALETTE = (
    "#0f7d6d", "#c8702a", "#3d6fb5", "#b8456b", "#8a5aa8",
    "#c9a227", "#6b8e3a", "#5aa9c9", "#9c4a3a", "#8b857b",
)  # fmt: skip
SERIES = len(PALETTE)  # more than these are folded
USD, COUNT, SHARE = "$,.2f", "~s", ".0%"
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MUTED, _LINE = "#857f76", "rgba(139, 133, 123, 0.28)"  # seen on light and on dark ground
_TICK = "#77716a"  # over bars, on light and dark ground
_GAP = 0.12  # between cells, of a cell
_EMPTY = "rgba(139, 133, 123, 0.13)"
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
MENU = {
    "embedOptions": {"actions": {"export": True, "source": False, "compiled": False, "editor": False}}
}


def shown(chart: Any, height: int | None = None) -> Any:
    """The chart as we show it: as wide as its place, in our look."""
    sized = chart.properties(width="container", usermeta=MENU)
    if height is not None:
        sized = sized.properties(height=height)
    return dressed(sized)


def dressed(chart: Any, background: str = "transparent") -> Any:
    """The chart in our look."""
    return (
        chart.configure(background=background, font=_FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=_MUTED, titleColor=_MUTED, titleFontWeight="normal", gridColor=_LINE,
            domainColor=_LINE, tickColor=_LINE, labelFontSize=11, titleFontSize=11,
        )
        .configure_legend(
            orient="top", title=None, labelColor=_MUTED, symbolType="circle", labelFontSize=12,
            columns=6, labelLimit=220, columnPadding=18,
        )
        .configure_range(category=list(PALETTE), heatmap={"scheme": "teals"})
        .configure_title(anchor="start", fontSize=13, color=_MUTED, fontWeight=600)
    )  # fmt: skip


def data(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Rows as chart data, inside the chart."""
    return alt.InlineData(values=[dict(row) for row in rows])


def stacked(
    rows: Sequence[Row],
    x: str,
    y: str,
    color: str,
    form: str = USD,
    periods: Sequence[str] = (),
    order: Sequence[Any] = (),
) -> Any:
    """Bars over time, one colour a series, the largest (else the first of `order`) at the bottom.

    `x` names a period; `periods` are all that the axis shows, also those without a row.
    """
    ranks = sorted(ranked(rows, color, y), key=lambda name: str(name).startswith(OTHERS))
    domain = list(order or ranks)
    numbered = [{**row, "_order": domain.index(row[color])} for row in rows]
    names = list(periods or sorted({row[x] for row in rows}))
    return (
        alt.Chart(data(numbered))
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X(f"{x}:O", title=None, scale=alt.Scale(domain=names), axis=_time_axis(names)),
            y=alt.Y(f"sum({y}):Q", title=None, axis=alt.Axis(format=form, tickCount=5, domain=False)),
            color=alt.Color(f"{color}:N", scale=alt.Scale(domain=domain)),
            order=alt.Order("_order:Q"),
            tooltip=[f"{x}:O", f"{color}:N", alt.Tooltip(f"sum({y}):Q", title=y, format=form)],
        )
    )


def _time_axis(names: Sequence[str]) -> Any:
    """About a dozen labels, so that they do not crowd."""
    return alt.Axis(
        labelAngle=0,
        ticks=False,
        domain=False,
        labelPadding=6,
        grid=False,
        values=names[:: max(1, -(-len(names) // 12))],
        labelExpr="utcFormat(toDate(datum.value), length(datum.value) == 7 ? '%b %Y' : '%b %d')",
    )


def bars(
    rows: Sequence[Row],
    label: str,
    value: str,
    form: str = USD,
    color: str = PALETTE[0],
    words: int = 200,
    fixed: bool = False,
) -> Any:
    """One bar a row, the largest first and `others` last, its value written at its end.

    `words`: pixels that labels may take; they take them all if `fixed`.
    """
    largest = max((row[value] or 0 for row in rows), default=0)
    order = sorted(ranked(rows, label, value), key=lambda name: str(name).startswith(OTHERS))
    base = alt.Chart(data(rows)).encode(
        y=alt.Y(
            f"{label}:N",
            sort=order,
            title=None,
            axis=alt.Axis(
                ticks=False,
                domain=False,
                labelLimit=words,
                labelPadding=8,
                labelFontSize=12,
                minExtent=words if fixed else alt.Undefined,
                maxExtent=words if fixed else alt.Undefined,
            ),
        ),
        # Room for the words behind the longest bar.
        x=alt.X(f"{value}:Q", title=None, axis=None, scale=alt.Scale(domain=[0, largest * 1.2 or 1])),
        tooltip=[f"{label}:N", alt.Tooltip(f"{value}:Q", format=form)],
    )
    ends = base.mark_text(align="left", dx=5, color=_MUTED).encode(
        text=alt.Text(f"{value}:Q", format=form)
    )
    return base.mark_bar(cornerRadiusEnd=3, height={"band": 0.72}, color=color) + ends


def heat(
    rows: Sequence[Row], x: str, y: str, value: str, form: str = COUNT, *, words: bool = False
) -> Any:
    """A cell for each x and y, the darker the larger; with `words` the value stands in it."""
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            f"{x}:O",
            title=None,
            axis=alt.Axis(labelAngle=0, ticks=False, domain=False),
            scale=alt.Scale(paddingInner=_GAP),
        ),
        y=alt.Y(
            f"{y}:O",
            title=None,
            axis=alt.Axis(ticks=False, domain=False, labelPadding=8),
            scale=alt.Scale(paddingInner=_GAP),
        ),
        tooltip=[f"{x}:O", f"{y}:O", alt.Tooltip(f"{value}:Q", format=form)],
    )
    cells = base.mark_rect(cornerRadius=3).encode(color=alt.Color(f"{value}:Q", legend=None))
    if not words:
        return cells
    largest = max((row[value] or 0 for row in rows), default=0)
    return cells + base.mark_text(fontSize=11).encode(
        text=alt.Text(f"{value}:Q", format=form),
        color=alt.condition(
            f"datum['{value}'] > {largest / 2}", alt.value("white"), alt.value("#4d4943")
        ),
    )


def calendar(
    days: Sequence[tuple[str, float | None]], what: str, span: tuple[int, int] | None = None
) -> Any:
    """A cell a day: weeks go right, weekdays down. 0 or None: an empty cell.

    `span`: pixels from and to which the cells reach; those left of the plot are below 0.
    """
    rows = [
        {
            "day": day,
            "week": monday(date.fromisoformat(day)).isoformat(),
            "weekday": _WEEKDAYS[date.fromisoformat(day).weekday()],
            what: value or 0,
        }
        for day, value in days
    ]
    weeks = sorted({monday(date.fromisoformat(day)).isoformat() for day, _ in days})
    return _cells(rows, what, ["day:O"]).encode(
        x=alt.X("week:O", title=None, scale=_spanning(weeks, span), axis=_time_axis(weeks)),
        y=alt.Y(
            "weekday:O",
            title=None,
            sort=list(_WEEKDAYS),
            axis=_bare_axis(-span[0] if span else 0),
            scale=alt.Scale(paddingInner=_GAP),
        ),
    )


def _spanning(domain: Sequence[str], span: tuple[int, int] | None) -> Any:
    place = alt.Undefined if span is None else list(span)
    return alt.Scale(domain=list(domain), range=place, paddingInner=_GAP)


def week(rows: Sequence[Row], value: str) -> Any:
    """A cell for each hour of each weekday."""
    known = {(row["weekday"], row["clock"]): row[value] for row in rows}
    every = [
        {"weekday": day, "clock": clock, value: known.get((day, clock)) or 0}
        for day in _WEEKDAYS
        for clock in range(24)
    ]
    gaps = alt.Scale(paddingInner=_GAP)
    return _cells(every, value, ["weekday:O", "clock:O"]).encode(
        x=alt.X("clock:O", title=None, axis=_bare_axis(), scale=gaps),
        y=alt.Y("weekday:O", title=None, sort=list(_WEEKDAYS), axis=_bare_axis(), scale=gaps),
    )


def _cells(rows: Sequence[Mapping[str, Any]], value: str, told: Sequence[str]) -> Any:
    """Rectangles, the darker the larger the value; those of value 0 are empty."""
    shade = alt.Color(f"{value}:Q", legend=None)
    return (
        alt.Chart(data(rows))
        .mark_rect(cornerRadius=3)
        .encode(
            color=alt.condition(f"datum['{value}'] > 0", shade, alt.value(_EMPTY)),
            tooltip=[*told, alt.Tooltip(f"{value}:Q", format=",.1f")],
        )
    )


def _bare_axis(offset: int = 0) -> Any:
    return alt.Axis(labelAngle=0, ticks=False, domain=False, grid=False, labelPadding=6, offset=offset)


def ticked(chart: Any, rows: Sequence[Row], x: str, y: str) -> Any:
    """The chart with a tick over each bar, at the value of `rows`."""
    ticks = (
        alt.Chart(data(rows))
        .mark_tick(thickness=2, color=_TICK, size=14)
        .encode(x=f"{x}:O", y=alt.Y(f"{y}:Q"), tooltip=[f"{x}:O", alt.Tooltip(f"{y}:Q", format=",.1f")])
    )
    return chart + ticks


def stays(rows: Sequence[Row], days: Sequence[str]) -> Any:
    """For each project and day a dot in the host's colour, the larger the longer the work."""
    return (
        alt.Chart(data(rows))
        .mark_circle(opacity=0.85)
        .encode(
            x=alt.X("day:O", title=None, scale=alt.Scale(domain=list(days)), axis=_time_axis(days)),
            y=alt.Y(
                "project:N",
                title=None,
                sort=ranked(rows, "project", "hours"),
                axis=alt.Axis(grid=True, ticks=False, domain=False, labelPadding=8, labelLimit=200),
            ),
            size=alt.Size("hours:Q", legend=None, scale=alt.Scale(range=[30, 260])),
            color=alt.Color("host:N", scale=alt.Scale(domain=ranked(rows, "host", "hours"))),
            tooltip=["project:N", "host:N", "day:O", alt.Tooltip("hours:Q", format=",.1f")],
        )
    )


def height(rows: Collection[object], each: int = 26, least: int = 60) -> int:
    """Pixels for a chart with one line a row."""
    return max(least, each * len(rows))
