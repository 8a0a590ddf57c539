"""The tool's own clean-up: `general.sessionRetention` of a settings.json, which may have comments."""

import math
import re

import msgspec

_AGE = re.compile(r"(\d+)([hdwm])")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30}
_TEXT_OR_COMMENT = re.compile(rb'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


class _Retention(msgspec.Struct):
    enabled: bool | None = None
    age: str | None = msgspec.field(default=None, name="maxAge")


class _General(msgspec.Struct):
    retention: _Retention | None = msgspec.field(default=None, name="sessionRetention")


class _Settings(msgspec.Struct):
    general: _General | None = None


_DECODER = msgspec.json.Decoder(_Settings)


def days(data: bytes) -> float | None:
    """Days that a session is kept after its last change; inf: for good; None: the file does not say."""
    bare = _TEXT_OR_COMMENT.sub(lambda found: found[1] or b" ", data.removeprefix(b"\xef\xbb\xbf"))
    settings = _DECODER.decode(bare)  # its errors are ValueErrors
    retention = settings.general and settings.general.retention
    if not retention:
        return None
    if retention.enabled is False:
        return math.inf
    return None if retention.age is None else _days(retention.age)


def _days(age: str) -> float:
    match = _AGE.fullmatch(age)
    if match is None:
        raise ValueError(f"maxAge is {age!r}; it would be like 30d, 12h, 4w")
    return int(match[1]) * _DAYS[match[2]]
