"""Numbers and times as people read them: 12.3k tokens, $1.04, 3 min, 4 kB."""

import math
from datetime import UTC, datetime


def count(number: int | float | None) -> str:
    """1,234; 12.3k; 4.56M. None: '–', as the log does not say."""
    if number is None:
        return "–"
    if abs(number) < 10_000:
        return f"{number:,.0f}"
    for unit in ("k", "M", "G"):
        number /= 1000
        if abs(number) < 999.5:
            return f"{_short(number)}{unit}"
    return f"{_short(number / 1000)}T"


def _short(number: float) -> str:
    """Three digits at most: 1.23, 12.3, 123."""
    digits = 0 if number == 0 else max(0, 2 - math.floor(math.log10(abs(number))))
    return f"{number:.{min(digits, 2)}f}"


def usd(amount: float | None) -> str:
    """$1,234; $12.34; $0.0012. None: '–', as no price is known."""
    if amount is None:
        return "–"
    if amount == 0 or amount >= 0.095:
        return f"${amount:,.0f}" if amount >= 1000 else f"${amount:,.2f}"
    return f"${amount:.4f}" if amount >= 0.00005 else "<$0.0001"


def bytes_(number: int | None) -> str:
    """1,234 B, 12.3 kB, 4.5 MB (decimal)."""
    if number is None:
        return "–"
    if number < 1000:
        return f"{number} B"
    size = float(number)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{_short(size)} {unit}"
    return f"{_short(size / 1000)} TB"


def duration(milliseconds: int | None) -> str:
    """85 ms, 3.2 s, 4 min, 2 h 05 min, 3 d 4 h."""
    if milliseconds is None:
        return "–"
    if milliseconds < 1000:
        return f"{milliseconds} ms"
    seconds = milliseconds / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02} min"
    return f"{hours // 24} d {hours % 24} h"


def moment(ts: int | None) -> datetime | None:
    """UTC ms → datetime; None also for times outside the calendar."""
    try:
        return None if ts is None else datetime.fromtimestamp(ts / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def stamp(ts: int | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """2026-06-24 01:29 (UTC); '–' where there is no time."""
    at = moment(ts)
    return "–" if at is None else at.strftime(form)


def iso(ts: int | None) -> str | None:
    """2026-06-24T01:29:52.123Z, for machines."""
    at = moment(ts)
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def day(ts: int | None) -> str | None:
    """The UTC day, 2026-06-24."""
    at = moment(ts)
    return None if at is None else at.strftime("%Y-%m-%d")


def plural(number: int, noun: str) -> str:
    """1 session, 2,345 sessions."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def one_line(text: str | None, width: int) -> str:
    """The text's beginning on one line, its white space folded."""
    folded = " ".join((text or "")[: width * 8].split())
    return folded if len(folded) <= width else folded[: width - 1].rstrip() + "…"
