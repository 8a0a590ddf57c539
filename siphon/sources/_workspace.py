"""Folders of VS Code and its relatives: URIs as paths, and which folder a workspaceStorage hash is."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from siphon.log import Log
from siphon.sources._loose import items, mapping, text
from siphon.sources._sqlite import decoded

_ANY = msgspec.json.Decoder()
_DRIVE = re.compile(r"/([A-Za-z]):(/|\Z)")
_UNTITLED = re.compile(r"/Workspaces/([^/]+)/workspace\.json\Z")


def path_of(uri: Any) -> str | None:
    """The path a URI names on its machine, as that machine writes it; a plain path stays."""
    if isinstance(uri, dict):
        return path_of(uri.get("external")) or text(uri.get("fsPath")) or path_of(uri.get("path"))
    value = text(uri)
    if value is None:
        return None
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if len(parts.scheme) < 2:  # none, or a drive
        return _native(value) if _DRIVE.match(value) else value
    if parts.scheme == "file" and parts.netloc:
        return f"\\\\{unquote(parts.netloc)}" + unquote(parts.path).replace("/", "\\")
    return _native(unquote(parts.path)) or None


def _native(path: str) -> str:
    return path[1:].replace("/", "\\") if _DRIVE.match(path) else path


def folder(log: Log, storage: str) -> str | None:
    """The folder of a workspaceStorage/<hash>, given by its path below the home."""
    file = log.at(f"{storage}/workspace.json")
    record = mapping(decoded(log, file.data(), _ANY, file.path)) if file else {}
    found = path_of(record.get("folder"))
    workspace = record.get("workspace") or record.get("configuration")
    return found or _of_workspace(log, storage, workspace)


def _of_workspace(log: Log, storage: str, uri: Any) -> str | None:
    """The first folder of a workspace of several, as an untitled one lists them; else its file's."""
    path = path_of(uri)
    if path is None:
        return None
    untitled = _UNTITLED.search(path.replace("\\", "/"))
    user = storage.rpartition("/workspaceStorage/")[0]
    if untitled and user:
        file = log.at(f"{user.rpartition('/')[0]}/Workspaces/{untitled[1]}/workspace.json")
        record = mapping(decoded(log, file.data(), _ANY, file.path)) if file else {}
        folders = (mapping(entry) for entry in items(record.get("folders")))
        return next((p for f in folders if (p := path_of(f.get("path") or f.get("uri")))), None)
    return re.split(r"[/\\][^/\\]+\Z", path)[0]
