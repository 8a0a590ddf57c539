"""Events that tell a tool call's end. Where no item asked for the call, they are the call."""

from collections.abc import Callable

from siphon.sources._loose import mapping, text
from siphon.sources.codex.calls import Call, by_event, by_exec, by_mcp, by_patch, by_search
from siphon.sources.codex.items import searching
from siphon.sources.codex.lines import Entry
from siphon.sources.codex.prompts import texts
from siphon.sources.codex.thread import Thread, answered, called
from siphon.sources.codex.tools import Ask, full_name, understood


def _call(thread: Thread, event: Entry, name: str) -> Call | None:
    return called(thread, event.call_id or event.callId or event.id, name)


def _describe(call: Call, ask: Ask) -> None:
    """What the event says was asked; the model's own item, if seen, says it better."""
    if not call.asked:
        call.json, call.summary = ask.json, ask.summary
        call.kind = ask.kind if call.kind == "other" else call.kind


def _end(thread: Thread, call: Call, change: Callable[[Call, Entry], None], event: Entry) -> None:
    change(call, event)
    if not call.answered:
        answered(thread, call)


def exec_ended(thread: Thread, event: Entry) -> None:
    call = _call(thread, event, "exec_command")
    if call is not None:
        _describe(call, understood("exec_command", {"command": event.command}))
        _end(thread, call, by_exec, event)


def patched(thread: Thread, event: Entry) -> None:
    call = _call(thread, event, "apply_patch")
    if call is not None:
        call.kind = call.kind if call.asked else "edit"
        _end(thread, call, by_patch, event)


def mcp_ended(thread: Thread, event: Entry) -> None:
    asked = mapping(event.invocation)
    server, tool = text(asked.get("server") or event.server), text(asked.get("tool") or event.tool)
    call = _call(thread, event, full_name(tool or "unknown", f"mcp__{server}" if server else "mcp"))
    if call is not None:
        _describe(call, understood(call.name, asked.get("arguments", event.arguments)))
        call.kind = "mcp"
        _end(thread, call, by_mcp, event)


def search_ended(thread: Thread, event: Entry) -> None:
    call = searching(thread, event.call_id or event.id, event.action, asked=True)
    if call is not None:
        _describe(call, understood("web_search", event.action or {"query": event.query}))
        _end(thread, call, by_search, event)


def image_made(thread: Thread, event: Entry) -> None:
    """The picture itself is left out."""
    call = _call(thread, event, "image_generation")
    if call is not None:
        _describe(call, understood("image_generation", {"prompt": event.revised_prompt}))
        _end(thread, call, by_event, event)


def image_viewed(thread: Thread, event: Entry) -> None:
    call = _call(thread, event, "view_image")
    if call is not None:
        _describe(call, understood("view_image", {"path": event.path}))
        _end(thread, call, by_event, event)


def dynamic_asked(thread: Thread, event: Entry) -> None:
    call = _call(thread, event, text(event.tool) or "unknown")
    if call is not None:
        _describe(call, understood(call.name, event.arguments))


def dynamic_answered(thread: Thread, event: Entry) -> None:
    dynamic_asked(thread, event)
    call = _call(thread, event, text(event.tool) or "unknown")
    if call is not None:
        words = "\n".join(texts(event.content_items)) or None
        _end(thread, call, lambda one, end: by_event(one, end, words), event)


def assessed(thread: Thread, event: Entry) -> None:
    """The guardian's word on a call; only its refusal changes what became of it."""
    call = thread.calls.get(event.target_item_id) if text(event.target_item_id) else None
    if call is not None and event.status == "denied":
        call.refused = True
