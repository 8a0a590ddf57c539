"""Response items: what the model was sent, and what it sent."""

from collections.abc import Callable
from typing import Any

from siphon.records import Status
from siphon.sources._loose import mapping, text
from siphon.sources.codex.calls import Call, told
from siphon.sources.codex.lines import Entry
from siphon.sources.codex.mirrors import assistant_said, thought, user_said
from siphon.sources.codex.outcome import Result, of_output
from siphon.sources.codex.patches import absolute
from siphon.sources.codex.prompts import images, texts
from siphon.sources.codex.thread import Thread, answered, called, say
from siphon.sources.codex.tools import Ask, full_name, understood


def message(thread: Thread, item: Entry) -> None:
    """Words of a person, of the model, or of the harness (developer, system)."""
    parts, pictures = texts(item.content), images(item.content)
    if not parts and isinstance(item.message, str):
        parts = [item.message]
    if item.role == "user":
        user_said(thread, parts, pictures, item.id)
    elif item.role == "assistant":
        assistant_said(thread, "\n".join(parts), pictures, item.id)
    elif parts:
        say(thread, "system", "meta", "\n\n".join(parts), item.id)


def reasoning(thread: Thread, item: Entry) -> None:
    """The readable summary and content; encrypted_content is no text."""
    if item.summary or item.content:
        thought(thread, [*texts(item.summary), *texts(item.content)], item.id)


def inter_agent(thread: Thread, item: Entry) -> None:
    """A message of another agent; its encrypted blocks hold no text for us."""
    words = "\n".join(texts(item.content))
    if words:
        author = text(item.author)
        said = say(thread, "user", "notice", f"{author}: {words}" if author else words, item.id)
        thread.turns.append(said.seq)


def function_call(thread: Thread, item: Entry) -> None:
    name = text(item.name) or text(mapping(item.function).get("name")) or "unknown"
    _asked(thread, item, full_name(name, text(item.namespace)), item.arguments)


def custom_tool_call(thread: Thread, item: Entry) -> None:
    _asked(thread, item, text(item.name) or "unknown", item.input)


def local_shell_call(thread: Thread, item: Entry) -> None:
    _asked(thread, item, "local_shell_call", item.action)


def tool_search_call(thread: Thread, item: Entry) -> None:
    _asked(thread, item, "tool_search", item.arguments)


def _asked(thread: Thread, item: Entry, name: str, given: Any) -> None:
    call = called(thread, item.call_id or item.id, name)
    if call is None or call.asked:
        return
    fill(call, name, understood(name, given))
    if item.status == "failed":
        told(call, Result(None, "error"))


def fill(call: Call, name: str, ask: Ask) -> None:
    """Put the model's own words into a call; what an event reported of its files goes first."""
    call.asked = True
    call.name = name
    call.kind = "mcp" if call.kind == "mcp" else ask.kind
    call.json = ask.json
    call.summary = ask.summary or call.summary
    call.folder = absolute(ask.folder, call.folder) if ask.folder else call.folder
    if not call.changes:
        call.changes = ask.changes


def output(thread: Thread, item: Entry) -> None:
    """A function's or custom tool's output."""
    call = _open_call(thread, item)
    result = of_output(item.output if item.output is not None else _stated(item.result))
    if call is not None:
        _answer(thread, call, result)
    elif text(item.call_id) not in thread.done and result.text:
        say(thread, "tool", "tool_result", result.text)


def _stated(result: Any) -> str | None:
    """The output of an old file's result object."""
    if isinstance(result, str):
        return result
    return text(mapping(result).get("stdout")) or text(mapping(result).get("stderr"))


def _open_call(thread: Thread, item: Entry) -> Call | None:
    """The call that an output belongs to: by id, else the latest one without an id."""
    if text(item.call_id):
        return thread.calls.get(item.call_id)
    nameless = [call for call in thread.calls.values() if call.native_id is None and not call.answered]
    return nameless[-1] if nameless else None


def _answer(thread: Thread, call: Call, result: Result) -> None:
    if call.answered:
        return
    call.answered = True
    told(call, result)
    answered(thread, call)


def tool_search_output(thread: Thread, item: Entry) -> None:
    call = _open_call(thread, item)
    if call is not None:
        _answer(thread, call, Result(None, "ok"))


def web_search_call(thread: Thread, item: Entry) -> None:
    """The search itself; its end may have been told by the event just before."""
    if mapping(item.action).get("type") in (None, "search"):
        thread.searches += 1  # opening a found page is not billed
    call = searching(thread, item.id, item.action, asked=False)
    if call is None or call.asked:
        return
    fill(call, "web_search", understood("web_search", item.action))
    status: Status = "ok" if item.status in (None, "completed") else "error"
    if item.status != "in_progress":
        call.answered = True
        told(call, Result(None, status))
    answered(thread, call)


def searching(thread: Thread, call_id: Any, action: Any, asked: bool) -> Call | None:
    """The web call with this id, else the one that the other log told of with the same action.

    `asked`: look among those whose item was seen; else among those that only an event told.
    """
    key = text(call_id)
    if key is None or (key not in thread.calls and key not in thread.done):
        for one in reversed(thread.calls.values()):
            if one.kind == "web" and one.asked is asked and one.action == action and not one.paired:
                one.paired = True
                return one
    call = called(thread, key, "web_search")
    if call is not None:
        call.kind, call.action = "web", action
    return call


def image_generation_call(thread: Thread, item: Entry) -> None:
    """The picture itself is left out."""
    call = called(thread, item.id, "image_generation")
    if call is None or call.asked:
        return
    fill(call, "image_generation", understood("image_generation", {"prompt": item.revised_prompt}))
    _answer(thread, call, Result(None, "error" if item.status == "failed" else "ok"))


ITEMS: dict[str, Callable[[Thread, Entry], None]] = {
    "message": message,
    "reasoning": reasoning,
    "agent_message": inter_agent,
    "function_call": function_call,
    "function_call_output": output,
    "custom_tool_call": custom_tool_call,
    "custom_tool_call_output": output,
    "local_shell_call": local_shell_call,
    "local_shell_call_output": output,
    "web_search_call": web_search_call,
    "tool_search_call": tool_search_call,
    "tool_search_output": tool_search_output,
    "image_generation_call": image_generation_call,
    "tool_call": function_call,
    "tool_result": output,
    "function_result": output,
}
