"""conversations/<id>.db: steps, generations and facts, as protocol buffers in SQLite."""

import re
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from siphon.log import Log
from siphon.sources._sqlite import rows, tables
from siphon.sources.antigravity import wire
from siphon.sources.antigravity.generations import Generation, of_blob
from siphon.sources.antigravity.steps import Call, Step, arguments_of, file_path

_USER, _PLANNER, _GENERIC = 14, 15, 132  # step types; their bodies are fields 19, 20 and 140
_TYPES = {_USER: "USER_INPUT", _PLANNER: "PLANNER_RESPONSE", _GENERIC: "GENERIC"}
_STATES = {3: "DONE", 5: "CLEARED", 7: "ERROR"}
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class Database(NamedTuple):
    steps: list[Step]
    generations: list[Generation]
    cwd: str | None
    branch: str | None
    repo: str | None
    started_at: int | None
    parents: tuple[str, ...]  # conversations that it comes from


def database(log: Log, id: str) -> Database | None:
    """What a store tells; None, with a problem, if it cannot be opened."""
    try:
        with log.sqlite() as store:
            held = tables(log, store)
            if held and not {"steps", "gen_metadata"} & held.keys():
                log.problem(f"{log.name}: unknown schema: {', '.join(sorted(held))[:200]}")
            generations = list(_generations(log, store, held, id))
            cwd, branch, repo, started = _facts(log, store, held)
            parents = tuple(sorted(_parents(log, store, held) - {id}))
            return Database(
                list(_steps(log, store, held)), generations, cwd, branch, repo, started, parents
            )
    except sqlite3.DatabaseError as error:
        log.problem(f"{log.name}: {error}")
        return None


Tables = dict[str, list[str]]


def _steps(log: Log, store: sqlite3.Connection, held: Tables) -> Iterator[Step]:
    if not {"idx", "step_type", "step_payload"} <= set(held.get("steps", ())):
        return
    columns = [name if name in held["steps"] else "null" for name in ("status", "metadata")]
    sql = f"select idx, step_type, {', '.join(columns)}, step_payload from steps order by idx"
    for index, kind, status, told, payload in rows(log, store, sql):
        if not isinstance(index, int) or not isinstance(kind, int):
            log.problem(f"a step without number or type: {index!r}, {kind!r}")
            continue
        body = wire.fields(payload if isinstance(payload, bytes) else None)
        step = Step(
            number=index,
            type=_TYPES.get(kind, f"step/{kind}"),
            source="USER_EXPLICIT" if kind == _USER else "MODEL",
            status=_STATES.get(status) if isinstance(status, int) else None,
            ts=wire.moment(wire.fields(told if isinstance(told, bytes) else None), 1),
            content=None,
        )
        yield _bodied(step, kind, body)


def _bodied(step: Step, kind: int, body: wire.Fields) -> Step:
    if kind == _USER:
        return step._replace(content=wire.words(wire.message(body, 19), 2))
    if kind == _PLANNER:
        said = wire.message(body, 20)
        return step._replace(
            content=wire.words(said, 8) or wire.words(said, 1),
            thinking=wire.words(said, 3),
            calls=tuple(_calls(said)),
        )
    return step


def _calls(said: wire.Fields) -> Iterator[Call]:
    for blob in said.get(7, ()):
        call = wire.fields(blob)
        yield Call(wire.words(call, 1), wire.words(call, 2) or "", arguments_of(wire.words(call, 3)))


def _generations(log: Log, store: sqlite3.Connection, held: Tables, id: str) -> Iterator[Generation]:
    if not {"idx", "data"} <= set(held.get("gen_metadata", ())):
        return
    for index, blob in rows(log, store, "select idx, data from gen_metadata order by idx"):
        if isinstance(blob, bytes) and blob:
            generation = of_blob(blob, f"{id}/generation/{index}")
            if generation:
                yield generation


def _facts(
    log: Log, store: sqlite3.Connection, held: Tables
) -> tuple[str | None, str | None, str | None, int | None]:
    """Folder, branch, remote, begin."""
    if "data" not in held.get("trajectory_metadata_blob", ()):
        return None, None, None, None
    for (blob,) in rows(log, store, "select data from trajectory_metadata_blob"):
        told = wire.fields(blob if isinstance(blob, bytes) else None)
        space = wire.message(told, 1)
        uri = wire.words(told, 7) or wire.words(space, 1)
        folder = file_path(uri) if uri and uri.startswith("file://") else None
        return folder, wire.words(space, 4), _remote(wire.message(space, 3)), wire.moment(told, 2)
    return None, None, None, None


def _remote(repository: wire.Fields) -> str | None:
    """The address among a repository's texts."""
    texts = (wire.words(repository, field) for field in sorted(repository))
    return next((text for text in texts if text and ("://" in text or "@" in text)), None)


def _parents(log: Log, store: sqlite3.Connection, held: Tables) -> set[str]:
    """The conversations that parent_references names, in whatever column."""
    if not held.get("parent_references"):
        return set()
    found: set[str] = set()
    for row in rows(log, store, "select * from parent_references"):
        for cell in row:
            raw = cell.encode() if isinstance(cell, str) else cell if isinstance(cell, bytes) else b""
            found |= {match.decode() for match in _ID.findall(raw)}
    return found
