"""Factory Droid: ~/.factory/sessions/-<cwd, slashes as dashes>/<uuid>.jsonl, one event a line, appended.

Beside it `<uuid>.settings.json`: model and the session's token totals, written anew after each turn. In
the oldest layout both lie in sessions/ itself; of one session in both, the longer file is read.

The log does not say: tokens of single requests, their models, branch, cost. Totals may fall when a
session is resumed; what they were before is in the archive's older generations only.
Evidence: the vendor's droid-sdk 0.5.0 (session discovery, token totals) and other readers; 2026-11-21.
"""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.source import Source
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


def resume(native_id: str) -> str | None:
    """Reopens by id."""
    return f"droid --resume {native_id}"


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


SOURCES = (
    Source(
        name="factory_droid",
        title="Factory Droid",
        globs=(".factory/sessions/-*/*.jsonl", ".factory/sessions/*.jsonl"),
        parse=parse,
        beside=(".factory/sessions/-*/*.settings.json", ".factory/sessions/*.settings.json"),
        resume=resume,
        recognise=recognise,
        skips=reading.SKIPS,
        evidence="vendor's droid-sdk 0.5.0 (session discovery, token totals), other readers, 2026-11-21",
    ),
)
