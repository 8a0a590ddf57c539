"""One log of a conversation, with what lies beside it → its session."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Message, Record, Relation, Session, Tally
from siphon.sources._decode import head
from siphon.sources._loose import items, mapping, stamp, text
from siphon.sources._sqlite import rows, tables_of
from siphon.sources.antigravity.artifacts import Artifact, artifact, title
from siphon.sources.antigravity.database import Database, database
from siphon.sources.antigravity.generations import Generation, of_document
from siphon.sources.antigravity.places import LOGS, Place, artifacts, is_main, place_of
from siphon.sources.antigravity.reading import Reading
from siphon.sources.antigravity.steps import Step, file_path, trajectory, transcript

_ANY = msgspec.json.Decoder()


class _Held(NamedTuple):
    """All that is known of a conversation."""

    steps: list[Step]
    store: Database | None
    document: dict[str, Any]  # .trajectory.json
    generations: list[Generation]
    artifacts: list[Artifact]


def parse(log: Log) -> Iterator[Record]:
    place = place_of(log)
    if not is_main(log, place):
        yield Tally("twin", "skipped", 1)
        return
    held = _held(log, place)
    if not (held.steps or held.generations or held.artifacts):
        return
    requests = {index: one for one in held.generations for index in one.steps}
    reading = Reading(place.session, place.id, requests)
    yield from reading.records(held.steps)
    yield from reading.generated(held.generations)
    yield from _documents(reading, held.artifacts)
    yield _session(log, place, held, reading)
    yield from _relations(place, held)
    yield from reading.tallies()


def _held(log: Log, place: Place) -> _Held:
    store_log = log if log.name.endswith(".db") else place.find(log, "conversations/{id}.db")
    store = database(store_log, place.id) if store_log else None
    sidecar = place.find(log, "conversations/{id}.trajectory.json")
    document = _document(log, sidecar) if sidecar else {}
    steps = _steps(log, store, document)
    documents = [found for path in artifacts(log, place) if (found := artifact(log, path))]
    generations = store.generations if store else []
    if not generations:  # never both: they tell of the same requests
        told = [mapping(each) for each in items(document.get("generatorMetadata"))]
        made = (of_document(each, f"{place.id}/generation/{n}") for n, each in enumerate(told))
        generations = [one for one in made if one]
    return _Held(steps, store, document, generations, documents)


def _steps(log: Log, store: Database | None, document: dict[str, Any]) -> list[Step]:
    if log.name.endswith((".jsonl", ".txt")):
        return transcript(log)
    told = trajectory(document)
    if store and len(told) < len(store.steps):  # the third party's reading lags behind
        return store.steps
    if told or log.name.endswith((".db", ".md", ".trajectory.json")):
        return told
    return _claimed(_document(log, log))


def _claimed(document: dict[str, Any]) -> list[Step]:
    """A JSON document with `messages`, as old notes describe it."""
    return [
        Step(
            number=index,
            type="USER_INPUT" if message.get("role") == "user" else "PLANNER_RESPONSE",
            source=None,
            status="DONE",
            ts=stamp(message.get("timestamp")),
            content=text(message.get("content")),
        )
        for index, message in enumerate(map(mapping, items(document.get("messages"))))
    ]


def _document(log: Log, file: Log) -> dict[str, Any]:
    try:
        return mapping(_ANY.decode(file.data().strip(b"\0 \t\r\n")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.problem(f"{file.name}: {error}")
        return {}


def _documents(reading: Reading, documents: list[Artifact]) -> Iterator[Message]:
    """Documents are no part of the talk: hidden, but found by search."""
    for document in documents:
        reading.known["artifact"] += 1
        reading.last_seq += 1
        yield Message(
            session=reading.session,
            seq=reading.last_seq,
            role="assistant",
            kind="meta",
            text=f"{document.name}\n\n{document.text}",
            ts=document.ts,
            native_id=f"{reading.conversation}/{document.name}",
        )


def _session(log: Log, place: Place, held: _Held, reading: Reading) -> Session:
    times = [step.ts for step in held.steps if step.ts is not None]
    times += [document.ts for document in held.artifacts if document.ts is not None]
    times += [one.ts for one in held.generations if one.ts is not None]
    tasks = [document for document in held.artifacts if document.name == "task.md"]
    named = next((found for found in map(title, tasks or held.artifacts[:1]) if found), None)
    store = held.store
    cwd = (store.cwd if store else None) or _remembered(log, place)
    begun = store.started_at if store else None
    return Session(
        native_id=place.session,
        title=named if tasks or not reading.title else reading.title,
        project=cwd,
        cwd=cwd,
        git_branch=store.branch if store else None,
        git_repo=store.repo if store else None,
        started_at=begun if begun is not None else min(times, default=None),
        ended_at=max(times, default=None),
        kind="subagent" if _parents(held) else "main",
        entrypoint="cli" if place.is_cli else "ide",
    )


def _parents(held: _Held) -> list[str]:
    told = text(mapping(held.document.get("agyReader")).get("parentCascadeId"))
    found = [*(held.store.parents if held.store else ()), *([told] if told else [])]
    return list(dict.fromkeys(found))


def _relations(place: Place, held: _Held) -> Iterator[Relation]:
    for parent in _parents(held):
        if parent != place.id:
            yield Relation(place.session, "subagent", place._replace(id=parent).session)


def _remembered(log: Log, place: Place) -> str | None:
    """The folder that the CLI's prompt history or its cache has for a conversation."""
    workspace = None
    if history := log.at(f"{place.root}history.jsonl"):
        for line in history.data().split(b"\n"):
            if place.id.encode() in line:
                workspace = _workspace(line, place.id) or workspace
    if workspace is None and (cache := log.at(f"{place.root}cache/last_conversations.json")):
        known = _document(log, cache)
        workspace = next((folder for folder, id in known.items() if id == place.id), None)
    return file_path(workspace)


def _workspace(line: bytes, id: str) -> str | None:
    try:
        row = mapping(_ANY.decode(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return text(row.get("workspace")) if row.get("conversationId") == id else None


def recognise(log: Log) -> str | None:
    """For a loose file: its place; what does not tell the product is taken for the IDE's."""
    place, root = place_of(log), ".gemini/antigravity-ide"
    if "antigravity-cli" in log.path:
        root = ".gemini/antigravity-cli"
    if log.name.endswith((".jsonl", ".txt")):
        found = head(log, 3)
        if found and all("step_index" in row and "type" in row for row in found):
            name = log.name if log.name.startswith("transcript") else "transcript.jsonl"
            return f"{root}/brain/{place.id}/{LOGS}/{name}"
    elif log.name.endswith(".trajectory.json"):
        return f"{root}/conversations/{place.id}.trajectory.json"
    elif log.name.endswith(".db") and {"steps", "trajectory_meta"} <= tables_of(log).keys():
        return f"{_told_root(log, root)}/conversations/{place.id}.db"
    return None


def _told_root(log: Log, root: str) -> str:
    """The product that made a store says so in trajectory_meta.source."""
    with log.sqlite() as store:
        made = list(rows(log, store, "select source from trajectory_meta"))
    return ".gemini/antigravity-cli" if made and made[0][0] == 17 else root
