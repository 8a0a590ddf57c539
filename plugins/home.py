"""/: one search box, this week, a year of activity, a month of cost, what was done last.

/-/chart/…: two of these as Vega-Lite, which browsers draw anew once the page is there.
"""

import asyncio
import time

from datasette import NotFound, hookimpl

from siphon.budget import WITHIN, check, said
from siphon.home_svg import CELL, CHART, EVERY, LEFT, TOP, cells, rectangles
from siphon.overview import DAY_MS, calendar, costs, month_name, overview
from siphon.web import as_json, page, read, state, unchanged
from siphon.zones import zone

CHARTS = {"activity": calendar, "cost": costs}  # what each is drawn of


@hookimpl
def register_routes():
    return [(r"^/$", home), (r"^/-/chart/(?P<name>[a-z]+)$", chart)]


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
        "left": LEFT,
        "top": TOP,
        "cells": cells(seen.calendar.days),
        "month_name": month_name,
        "bars": rectangles(seen.month),
        "chart": CHART,
        "every": EVERY,
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


async def chart(datasette, request):
    name = request.url_vars["name"]
    if name not in CHARTS:
        raise NotFound(f"no chart {name!r}; known: {', '.join(CHARTS)}")
    now = time.time_ns() // 1_000_000
    limits = request.scope["siphon"].actor.limits
    stamp = state(datasette.siphon.config.database, name, now // DAY_MS, limits)
    if unchanged(request, stamp):
        return as_json(request, None, stamp=stamp)
    found = await read(datasette, request, lambda connection: CHARTS[name](connection, now))
    return as_json(request, await asyncio.to_thread(_drawn, name, found), stamp=stamp)


def _drawn(name, found):
    # Altair takes a second to load, and nobody needs it before there is a page.
    from siphon import home_charts

    return getattr(home_charts, name)(found)
