"""Which of a session's files is read, and where a loose one would lie."""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources.factory_droid import reading


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one session, or a twin's tally."""
    if _twin(log):
        yield Tally("twin", "skipped", 1)
    else:
        yield from reading.parse(log)


def _twin(log: Log) -> bool:
    """Whether a longer file of the session lies in the other layout; of equal ones the newer wins."""
    old = len(log.parts) > 1 and log.parts[-2] == "sessions"
    if old:
        name = re.sub(r"[*?\[\]{}]", "?", log.name)
        others = [log.at(path) for path in log.glob(f"-*/{name}")]
    else:
        others = [log.near(f"../{log.name}")]
    return any(_size(other) + old > _size(log) for other in others if other is not None)


def _size(log: Log) -> int:
    with log.open() as file:
        return file.seek(0, 2)


def recognise(log: Log) -> str | None:
    """By the session_start line."""
    for value in head(log, 1):
        own, cwd = value.get("id"), value.get("cwd")
        if value.get("type") == "session_start" and isinstance(own, str) and "data" not in value:
            return f".factory/sessions/{_slug(cwd)}{own}.jsonl"
    return None


def _slug(cwd: object) -> str:
    if not isinstance(cwd, str) or not cwd:
        return ""
    path = re.sub(r"^([A-Za-z]):", r"\1", cwd.rstrip("/\\"))
    return "-" + re.sub(r"[/\\]", "-", path.lstrip("/\\")) + "/"
