"""What a user's text holds beside the user's words: skills, files, a channel's envelope."""

import re
from collections.abc import Callable
from typing import NamedTuple

from siphon.sources._loose import one_line


class Prompt(NamedTuple):
    """A user's text, taken apart."""

    words: str | None  # what was typed
    wrapping: str | None  # what was put around it, for the model
    machine: bool = False  # no person wrote it


Split = Callable[[str], Prompt]

_SKILL = re.compile(
    r'\A<skill name="([^"\n]+)" location="[^"\n]*">\n.*?\n</skill>(?:\n\n(.+))?\Z', re.DOTALL
)
_FILE = re.compile(r'<file name="[^"\n]*">\n.*?</file>\n?', re.DOTALL)
_ENVELOPE = re.compile(
    r"""\s*(?:
        [A-Z][^\n:]{0,60}\ \(untrusted[^\n)]*\):\n```json\n.*?\n```
      | System:\ \[[^\]\n]*\][^\n]*
      | \[message_id:\ [^\]\n]*\]
      | \[[^\]\n]*\d{4}-\d{2}-\d{2}[^\]\n]*\]\ ?
    )\n*""",
    re.DOTALL | re.VERBOSE,
)
_TAIL = re.compile(r"\n?\[message_id: [^\]\n]*\]\s*\Z")


def skill(text: str) -> Prompt:
    """pi puts a skill's text in the place of `/skill:name`."""
    found = _SKILL.match(text)
    if not found:
        return Prompt(text, None)
    words = f"/skill:{found[1]}" + (f" {found[2]}" if found[2] else "")
    end = found.start(2) if found[2] else len(text)
    return Prompt(words, text[:end].rstrip())


def envelope(text: str) -> Prompt:
    """OpenClaw puts the channel's facts around a text, and sends heartbeats of its own."""
    if "HEARTBEAT_OK" in text:
        return Prompt(None, text, machine=True)
    at = 0
    while found := _ENVELOPE.match(text, at):
        at = found.end()
    tail = _TAIL.search(text, at)
    end = tail.start() if tail else len(text)
    if at == 0 and tail is None:
        return skill(text)
    wrapping = "\n".join(part.strip() for part in (text[:at], text[end:]) if part.strip())
    return Prompt(text[at:end].strip() or None, wrapping or None, machine=not text[at:end].strip())


def title(words: str) -> str | None:
    """One line that names a session by its first prompt; files that were passed along are left out."""
    return one_line(_FILE.sub("", words)) or one_line(words)


def silent(reply: str) -> bool:
    """An answer that OpenClaw delivers to nobody."""
    return reply.strip() in ("NO_REPLY", "HEARTBEAT_OK")
