"""A database as text, by stable ids only: two databases of one archive must dump alike."""

import json
import sqlite3
from pathlib import Path

from siphon.db import connect

_SESSION = "(select uid from sessions where id = {})"
_ROW = (
    "(select s.uid || '#' || x.seq from {table} x join sessions s on s.id = x.session_id"
    " where x.id = {})"
)
_LOG = "(select host || '/' || path from logs where id = {})"
_PROJECT = "(select key from projects where id = {})"

# Columns that are integers of this database only, and what stands for them.
_STABLE = {
    "session_id": _SESSION,
    "target_id": _SESSION,
    "log_id": _LOG,
    "project_id": _PROJECT,
    "message_id": _ROW.replace("{table}", "messages"),
    "tool_call_id": _ROW.replace("{table}", "tool_calls"),
}
_COPY = {"sessions": _SESSION}
_TABLES = (
    "sessions messages tool_calls file_touches requests relations problems tallies usage_hours"
    " activity_hours tool_hours spans session_files projects logs"
).split()
_UNSTABLE = {"id", "mtime", "loaded_at", "reads", "generation", "tries"}


def dump(database: Path) -> list[str]:
    """One line a row, sorted."""
    connection = connect(database)
    try:
        return sorted(line for table in _TABLES for line in _lines(connection, table))
    finally:
        connection.close()


def _lines(connection: sqlite3.Connection, table: str) -> list[str]:
    names = [row[1] for row in connection.execute(f"pragma table_info({table})")]
    kept = [name for name in names if name not in _UNSTABLE]
    columns = ", ".join(_column(table, name) for name in kept)
    return [
        f"{table} {json.dumps(dict(zip(kept, row, strict=True)), ensure_ascii=False)}"
        for row in connection.execute(f"select {columns} from {table} t")
    ]


def _column(table: str, name: str) -> str:
    if name == "copy_of":
        form = _COPY.get(table, _ROW.replace("{table}", table))
        return form.format(f"t.{name}")
    return _STABLE[name].format(f"t.{name}") if name in _STABLE else f"t.{name}"


def totals(database: Path) -> dict[str, int]:
    """What is billed in all: requests and tokens by class, cost in nano-USD."""
    connection = connect(database)
    try:
        names = (
            "requests input_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens"
            " output_tokens cost_nanousd"
        ).split()
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in names[1:])
        row = connection.execute(f"select count(*), {sums} from billed_requests").fetchone()
        return dict(zip(names, row, strict=True))
    finally:
        connection.close()
