"""A task of which only api_conversation_history.json is left → records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from siphon.records import Message, Record, Request, ToolCall, ToolKind
from siphon.sources._loose import as_json, count, image, mapping, nanousd, one_line, stamp, text
from siphon.sources.cline.files import Element
from siphon.sources.cline.history import Call, blocks, typed
from siphon.sources.cline.state import Asked, State
from siphon.sources.cline.tools import Shown, settled

_KINDS: Mapping[str, ToolKind] = {
    "execute_command": "shell",
    "read_file": "read",
    "write_to_file": "write",
    "replace_in_file": "edit",
    "apply_diff": "edit",
    "insert_content": "edit",
    "search_and_replace": "edit",
    "apply_patch": "edit",
    "list_files": "search",
    "search_files": "search",
    "list_code_definition_names": "search",
    "codebase_search": "search",
    "browser_action": "web",
    "web_fetch": "web",
    "web_search": "web",
    "use_mcp_tool": "mcp",
    "access_mcp_resource": "mcp",
    "new_task": "agent",
    "update_todo_list": "plan",
}
_TOLD = ("attempt_completion", "ask_followup_question", "plan_mode_respond")  # their words are the point


def records(state: State, elements: Sequence[Element], calls: Sequence[Call]) -> Iterator[Record]:
    """All rows of a task but the session."""
    for element in elements:
        role = text(element.value.get("role")) or text(element.value.get("type"))
        if role not in ("user", "assistant"):
            state.unknown[f"api/{role}"] += 1
            continue
        state.known[f"api/{role}"] += 1
        ts = stamp(element.value.get("ts", element.value.get("timestamp")))
        state.saw(ts)
        if role == "user":
            yield from _user(state, element, ts)
        else:
            yield from _assistant(state, element, ts)
        for call in calls:
            if call.element is element and call.name not in _TOLD:
                yield _call(state, call, ts)


def _user(state: State, element: Element, ts: int | None) -> Iterator[Message]:
    for block in blocks(element):
        if block.get("type") == "image":
            source = mapping(block.get("source"))
            held = as_json([image(source.get("media_type"), source.get("data"))])
            yield state.message(element, ts, "user", "prompt", None)._replace(attachments=held)
        words = block.get("text")
        said = typed(words) if isinstance(words, str) else None
        if said and element.value.get("isSummary"):
            yield state.message(element, ts, "system", "summary", said)
        elif said:
            state.first_prompt = state.first_prompt or said
            yield state.message(element, ts, "user", "prompt", said)


def _assistant(state: State, element: Element, ts: int | None) -> Iterator[Record]:
    metrics = mapping(element.value.get("metrics"))
    state.message_seq = state.asked = None
    if mapping(metrics.get("tokens")):
        key = state.key(element, ts)
        state.asked = Asked(f"{key}/request", state.last_seq + 1, ts, metrics, element)
    for block in blocks(element):
        words = text(block.get("text"))
        if block.get("type") in ("thinking", "reasoning"):
            words = text(block.get("thinking")) or words
            if words:
                yield state.message(element, ts, "assistant", "thinking", words)
        elif words:
            yield state.message(element, ts, "assistant", "reply", words)
        elif block.get("name") in _TOLD:
            told = mapping(block.get("input"))
            words = next((w for w in told.values() if isinstance(w, str) and w), None)
            yield state.message(element, ts, "assistant", "reply", words)
    if state.asked:
        yield _request(state, state.asked)


def _request(state: State, asked: Asked) -> Request:
    """Newer Cline writes what an answer took; reads and writes of the cache are one number there."""
    tokens = mapping(asked.told.get("tokens"))
    info = mapping(asked.element.value.get("modelInfo"))
    model, provider = state.model_at(asked.ts)
    return Request(
        session=state.task,
        native_id=asked.native_id,
        seq=asked.seq,
        model=text(info.get("modelId")) or model,
        ts=asked.ts,
        input_tokens=count(tokens.get("prompt")),
        cache_read_tokens=count(tokens.get("cached")),
        output_tokens=count(tokens.get("completion")),
        reported_nanousd=nanousd(asked.told.get("cost")),
        provider=text(info.get("providerId")) or provider,
        offset=asked.element.offset,
        length=asked.element.length,
    )


def _call(state: State, call: Call, ts: int | None) -> ToolCall:
    told: dict[str, Any] = call.arguments
    argument = call.argument or next((v for v in told.values() if isinstance(v, str)), None)
    opened = ToolCall(
        session=state.task,
        seq=state.next_seq(),
        name=call.name,
        kind=_KINDS.get(call.name, "other"),
        native_id=f"{state.task}/{call.id}" if call.id else state.key(call.element, ts),
        message_seq=state.message_seq,
        summary=one_line(argument),
        input=as_json(told) if told else None,
        ts=ts,
        request=state.asked.native_id if state.asked else None,
        offset=call.element.offset,
        length=call.element.length,
        result_offset=call.result.offset if call.result else None,
        result_length=call.result.length if call.result else None,
    )
    return settled(opened, Shown(call.name, argument, told), call, None, over=False)
