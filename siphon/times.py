"""One converter for every time stamp that a log may hold."""

import re
from datetime import UTC, datetime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def millis(stamp: str | int | float | None) -> int | None:
    """UTC milliseconds of an ISO-8601 text or of a number in s, ms, µs or ns; None if it is no time.

    A text without a zone is UTC. A number's unit follows from its size.
    """
    if isinstance(stamp, str):
        try:  # `YYYY-MM-DDThh:mm:ss.mmmZ`, which nearly all logs write, by tables
            return _MINUTES[stamp[:17]] + _SECONDS[stamp[17:20]] + _MILLIS[stamp[20:]]
        except KeyError:
            return _text(stamp)
    if type(stamp) is int and 10**11 <= stamp < 10**14:
        return stamp
    return None if stamp is None or isinstance(stamp, bool) else _number(stamp)


_MINUTE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:", re.ASCII)
_MINUTES: dict[str, int] = {}  # of the texts met last: an lru_cache's hit costs thrice as much
_SECONDS = {f"{n:02}.": n * 1000 for n in range(60)}
_MILLIS = {f"{n:03}Z": n for n in range(1000)}


def _text(stamp: str) -> int | None:
    """A text whose minute is new, or that is written in another form."""
    found = _iso(stamp)
    usual = stamp[17:20] in _SECONDS and stamp[20:] in _MILLIS and _MINUTE.fullmatch(stamp[:17])
    if found is not None and usual:
        if len(_MINUTES) > 1000:
            _MINUTES.clear()
        _MINUTES[stamp[:17]] = found // 60_000 * 60_000
    return found


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
