"""Days and hours in a time zone. Rollups keep UTC hours: one belongs to the local day it begins in."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from siphon.errors import SiphonError

_DAY = 86_400_000
_MINUTE = 60_000
_AREA = re.compile(r"(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/")


class Zone(NamedTuple):
    """A time zone."""

    name: str
    offset: Callable[[int], int]  # UTC ms → ms that local clocks are ahead


def zone(name: str | None) -> Zone:
    """The zone of that name (Europe/Berlin, UTC); None: this machine's. Raises SiphonError."""
    if name is None:
        return Zone(time.strftime("%Z"), lambda ts: time.localtime(ts / 1000).tm_gmtoff * 1000)
    # Not at the top: most ask for this machine's zone, and a status line has no time to load the others.
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        named = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SiphonError(
            f"{name!r} is no time zone; give its IANA name, like Europe/Berlin or UTC"
        ) from None
    return Zone(name, lambda ts: _ahead(datetime.fromtimestamp(ts / 1000, named)))


def names() -> list[str]:
    """UTC, then the zones that are named by a place."""
    from zoneinfo import available_timezones

    return ["UTC", *sorted(name for name in available_timezones() if _AREA.match(name))]


def _ahead(moment: datetime) -> int:
    return (moment.utcoffset() or timedelta()) // timedelta(milliseconds=1)


def local(ts: int, at: Zone) -> datetime:
    """What the clocks show; without a zone."""
    return datetime.fromtimestamp((ts + at.offset(ts)) / 1000, UTC).replace(tzinfo=None)


def begin(day: date, at: Zone) -> int:
    """UTC ms at which a local day begins."""
    clock = round(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    near = clock - at.offset(clock)
    return clock - at.offset(near)


def shifts(first: int, last: int, at: Zone) -> Iterator[tuple[int, int]]:
    """(UTC ms, offset from then on) for each change of the offset from `first` to `last`."""
    known = at.offset(first)
    for step in range(first, last + _DAY, _DAY):
        found = at.offset(step)
        if found != known:
            yield _change(step - _DAY, step, at), found
            known = found


def _change(before: int, after: int, at: Zone) -> int:
    """The minute at which the offset changes."""
    old = at.offset(before)
    while after - before > _MINUTE:
        middle = (before + after) // 2
        if at.offset(middle) == old:
            before = middle
        else:
            after = middle
    return after // _MINUTE * _MINUTE


def monday(day: date) -> date:
    """The first day of its week."""
    return day - timedelta(days=day.weekday())


def periods(since: date, until: date, by: str) -> list[str]:
    """The names of all periods from one day to another, both in it."""
    return list(dict.fromkeys(period(day, by) for day in _range(since, until)))


def days(since: date, until: date) -> list[str]:
    """The days from one to another, both in it."""
    return periods(since, until, "day")


def _range(since: date, until: date) -> Iterator[date]:
    return (since + timedelta(days=n) for n in range((until - since).days + 1))


def period(day: date, by: str) -> str:
    """2026-11-21; of its week the Monday, for "week"; 2026-11 for "month"."""
    if by == "month":
        return day.isoformat()[:7]
    return (monday(day) if by == "week" else day).isoformat()
