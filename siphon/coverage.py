"""Fidelity, shown: what was read of each tool's logs, what was left out and why, what nobody knew."""

import re
import sqlite3
from typing import NamedTuple

from siphon.errors import SiphonError
from siphon.sources import sources

_NUMBERS = re.compile(r"\d+")


class Type(NamedTuple):
    """What became of one type of record in the logs of one version of a tool."""

    source: str
    version: str | None
    type: str  # as the tool names it
    fate: str  # read, skipped or unknown
    records: int
    logs: int
    reason: str | None  # why it is skipped


class Version(NamedTuple):
    """The logs of one version of a tool; fields as in the view coverage_by_version."""

    source: str
    version: str | None  # 'several': of a log's sessions, which differ; None: the logs do not say
    logs: int
    failed_logs: int
    bytes: int
    records: int
    read_records: int
    skipped_records: int
    unknown_records: int
    read_types: int
    skipped_types: int
    unknown_types: int
    problems: int
    sessions: int
    sessions_without_project: int
    sessions_without_model: int
    sessions_without_time: int
    requests: int
    requests_without_price: int


def versions(connection: sqlite3.Connection, source: str | None = None) -> list[Version]:
    """By source and version; raises SiphonError for a source that nobody knows."""
    _known(source)
    names = ", ".join(Version._fields)
    query = f"select {names} from coverage_by_version where source = ifnull(?, source)"
    found = map(Version._make, connection.execute(query, [source]))
    return sorted(found, key=lambda one: (one.source, _order(one.version)))


def types(connection: sqlite3.Connection, source: str | None = None) -> list[Type]:
    """Unknown ones first, then those skipped, then those read; raises SiphonError as `versions`."""
    _known(source)
    query = (
        "select source, version, type, fate, records, logs from coverage_by_type"
        " where source = ifnull(?, source)"
    )
    found = [Type._make((*row, _reason(row))) for row in connection.execute(query, [source])]
    return sorted(found, key=lambda t: (t.source, _FATES.index(t.fate), t.type, _order(t.version)))


_FATES = ("unknown", "skipped", "read")


def _known(source: str | None) -> None:
    if source is not None and source not in sources():
        raise SiphonError(f"{source!r} is no source; known: {', '.join(sources())}")


def _reason(row: tuple[str, str | None, str, str, int, int]) -> str | None:
    source, _, type_, fate, *_ = row
    known = sources().get(source)
    return known.skips.get(type_) if known is not None and fate == "skipped" else None


def _order(version: str | None) -> tuple[list[int], str]:
    """1.9 before 1.10; None first."""
    return [int(part) for part in _NUMBERS.findall(version or "")[:6]], version or ""
