"""A database as large as a team's: sessions and messages made as records, no logs, one writer.

Same seed and size: the same rows. What a load writes is written by the load's own parts, so the tables,
indexes, rollups and the full-text index are those of a real database; only the archive is not there.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import NamedTuple

import msgspec

from benchmarks import vocabulary
from benchmarks.text import Text
from siphon import copies, db
from siphon.costs import table_rows
from siphon.parsing import price_table
from siphon.records import FileTouch, Message, MessageKind, Record, Relation, Request, Session, ToolCall
from siphon.refresh import refresh
from siphon.rows import Rows
from siphon.writer import Bulk, LogState, finish_log, log_id

SESSIONS, MESSAGES = 20_000, 2_000_000
LONGEST = 10_000  # messages of the longest session
DAYS = 700
RARE = "zyxquernet"  # stands in RARES messages
RARES = 7
_DAY = 86_400_000
_HOSTS = ("laptop", "desktop", "gpu-1", "gpu-2", "cloud")
_SOURCES = {
    "claude_code": ("claude-opus-4-5", "claude-sonnet-4-5"),
    "codex": ("gpt-5.5", "gpt-5.4-mini"),
    "gemini_cli": ("gemini-2.5-pro",),
    "opencode": ("claude-sonnet-4-5", "gpt-5.5"),
}
_TOOLS = (
    ("Bash", "shell", "command"), ("Bash", "shell", "command"), ("Read", "read", "file_path"),
    ("Edit", "edit", "file_path"), ("Grep", "search", "pattern"), ("mcp__issues__list", "mcp", "query"),
)  # fmt: skip


class Made(NamedTuple):
    """What the pages' benchmark asks for."""

    sessions: int
    messages: int
    longest: str  # uid
    usual: str  # uid of a session of middle length
    common: str  # a word in most messages
    middling: str  # a word in some of a hundred
    rare: str


def make(path: Path, sessions: int = SESSIONS, messages: int = MESSAGES, now: int | None = None) -> Made:
    """Build the database at `path`; `now` (UTC ms) is when its newest session ends."""
    rng = Random(f"large {sessions}")
    text = Text(rng, 8_000_000)
    plan = Plan(rng, text, now or time.time_ns() // 1_000_000, places(rng))
    sizes = _sizes(rng, sessions, messages)
    rares = {rng.randrange(sessions) for _ in range(RARES)}
    with closing(db.start_build(path)) as connection:
        connection.executemany(
            f"insert into prices values ({', '.join('?' * 13)})", table_rows(price_table())
        )
        connection.execute("begin")
        for number, size in enumerate(sizes):
            head = plan.head(number, sessions, size)
            rows = Rows(head.source, head.path, price_table())
            for record in plan.records(head, size, number in rares):
                rows.add(record)
            state = LogState(head.host, head.source, head.path, 1, size * 2000, head.start, 1, "[]", 0)
            log = log_id(connection, state)
            bulk = Bulk(connection, log, (head.host, head.source))
            bulk.write(rows.take())
            finish_log(connection, log, state, (bulk.records, 0), None)
        connection.execute("commit")
        _told("rows")
        db.index(connection)
        _told("indexes")
        connection.execute("begin")
        copies.mark_all(connection, price_table())
        refresh(connection, {})
        connection.execute("commit")
        _told("rollups")
    db.index_text(path)
    _told("full text")
    with closing(db.open_build(path)) as connection:
        db.seal(connection)
        longest, usual = connection.execute(
            "select max(uid) filter (where messages > 5000),"
            " min(uid) filter (where messages between 90 and 110 and kind = 'main') from sessions"
        ).fetchone()
    db.publish(path)
    words = text.words.items
    return Made(sessions, sum(sizes), longest, usual, words[0], words[150], RARE)


def _told(what: str) -> None:
    print(f"{what}: {time.process_time():.0f} CPU-s", file=sys.stderr, flush=True)


def _sizes(rng: Random, sessions: int, messages: int) -> list[int]:
    """Messages of each session: a few long ones and many short ones, in all as many as asked."""
    weights = [rng.lognormvariate(0, 1) for _ in range(sessions)]
    share = (messages - LONGEST) / sum(weights)
    sizes = [max(2, int(weight * share)) for weight in weights]
    sizes[sessions - sessions // 20] = LONGEST
    return sizes


class _Place(NamedTuple):
    host: str
    folder: str
    repo: str


class _Head(NamedTuple):
    """One session's facts. `start` UTC ms."""

    native_id: str
    host: str
    source: str
    path: str
    start: int
    place: _Place
    models: tuple[str, ...]
    parent: str | None


def places(rng: Random) -> list[_Place]:
    names = vocabulary.project_names(rng, 60)
    return [
        _Place(host, f"/home/{host}/src/{name}", f"https://git.example.org/acme/{name}.git")
        for name in names
        for host in _HOSTS
    ]


class Plan:
    """Makes sessions one after the other, the oldest first."""

    def __init__(self, rng: Random, text: Text, now: int, places: list[_Place]) -> None:
        self.rng = rng
        self.text = text
        self.now = now
        self.places = places
        self.paths = [text.path() for _ in range(3000)]
        self.last: dict[str, str] = {}  # source → the main session before

    def head(self, number: int, sessions: int, size: int) -> _Head:
        rng = self.rng
        place = rng.choice(self.places)
        source = rng.choice(("claude_code", "claude_code", "codex", "gemini_cli", "opencode"))
        native = f"{rng.getrandbits(32):08x}-{number:04x}-4000-8000-{rng.getrandbits(48):012x}"
        ends = self.now - (sessions - 1 - number) * DAYS * _DAY // sessions
        parent = self.last.get(source) if rng.random() < 0.1 else None
        if parent is None:
            self.last[source] = native
        path = f".{source}/{native}.jsonl"
        return _Head(
            native, place.host, source, path, ends - size * 9000, place, _SOURCES[source], parent
        )

    def records(self, head: _Head, size: int, rare: bool) -> Iterator[Record]:
        """A prompt, then rounds of thinking, a reply and calls; then the next prompt."""
        rng, text, session = self.rng, self.text, head.native_id
        ts, seq, model = head.start, 0, head.models[0]
        for number in range(size):
            ts += rng.randrange(1000, 15_000)
            native = f"{session[:13]}-{number}"
            turn = number % 8
            if turn == 0:
                words = text.prose(rng.randrange(20, 500))
                if rare and number == 0:
                    words += f" {RARE}"
                yield Message(session, seq, "user", "prompt", words, ts, native)
                seq += 1
                continue
            kind: MessageKind = "thinking" if turn % 4 == 1 else "reply"
            size_ = rng.randrange(20, 200) if turn < 7 else rng.randrange(200, 900)
            said = (
                text.prose(size_)
                if turn < 7
                else f"{text.prose(size_)}\n\n```python\n{text.code(300)}```"
            )
            yield Message(session, seq, "assistant", kind, said, ts, native, None, model, native)
            seq += 1
            if turn % 2:
                yield from self._call(head, seq, ts, native)
                seq += 1
            if kind == "reply":
                yield Request(
                    session, native, seq - 1, model, ts, rng.randrange(3000), rng.randrange(60_000),
                    rng.randrange(4000), None, rng.randrange(1500),
                )  # fmt: skip
        yield Session(
            session, title=text.phrase(7).capitalize(), project=head.place.folder, cwd=head.place.folder,
            git_branch=rng.choice(("main", "main", "dev", "fix/tests")), git_repo=head.place.repo,
            version="2.1.0", started_at=head.start, ended_at=ts,
            kind="main" if head.parent is None else "subagent",
        )  # fmt: skip
        if head.parent is not None:
            yield Relation(session, "subagent", head.parent)

    def _call(self, head: _Head, seq: int, ts: int, native: str) -> Iterator[Record]:
        rng = self.rng
        name, kind, field = rng.choice(_TOOLS)
        path = f"{head.place.folder}/{rng.choice(self.paths)}"
        given = path if field == "file_path" else self.text.phrase(4)
        output = self.text.output(rng.randrange(20, 1200) if kind != "edit" else 40)
        fields = {field: given}
        if kind == "edit":
            fields |= {"old_string": self.text.code(150), "new_string": self.text.code(200)}
        added, removed = (6, 4) if kind == "edit" else (None, None)
        yield ToolCall(
            head.native_id, seq, name, kind, f"call-{native}", seq - 1, given,  # type: ignore[arg-type]  # a kind
            msgspec.json.encode(fields).decode(), output,
            status="error" if rng.random() < 0.04 else "ok", ts=ts, duration_ms=rng.randrange(5, 9000),
            lines_added=added, lines_removed=removed, request=native,
        )  # fmt: skip
        if kind in ("read", "edit"):
            yield FileTouch(head.native_id, seq, path, kind, added, removed)  # type: ignore[arg-type]  # as above


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("database", type=Path)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    asked = parser.parse_args()
    print(msgspec.json.encode(make(asked.database, asked.sessions, asked.messages)).decode())


if __name__ == "__main__":
    main()
