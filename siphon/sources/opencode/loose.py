"""Loose files: what in a file tells that it is of this family, and where it would lie."""

from typing import Any

from siphon.log import Log
from siphon.sources._decode import head
from siphon.sources._loose import mapping, text
from siphon.sources._sqlite import tables_of
from siphon.sources.opencode.places import Places

_TABLES = {"session", "message", "part", "project"}
_PART_TYPES = ("text", "reasoning", "tool", "step-start", "step-finish", "file", "patch", "compaction")


def place(log: Log, places: Places) -> str | None:
    """The path below a home where such a log would lie."""
    data = places.data[0]
    if log.name.endswith(".db"):
        own = log.stem == places.tool or log.stem.startswith(f"{places.tool}-")
        return f"{data}/{log.name}" if own and tables_of(log).keys() >= _TABLES else None
    if places.exports is None or not log.name.endswith(".json"):
        return None
    found = next(iter(head(log)), {})
    if _is_export(found):
        return f"{places.exports}/{_id(mapping(found['info']), log)}.json"
    return _in_tree(log, found, f"{data}/storage")


def _is_export(found: dict[str, Any]) -> bool:
    messages = found.get("messages")
    info = mapping(found.get("info"))
    if not isinstance(messages, list) or not ({"directory", "projectID"} & info.keys()):
        return False
    return not messages or {"info", "parts"} <= mapping(messages[0]).keys()


def _in_tree(log: Log, found: dict[str, Any], storage: str) -> str | None:
    """A file of a JSON tree. Old parts do not name their message: their folder does."""
    folder = log.parts[-2] if len(log.parts) > 1 else ""
    if {"projectID", "time"} <= found.keys() and {"title", "directory"} & found.keys():
        return f"{storage}/session/{_name(found['projectID']) or 'global'}/{_id(found, log)}.json"
    if found.get("role") in ("user", "assistant") and {"sessionID", "time"} <= found.keys():
        return f"{storage}/message/{_name(found['sessionID']) or folder}/{_id(found, log)}.json"
    message = _name(found.get("messageID")) or (folder if log.parts[-3:-2] == ("part",) else None)
    if found.get("type") in _PART_TYPES and message and text(found.get("id")):
        return f"{storage}/part/{message}/{log.stem if folder == message else _id(found, log)}.json"
    return None


def _id(found: dict[str, Any], log: Log) -> str:
    return _name(found.get("id")) or log.stem


def _name(value: Any) -> str | None:
    """The text, if it can be a file's name."""
    name = text(value)
    return name if name and "/" not in name and "\\" not in name and not name.startswith(".") else None
