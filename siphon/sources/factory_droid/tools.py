"""The tools of Factory Droid."""

import re
from collections.abc import Iterator
from typing import Any

from siphon.records import Action, FileTouch, ToolKind
from siphon.sources import _diff
from siphon.sources._text import first, line, text_of

_KINDS: dict[str, ToolKind] = {
    "Read": "read",
    "Edit": "edit",
    "MultiEdit": "edit",
    "ApplyPatch": "edit",
    "Create": "write",
    "Execute": "shell",
    "LS": "search",
    "Grep": "search",
    "Glob": "search",
    "FetchUrl": "web",
    "WebSearch": "web",
    "Task": "agent",
    "TodoWrite": "plan",
    "ExitSpecMode": "plan",
}
_ACTIONS: dict[ToolKind, Action] = {"read": "read", "edit": "edit", "write": "write", "search": "search"}
_PATHS = ("file_path", "directory_path", "folder", "path")
_SUMMARY = (
    "command",
    *_PATHS,
    "patterns",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
    "skill",
    "name",
)
_EXIT = re.compile(r"\[Process exited with code (-?\d+)\]\s*$|\(exit code: (-?\d+)\)")


def kind(name: str) -> ToolKind:
    """What a tool does; those of servers have three underscores in their name."""
    return _KINDS.get(name) or ("mcp" if "___" in name or name.startswith("mcp_") else "other")


def summary(name: str, args: Any) -> str | None:
    """The command, path, query or task."""
    if files := [f"{file.action} {file.path}" for file in _patched(args)]:
        return line(", ".join(files))
    return first(args, ("pattern", "patterns", *_SUMMARY) if kind(name) == "search" else _SUMMARY)


def exit_code(output: str | None) -> int | None:
    """What the end of a shell's output says."""
    found = _EXIT.search(output[-400:]) if output else None
    return int(found[1] or found[2]) if found else None


def lines(args: Any) -> tuple[int | None, int | None]:
    """Lines added and removed by what a call asks for."""
    files = list(_patched(args))
    changes = [file.lines for file in files] or [
        _diff.of_texts(old, new) for old, new in _replaced(args)
    ]
    if not changes:
        return None, None
    return sum(change.added for change in changes), sum(change.removed for change in changes)


def _replaced(args: Any) -> Iterator[tuple[str, str]]:
    edits = args.get("edits") or args.get("changes") if isinstance(args, dict) else None
    for edit in [args, *(edits if isinstance(edits, list) else ())]:
        old = text_of(edit, "old_str", "old_string")
        new = text_of(edit, "new_str", "new_string", "content")
        if old or new:
            yield old or "", new or ""


def touches(session: str, seq: int, name: str, args: Any) -> Iterator[FileTouch]:
    """The files of a call."""
    for file in _patched(args):
        yield FileTouch(session, seq, file.path, file.action, *file.lines)
    action, path = _ACTIONS.get(kind(name)), text_of(args, *_PATHS)
    if action and path:
        changed = lines(args) if action in ("edit", "write") else (None, None)
        yield FileTouch(session, seq, path, action, *changed)


def _patched(args: Any) -> Iterator[_diff.Patched]:
    patch = args if isinstance(args, str) else text_of(args, "input", "patch")
    return _diff.of_patch(patch) if patch and "*** Begin Patch" in patch else iter(())
