"""/: one search box, this week, a year of activity, a month of cost, what was done last."""

import time

from datasette import hookimpl

from siphon.budget import check, said
from siphon.overview import month_name, overview
from siphon.web import page
from siphon.zones import zone

CELL = 17  # pixels of a day in the calendar, its gap included
CHART = (720, 150)  # width and height of the cost chart


@hookimpl
def register_routes():
    return [(r"^/$", home)]


async def home(datasette, request):
    config = datasette.siphon.config
    return await page(
        datasette, request, "home.html", lambda connection: _found(connection, config.budgets)
    )


def _found(connection, budgets):
    now = time.time_ns() // 1_000_000
    seen = overview(connection, now)
    return {
        "seen": seen,
        "budgets": [(one, said(one)) for one in check(connection, budgets, zone(None), now)],
        "cell": CELL,
        "month_name": month_name,
        "bars": _bars(seen),
        "chart": CHART,
        "changes": [_change(new, old) for new, old in zip(seen.week, seen.before, strict=True)],
        "worried": [host for host in seen.hosts if host.worries],
    }


def _change(new, old):
    """In words: what became of the week before; None where that says nothing."""
    if not old or new is None:
        return None
    share = (new - old) / old
    if abs(share) < 0.005:
        return "as the week before"
    return f"{'+' if share > 0 else '−'}{abs(share):.0%} on the week before"


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
