"""Budgets against what was spent: caps that are passed, near, or on course to be passed.

A spike shows in the period that it falls in. A slow steady burn shows in where the period's end is
headed for at the pace of the last days, and, for a daily cap, in the mean of the last seven days.
"""

import sqlite3
from datetime import date, timedelta
from typing import NamedTuple

from siphon import figures, usage, zones
from siphon.budgetconfig import Budget
from siphon.usage import Asked
from siphon.zones import Zone

_DAY = 86_400_000
# Days whose mean is the pace, by period: a day's own pace says nothing, the mean of a week does.
_PACE = {"daily": 7, "weekly": 7, "monthly": 14}
_THIS = {"daily": "today", "weekly": "this week", "monthly": "this month"}

WITHIN, STEADY, NEAR, OVER = "within", "on course", "near", "over"
STATES = (WITHIN, STEADY, NEAR, OVER)  # the worst last
EXITS = {WITHIN: 0, STEADY: 3, NEAR: 3, OVER: 4}


class Spent(NamedTuple):
    """One cap of one budget. Money in nano-USD."""

    budget: str
    period: str  # daily, weekly, monthly
    since: date  # the period's first day
    cap: int
    soft: int  # from which it is near the cap
    spent: int
    unpriced_requests: int  # whose cost is in no sum
    pace: int  # a day, the mean of the last days before this one
    headed: int  # what the period comes to at that pace; of a day, the pace
    state: str  # one of STATES

    @property
    def share(self) -> float:
        """Of the cap."""
        return self.spent / self.cap


def check(connection: sqlite3.Connection, budgets: tuple[Budget, ...], at: Zone, ts: int) -> list[Spent]:
    """Every cap at a moment (UTC ms), the worst first; the days are those of the zone."""
    found = [
        _spent(connection, budget, period, cap, at, ts)
        for budget in budgets
        for period, cap in budget.caps
    ]
    return sorted(found, key=lambda one: (-STATES.index(one.state), -one.share))


def _spent(
    connection: sqlite3.Connection, budget: Budget, period: str, cap: int, at: Zone, ts: int
) -> Spent:
    today = zones.local(ts, at).date()
    since, until = _bounds(period, today)
    asked = Asked(at, hosts=budget.hosts, projects=budget.projects, sources=budget.sources)
    sum_, _ = usage.all_of(connection, asked._replace(since=since, until=today))
    before = today - timedelta(days=1)
    days = asked._replace(since=today - timedelta(days=_PACE[period]), until=before)
    pace = (usage.all_of(connection, days)[0].cost_nanousd or 0) // _PACE[period]
    spent = sum_.cost_nanousd or 0
    rest = max(0, zones.begin(until + timedelta(days=1), at) - ts)
    headed = pace if period == "daily" else spent + pace * rest // _DAY
    soft = cap * budget.soft // 100
    state = _state(period, cap, soft, spent, headed)
    return Spent(
        budget.name, period, since, cap, soft, spent, sum_.unpriced_requests, pace, headed, state
    )


def _bounds(period: str, today: date) -> tuple[date, date]:
    """The period's first and last day."""
    if period == "daily":
        return today, today
    if period == "weekly":
        return zones.monday(today), zones.monday(today) + timedelta(days=6)
    after = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    return today.replace(day=1), after - timedelta(days=1)


def _state(period: str, cap: int, soft: int, spent: int, headed: int) -> str:
    if spent >= cap:
        return OVER
    if spent >= soft:
        return NEAR
    # A daily cap is kept each day; that the days' mean is near it is the burn that nobody notices.
    return STEADY if headed >= (soft if period == "daily" else cap) else WITHIN


def worst(found: list[Spent]) -> str:
    """The worst state of all."""
    return max((one.state for one in found), key=STATES.index, default=WITHIN)


def said(one: Spent) -> str:
    """In a line, as the home page says it."""
    spent, cap = _usd(one.spent), _usd(one.cap)
    words = f"{one.budget}: {spent} of {cap} {_THIS[one.period]} ({one.share:.0%})"
    if one.state == STEADY and one.period == "daily":
        return f"{words}; {_usd(one.pace)} a day in the last {_PACE[one.period]} days"
    if one.state in (STEADY, NEAR) and one.headed >= one.cap:
        return f"{words}; on course for {_usd(one.headed)}"
    return words


def _usd(nano: int) -> str:
    return figures.usd(nano / 1e9)
