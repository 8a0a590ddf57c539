"""What the home page tells: this week beside the last, a year of activity, a month of cost, hosts."""

import sqlite3
from typing import NamedTuple

from siphon.counts import Count, by_host, counts
from siphon.figures import day
from siphon.session_list import Asked, Listed, sessions

DAY_MS = 86_400_000
WEEKS = 53
COST_DAYS = 30
STALE_MS = 3 * DAY_MS  # a host not collected for longer needs attention
RECENT = 8


class Week(NamedTuple):
    """What seven days came to."""

    sessions: int
    requests: int
    tokens: int
    cost_usd: float | None


class Day(NamedTuple):
    """A UTC day of the calendar. `column` and `row` count from 0; weeks begin on Monday."""

    day: str
    prompts: int
    calls: int
    level: int  # 0 nothing, 4 most
    column: int
    row: int


class Month(NamedTuple):
    """Where a month begins in the calendar."""

    name: str
    column: int


class Slice(NamedTuple):
    """One tool's cost on one day."""

    source: str
    cost_usd: float


class Bar(NamedTuple):
    """A UTC day of the cost chart."""

    day: str
    cost_usd: float
    slices: list[Slice]  # in the order of `Overview.costs`


class Calendar(NamedTuple):
    """A year up to today."""

    days: list[Day]
    months: list[Month]


class Costs(NamedTuple):
    """COST_DAYS days of cost."""

    bars: list[Bar]
    costs: list[Slice]  # each tool's in all, most first


class Host(NamedTuple):
    """A host and what is wrong with it. Times are UTC ms."""

    name: str
    collected_at: int | None
    last_activity_at: int | None
    sessions: int
    problems: int
    failed_logs: int
    error: str | None
    worries: list[str]


class Overview(NamedTuple):
    """All of it. `until`: the end of the newest week, None if that is now."""

    until: int | None

    week: Week
    before: Week
    calendar: Calendar
    month: Costs
    recent: list[Listed]
    hosts: list[Host]
    sessions: int


def overview(connection: sqlite3.Connection, now: int) -> Overview:
    """`now` is UTC ms. Where the last week is empty, the last one with anything in it is told of."""
    end = _end(connection, now)
    recent = sessions(connection, Asked(filters=(("kind", "main"),), sort="ended", limit=RECENT))
    return Overview(
        until=None if end == now else end - 1,
        week=_week(connection, end - 7 * DAY_MS, end),
        before=_week(connection, end - 14 * DAY_MS, end - 7 * DAY_MS),
        calendar=calendar(connection, now),
        month=costs(connection, now),
        recent=recent.sessions,
        hosts=hosts(connection, now),
        sessions=recent.total,
    )


def _end(connection: sqlite3.Connection, now: int) -> int:
    """Now, or the end of the last day with any activity if that is more than a week ago."""
    row = connection.execute("select max(hour) from activity_hours where hour <= ?", [now]).fetchone()
    if row[0] is None or row[0] < 0 or row[0] >= now - 7 * DAY_MS:
        return now
    return int(row[0]) - int(row[0]) % DAY_MS + DAY_MS


def _week(connection: sqlite3.Connection, start: int, end: int) -> Week:
    row = connection.execute(
        "select count(distinct session_id), coalesce(sum(requests), 0),"
        " coalesce(sum(input_tokens + cache_read_tokens + cache_write_tokens + cache_write_1h_tokens"
        " + output_tokens), 0), sum(cost_nanousd) / 1e9"
        " from usage_hours where hour >= ? and hour < ?",
        [start, end],
    ).fetchone()
    return Week(*row)


def calendar(connection: sqlite3.Connection, now: int) -> Calendar:
    """The weeks up to today's."""
    today = now - now % DAY_MS
    weekday = _weekday(today)
    first = today - (weekday + 7 * (WEEKS - 1)) * DAY_MS
    rows = connection.execute(
        "select hour / 86400000, sum(prompts), sum(tool_calls) from activity_hours"
        " where hour >= ? and hour < ? group by 1",
        [first, today + DAY_MS],
    )
    found = {row[0] * DAY_MS: (row[1], row[2]) for row in rows}
    steps = _steps([prompts + calls for prompts, calls in found.values()])
    days = []
    for number in range((WEEKS - 1) * 7 + weekday + 1):
        at = first + number * DAY_MS
        prompts, calls = found.get(at, (0, 0))
        level = sum(prompts + calls > step for step in steps)
        days.append(Day(day(at) or "", prompts, calls, level, number // 7, number % 7))
    return Calendar(days, _months(days))


def _weekday(ts: int) -> int:
    """0 on Mondays; 1970 began on a Thursday."""
    return (ts // DAY_MS + 3) % 7


def _steps(counts: list[int]) -> list[int]:
    """Above 0 and above the quartiles of the busy days: levels 1 to 4."""
    busy = sorted(count for count in counts if count)
    return [0, *(busy[len(busy) * part // 4] for part in (1, 2, 3))] if busy else [0]


def _months(days: list[Day]) -> list[Month]:
    return [Month(one.day[:7], one.column) for one in days if one.day.endswith("-01")]


def costs(connection: sqlite3.Connection, now: int) -> Costs:
    """The days up to today; where the last week is empty, up to the last one with anything in it."""
    last = _end(connection, now) - 1
    today = last - last % DAY_MS
    first = today - (COST_DAYS - 1) * DAY_MS
    rows = connection.execute(
        "select u.hour / 86400000, s.source, sum(u.cost_nanousd) / 1e9"
        " from usage_hours u join sessions s on s.id = u.session_id"
        " where u.hour >= ? and u.hour < ? and u.cost_nanousd > 0 group by 1, 2",
        [first, today + DAY_MS],
    ).fetchall()
    totals: dict[str, float] = {}
    for _, source, cost in rows:
        totals[source] = totals.get(source, 0) + cost
    order = sorted(totals, key=lambda source: (-totals[source], source))
    by_day = {(row[0] * DAY_MS, row[1]): row[2] for row in rows}
    bars = []
    for number in range(COST_DAYS):
        at = first + number * DAY_MS
        slices = [Slice(source, by_day[at, source]) for source in order if (at, source) in by_day]
        bars.append(Bar(day(at) or "", sum(one.cost_usd for one in slices), slices))
    return Costs(bars, [Slice(source, totals[source]) for source in order])


def hosts(connection: sqlite3.Connection, now: int) -> list[Host]:
    """All hosts, those that need attention first."""
    loaded = by_host(counts(connection))
    found = []
    for name, collected, error in connection.execute(
        "select name, collected_at, error from hosts order by name"
    ).fetchall():
        one = loaded.get(name, Count(name, ""))
        found.append(
            Host(
                name=name,
                collected_at=collected,
                last_activity_at=one.last_activity_at,
                sessions=one.sessions,
                problems=one.problems,
                failed_logs=one.failed_logs,
                error=error,
                worries=_worries(collected, one, error, now),
            )
        )
    return sorted(found, key=lambda host: not host.worries)


def _worries(collected: int | None, loaded: Count, error: str | None, now: int) -> list[str]:
    worries = []
    if error is not None:
        worries.append(f"the last collect failed: {error}")
    if collected is not None and now - collected > STALE_MS:
        worries.append(f"not collected since {day(collected)}")
    if collected is None:
        worries.append("never collected")
    if loaded.failed_logs:
        worries.append(f"{loaded.failed_logs} logs could not be loaded")
    if loaded.problems:
        worries.append(f"{loaded.problems} parts of logs could not be read")
    return worries


def month_name(text: str) -> str:
    """2026-03 → Mar."""
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return names[int(text[5:7]) - 1]
