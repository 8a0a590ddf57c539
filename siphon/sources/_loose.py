"""Values of a tool's JSON whatever type it gave them: the asked-for type, or None (or empty)."""

from typing import Any

import msgspec

from siphon.times import millis


def text(value: Any) -> str | None:
    """A non-empty text."""
    return value if isinstance(value, str) and value else None


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def number(value: Any) -> float | None:
    """A finite number, also of a text that spells one."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) < 1e300 else None


def count(value: Any) -> int | None:
    """A whole number from zero up; what no counter reaches is damage."""
    if value is None:
        return None
    if type(value) is int:
        return value if 0 <= value <= 1 << 53 else None
    found = number(value)
    return int(found) if found is not None and 0 <= found <= 1 << 53 else None


def integer(value: Any) -> int | None:
    """A whole number, negative ones too: exit codes."""
    found = number(value)
    return int(found) if found is not None and abs(found) <= 1 << 53 else None


def stamp(value: Any) -> int | None:
    """UTC milliseconds of whatever a log holds as a time."""
    return millis(value) if isinstance(value, (str, int, float)) else None


def nanousd(usd: Any) -> int | None:
    """Billionths of a dollar of a number of dollars."""
    found = number(usd)
    return round(found * 1_000_000_000) if found is not None and 0 <= found < 1e9 else None


def as_json(value: Any) -> str | None:
    """JSON text of a decoded value; None of None."""
    return None if value is None else msgspec.json.encode(value).decode()


def one_line(value: Any, limit: int = 200) -> str | None:
    """The text on one line, cut to a length with an ellipsis."""
    if not isinstance(value, str):
        return None
    line = " ".join(value[: limit * 4].split())
    return (line if len(line) <= limit else line[: limit - 1] + "…") or None


def lines_of(value: str) -> int:
    """How many lines a text has; an unfinished last one counts."""
    return value.count("\n") + (1 if value and not value.endswith("\n") else 0)


def image(media_type: Any, base64: Any) -> dict[str, Any]:
    """What is kept of an image: an element of `Message.attachments`."""
    data = base64 if isinstance(base64, str) else ""
    size = len(data) * 3 // 4 - data[-2:].count("=")
    return {"type": "image", "media_type": text(media_type), "bytes": max(size, 0)}
