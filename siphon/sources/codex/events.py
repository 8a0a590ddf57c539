"""Events: what the user saw. Most mirror response items; some are all there is."""

import re
from collections.abc import Callable
from typing import Any

from siphon.sources._loose import mapping, text
from siphon.sources.codex.billing import bill
from siphon.sources.codex.endings import (
    assessed,
    dynamic_answered,
    dynamic_asked,
    exec_ended,
    image_made,
    image_viewed,
    mcp_ended,
    patched,
    search_ended,
)
from siphon.sources.codex.lines import Entry
from siphon.sources.codex.mirrors import assistant_told, thought_told, user_told
from siphon.sources.codex.prompts import attachment, texts
from siphon.sources.codex.thread import (
    Said,
    Thread,
    end_turn,
    interrupt,
    new_response,
    notice,
    say,
    settle,
)

Handler = Callable[[Thread, Entry], None]


def user_message(thread: Thread, event: Entry) -> None:
    given = [*_list(event.images), *_list(event.local_images)]
    user_told(thread, text(event.message) or "", [attachment(one) for one in given])


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def agent_message(thread: Thread, event: Entry) -> None:
    assistant_told(thread, text(event.message) or "")


def agent_reasoning(thread: Thread, event: Entry) -> None:
    thought_told(thread, text(event.text) or "")


def token_count(thread: Thread, event: Entry) -> None:
    if event.info is not None:
        bill(thread, event.info)


def turn_started(thread: Thread, event: Entry) -> None:
    """What is pending belongs to no request of the turn that begins; mirrors may straddle this line."""
    thread.failure = None
    settle(thread, keep=[one for one in thread.pending if isinstance(one, Said) and one.role == "user"])
    new_response(thread)
    thread.turn = turn_id(event.turn_id)


def turn_id(value: Any) -> str | None:
    """A turn's id where it is unique beyond its session: older versions count 1, 2, 3."""
    return value.lower() if isinstance(value, str) and _UUID.fullmatch(value) else None


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def turn_complete(thread: Thread, event: Entry) -> None:
    end_turn(thread)
    failed(thread, text(mapping(event.error).get("message")))


def turn_aborted(thread: Thread, event: Entry) -> None:
    interrupt(thread)
    end_turn(thread)
    notice(thread, f"Turn aborted: {text(event.reason) or 'no reason logged'}")
    thread.echoes = {words for words in (thread.prompt, thread.latest) if words}


def turn_context(thread: Thread, entry: Entry) -> None:
    """The folder and model of what follows."""
    new_response(thread)
    thread.model = text(entry.model) or thread.model
    thread.turn = turn_id(entry.turn_id) or thread.turn
    moved(thread, entry.cwd)


def moved(thread: Thread, cwd: Any) -> None:
    thread.cwd = text(cwd) or thread.cwd
    thread.project = thread.project or thread.cwd


_TIERS = ("fast", "batch", "priority", "flex")


def settings(thread: Thread, event: Entry) -> None:
    """Settings of what follows: the one place where a service tier is logged."""
    given = mapping(event.thread_settings)
    tier = given.get("service_tier")
    thread.tier = tier if tier in _TIERS else None
    thread.model = text(given.get("model")) or thread.model
    moved(thread, given.get("cwd"))


def rolled_back(thread: Thread, event: Entry) -> None:
    """The last n prompts, and all after the first of them, are no longer part of the conversation."""
    n = event.num_turns if isinstance(event.num_turns, int) else 0
    gone = thread.turns[-n:] if n > 0 else []
    if gone:
        del thread.turns[-n:]
        thread.rollbacks.append((gone[0], thread.seq + 1))
    notice(thread, f"Rolled back {n} turn{'' if n == 1 else 's'}")


def thread_name(thread: Thread, event: Entry) -> None:
    thread.title = text(event.thread_name) or thread.title


def error(thread: Thread, event: Entry) -> None:
    failed(thread, text(event.message))


def failed(thread: Thread, words: str | None) -> None:
    """An error; the turn that ends by it tells it once more."""
    if words != thread.failure:
        notice(thread, words, "error")
    thread.failure = words


def review_entered(thread: Thread, event: Entry) -> None:
    notice(thread, f"Review: {text(event.user_facing_hint) or 'no target logged'}")


def review_left(thread: Thread, event: Entry) -> None:
    review = mapping(event.review_output)
    rows = [text(review.get("overall_explanation"))]
    for finding in _list(review.get("findings")):
        place = mapping(mapping(finding).get("code_location"))
        lines = mapping(place.get("line_range"))
        path = text(place.get("absolute_file_path"))
        where = f" ({path}:{lines.get('start')}-{lines.get('end')})" if path else ""
        rows.append(
            f"{mapping(finding).get('title') or ''}{where}\n{mapping(finding).get('body') or ''}"
        )
    notice(thread, "\n\n".join(row for row in rows if row))


def goal_updated(thread: Thread, event: Entry) -> None:
    """The thread's goal; repeated for each change of its counters, told where it changes itself."""
    goal = mapping(event.goal)
    told = f"Goal ({text(goal.get('status')) or 'set'}): {text(goal.get('objective')) or ''}"
    if told != thread.goal:
        thread.goal = told
        notice(thread, told)


def undone(thread: Thread, event: Entry) -> None:
    notice(thread, text(event.message) or ("Undone" if event.success else "Undo failed"))


def compacted(thread: Thread, entry: Entry) -> None:
    """The summary that stands for all before; newer ones are encrypted, and only the fact is told."""
    summary = text(entry.message)
    if summary:
        say(thread, "system", "summary", summary)
    else:
        notice(thread, "Context compacted")


def item_completed(thread: Thread, event: Entry) -> None:
    """Paginated threads tell items in the app server's terms; each has an older event's meaning."""
    if event.item is not None and known_item(event.item):
        TURN_ITEMS[event.item.type](thread, event.item)


def known_item(item: Entry) -> bool:
    return isinstance(item.type, str) and item.type in TURN_ITEMS


def _user_item(thread: Thread, item: Entry) -> None:
    user_told(thread, "\n".join(texts(item.content)), [])


def _agent_item(thread: Thread, item: Entry) -> None:
    assistant_told(thread, "\n".join(texts(item.content)))


def _reasoning_item(thread: Thread, item: Entry) -> None:
    for words in [*texts(item.summary_text), *texts(item.raw_content)]:
        thought_told(thread, words)


def _plan_item(thread: Thread, item: Entry) -> None:
    assistant_told(thread, text(item.text) or "")


def _extension_item(thread: Thread, item: Entry) -> None:
    if item.action is not None or item.query is not None:
        search_ended(thread, item)


def _nothing(_thread: Thread, _item: Entry) -> None:
    """A record that is known and holds nothing to keep beyond what others tell."""


TURN_ITEMS: dict[str, Handler] = {
    "UserMessage": _user_item,
    "AgentMessage": _agent_item,
    "Reasoning": _reasoning_item,
    "Plan": _plan_item,
    "CommandExecution": exec_ended,
    "FileChange": patched,
    "McpToolCall": mcp_ended,
    "WebSearch": search_ended,
    "ImageGeneration": image_made,
    "ImageView": image_viewed,
    "Extension": _extension_item,
    "Sleep": _nothing,
    "HookPrompt": _nothing,
    "ContextCompaction": _nothing,
    "EnteredReviewMode": _nothing,
    "ExitedReviewMode": _nothing,
    "SubAgentActivity": _nothing,
}

EVENTS: dict[str, Handler] = {
    "user_message": user_message,
    "agent_message": agent_message,
    "agent_reasoning": agent_reasoning,
    "agent_reasoning_raw_content": agent_reasoning,
    "token_count": token_count,
    "task_started": turn_started,
    "turn_started": turn_started,
    "task_complete": turn_complete,
    "turn_complete": turn_complete,
    "turn_aborted": turn_aborted,
    "thread_rolled_back": rolled_back,
    "thread_name_updated": thread_name,
    "thread_settings_applied": settings,
    "thread_goal_updated": goal_updated,
    "entered_review_mode": review_entered,
    "exited_review_mode": review_left,
    "error": error,
    "stream_error": error,
    "undo_completed": undone,
    "item_completed": item_completed,
    "exec_command_end": exec_ended,
    "patch_apply_end": patched,
    "mcp_tool_call_end": mcp_ended,
    "web_search_end": search_ended,
    "image_generation_end": image_made,
    "view_image_tool_call": image_viewed,
    "dynamic_tool_call_request": dynamic_asked,
    "dynamic_tool_call_response": dynamic_answered,
    "guardian_assessment": assessed,
}
