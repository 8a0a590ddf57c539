"""Which of a session's files is read, and where a loose one would lie."""

from collections.abc import Iterator

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.sources._decode import head
from siphon.sources.gemini_cli import chat
from siphon.sources.gemini_cli.fold import read
from siphon.sources.gemini_cli.twins import stem, twin


def parse(log: Log) -> Iterator[Record]:
    """Yield the records of one chat file, or a twin's tally."""
    if twin(log):
        yield Tally("twin", "skipped", 1)
        return
    fold = read(log)
    if fold is None:
        return
    yield from chat.records(log, fold, _place(log))


def _place(log: Log) -> chat.Place:
    """The path is <root>/tmp/<slug>/chats/[<parent>/]<file>; a loose file says nothing."""
    folder, _, below = log.path.rpartition("/chats/")
    parts = folder.split("/")
    parent = below.rpartition("/")[0] if folder else ""
    return chat.Place("/".join(parts[:-2]), parts[-1], stem(log.name), parent or None)


def recognise(log: Log) -> str | None:
    """By sessionId with projectHash, unless the models are another tool's."""
    return place(log, ".gemini") if not ours_by_model(log, "qwen", "coder-model") else None


def place(log: Log, root: str) -> str | None:
    """Where a chat file of this shape would lie below a tool's folder."""
    objects = head(log)
    found = next(
        (value for value in objects if value.get("sessionId") and value.get("projectHash")), None
    )
    if (
        found is None
        or not isinstance(found["sessionId"], str)
        or not isinstance(found["projectHash"], str)
    ):
        return None
    own = found["sessionId"]
    minute = str(found.get("startTime") or "")[:16].replace(":", "-")
    stem = own if own.startswith("session-") else f"session-{minute}-{own[:8]}"
    suffix = "json" if len(objects) == 1 and isinstance(found.get("messages"), list) else "jsonl"
    return f"{root}/tmp/{found['projectHash']}/chats/{stem}.{suffix}"


def ours_by_model(log: Log, *names: str) -> bool:
    """Whether a message of the head names a model that begins so."""
    for value in head(log, 50):
        for message in [value, *(value.get("messages") or ())]:
            model = message.get("model") if isinstance(message, dict) else None
            if isinstance(model, str) and model.lower().startswith(names):
                return True
    return False
