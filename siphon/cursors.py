"""Cursors: where a page of a list ended, as a text that only we read."""

import base64
import binascii

import msgspec

from siphon.errors import SiphonError
from siphon.urls import Arguments

Key = list[int | None]


def sealed(*key: int | None) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def opened(text: str, length: int = 1) -> Key:
    """The numbers that were sealed; raises SiphonError if they are not `length` of ours."""
    try:
        key = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Key)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        key = []
    if len(key) != length or any(one is not None and abs(one) >= 2**63 for one in key):
        raise SiphonError(f"cursor={text!r} is none of ours; take 'next' of the page before")
    return key


def unfolded(given: Arguments, name: str = "offset") -> Arguments:
    """What is asked, with a cursor as the number that it stands for."""
    return [
        (name, str(opened(value)[0] or 0)) if key == "cursor" else (key, value) for key, value in given
    ]
