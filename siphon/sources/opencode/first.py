"""The first builds' messages, parts inline and what is now beside them in `metadata`."""

from typing import Any

from siphon.sources._loose import items, mapping, text
from siphon.sources.opencode.shapes import MessageInfo, PartInfo

_STATES = {"call": "running", "partial-call": "pending", "result": "completed"}


def translated(info: MessageInfo) -> tuple[MessageInfo, list[PartInfo]]:
    """The message as later builds write it, and its parts."""
    metadata = mapping(info.metadata)
    assistant = mapping(metadata.get("assistant"))
    now = MessageInfo(
        id=info.id,
        session=info.session or metadata.get("sessionID"),
        role=info.role,
        time=info.time or metadata.get("time"),
        model=info.model or assistant.get("modelID"),
        provider=info.provider or assistant.get("providerID"),
        path=info.path or assistant.get("path"),
        summary=assistant.get("summary"),
        cost=assistant.get("cost") if info.cost is None else info.cost,
        tokens=info.tokens or assistant.get("tokens"),
        error=info.error or metadata.get("error"),
    )
    calls = mapping(metadata.get("tool"))
    return now, [_part(mapping(part), calls) for part in items(info.parts)]


def _part(part: dict[str, Any], calls: dict[str, Any]) -> PartInfo:
    if part.get("type") == "tool-invocation":
        return _tool(mapping(part.get("toolInvocation")), calls)
    return PartInfo(
        id=part.get("id"),
        type=part.get("type"),
        text=part.get("text"),
        synthetic=part.get("synthetic"),
        mime=part.get("mediaType") or part.get("mime"),
        filename=part.get("filename"),
        url=part.get("url"),
    )


def _tool(invocation: dict[str, Any], calls: dict[str, Any]) -> PartInfo:
    call = text(invocation.get("toolCallId"))
    told = mapping(calls.get(call or ""))
    status = _STATES.get(str(invocation.get("state")), "pending")
    state = {
        "status": "error" if told.get("error") is True else status,
        "input": invocation.get("args"),
        "output": invocation.get("result"),
        "title": told.get("title"),
        "metadata": told,
        "time": told.get("time"),
    }
    return PartInfo(type="tool", tool=invocation.get("toolName"), call=call, state=state)
