"""Which file is which session: identity, forks, subagents, twins, and files found elsewhere."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Record, Relation, Tally
from siphon.sources._decode import head
from siphon.sources._loose import text
from siphon.sources.pi import OPENCLAW_ROOTS
from siphon.sources.pi.entries import Row, rows
from siphon.sources.pi.prompts import envelope, skill
from siphon.sources.pi.reading import records
from siphon.sources.pi.state import Lineage

_STAMPED = re.compile(r"\d{4}-\d\d-\d\dT[\d-]+Z?_(.+)")
_ENDED = re.compile(r"\.jsonl(?:\.(?:deleted|reset)\.(.+))?")


class _Indexed(msgspec.Struct, rename="camel"):
    """A session in OpenClaw's sessions.json."""

    session_id: Any = None
    spawned_by: Any = None
    label: Any = None
    channel: Any = None
    last_channel: Any = None


_INDEX = msgspec.json.Decoder(dict[str, _Indexed])


def parse_pi(log: Log) -> Iterator[Record]:
    held = list(rows(log))
    if not held:
        return
    native_id = _native_id(log, held)
    relations = _forks(native_id, held)
    folder = log.parts[-2] if len(log.parts) > 1 else ""
    if _STAMPED.fullmatch(folder) and log.near(f"../{folder}.jsonl"):
        relations += (Relation(native_id, "subagent", session_of(folder)),)
        lineage = Lineage(native_id, "subagent", log.stem, relations=relations)
    else:
        lineage = Lineage(native_id, relations=relations)
    yield from records(held, lineage, skill)


def parse_openclaw(log: Log) -> Iterator[Record]:
    if _is_twin(log):
        yield Tally("twin", "skipped", 1)
        return
    held = list(rows(log))
    if not held:
        return
    native_id = _native_id(log, held)
    index = _index(log, "sessions.json")
    key = next((key for key, row in index.items() if row.session_id == native_id), None)
    lineage = Lineage(native_id, relations=_forks(native_id, held))
    if key is not None:
        lineage = _indexed(log, lineage, key, index)
    yield from records(held, lineage, envelope)


def session_of(path: str) -> str:
    """The session that a path (or an id) names."""
    name = re.split(r"[/\\]", path)[-1]
    name = _ENDED.sub("", name)
    found = _STAMPED.fullmatch(name)
    return found[1] if found else name


def _native_id(log: Log, held: Sequence[Row]) -> str:
    headers = [row for row in held if row.entry.type == "session"]
    ids = [text(row.entry.id) for row in headers]
    if not headers:
        log.problem("no session header: the session is named by its file", 1, 0)
    elif len({*ids}) > 1:
        log.problem("more than one session header: the first counts", headers[1].line, headers[1].offset)
    return (ids and ids[0]) or session_of(log.name)


def _forks(native_id: str, held: Sequence[Row]) -> tuple[Relation, ...]:
    for row in held:
        parent = text(row.entry.parent_session) or text(row.entry.branched_from)
        if row.entry.type == "session" and parent and session_of(parent) != native_id:
            return (Relation(native_id, "fork", session_of(parent)),)
    return ()


def _index(log: Log, path: str) -> dict[str, _Indexed]:
    beside = log.near(path)
    if beside is None:
        return {}
    try:
        return _INDEX.decode(beside.data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.problem(f"{path}: {error}")
        return {}


def _indexed(log: Log, lineage: Lineage, key: str, index: dict[str, _Indexed]) -> Lineage:
    """What sessions.json says: key `agent:<id>:…:subagent:<uuid>`, and the key of who spawned it."""
    row = index[key]
    parent = text(row.spawned_by)
    if parent and parent not in index and parent.startswith("agent:"):
        index = _index(log, f"../../{parent.split(':')[1]}/sessions/sessions.json")
    target = text(index[parent].session_id) if parent and parent in index else None
    if target:
        lineage = lineage._replace(
            relations=(*lineage.relations, Relation(lineage.native_id, "subagent", target))
        )
    spawned = parent is not None or ":subagent:" in key
    return lineage._replace(
        kind="subagent" if spawned else "main",
        agent=key.split(":")[1] if spawned and key.startswith("agent:") else None,
        entrypoint=text(row.channel) or text(row.last_channel),
        title=text(row.label),
    )


class _Candidate(NamedTuple):
    """A file of a session; of two with the same lines the one that sorts first is read."""

    archived: bool
    root: int  # place in OPENCLAW_ROOTS
    name: str
    path: str


def _is_twin(log: Log) -> bool:
    """Whether another file has all whole lines of this one: live or archived, old root or new.

    A file that was reset and begun anew under the same name has other lines: both are read.
    """
    mine = _candidate(log.path)
    others = [other for other in map(_candidate, _namesakes(log)) if other and other != mine]
    if mine is None or not others:
        return False
    lines = _whole_lines(log)
    for other in others:
        theirs = _whole_lines(log.at(other.path))
        if lines < theirs or (lines == theirs and other < mine):
            return True
    return False


def _namesakes(log: Log) -> Iterator[str]:
    if len(log.parts) != 5:
        return
    _, _, agent, folder, name = log.parts
    stem = name[: name.find(".jsonl")]
    if not re.search(r"[*?{\[]", f"{agent}{stem}"):
        for root in OPENCLAW_ROOTS:
            yield from log.glob(f"../../../../{root}/agents/{agent}/{folder}/{stem}.jsonl*")


def _candidate(path: str) -> _Candidate | None:
    root, _, name = path.partition("/")[0], None, path.rpartition("/")[2]
    ended = _ENDED.fullmatch(name[name.find(".jsonl") :]) if ".jsonl" in name else None
    if ended is None or root not in OPENCLAW_ROOTS:
        return None
    return _Candidate(ended[1] is not None, OPENCLAW_ROOTS.index(root), name, path)


def _whole_lines(log: Log | None) -> set[bytes]:
    return set(log.data().split(b"\n")[:-1]) if log else set()


def recognise(log: Log, name: str) -> str | None:
    """For a loose file: `name`'s place for it, if it is one of its."""
    lines = head(log, 40)
    header = next((line for line in lines[:2] if line.get("type") == "session"), {})
    native_id, cwd = text(header.get("id")), text(header.get("cwd"))
    if native_id is None or cwd is None or _family(log, native_id, lines) != name:
        return None
    if name == "openclaw":
        own = log.name if log.name.startswith(f"{native_id}.jsonl") else f"{native_id}.jsonl"
        return f".openclaw/agents/main/sessions/{own}"
    root = ".pi" if name == "pi" else ".omp"
    folder = re.sub(r"[/\\:]", "-", cwd.lstrip("/\\"))
    written = re.sub(r"[:.]", "-", text(header.get("timestamp")) or "")
    return f"{root}/agent/sessions/--{folder}--/{written}_{native_id}.jsonl"


def _family(log: Log, native_id: str, lines: Sequence[dict[str, Any]]) -> str:
    """Whose lines they are: OpenClaw leaves its name, or has ids for names; oh-my-pi writes titles."""
    if log.name.startswith(f"{native_id}.jsonl"):
        return "openclaw"
    for line in lines:
        if line.get("type") != "message" and "openclaw" in str({**line, "cwd": None}):
            return "openclaw"
    if any(line.get("type") in ("title", "title_change") or line.get("title") for line in lines[:3]):
        return "oh_my_pi"
    return "pi"
