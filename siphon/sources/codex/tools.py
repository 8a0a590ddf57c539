"""What a tool call asks for: its kind, one line about it, the files it names."""

import re
import shlex
from typing import Any

import msgspec

from siphon.records import ToolKind
from siphon.sources._loose import as_json, mapping, text
from siphon.sources._text import first, line
from siphon.sources.codex.patches import Change, absolute, envelope, of_envelope

_KINDS: dict[str, ToolKind] = {
    "shell": "shell",
    "shell_command": "shell",
    "exec_command": "shell",
    "write_stdin": "shell",
    "local_shell_call": "shell",
    "container.exec": "shell",
    "run_shell_command": "shell",
    "exec": "shell",
    "apply_patch": "edit",
    "update_plan": "plan",
    "view_image": "read",
    "read_file": "read",
    "list_dir": "read",
    "grep_files": "search",
    "web_search": "web",
    "spawn_agent": "agent",
    "wait_agent": "agent",
    "wait": "agent",
    "send_input": "agent",
    "send_message": "agent",
    "followup_task": "agent",
    "close_agent": "agent",
    "resume_agent": "agent",
    "list_agents": "agent",
    "interrupt_agent": "agent",
    "list_mcp_resources": "mcp",
    "list_mcp_resource_templates": "mcp",
    "read_mcp_resource": "mcp",
}
_TELLING = (
    "query",
    "pattern",
    "path",
    "url",
    "title",
    "name",
    "task_name",
    "message",
    "prompt",
    "description",
)
_SHELLS = ("bash", "sh", "zsh", "dash", "fish", "powershell", "pwsh", "cmd")


class Ask(msgspec.Struct, frozen=True, gc=False):
    """A call's input, understood."""

    kind: ToolKind
    json: str | None  # the input as JSON text
    summary: str | None = None
    changes: list[Change] = []
    folder: str | None = None  # that relative paths start from, where the input names it


def full_name(name: str, namespace: str | None) -> str:
    """The tool's name; of an MCP tool with its server: `mcp__server__tool`."""
    if namespace is None or not namespace.startswith("mcp"):
        return name
    return name if name.startswith(namespace) else f"{namespace.rstrip('_')}__{name.lstrip('_')}"


def understood(name: str, given: Any) -> Ask:
    """Read a call's input: JSON text, free text (a custom tool's), or an object."""
    args, json = _decoded(given) if isinstance(given, str) else (given, as_json(given))
    kind = _KINDS.get(name) or ("mcp" if name.startswith("mcp__") else "other")
    if kind == "shell":
        return _shell(name, args, json)
    if kind == "edit":
        return _patch(args, json)
    return Ask(kind, json, _summary(kind, args))


def _decoded(given: str) -> tuple[Any, str]:
    """The value and its JSON text; free text is a JSON string."""
    if given.startswith(("{", "[")):
        try:
            return msgspec.json.decode(given), given
        except (msgspec.DecodeError, RecursionError):
            return given, msgspec.json.encode(given).decode()
    return given, msgspec.json.encode(given).decode()


def _shell(name: str, args: Any, json: str | None) -> Ask:
    fields = mapping(args)
    command = command_line(fields) if fields else text(args)
    folder = text(fields.get("workdir") or fields.get("working_directory") or fields.get("cwd"))
    if command is None:
        typed = _typing(fields) if name == "write_stdin" else None
        return Ask("shell", json, typed, [], None if typed else folder)
    patch = envelope(command)
    if patch is None:
        return Ask("shell", json, line(command), [], folder)
    changes = of_envelope(patch)
    moved = _MOVED.match(command)
    if moved:
        folder = absolute(moved[2], folder)
    only = command[moved.end() if moved else 0 :].lstrip().startswith(("apply_patch", "applypatch"))
    return Ask("edit" if only else "shell", json, _paths(changes), changes, folder)


def _typing(fields: dict[str, Any]) -> str | None:
    """What a running command is sent."""
    typed = text(fields.get("chars"))
    return line(repr(typed)) if typed else f"poll session {fields.get('session_id')}"


_CALLED_FIRST = re.compile(r"\s*apply_?patch\b")
_MOVED = re.compile(r"\s*cd\s+([\"']?)([^\"'&|;\n]+?)\1\s*&&")


def command_line(fields: dict[str, Any]) -> str | None:
    """The command of a shell call as one would type it; `bash -lc` and its like are taken off."""
    command = fields.get("cmd") or fields.get("command") or fields.get("script")
    if isinstance(command, list):
        return joined([word for word in command if isinstance(word, str)])
    return text(command)


def joined(words: list[str]) -> str | None:
    """One command line of an argument vector."""
    if not words:
        return None
    program = words[0].replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")
    if program in _SHELLS and len(words) > 2 and words[-2].lower() in ("-c", "-lc", "-command", "/c"):
        return words[-1]
    if program in ("apply_patch", "applypatch") and len(words) == 2:
        return f"{program}\n{words[1]}"
    return shlex.join(words)


def _patch(args: Any, json: str | None) -> Ask:
    fields = mapping(args)
    patch = args if isinstance(args, str) else text(fields.get("input")) or text(fields.get("patch"))
    changes = of_envelope(patch) if patch else []
    return Ask("edit", json, _paths(changes), changes, text(fields.get("workdir")))


def _paths(changes: list[Change]) -> str | None:
    return line(", ".join(dict.fromkeys([change.path for change in changes])))


def _summary(kind: ToolKind, args: Any) -> str | None:
    fields = mapping(args)
    if kind == "plan" and isinstance(fields.get("plan"), list):
        steps = [mapping(step) for step in fields["plan"]]
        done = sum(step.get("status") == "completed" for step in steps)
        now = next(
            (text(step.get("step")) for step in steps if step.get("status") == "in_progress"), None
        )
        return line(f"{done}/{len(steps)} {now or text(fields.get('explanation')) or ''}")
    queries = fields.get("queries")
    if isinstance(queries, list) and not text(fields.get("query")):
        return first({"queries": queries}, ("queries",))
    return first(args, _TELLING)
