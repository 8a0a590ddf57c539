"""Paths as text: a log's name is bytes on its host, but text in every table, page and URL."""

import re

_LOOKS_ESCAPED = re.compile(rb"\\(?=x[0-9a-f]{2})")
_ELSEWHERE = frozenset((b"", b".", b".."))
_ESCAPED = re.compile(rb"\\x([0-9a-f]{2})")


def text(raw: bytes) -> str:
    r"""The path as text: bytes that are no UTF-8 are written `\xff`, all others stay as they are.

    A backslash that would read as such an escape is written `\x5c`, so no two names share a text.
    """
    try:
        plain = raw.decode()
    except UnicodeDecodeError:
        plain = None
    if plain is not None and "\\x" not in plain:
        return plain
    return _LOOKS_ESCAPED.sub(rb"\\x5c", raw).decode(errors="backslashreplace")


def raw(text: str) -> bytes:
    """The bytes that `text` was made from."""
    plain = text.encode()
    if b"\\x" not in plain:
        return plain
    return _ESCAPED.sub(lambda match: bytes.fromhex(match[1].decode()), plain)


def inside(raw: bytes) -> bool:
    """Whether the path stays below its home however it is read: no empty, `.` or `..` part, no NUL."""
    return b"\0" not in raw and _ELSEWHERE.isdisjoint(raw.split(b"/"))
