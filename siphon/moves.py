"""Where a project was worked on, and when it moved from one machine to another."""

from collections.abc import Iterable, Mapping
from typing import Any

from siphon.sums import Row


def moves(sessions: Iterable[Mapping[str, Any]]) -> list[Row]:
    """Each session of a project on another host than the project's session before it, oldest first.

    Automated sessions, and those without a time or project, do not move a project.
    """
    last: dict[str, Mapping[str, Any]] = {}
    found = []
    for session in sorted(
        filter(_moving, sessions), key=lambda row: (row["started_at"], row["session_uid"])
    ):
        before = last.get(session["project"])
        last[session["project"]] = session
        if before is not None and before["host"] != session["host"]:
            found.append(_move(before, session))
    return found


def _moving(session: Mapping[str, Any]) -> bool:
    known = session["started_at"] is not None and session["project"] is not None
    return known and session["shape"] != "automated"


def _move(before: Mapping[str, Any], after: Mapping[str, Any]) -> Row:
    ended = before["ended_at"] or before["started_at"]
    return {
        "at": after["started_at"],
        "project": after["project"],
        "from": before["host"],
        "to": after["host"],
        "after_ms": max(0, after["started_at"] - ended),
        "session_uid": after["session_uid"],
        "title": after["title"],
    }
