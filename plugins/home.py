"""/: one search box, this week, a year of activity, a month of cost, what was done last."""

import time

from datasette import hookimpl
from markupsafe import Markup

from siphon.budget import WITHIN, check, said
from siphon.figures import plural
from siphon.overview import month_name, overview
from siphon.web import page
from siphon.zones import zone

CELL = 17  # pixels of a day in the calendar, its gap included
CHART = (720, 150)  # width and height of the cost chart


@hookimpl
def register_routes():
    return [(r"^/$", home)]


async def home(datasette, request):
    # Budgets name hosts and projects that not every reader is to know.
    limited = request.scope["siphon"].actor.limits is not None
    budgets = () if limited else datasette.siphon.config.budgets
    return await page(datasette, request, "home.html", lambda connection: _found(connection, budgets))


def _found(connection, budgets):
    now = time.time_ns() // 1_000_000
    seen = overview(connection, now)
    return {
        "seen": seen,
        "budgets": _budgets(check(connection, budgets, zone(None), now)),
        "cell": CELL,
        "cells": _cells(seen.calendar),
        "month_name": month_name,
        "bars": _bars(seen),
        "chart": CHART,
        "changes": [_change(new, old) for new, old in zip(seen.week, seen.before, strict=True)],
        "worried": [host for host in seen.hosts if host.worries],
    }


def _budgets(found):
    """Caps that need a look with what is said of them; where none does, the one that is fullest."""
    shown = [one for one in found if one.state != WITHIN] or found[:1]
    return [(one, said(one)) for one in shown]


def _change(new, old):
    """In words: what became of the week before; None where that says nothing."""
    if not old or new is None:
        return None
    share = (new - old) / old
    if abs(share) < 0.005:
        return "as the week before"
    return f"{'+' if share > 0 else '−'}{abs(share):.0%} on the week before"


def _cells(calendar):
    """The calendar's days as SVG. Numbers and dates alone stand in it; made here, as there are 370."""
    cells = []
    for one in calendar:
        place = f'x="{one.column * CELL + 30}" y="{one.row * CELL + 18}" width="{CELL - 3}"'
        rect = f'<rect class="l{one.level}" {place} height="{CELL - 3}" rx="2"'
        if not one.level:
            cells.append(f"{rect}/>")
            continue
        what = f"{one.day}: {plural(one.prompts, 'prompt')}, {plural(one.calls, 'tool call')}"
        href = f"/-/sessions?day={one.day}&amp;kind=any"
        cells.append(f'<a href="{href}" aria-label="{what}">{rect}><title>{what}</title></rect></a>')
    return Markup("".join(cells))


def _bars(seen):
    """Rectangles of the cost chart: (x, y, width, height, colour, what it says)."""
    width, height = CHART
    most = max((bar.cost_usd for bar in seen.bars), default=0) or 1
    step = width / len(seen.bars)
    order = [one.source for one in seen.costs]
    rectangles = []
    for number, bar in enumerate(seen.bars):
        top = height
        for one in bar.slices:
            tall = one.cost_usd / most * height
            top -= tall
            place = order.index(one.source)
            rectangles.append((number * step, top, step - 3, tall, place, bar.day, one))
    return rectangles
