"""Where Cursor keeps things below the home, and what a log must know of the others there."""

import re
from pathlib import PurePosixPath
from typing import Any

import msgspec

from siphon.log import Log
from siphon.sources._decode import head
from siphon.sources._loose import mapping, text
from siphon.sources._sqlite import decoded, tables_of
from siphon.sources._workspace import folder, path_of
from siphon.sources.cursor.roots import GLOBALS, TRANSCRIPTS, WORKSPACES

__all__ = ["aside", "chat", "folder", "of_slug", "path_of", "recognise", "stores", "transcripts"]

_ANY = msgspec.json.Decoder()


def _glob(log: Log, pattern: str) -> list[str]:
    return log.glob("../" * (len(log.parts) - 1) + pattern)


def aside(log: Log) -> Log:
    """The log for looks at what other logs tell: it remembers that it looked, and keeps no problems."""
    other = Log(log.home, log.host, log.path)
    other.reads = log.reads
    return other


def stores(log: Log) -> list[str]:
    """The global stores of the host."""
    return [path for pattern in GLOBALS for path in _glob(log, pattern)]


def transcripts(log: Log) -> list[str]:
    """All transcripts of the host; of one conversation's the newer form first."""
    return [path for pattern in TRANSCRIPTS for path in _glob(log, pattern)]


def chat(log: Log, name: str) -> bool:
    """Whether the CLI has a chat of this id."""
    return re.fullmatch(r"[\w-]+", name) is not None and bool(
        _glob(log, f".cursor/chats/*/{name}/store.db")
    )


def of_slug(log: Log, parts: tuple[str, ...]) -> str | None:
    """The folder whose path, made a slug, is the transcript's; None unless exactly one is."""
    slug = parts[2] if parts[:2] == (".cursor", "projects") and len(parts) > 2 else None
    quiet = aside(log)
    found = {path for path in _folders(quiet) if slug == _slug(path)}
    return found.pop() if len(found) == 1 else None


def _folders(log: Log) -> list[str]:
    """All folders that Cursor is known to have worked in."""
    storages = [path for pattern in WORKSPACES for path in _glob(log, pattern)]
    opened = [folder(log, str(PurePosixPath(path).parent)) for path in storages]
    metas = [log.at(path) for path in _glob(log, ".cursor/chats/*/*/meta.json")]
    worked = [
        text(mapping(decoded(log, meta.data(), _ANY, meta.path)).get("cwd")) for meta in metas if meta
    ]
    return [path for path in (*opened, *worked) if path]


def _slug(path: str) -> str:
    return re.sub(r"[/\\.]+", "-", path.replace(":", "").lstrip("/"))


def recognise(log: Log) -> str | None:
    """Where a loose store or transcript would lie."""
    above = log.parts[-2] if len(log.parts) > 1 else "loose"
    if log.name.endswith(".vscdb"):
        found = tables_of(log)
        if "cursorDiskKV" in found:
            return GLOBALS[0]
        return WORKSPACES[0].replace("*", above) if "ItemTable" in found and _is_workspace(log) else None
    if log.name.endswith(".jsonl") and all(map(_is_line, head(log))) and head(log):
        return _transcript(log, above)
    return None


def recognise_chat(log: Log) -> str | None:
    """Where a loose chat of the CLI would lie."""
    if not log.name.endswith(".db") or not {"meta", "blobs"} <= tables_of(log).keys():
        return None
    name = log.parts[-2] if log.name == "store.db" and len(log.parts) > 1 else log.stem
    return f".cursor/chats/loose/{name}/store.db"


def _is_workspace(log: Log) -> bool:
    data = log.data()
    return b"composer.composerData" in data or b"workbench.panel.aichat" in data


def _is_line(line: dict[str, Any]) -> bool:
    if line.get("type") == "turn_ended":
        return True
    message = line.get("message")
    return (
        line.get("role") in ("user", "assistant")
        and "type" not in line
        and isinstance(message, dict)
        and "role" not in message
        and isinstance(message.get("content"), list)
    )


def _transcript(log: Log, above: str) -> str:
    if above == "subagents" and len(log.parts) > 2:
        return f".cursor/projects/loose/agent-transcripts/{log.parts[-3]}/subagents/{log.name}"
    return f".cursor/projects/loose/agent-transcripts/{log.stem}/{log.name}"
