"""Where a thread ran and where it comes from."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from siphon.records import Relation, RelationKind, Session
from siphon.sources._loose import items
from siphon.sources._text import text_of
from siphon.sources._transcript import Transcript
from siphon.sources.amp.lines import Thread
from siphon.times import millis

_KINDS: dict[str, RelationKind] = {"fork": "fork", "handoff": "continuation", "subagent": "subagent"}


def session(thread: Thread, lines: Transcript) -> Session:
    """The thread's session; call it when all messages are read."""
    lines.saw(millis(thread.created))
    for trace in items(_at(thread.meta, "traces")):
        for key in ("startTime", "endTime"):
            stamp = trace.get(key) if isinstance(trace, dict) else None
            lines.saw(millis(stamp) if isinstance(stamp, str | int | float) else None)
    initial = _at(thread.env, "initial")
    trees = items(_at(initial, "trees"))
    tree = trees[0] if trees else None
    cwd = _path(text_of(tree, "uri"))
    platform = _at(initial, "platform")
    branch = text_of(_at(tree, "repository"), "ref")
    return Session(
        lines.native_id,
        title=thread.title or lines.first_prompt(),
        project=cwd,
        cwd=cwd,
        git_branch=branch.removeprefix("refs/heads/") if branch else None,
        git_repo=text_of(_at(tree, "repository"), "url"),
        version=text_of(platform, "clientVersion"),
        started_at=millis(thread.created) or lines.started_at,
        ended_at=lines.ended_at,
        kind="subagent" if _main(thread, lines.native_id) else "main",
        entrypoint=text_of(platform, "client"),
    )


def relations(thread: Thread, own: str) -> Iterator[Relation]:
    """The threads it was forked from, continues, or is a part of.

    A relationship's role is taken to be this thread's: what its children are, they say themselves.
    """
    found: dict[str, RelationKind] = {}
    if main := _main(thread, own):
        found[main] = "subagent"
    origin = thread.forked_from if isinstance(thread.forked_from, str) else _id(thread.forked_from)
    if origin:
        found.setdefault(origin, "fork")
    for row in items(thread.relationships):
        other, kind = _id(row), _KINDS.get(text_of(row, "type") or "")
        if other and kind and text_of(row, "role") != "parent":
            found.setdefault(other, kind)
    yield from (Relation(own, kind, other) for other, kind in found.items() if other != own)


def _main(thread: Thread, own: str) -> str | None:
    main = thread.main_thread_id
    return main if isinstance(main, str) and main and main != own else None


def _id(value: Any) -> str | None:
    return text_of(value, "threadID", "threadId", "id")


def _at(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _path(uri: str | None) -> str | None:
    """The path of a file URI; of another one, all of it."""
    if uri is None or not uri.startswith("file:"):
        return uri
    path = unquote(urlsplit(uri).path)
    windows = len(path) > 2 and path[0] == "/" and path[2] == ":"
    return path[1:] if windows else path
