"""When a host is due: `every` so many seconds, and only within its `hours` of the day."""

import time

from siphon.config import HostConfig

_MINUTE = 60_000  # ms
_DAY = 24 * 60  # minutes


def next_due(host: HostConfig, last: int | None, at: int) -> int:
    """When it is to be collected next, in ms; not later than `at` means now.

    `last` is the end of its last collect, None if there was none. Hours are those of this machine.
    """
    due = max(at, last + host.every * 1000) if last is not None and host.every else at
    if not host.hours:
        return due
    for minutes in range(_DAY + 1):
        moment = due if minutes == 0 else due - due % _MINUTE + minutes * _MINUTE
        if _within(host.hours, moment):
            return moment
    return due


def _within(hours: tuple[tuple[int, int], ...], at: int) -> bool:
    clock = time.localtime(at / 1000)
    minute = clock.tm_hour * 60 + clock.tm_min
    return any(
        begin <= minute < end if begin < end else minute >= begin or minute < end for begin, end in hours
    )
