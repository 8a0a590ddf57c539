"""Goose: its own rule for what a session spent, on the hand-written store."""

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Request
from siphon.sources import sources

GOOSE = sources()["goose"]
CASE = goldens.HOMES / "goose/store/laptop"
STORE = ".local/share/goose/sessions/sessions.db"


def spent_as_goose_shows(store: Path) -> dict[str, int]:
    """Output tokens of each session: the larger of its running total and its ledger's sum."""
    uri = f"file:{store}?mode=ro"
    total, ledger = "coalesce(accumulated_output_tokens, 0)", "coalesce(sum(u.output_tokens), 0)"
    sql = f"""select s.id, max({total}, {ledger})
        from sessions s left join usage_ledger u on u.session_id = s.id group by s.id"""
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return {name: spent for name, spent in connection.execute(sql) if spent}


def test_a_session_spent_the_larger_of_total_and_ledger(tmp_path: Path) -> None:
    for suffix in ("", "-wal"):
        (tmp_path / f"store{suffix}").write_bytes((CASE / f"{STORE}{suffix}").read_bytes())
    expected = spent_as_goose_shows(tmp_path / "store")
    found: Counter[str] = Counter()
    for record in goldens.parsed(GOOSE, CASE, "laptop", STORE):
        if isinstance(record, Request) and not record.session.startswith("2025"):  # those have no rows
            found[record.session.partition("@")[0]] += record.output_tokens or 0
    del expected["20260601_5"]  # an import: the original's totals again
    assert dict(found) == expected


def test_what_is_only_in_the_write_ahead_log_is_read() -> None:
    records = goldens.parsed(GOOSE, CASE, "laptop", STORE)
    assert "Not yet checkpointed" in [r.text for r in records if isinstance(r, Message)]


def test_resume_names_the_session_as_goose_does() -> None:
    assert GOOSE.resume is not None
    assert GOOSE.resume("20260601_1@1780308000") == "goose session --resume --session-id 20260601_1"


def test_loose_stores_and_files_are_recognised(tmp_path: Path) -> None:
    assert GOOSE.recognise is not None
    (tmp_path / "copy.db").write_bytes((CASE / STORE).read_bytes())
    assert GOOSE.recognise(Log(Folder(tmp_path), "loose", "copy.db")) == STORE
    old = "20251002_100000.jsonl"
    (tmp_path / old).write_bytes((CASE / STORE).with_name(old).read_bytes())
    place = GOOSE.recognise(Log(Folder(tmp_path), "loose", old))
    assert place == f".local/share/goose/sessions/{old}"


def test_the_shared_logs_hold_no_session_of_goose(shared: Path) -> None:
    """Should one be added, this fails, and its sums are to be checked here."""
    for home in sorted((shared / "homes").iterdir()):
        if home.is_dir():
            assert goldens.logs(GOOSE, home) == []
