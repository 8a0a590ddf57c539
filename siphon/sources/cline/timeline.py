"""ui_messages.json, what the user saw → records."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from siphon.records import MessageKind, Problem, Record, Role
from siphon.sources._loose import as_json, image, items, mapping, stamp, text
from siphon.sources.cline.billing import SPENDING, billed, condensed, decoded, spending
from siphon.sources.cline.files import Element
from siphon.sources.cline.shown import OUTPUTS, SHOWING, printed, settle, show
from siphon.sources.cline.skips import SKIPS
from siphon.sources.cline.state import State

_ERRORS = (
    *("say/error", "say/error_retry", "say/diff_error", "say/clineignore_error"),
    *("say/rooignore_error", "say/condense_context_error", "say/command_permission_denied"),
    *("ask/api_req_failed", "ask/mistake_limit_reached"),
)
_NOTICES = (
    *("say/info", "say/shell_integration_warning", "say/shell_integration_warning_with_suggestion"),
    *("say/sliding_window_truncation", "say/too_many_tools_warning", "say/api_req_retried"),
    *("say/api_req_retry_delayed", "say/api_req_rate_limit_wait", "say/mcp_notification"),
    *("say/hook_status", "say/hook_output_stream", "say/hook", "say/hook_output"),
    *("say/conditional_rules_applied", "say/generate_explanation", "say/load_mcp_documentation"),
    "ask/auto_approval_max_req_reached",
)
# What a say or ask gives: role and kind of a message.
_SAID: Mapping[str, tuple[Role, MessageKind]] = {
    "say/task": ("user", "prompt"),
    "say/user_feedback": ("user", "prompt"),
    "say/user_feedback_diff": ("user", "notice"),
    "say/user_edit_todos": ("user", "meta"),
    "say/text": ("assistant", "reply"),
    "say/image": ("assistant", "reply"),
    "say/reasoning": ("assistant", "thinking"),
    "say/completion_result": ("assistant", "reply"),
    "ask/completion_result": ("assistant", "reply"),
    "ask/followup": ("assistant", "reply"),
    "ask/plan_mode_respond": ("assistant", "reply"),
    "ask/act_mode_respond": ("assistant", "reply"),
    "ask/report_bug": ("assistant", "reply"),
    "ask/condense": ("assistant", "summary"),
    "ask/summarize_task": ("assistant", "summary"),
    "ask/new_task": ("assistant", "summary"),
    "say/condense_context": ("system", "summary"),
    "say/task_progress": ("assistant", "meta"),
    **dict.fromkeys(_ERRORS, ("system", "error")),
    **dict.fromkeys(_NOTICES, ("system", "notice")),
}
# What becomes of a kind; of those in several lists the last one holds.
_WAYS = {
    **dict.fromkeys(SKIPS, "skip"),
    **dict.fromkeys(_SAID, "say"),
    **{f"{kind}/{name}": "show" for kind in ("say", "ask") for name in SHOWING},
    **dict.fromkeys(OUTPUTS, "print"),
    **dict.fromkeys(SPENDING, "spend"),
}
_CHANGES = "HAS_CHANGES"  # Cline's mark at the end of a result


def records(state: State, elements: Sequence[Element]) -> Iterator[Record]:
    """All rows of a task but the session."""
    for place, element in enumerate(elements):
        if element.value.get("partial") is True and place < len(elements) - 1:
            state.known["partial"] += 1
            continue
        ts = stamp(element.value.get("ts", element.value.get("timestamp")))
        state.saw(ts)
        yield from _element(state, element, ts)
    yield from settle(state, over=False)
    yield from billed(state)


def _element(state: State, element: Element, ts: int | None) -> Iterator[Record]:
    value = element.value
    kind = text(value.get("type"))
    name = text(value.get("ask" if kind == "ask" else "say"))
    if name is None:
        yield from _plain(state, element, ts)
        return
    words = text(value.get("text")) or ""
    kind = f"{kind}/{name}"
    way = _WAYS.get(kind) or ("show" if name in SHOWING else None)
    (state.known if way else state.unknown)[kind] += 1
    if way == "spend":
        if kind == "say/api_req_started":
            yield from settle(state, over=True)
        yield from spending(state, kind, element, words, ts)
    elif way == "print":
        yield from printed(state, kind, element, words, ts)
    elif way == "show":
        show(state, name, element, words, ts)
    elif way == "say":
        yield from _said(state, kind, element, words, ts)


def _said(state: State, kind: str, element: Element, words: str, ts: int | None) -> Iterator[Record]:
    role, shown = _SAID[kind]
    if kind == "say/text" and state.first_prompt is None and state.last_seq == 0:
        role, shown = "user", "prompt"  # the first text is the task
    if reasoning := text(element.value.get("reasoning")):
        yield state.message(element, ts, "assistant", "thinking", reasoning)
    words = _worded(state, kind, words, element.value)
    attachments = _attachments(element.value)
    if words or attachments:
        if shown == "prompt":
            state.first_prompt = state.first_prompt or words
        yield state.message(element, ts, role, shown, words or None)._replace(attachments=attachments)
    if kind == "say/condense_context":
        yield from condensed(state, element, ts)


def _worded(state: State, kind: str, words: str, value: dict[str, Any]) -> str:
    """The text to show: some are JSON, some are told twice."""
    if kind.endswith("/completion_result"):
        words = words.removesuffix(_CHANGES).strip()
        again, state.completion = words == state.completion, words
        return "" if again else words
    if kind == "say/condense_context":
        return text(mapping(value.get("contextCondense")).get("summary")) or words
    if kind == "say/sliding_window_truncation" and not words:
        return as_json(mapping(value.get("contextTruncation"))) or ""
    if kind in ("ask/followup", "ask/plan_mode_respond", "ask/act_mode_respond", "ask/new_task"):
        return _question(decoded(words)) or words
    return words if words.strip() else ""


def _question(told: dict[str, Any] | None) -> str | None:
    """A question and its answers to choose from."""
    told = told or {}
    words = next((w for key in ("question", "response", "context") if (w := text(told.get(key)))), None)
    choices = [*items(told.get("options")), *items(told.get("suggest"))]
    named = [mapping(choice).get("answer", choice) for choice in choices]
    lines = [f"- {choice}" for choice in named if isinstance(choice, str)]
    return "\n".join([words, *lines]) if words else None


def _attachments(value: dict[str, Any]) -> str | None:
    """Images (data URIs) without their data, and the files that were passed along."""
    held = []
    for uri in items(value.get("images")):
        if isinstance(uri, str):
            head, _, data = uri.partition(",")
            held.append(image(head.removeprefix("data:").partition(";")[0], data))
    held += [
        {"type": "file", "name": name} for name in items(value.get("files")) if isinstance(name, str)
    ]
    return as_json(held) if held else None


def _plain(state: State, element: Element, ts: int | None) -> Iterator[Record]:
    """A message in the shape of other tools: role, content, timestamp."""
    role, words = text(element.value.get("role")), text(element.value.get("content"))
    if words and role == "user":
        state.first_prompt = state.first_prompt or words
        yield state.message(element, ts, "user", "prompt", words)
    elif words and role == "assistant":
        yield state.message(element, ts, "assistant", "reply", words)
    else:
        yield Problem("a message that is neither said nor asked", offset=element.offset)
        return
    state.known[f"plain/{role}"] += 1
