"""The tools that the timeline shows: call, output, end."""

from collections.abc import Iterator, Mapping
from typing import Any

from siphon.records import Record, ToolCall
from siphon.sources._loose import as_json, items, one_line, text
from siphon.sources.cline.billing import decoded
from siphon.sources.cline.files import Element
from siphon.sources.cline.state import State, Waiting
from siphon.sources.cline.tools import KINDS, Shown, settled, shown_tool, touches

SHOWING = (
    *("tool", "command", "use_mcp_server", "use_subagents"),
    *("browser_action_launch", "browser_action"),
)
# What prints into which kind of call.
OUTPUTS: Mapping[str, str] = {
    "say/command_output": "shell",
    "ask/command_output": "shell",
    "say/mcp_server_response": "mcp",
    "say/browser_action_result": "web",
    "say/codebase_search_result": "search",
    "say/subtask_result": "agent",
    "say/subagent": "agent",
}
_NEEDS_APPROVAL = "REQ_APP"  # Cline's mark at the end of a command


def show(state: State, name: str, element: Element, words: str, ts: int | None) -> None:
    """A tool is shown; it is yielded by `settle`."""
    shown = _shown(name, words)
    made = state.calls.take(shown)
    call = ToolCall(
        session=state.task,
        seq=state.next_seq(),
        name=made.name if made else {"command": "execute_command"}.get(shown.tool, shown.tool),
        kind=KINDS.get(shown.tool, "other"),
        native_id=f"{state.task}/{made.id}" if made and made.id else state.key(element, ts),
        message_seq=state.message_seq,
        summary=one_line(shown.argument) or one_line(shown.told.get("text")),
        input=as_json(made.arguments if made and made.arguments else shown.told),
        ts=ts,
        request=state.asked.native_id if state.asked else None,
        offset=element.offset,
        length=element.length,
    )
    if shown.tool == "mcp":
        call = call._replace(name=f"mcp__{text(shown.told.get('serverName')) or ''}__{shown.argument}")
    state.waiting.append(Waiting(call, shown, made))


def printed(state: State, kind: str, element: Element, words: str, ts: int | None) -> Iterator[Record]:
    """Output: of the last tool shown that prints such, else a result whose call is not known."""
    if not words.strip():
        return
    for waiting in reversed(state.waiting):
        if waiting.call.kind == OUTPUTS[kind]:
            if kind == "say/subagent":  # its whole state, again and again
                waiting.printed.clear()
            if words != waiting.asked:
                waiting.printed.append(_output(words))
            waiting.asked = words if kind == "ask/command_output" else None
            return
    yield state.message(element, ts, "tool", "tool_result", _output(words))


def settle(state: State, over: bool) -> Iterator[Record]:
    """Yield the tools shown so far; `over`: the task went on after them."""
    for waiting in state.waiting:
        output = "\n".join(waiting.printed) if waiting.printed else None
        call = settled(waiting.call, waiting.shown, waiting.made, output, over)
        yield call
        yield from touches(call, waiting.shown)
    state.waiting.clear()


def _shown(name: str, words: str) -> Shown:
    told = decoded(words)
    if name == "command":
        command = words.removesuffix(_NEEDS_APPROVAL).strip()
        return Shown("command", command, {"command": command})
    if name == "use_mcp_server":
        told = told or {"text": words}
        argument = text(told.get("toolName")) or text(told.get("uri"))
        return Shown("mcp", argument, told)
    if name == "use_subagents":
        prompts = [prompt for prompt in items((told or {}).get("prompts")) if isinstance(prompt, str)]
        return Shown("use_subagents", prompts[0] if prompts else None, told or {"text": words})
    if name.startswith("browser_action"):
        told = told or {"action": "launch", "url": words}
        return Shown("browser", text(told.get("url")) or text(told.get("action")), told)
    return shown_tool(words, told or {})


def _output(words: str) -> str:
    """Output, its screenshots left out."""
    told: dict[str, Any] | None = decoded(words) if "data:image" in words else None
    if told is None:
        return words
    return as_json({key: value for key, value in told.items() if key != "screenshot"}) or ""
