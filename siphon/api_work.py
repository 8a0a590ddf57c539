"""JSON of what was worked on and with what, and of the fleet: files, tools, hosts, health."""

import sqlite3
from typing import NamedTuple

from siphon.api import Json, whole
from siphon.archive import Archive
from siphon.config import Config
from siphon.cursors import sealed, unfolded
from siphon.fleet import fleet
from siphon.health import as_json
from siphon.health import health as findings
from siphon.query import check_day
from siphon.urls import Arguments
from siphon.work import EDITS, files_edited, tools_used

PAGE = 200


class Beyond(NamedTuple):
    """What answers are made of beside the database."""

    config: Config
    archive: Archive | None  # None: for a reader who may not know of all that is archived
    now: int  # UTC ms


def files(connection: sqlite3.Connection, given: Arguments) -> Json:
    """Files by their last edit, newest first, from the newest edits."""
    own = ("limit", "offset", "fields")
    plain = dict(given := unfolded(given))
    limit, offset = whole(plain, "limit", PAGE, 1, EDITS), whole(plain, "offset", 0, 0, EDITS)
    asked = [pair for pair in given if pair[0] not in own]
    found = files_edited(connection, asked, offset + limit + 1)
    return {
        "files": [one._asdict() for one in found[offset : offset + limit]],
        "next": sealed(offset + limit) if len(found) > offset + limit else None,
    }


def tools(connection: sqlite3.Connection, given: Arguments, beyond: Beyond) -> Json:
    """Tools, MCP servers and shell commands: calls, failures, durations."""
    if "since" in dict(given):
        check_day("since", dict(given)["since"])
    found = tools_used(connection, given, beyond.now)
    return {
        "since": found.since,
        "cut": found.cut,
        "tools": [one._asdict() for one in found.tools],
        "servers": [one._asdict() for one in found.servers],
        "commands": [one._asdict() for one in found.commands],
    }


def hosts(connection: sqlite3.Connection, beyond: Beyond) -> Json:
    """Every host, how fresh it is, and what is wrong with it."""
    found = fleet(connection, beyond.archive, beyond.config, beyond.now)
    return {"hosts": [one._asdict() for one in found], "next": None}


def health(connection: sqlite3.Connection, beyond: Beyond) -> Json:
    """Whether all is well, and what is not."""
    return as_json(findings(connection, beyond.archive, beyond.config, beyond.now), beyond.now)
