"""session_meta → who a session is, and where it comes from."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from siphon.log import Log
from siphon.records import Relation, Session, SessionKind
from siphon.sources._loose import mapping, stamp, text
from siphon.sources._text import line
from siphon.sources.codex.lines import NAME, Entry
from siphon.sources.codex.thread import Thread
from siphon.times import millis

_TITLE = 120  # characters of a first prompt that serve as title
_BUILT_IN = ("review", "compact", "memory_consolidation", "guardian")


class Origin(NamedTuple):
    """What a session_meta says of kind and lineage."""

    kind: SessionKind = "main"
    agent: str | None = None
    path: str | None = None  # a subagent's place in the tree of agents
    parent: str | None = None  # whose subagent
    forked: str | None = None  # whose fork

    @property
    def copied(self) -> str | None:
        """The session whose lines this one may begin with."""
        return self.forked or self.parent


def origin(meta: Entry) -> Origin:
    """Read `source`, `thread_source` and the ids beside them."""
    source = mapping(meta.source)
    sub = source.get("subagent")
    spawn = mapping(mapping(sub).get("thread_spawn"))
    label = text(sub) or text(mapping(sub).get("other")) or text(source.get("internal"))
    if meta.thread_source == "memory_consolidation":
        label = label or "memory_consolidation"
    below = sub is not None or label is not None or meta.thread_source == "subagent"
    path = text(meta.agent_path) or text(spawn.get("agent_path"))
    role = text(meta.agent_role) or text(spawn.get("agent_role")) or text(spawn.get("agent_type"))
    nickname = text(meta.agent_nickname) or text(spawn.get("agent_nickname"))
    kind: SessionKind = "internal" if label in _BUILT_IN else "subagent" if below else "main"
    return Origin(
        kind=kind,
        agent=(role or nickname or label or _last(path)) if below else None,
        path=(_last(path) or nickname) if below else None,
        parent=(text(spawn.get("parent_thread_id")) or text(meta.parent_thread_id)) if below else None,
        forked=text(meta.forked_from_id),
    )


def _last(path: str | None) -> str | None:
    return path.rstrip("/").rpartition("/")[2] or None if path else None


_STEM = re.compile(
    r"rollout-(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d)(?:-(.+))?", re.DOTALL
)  # local time of the host, says most of the evidence


def name_id(stem: str) -> str:
    """The session's id as the file's name tells it."""
    found = _STEM.fullmatch(stem)
    return found[5] if found and found[5] else stem


def name_time(stem: str, native_id: str) -> int | None:
    """When a session began, of a log without times: of the id where it is a UUIDv7, else of the name."""
    made = made_at(native_id)
    found = _STEM.fullmatch(stem)
    if made is not None or found is None:
        return made
    return millis(f"{found[1]}T{found[2]}:{found[3]}:{found[4]}")


_V7 = re.compile(
    r"([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE
)
_FIRST, _LAST = 1_700_000_000_000, 4_100_000_000_000  # a v7 outside of 2023–2099 is none


def made_at(native_id: str) -> int | None:
    """The time within a UUIDv7."""
    found = _V7.fullmatch(native_id)
    if found is None:
        return None
    made = int(found[1] + found[2], 16)
    return made if _FIRST < made < _LAST else None


def begin(thread: Thread, meta: Entry, ts: int | None) -> None:
    """Take over what the session's own session_meta says."""
    thread.meta = meta
    thread.began_at = stamp(meta.timestamp) or ts
    thread.version = text(meta.cli_version)
    provider = text(meta.model_provider)
    thread.provider = None if provider == "openai" else provider
    thread.model = text(meta.model) or thread.model
    thread.cwd = thread.project = text(meta.cwd)


def described(log: Log, thread: Thread) -> Session:
    """The session, after its last line was read."""
    own = thread.meta or Entry()
    whence = origin(own)
    git = mapping(own.git)
    began = thread.began_at
    if began is None and not thread.nested:
        began = name_time(log.stem, thread.native_id)
    return Session(
        native_id=thread.native_id,
        title=_title(log, thread, whence),
        project=_project(thread.project),
        cwd=thread.cwd,
        git_branch=text(git.get("branch")),
        git_repo=text(git.get("repository_url")),
        version=thread.version,
        started_at=began,
        ended_at=thread.ended_at if thread.ended_at is not None else began,
        kind=whence.kind,
        entrypoint=text(own.originator),
        partial=thread.nested,
        agent=whence.agent,
    )


_WORKTREE = re.compile(r"(.*[/\\]\.codex[/\\]worktrees[/\\][^/\\]+[/\\][^/\\]+)[/\\].*", re.DOTALL)


def _project(cwd: str | None) -> str | None:
    """The folder that names the project: of a path inside a Codex worktree, the worktree.

    No log says which folder a worktree was made from: its git repository joins the two.
    """
    found = _WORKTREE.fullmatch(cwd) if cwd else None
    return found[1] if found else cwd


def _title(log: Log, thread: Thread, whence: Origin) -> str | None:
    if thread.title is None and whence.kind == "main" and not thread.nested:
        thread.title = _indexed(log, thread.native_id)
    return thread.title or line(thread.prompt or "", _TITLE) or whence.path or whence.agent


def _indexed(log: Log, native_id: str) -> str | None:
    """The name in session_index.jsonl, the last one of this session; absent beside newer releases."""
    name = None
    for row in log.lines_with(f"{root(log)}/session_index.jsonl", native_id):
        name = _name(row.data, native_id) or name
    return name


def _name(row: bytes, native_id: str) -> str | None:
    try:
        found = NAME.decode(row.strip(b"\0 \t\r\n"))
    except (ValueError, RecursionError):
        return None  # a torn or strange line of an index is no loss of the log
    return text(found.thread_name) if found.id == native_id else None


def root(log: Log) -> str:
    """The tool's folder: what holds `sessions` and `archived_sessions`."""
    parts = log.parts
    at = next((i for i, part in enumerate(parts) if part in ("sessions", "archived_sessions")), 1)
    return "/".join(parts[:at])


def relations(thread: Thread, spawn_call: str | None) -> Iterator[Relation]:
    """Where the session comes from; a subagent given its parent's history is no fork besides."""
    whence = origin(thread.meta) if thread.meta is not None else Origin()
    if whence.parent is not None and whence.parent != thread.native_id:
        yield Relation(thread.native_id, "subagent", whence.parent, spawn_call)
    if whence.forked is not None and whence.forked not in (whence.parent, thread.native_id):
        yield Relation(thread.native_id, "fork", whence.forked)
