"""Files that a patch changes: of an apply_patch envelope, or as patch_apply_end reports them."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from siphon.records import Action
from siphon.sources._diff import of_diff
from siphon.sources._loose import lines_of, mapping, text


class Change(NamedTuple):
    """One file, its path as written; a moved file is two: the old path deleted, the new one edited."""

    path: str
    action: Action
    added: int | None = None
    removed: int | None = None


_ENVELOPE = re.compile(
    r"^\*\*\* Begin Patch\r?$.*?(?:^\*\*\* End Patch\r?$|\Z)", re.DOTALL | re.MULTILINE
)
_CALLED = re.compile(r"\bapply_?patch\b")


def envelope(command: str) -> str | None:
    """The patch that a shell command hands to apply_patch, if it does."""
    if "*** Begin Patch" not in command or not _CALLED.search(command):
        return None
    found = _ENVELOPE.search(command[command.index("*** Begin Patch") :])
    return found[0] if found else None


_ACTIONS: dict[str, Action] = {"Add": "write", "Update": "edit"}


_FILE = re.compile(r"\n\*\*\* (Add|Update|Delete) File: (.*)")  # a literal start: quickly found
_MOVED = "\n*** Move to: "


def of_envelope(patch: str) -> list[Change]:
    """The files of an envelope, in its order."""
    whole = f"\n{patch}"
    headers = list(_FILE.finditer(whole))
    ends = [header.start() for header in headers[1:]] + [len(whole)]
    changes: list[Change] = []
    for header, end in zip(headers, ends, strict=True):
        changes += _changes(header[1], header[2].strip(), whole[header.end() : end])
    return changes


def _changes(verb: str, path: str, rows: str) -> Iterator[Change]:
    """Of one file; its rows are what follows its header, each with the line end before it."""
    if rows.startswith(_MOVED):
        yield Change(path, "delete")
        path = rows[len(_MOVED) :].partition("\n")[0].strip() or path
    if verb == "Delete":  # an envelope does not say what a deleted file held
        yield Change(path, "delete")
    else:
        yield Change(path, _ACTIONS[verb], rows.count("\n+"), rows.count("\n-"))


def of_report(changes: Any) -> list[Change]:
    """The files of patch_apply_end.changes: a map of path → what was done."""
    return [
        change for path, done in mapping(changes).items() for change in _reported(path, mapping(done))
    ]


def _reported(path: str, done: dict[str, Any]) -> Iterator[Change]:
    content = text(done.get("content"))
    held = lines_of(content) if content is not None else None
    match done.get("type"):
        case "add":
            yield Change(path, "write", held or 0, 0)
        case "delete":
            yield Change(path, "delete", 0 if held is not None else None, held)
        case _:
            lines = of_diff(text(done.get("unified_diff")) or "")
            moved = text(done.get("move_path"))
            if moved:
                yield Change(path, "delete")
            yield Change(moved or path, "edit", lines.added, lines.removed)


_ROOTED = re.compile(r"[/\\~]|[A-Za-z]:[/\\]")


def absolute(path: str, folder: str | None) -> str:
    """The path from the folder it was written in; as it is where no folder is known."""
    if folder is None or path.startswith("/") or _ROOTED.match(path):
        return path
    slash = "\\" if "\\" in folder and "/" not in folder else "/"
    return f"{folder.rstrip('/' + chr(92))}{slash}{path.removeprefix('./')}"
