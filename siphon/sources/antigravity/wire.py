"""Protocol buffers without their schema: fields by number, as far as a blob can be read."""

from collections.abc import Iterator

_MOST_FIELDS = 10_000  # of one message; more are a bomb
Value = int | bytes
Fields = dict[int, list[Value]]


def fields(blob: Value | None) -> Fields:
    """The fields of a message, each with its values in order; what cannot be read ends them."""
    found: Fields = {}
    if isinstance(blob, bytes):
        for number, value in _walk(blob):
            found.setdefault(number, []).append(value)
    return found


def _walk(blob: bytes) -> Iterator[tuple[int, Value]]:
    at = count = 0
    while at < len(blob) and count < _MOST_FIELDS:
        count += 1
        tag, at = _varint(blob, at)
        number, wire = tag >> 3, tag & 7
        if number < 1 or at < 0:
            return
        if wire == 0:
            value, at = _varint(blob, at)
            if at < 0:
                return
            yield number, value
        elif wire == 2:
            size, at = _varint(blob, at)
            if at < 0 or at + size > len(blob):
                return
            yield number, blob[at : at + size]
            at += size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            return


def _varint(blob: bytes, at: int) -> tuple[int, int]:
    """The number and where it ends; -1 as end: there is none."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(blob):
            return 0, -1
        byte = blob[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    return 0, -1


def message(of: Fields, number: int) -> Fields:
    """The last message of a field; empty if there is none."""
    values = of.get(number)
    return fields(values[-1]) if values else {}


def number(of: Fields, field: int) -> int | None:
    values = [value for value in of.get(field, ()) if isinstance(value, int)]
    return values[-1] if values else None


def words(of: Fields, field: int) -> str | None:
    """The last text of a field, if it is one and not empty."""
    for value in reversed(of.get(field, [])):
        if isinstance(value, bytes) and value:
            try:
                return value.decode()
            except UnicodeDecodeError:
                return None
    return None


def numbers(of: Fields, field: int) -> list[int]:
    """All numbers of a repeated field, packed or not."""
    found: list[int] = []
    for value in of.get(field, ()):
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while 0 <= at < len(value) and len(found) < _MOST_FIELDS:
            one, at = _varint(value, at)
            if at > 0:
                found.append(one)
    return found


def moment(of: Fields, field: int) -> int | None:
    """UTC milliseconds of a Timestamp: seconds and nanoseconds."""
    stamp = message(of, field)
    seconds = number(stamp, 1)
    if not seconds or seconds > 1 << 40:
        return None
    return seconds * 1000 + (number(stamp, 2) or 0) // 1_000_000
