"""A tar archive as it comes through a pipe: the names, sizes and bytes of its regular files.

Python's tarfile reads far more than that, and took a third of the time of a collect of many small logs.
ustar, GNU's long names and numbers, and pax headers are read: what GNU, BusyBox and BSD tar write.
"""

from collections.abc import Iterator
from typing import NamedTuple

from siphon.stream import Stream

_BLOCK = 512
_LONGEST = 1 << 20  # bytes of a name, or of a pax header
_REGULAR = b"0\0007"
_DATALESS = b"123456"  # links, devices, folders, FIFOs: whatever size they state
_CHECKSUM = slice(148, 156)


class BrokenTarError(Exception):
    """These bytes are no tar archive."""


class Member(NamedTuple):
    """A regular file; its bytes are the next `size` ones of the stream."""

    name: bytes
    size: int


def members(stream: Stream) -> Iterator[Member]:
    """Yield regular files; what the caller leaves of one's bytes is skipped. Archives may follow one
    another. Ends with the stream, or where it is cut. Raises BrokenTarError.
    """
    said: dict[bytes, bytes] = {}  # of the next file, by the headers before its own
    while len(header := _some(stream, _BLOCK)) == _BLOCK:
        if not any(header):
            continue
        kind, size = header[156:157], _size(header)
        if kind in (b"L", b"x"):
            data = _all(stream, size)
            said |= {b"path": data.rstrip(b"\0")} if kind == b"L" else _pax(data)
            continue
        if b"size" in said:
            size = _int(said[b"size"])
        end = stream.position + (0 if kind in _DATALESS else -(-size // _BLOCK) * _BLOCK)
        if kind in _REGULAR:
            yield Member(said.get(b"path") or _name(header), size)
        _skip(stream, end)
        if kind not in (b"g", b"K"):  # which stand between a file's headers, too
            said = {}


def _size(header: bytes) -> int:
    """The number of bytes that follow. Raises BrokenTarError where the header is none."""
    blank = sum(header) - sum(header[_CHECKSUM]) + 8 * ord(" ")
    if _number(header[_CHECKSUM]) != blank:
        raise BrokenTarError
    return _number(header[124:136])


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's form of large ones
        return int.from_bytes(field[1:], "big")
    return _int(field.strip(b" \0") or b"0", 8)


def _int(digits: bytes, radix: int = 10) -> int:
    try:
        return int(digits, radix)
    except ValueError as error:
        raise BrokenTarError from error


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    prefix = header[345:500].partition(b"\0")[0] if header[257:263] == b"ustar\0" else b""
    return prefix + b"/" + name if prefix else name


def _pax(data: bytes) -> dict[bytes, bytes]:
    """Its `length key=value` records."""
    found = {}
    while data:
        length, _, rest = data.partition(b" ")
        size = _int(length) - len(length) - 1
        if not 0 < size <= len(rest):
            raise BrokenTarError
        key, _, value = rest[: size - 1].partition(b"=")
        found[key] = value
        data = rest[size:]
    return found


def _all(stream: Stream, size: int) -> bytes:
    """What belongs to a header, without the bytes that fill its last block."""
    if size > _LONGEST:
        raise BrokenTarError
    return _some(stream, -(-size // _BLOCK) * _BLOCK)[:size]


def _some(stream: Stream, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = stream.read(size)
    while len(data) < size and (block := stream.read(size - len(data))):
        data += block
    return data


def _skip(stream: Stream, end: int) -> None:
    while (left := end - stream.position) > 0 and stream.read(left):
        pass
