"""Rows into tables, as a bulk load writes them: by Python's sqlite3 and as a part of what is built."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from siphon import db
from siphon.parsing import price_table
from siphon.records import FileTouch, Message, Record, Request, Session, ToolCall
from siphon.rows import EPOCH, Rows
from siphon.writer import Bulk

TS = EPOCH + 5_000_000
RECORDS = (
    Message("s", 1, "user", "prompt", "one", TS),
    Message("s", 2, "assistant", "reply", "two", TS + 1),
    ToolCall("s", 3, "Edit", "edit", message_seq=2, ts=TS + 2, status="ok"),
    FileTouch("s", 3, "/a", "edit"),
    Session("s"),
)
OPENERS = (db.start_build, db.start_part)


def _loaded(
    opener: Callable[[Path], Any], folder: Path, logs: list[tuple[Record, ...]]
) -> dict[str, list[tuple[object, ...]]]:
    """What the tables hold once logs that count their ids from the same base are written."""
    with closing(opener(folder / "x.db")) as connection:
        for number, records in enumerate(logs, start=1):
            rows = Rows("claude_code", "same", price_table())
            for record in records:
                rows.add(record)
            Bulk(connection, number, ("host", "claude_code")).write(rows.take())
        queries = {
            "messages": "select id, log_id, text, ts from messages order by id",
            "calls": "select c.id, c.log_id, m.text, m.log_id from tool_calls c"
            " left join messages m on m.id = message_id order by c.id",
            "touches": "select c.log_id, f.log_id, path from file_touches f"
            " join tool_calls c on c.id = tool_call_id order by f.id",
            "requests": "select ts, input_tokens, output_tokens, cost_nanousd from requests",
        }
        return {name: [tuple(row) for row in connection.execute(sql)] for name, sql in queries.items()}


@pytest.mark.parametrize("opener", OPENERS)
def test_a_row_whose_id_is_taken_goes_to_the_next_free_one_and_what_points_at_it_follows(
    opener: Callable[[Path], Any], tmp_path: Path
) -> None:
    found = _loaded(opener, tmp_path, [RECORDS, RECORDS])
    first = found["messages"][0][0]
    call = found["calls"][0][0]
    assert isinstance(first, int) and isinstance(call, int)
    assert found == {
        "messages": [
            (first, 1, "one", TS),
            (first + 1, 1, "two", TS + 1),
            (first + 2, 2, "one", TS),
            (first + 3, 2, "two", TS + 1),
        ],
        "calls": [(call, 1, "two", 1), (call + 1, 2, "two", 2)],
        "touches": [(1, 1, "/a"), (2, 2, "/a")],
        "requests": [],
    }


@pytest.mark.parametrize("opener", OPENERS)
def test_a_number_that_sqlite_cannot_hold_is_null_and_a_nul_ends_no_text(
    opener: Callable[[Path], Any], tmp_path: Path
) -> None:
    records = (
        Message("s", 1, "user", "prompt", "a\0b", 2**63),
        Request("s", "r", 1, "claude-opus-4-5", TS, input_tokens=2**64, output_tokens=1),
        Request("s", "q", 1, "claude-opus-4-5", -(2**63), input_tokens=0, output_tokens=1),
        Session("s"),
    )
    found = _loaded(opener, tmp_path, [records])
    assert [row[2:] for row in found["messages"]] == [("a\N{REPLACEMENT CHARACTER}b", None)]
    assert [row[:3] for row in found["requests"]] == [(TS, None, 1), (None, 0, 1)]


def test_a_column_that_only_some_rows_fill_is_null_in_the_others(tmp_path: Path) -> None:
    records = (
        Message("s", 1, "user", "prompt", "one"),
        Message("s", 2, "user", "prompt", None, TS, abandoned=True),
        Session("s"),
    )
    with closing(db.start_build(tmp_path / "x.db")) as connection:
        rows = Rows("claude_code", "log", price_table())
        for record in records:
            rows.add(record)
        Bulk(connection, 1, ("host", "claude_code")).write(rows.take())
        found = connection.execute("select text, ts, abandoned, model from messages order by seq")
        assert found.fetchall() == [("one", None, 0, None), (None, TS, 1, None)]
        assert isinstance(connection, sqlite3.Connection)
