"""One converter for every time stamp that a log may hold."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(stamp: str | int | float | None) -> int | None:
    """UTC milliseconds of an ISO-8601 text or of a number in s, ms, µs or ns; None if it is no time.

    A text without a zone is UTC. A number's unit follows from its size.
    """
    if stamp is None or stamp == "" or isinstance(stamp, bool):
        return None
    if isinstance(stamp, str):
        return _usual(stamp)
    return _number(stamp)


_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:", re.ASCII)
_SECONDS = {f"{n:02}.": n * 1000 for n in range(60)}
_MILLIS = {f"{n:03}Z": n for n in range(1000)}


def _usual(stamp: str) -> int | None:
    """`YYYY-MM-DDThh:mm:ss.mmmZ`, which nearly all logs write, by tables; other texts as they come."""
    seconds, thousandths = _SECONDS.get(stamp[17:20]), _MILLIS.get(stamp[20:])
    if seconds is None or thousandths is None or (minute := _minute(stamp[:17])) is None:
        return _iso(stamp)
    return minute + seconds + thousandths


@lru_cache(1024)
def _minute(text: str) -> int | None:
    return _iso(f"{text}00Z") if _MINUTE.fullmatch(text) else None


def _iso(stamp: str) -> int | None:
    try:
        moment = datetime.fromisoformat(stamp.strip())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        delta = moment - _EPOCH
    except (ValueError, OverflowError):
        return _digits(stamp)
    return delta.days * 86_400_000 + delta.seconds * 1000 + delta.microseconds // 1000


def _digits(stamp: str) -> int | None:
    try:
        return _number(float(stamp))
    except ValueError:
        return None


def _number(stamp: int | float) -> int | None:
    size = abs(stamp)
    if not size < 1e20:  # also NaN and infinity
        return None
    for limit, per_milli in ((1e17, 1_000_000), (1e14, 1000), (1e11, 1)):
        if size >= limit:
            return int(stamp // per_milli)
    return int(stamp * 1000)
