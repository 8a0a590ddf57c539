"""Tools as the timeline shows them, matched with the calls that the model made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from siphon.records import Action, FileTouch, Status, ToolCall, ToolKind
from siphon.sources._diff import Lines, of_diff, of_texts
from siphon.sources._loose import as_json, count, items, lines_of, mapping, text
from siphon.sources.cline.history import Call

KINDS: Mapping[str, ToolKind] = {
    "command": "shell",
    "editedExistingFile": "edit",
    "appliedDiff": "edit",
    "insertContent": "edit",
    "searchAndReplace": "edit",
    "newFileCreated": "write",
    "fileDeleted": "edit",
    "readFile": "read",
    "listFilesTopLevel": "search",
    "listFilesRecursive": "search",
    "listCodeDefinitionNames": "search",
    "searchFiles": "search",
    "codebaseSearch": "search",
    "webFetch": "web",
    "webSearch": "web",
    "browser": "web",
    "mcp": "mcp",
    "newTask": "agent",
    "use_subagents": "agent",
    "updateTodoList": "plan",
}
# What the model calls the tools of a family, in all builds.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "shell": ("execute_command", "bash"),
    "edit": (
        *("replace_in_file", "write_to_file", "apply_diff", "insert_content", "search_and_replace"),
        *("edit_file", "edit", "search_replace", "apply_patch", "new_rule"),
    ),
    "write": ("write_to_file", "apply_patch", "new_rule", "edit_file"),
    "read": ("read_file",),
    "search": (
        *("list_files", "search_files", "list_code_definition_names", "codebase_search"),
        "search_and_replace",
    ),
    "web": ("browser_action", "web_fetch", "web_search"),
    "mcp": ("use_mcp_tool", "access_mcp_resource"),
    "agent": ("new_task", "use_subagents"),
    "plan": ("update_todo_list",),
}
_DENIED = re.compile(r'\AThe user (?:denied|rejected)|\A\{"status":"(?:denied|rejected)"')
_FAILED = re.compile(r'\A(?:<error|\[ERROR\]|Error\b|The tool execution failed|\{"status":"error")')
_EXIT = re.compile(r"[Ee]xit(?:ed with)? code:? (-?\d+)")
_BLOCK = re.compile(
    r"""^(?:<{5,9}|-{5,9})\ SEARCH>?\n
    (?::(?:start|end)_line:[^\n]*\n)*(?:-{3,}\n)?
    (.*?)^={5,9}\n(.*?)^(?:>{5,9}|\+{5,9})\ REPLACE""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


_ACTIONS: Mapping[ToolKind, Action] = {
    "read": "read",
    "edit": "edit",
    "write": "write",
    "search": "search",
}


class Shown(NamedTuple):
    """A tool as the timeline shows it."""

    tool: str  # key of KINDS where known
    argument: str | None  # the command, path, query … that tells it from its like
    told: dict[str, Any]


def shown_tool(words: str, told: dict[str, Any]) -> Shown:
    """An ask or say `tool`, whose text is JSON; text that is none is kept as it is."""
    name = text(told.get("tool")) or "tool"
    keys = ("content",) if name == "newTask" else ("path", "query", "regex", "url", "mode", "skill")
    argument = next((found for key in keys if (found := text(told.get(key)))), None)
    if argument is None:
        argument = next((path for path, _ in _batch(told)), None)
    return Shown(name, argument, told or {"text": words})


# The timeline and the model's side are in step, but for calls that only one of them has.
_BEHIND, _AHEAD = 20, 80


class Calls:
    """The model's calls, given out in order to the tools that the timeline shows."""

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls = calls
        self.used = [False] * len(calls)
        self.next = 0

    def take(self, shown: Shown) -> Call | None:
        """The first call left of this family and argument; None: the model's side of it is lost."""
        names = _NAMES.get(KINDS.get(shown.tool, "other"), (shown.tool,))
        for place in range(self.next, min(self.next + _AHEAD, len(self.calls))):
            call = self.calls[place]
            if not self.used[place] and call.name in names and _same(call, shown.argument):
                self.used[place] = True
                self.next = max(self.next, place - _BEHIND)
                return call
        return None


def _same(call: Call, argument: str | None) -> bool:
    if argument is None:
        return True
    held = [call.argument] if call.id is None else list(call.arguments.values())
    if argument in held:
        return True
    told = [value for value in held if isinstance(value, str)]
    nested = [value for value in held if not isinstance(value, str)]
    bare = _bare(argument)
    if any(_alike(_bare(value), bare) for value in told):
        return True
    return bool(nested) and argument in (as_json(nested) or "")


def _alike(one: str, other: str) -> bool:
    if one[-1:] != other[-1:]:
        return False
    return one == other or (
        bool(one) and bool(other) and (one.endswith("/" + other) or other.endswith("/" + one))
    )


def _bare(path: str) -> str:
    return path.strip().removeprefix("./").rstrip("/")


def settled(call: ToolCall, shown: Shown, made: Call | None, output: str | None, over: bool) -> ToolCall:
    """The call as it ended; `output` is what the timeline shows, `over`: the task went on after it."""
    if made is not None and made.output is not None:
        output = made.output
    status: Status = _status(made, output, over)
    found = _EXIT.search(output[-400:]) if output and call.kind == "shell" else None
    if output and call.kind == "shell" and found is None:
        found = _EXIT.search(output[:200])
    lines = changed(shown) if status == "ok" and call.kind in ("edit", "write") else None
    return call._replace(
        output=output,
        status="error" if status == "ok" and found and found[1] != "0" else status,
        exit_code=int(found[1]) if found else None,
        lines_added=lines.added if lines else None,
        lines_removed=lines.removed if lines else None,
    )


def _status(made: Call | None, output: str | None, over: bool) -> Status:
    if made is not None and made.output is not None:
        if _DENIED.search(made.output[:400]):
            return "rejected"
        return "error" if made.failed or _FAILED.match(made.output) else "ok"
    # Where the model's side is lost, only this is known: the task went on, or it did not.
    return "ok" if over or output else "pending"


def changed(shown: Shown) -> Lines | None:
    """Lines added and removed by an edit that is shown with its diff or its new content."""
    stats = mapping(shown.told.get("diffStats"))
    if count(stats.get("added")) is not None:
        return Lines(count(stats.get("added")) or 0, count(stats.get("removed")) or 0)
    parts = [change for _, change in _batch(shown.told)] or [shown.told]
    found = [lines for part in parts if (lines := _changed(part, shown.tool))]
    if not found:
        return None
    return Lines(sum(lines.added for lines in found), sum(lines.removed for lines in found))


def _changed(part: dict[str, Any], tool: str) -> Lines | None:
    if tool == "newFileCreated":
        content = text(part.get("content"))
        return Lines(lines_of(content), 0) if content else None
    for key in ("diff", "content"):
        diff = text(part.get(key))
        if not diff:
            continue
        if swaps := _BLOCK.findall(diff):
            lines = [of_texts(old, new) for old, new in swaps]
            return Lines(sum(each.added for each in lines), sum(each.removed for each in lines))
        if diff.startswith("@@") or "\n@@ " in diff:
            return of_diff(diff)
    return None


def _batch(told: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The files of a batch, with what each says."""
    files = [*items(told.get("batchFiles")), *items(told.get("batchDiffs"))]
    return [(path, file) for file in map(mapping, files) if (path := text(file.get("path")))]


def touches(call: ToolCall, shown: Shown) -> Iterator[FileTouch]:
    """The files that a call read or changed, if it went well."""
    action = _action(shown.tool, call.kind)
    if action is None or call.status != "ok":
        return
    batch = _batch(shown.told)
    for path, part in batch:
        lines = _changed(part, shown.tool) if action == "edit" else None
        yield FileTouch(
            call.session,
            call.seq,
            path,
            action,
            lines.added if lines else None,
            lines.removed if lines else None,
        )
    alone = text(shown.told.get("path"))
    if alone and not batch:
        yield FileTouch(call.session, call.seq, alone, action, call.lines_added, call.lines_removed)


def _action(tool: str, kind: ToolKind) -> Action | None:
    return "delete" if tool == "fileDeleted" else _ACTIONS.get(kind)
