"""What can be had of a line that does not decode: bad characters replaced, glued values apart."""

import json
import re
from collections.abc import Iterator

_SURROGATES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
)


def repaired(data: bytes) -> tuple[str, list[str]]:
    """The text with what no text can hold replaced by U+FFFD, and what that was."""
    repairs = []
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = data.decode(errors="replace")
        repairs.append("invalid UTF-8")
    mended = _SURROGATES.sub(lambda m: "\\ufffd" if len(m[0]) == 6 else m[0], text)
    if mended != text:
        repairs.append("lone surrogates")
    return mended, repairs


def documents(text: str) -> Iterator[tuple[int, int]]:
    """Where each of the JSON values on a line begins and ends; the rest after a bad one is one."""
    decoder = json.JSONDecoder(strict=False)
    start = 0
    while start < len(text):
        try:
            _, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = len(text)
        yield start, end
        while end < len(text) and text[end] in " \t\r\0":
            end += 1
        start = end


def reason(error: Exception) -> str:
    """Why something did not decode."""
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def head(data: bytes) -> str:
    """How it begins, for a problem's text."""
    return data[:60].decode(errors="replace").replace("\0", "\ufffd")
