"""The home page's charts as the server draws them; home_charts.py lets browsers draw the same."""

from typing import NamedTuple

from markupsafe import Markup

from siphon.figures import plural
from siphon.overview import Costs, Day, Slice

CELL, GAP = 17, 3  # pixels of a day in the calendar, its gap included; also the gap between bars
LEFT, TOP = 30, 18  # of the calendar's words
CHART = (720, 150)  # width and height of the cost chart
SHADES = 8  # colours of tools
EVERY = 7  # days between two that are named below the bars


class Rectangle(NamedTuple):
    """A part of a bar, in pixels."""

    x: float
    y: float
    width: float
    height: float
    shade: int
    day: str
    slice: Slice


def told(one: Day) -> str:
    """What the calendar says of a day."""
    return f"{one.day}: {plural(one.prompts, 'prompt')}, {plural(one.calls, 'tool call')}"


def cells(days: list[Day]) -> Markup:
    """The calendar's days. Numbers and dates alone stand in it; made here, as there are 370."""
    made = []
    for one in days:
        place = f'x="{one.column * CELL + LEFT}" y="{one.row * CELL + TOP}" width="{CELL - GAP}"'
        rect = f'<rect class="l{one.level}" {place} height="{CELL - GAP}" rx="2"'
        if not one.level:
            made.append(f"{rect}/>")
            continue
        what = told(one)
        href = f"/-/sessions?day={one.day}&amp;kind=any"
        made.append(f'<a href="{href}" aria-label="{what}">{rect}><title>{what}</title></rect></a>')
    return Markup("".join(made))


def rectangles(month: Costs) -> list[Rectangle]:
    """The cost chart's bars, a part a tool, the dearest tool at the bottom."""
    width, height = CHART
    most = max((bar.cost_usd for bar in month.bars), default=0) or 1
    step = width / len(month.bars)
    order = [one.source for one in month.costs]
    made = []
    for number, bar in enumerate(month.bars):
        top: float = height
        for one in bar.slices:
            tall = one.cost_usd / most * height
            top -= tall
            shade = order.index(one.source) % SHADES
            made.append(Rectangle(number * step, top, step - GAP, tall, shade, bar.day, one))
    return made
