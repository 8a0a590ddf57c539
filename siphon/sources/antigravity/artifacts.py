"""Documents of a conversation: task, plan, walkthrough; Markdown, a note of metadata beside each."""

import re
from typing import NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._loose import mapping, one_line, stamp, text

_HEADING = re.compile(r"^# (.+)$", re.MULTILINE)


class Artifact(NamedTuple):
    name: str
    text: str
    summary: str | None
    ts: int | None  # of its last change


def artifact(log: Log, path: str) -> Artifact | None:
    """A document, with what its `.metadata.json` tells; None: it is gone or empty."""
    held = log.at(path)
    words = held.data().decode(errors="replace").strip() if held else ""
    if not words:
        return None
    told = _metadata(log, f"{path}.metadata.json")
    return Artifact(
        name=path.rpartition("/")[2],
        text=words,
        summary=text(told.get("summary")),
        ts=stamp(told.get("updatedAt")),
    )


def title(document: Artifact) -> str | None:
    """What a task is called: its summary, else its first heading."""
    heading = _HEADING.search(document.text)
    return one_line(document.summary) or (one_line(heading[1]) if heading else None)


def _metadata(log: Log, path: str) -> dict[str, object]:
    beside = log.at(path)
    if beside is None:
        return {}
    try:
        return mapping(msgspec.json.decode(beside.data()))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.problem(f"{path.rpartition('/')[2]}: {error}")
        return {}
