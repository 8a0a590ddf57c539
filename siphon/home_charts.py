"""The home page's charts as Vega-Lite: Altair makes each once, and every answer puts its own data in.

They have the sizes, places and colours (CSS variables of home.css) of what the server draws, so that
nothing moves when a browser draws them anew.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import altair as alt

from siphon.figures import usd
from siphon.home_svg import CELL, CHART, EVERY, GAP, LEFT, SHADES, TOP, told
from siphon.overview import COST_DAYS, WEEKS, Bar, Calendar, Costs, month_name
from siphon.sources import sources

Spec = dict[str, Any]

PEAK, DAYS = 16, 20  # pixels above and below the cost chart
WEEKDAYS = ((0, "Mon"), (2, "Wed"), (4, "Fri"))


def activity(days: Calendar) -> Spec:
    """The year's calendar; a day with anything in it leads to its sessions."""
    rows = [
        {
            "column": one.column,
            "row": one.row,
            "level": one.level,
            "what": told(one),
            "href": f"/-/sessions?day={one.day}&kind=any",
        }
        for one in days.days
    ]
    words = [{"column": one.column, "text": month_name(one.name)} for one in days.months]
    return _with(_calendar(), days=rows, months=words)


def cost(found: Costs) -> Spec:
    """A bar a day, a colour a tool."""
    order = [one.source for one in found.costs]
    rows = [row for place, bar in enumerate(found.bars) for row in _slices(place, bar, order)]
    words = [
        {"place": place, "text": f"{month_name(bar.day)} {int(bar.day[8:])}"}
        for place, bar in enumerate(found.bars)
        if place % EVERY == 0
    ]
    peak = usd(max((bar.cost_usd for bar in found.bars), default=None))
    return _with(_bars(), slices=rows, words=words, peak=[{"text": peak}])


def _slices(place: int, bar: Bar, order: Sequence[str]) -> list[Mapping[str, object]]:
    known = sources()
    return [
        {
            "place": place,
            "rank": order.index(one.source),
            "shade": order.index(one.source) % SHADES,
            "cost_usd": one.cost_usd,
            "what": f"{bar.day}, {known[one.source].title if one.source in known else one.source}:"
            f" {usd(one.cost_usd)}",
        }
        for one in bar.slices
    ]


def _with(spec: Spec, **rows: Sequence[Mapping[str, object]]) -> Spec:
    return {**spec, "datasets": {**spec.get("datasets", {}), **rows}}


@cache
def _calendar() -> Spec:
    x = alt.X("column:O", axis=None, scale=_places(WEEKS, CELL))
    y = alt.Y("row:O", axis=None, scale=_places(7, CELL))
    cells = alt.Chart(alt.NamedData("days")).mark_rect(cornerRadius=2).encode(x=x, y=y)
    shades = alt.Scale(domain=list(range(5)), range=[f"var(--l{level})" for level in range(5)])
    busy = cells.transform_filter("datum.level > 0").encode(
        color=alt.Color("level:O", scale=shades, legend=None),
        href="href:N",
        tooltip="what:N",
        description="what:N",
    )
    quiet = cells.transform_filter("datum.level == 0").mark_rect(
        cornerRadius=2, aria=False, fill="var(--l0)", stroke="var(--line)", strokeWidth=0.5, tooltip=None
    )
    months = _words("months").encode(x=alt.X("column:O", bandPosition=0), y=alt.value(-8), text="text:N")
    named = alt.InlineData([{"row": row, "text": text} for row, text in WEEKDAYS])
    weekdays = _words(named, dy=10).encode(
        x=alt.value(-LEFT), y=alt.Y("row:O", bandPosition=0), text="text:N"
    )
    size = (WEEKS * CELL - GAP, 7 * CELL - GAP)
    return _spec(
        quiet + busy + months + weekdays,
        size,
        (LEFT, TOP, GAP, GAP),
        "Prompts and tool calls on each day of the last year",
    )


@cache
def _bars() -> Spec:
    width, height = CHART
    step = width // COST_DAYS
    across = alt.X("place:O", axis=None, scale=_places(COST_DAYS, step))
    shades = alt.Scale(domain=list(range(SHADES)), range=[f"var(--s{n})" for n in range(SHADES)])
    bars = alt.Chart(alt.NamedData("slices")).mark_bar().encode(
        x=across,
        y=alt.Y("cost_usd:Q", axis=None, scale=alt.Scale(nice=False, zero=True)),
        color=alt.Color("shade:O", scale=shades, legend=None),
        order="rank:O",
        detail="rank:O",
        tooltip="what:N",
        description="what:N",
    )  # fmt: skip
    words = _words("words").encode(
        x=alt.X("place:O", bandPosition=0), y=alt.value(height + 16), text="text:N"
    )
    peak = _words("peak", align="right").encode(x=alt.value(width), y=alt.value(-5), text="text:N")
    lines = _line(0.5, "var(--line)", [3, 4]) + _line(height + 0.5, "var(--line-strong)", [])
    return _spec(
        lines + bars + words + peak,
        (width - GAP, height),
        (0, PEAK, GAP, DAYS),
        "Cost by day and tool",
    )


def _places(count: int, step: int) -> Any:
    """So many bands of `step` pixels, the gap behind each included."""
    return alt.Scale(domain=list(range(count)), paddingInner=GAP / step, paddingOuter=0)


def _words(data: Any, align: Any = "left", dy: int = 0) -> Any:
    rows = alt.NamedData(data) if isinstance(data, str) else data
    return alt.Chart(rows).mark_text(align=align, baseline="alphabetic", dy=dy, fontSize=10, aria=False)


def _line(y: float, color: str, dash: list[int]) -> Any:
    rule = alt.Chart(alt.InlineData([{}])).mark_rule(color=color, strokeDash=dash, aria=False)
    return rule.encode(x=alt.value(0), x2=alt.value(CHART[0]), y=alt.value(y))


def _spec(chart: Any, size: tuple[int, int], around: tuple[int, int, int, int], what: str) -> Spec:
    left, top, right, bottom = around
    made: Spec = chart.properties(
        width=size[0],
        height=size[1],
        padding={"left": left, "top": top, "right": right, "bottom": bottom},
        autosize="none",
        description=what,
    ).configure(background="transparent").configure_view(stroke=None).to_dict()  # fmt: skip
    return made
