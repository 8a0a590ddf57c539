"""A chat as its file holds it: a whole document, or a log of changes to one."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.sources._decode import found_at
from siphon.sources._loose import items, mapping, stamp, text
from siphon.sources._sqlite import decoded
from siphon.sources.vscode_copilot.replay import replayed


class ChatInfo(msgspec.Struct, rename="camel"):
    """A chat's own fields; each takes any type, readers narrow them."""

    session_id: Any = None
    creation_date: Any = None
    last_message_date: Any = None
    custom_title: Any = None
    computed_title: Any = None
    initial_location: Any = None
    repo_data: Any = None
    requests: Any = None


class RequestInfo(msgspec.Struct, rename="camel"):
    """What a person asked, and all that was answered."""

    request_id: Any = None
    timestamp: Any = None
    message: Any = None
    variable_data: Any = None
    agent: Any = None
    model_id: Any = None
    response: Any = None
    response_id: Any = None
    result: Any = None
    model_state: Any = None
    is_canceled: Any = None
    is_hidden: Any = None
    should_be_removed_on_send: Any = None
    usage: Any = None
    prompt_tokens: Any = None
    completion_tokens: Any = None
    confirmation: Any = None


class Asked(NamedTuple):
    """A request, and where the record that brought it lies in the log."""

    info: RequestInfo
    offset: int | None = None
    length: int | None = None


class Chat(NamedTuple):
    info: ChatInfo
    requests: Sequence[Asked]

    @property
    def last(self) -> int:
        """When the last request was made."""
        return max((stamp(asked.info.timestamp) or 0 for asked in self.requests), default=0)


class _Document(ChatInfo):
    requests: list[msgspec.Raw] | None = None


_DOCUMENT = msgspec.json.Decoder(_Document)
_REQUEST = msgspec.json.Decoder(RequestInfo)


def read(log: Log, path: str) -> Chat | None:
    """The chat of a file, which may be another one than the log; None, with a problem: unreadable."""
    file = log if path == log.path else log.at(path)
    if file is None:
        return None
    if path.endswith(".jsonl"):
        state, places = replayed(file)
        return None if state is None else of_state(state, places)
    return _document(file, owned=file is log)


def _document(file: Log, owned: bool) -> Chat | None:
    data = file.data()
    document = decoded(
        file, data.strip(b"\0 \t\r\n").removeprefix(b"\xef\xbb\xbf"), _DOCUMENT, file.path
    )
    if document is None:
        return None
    requests = list(_placed(file, data if owned else None, document.requests or []))
    return Chat(document, requests)


def _placed(file: Log, data: bytes | None, raws: Sequence[msgspec.Raw]) -> Iterator[Asked]:
    at = 0
    for n, raw in enumerate(raws):
        info = decoded(file, raw, _REQUEST, f"{file.path}, request {n}")
        part = bytes(raw)
        at = found_at(data, part, at) if data is not None and at >= 0 else -1
        if info is not None:
            yield Asked(info, at, len(part)) if at >= 0 else Asked(info)


def of_state(state: dict[str, Any], places: Sequence[tuple[int, int]] = ()) -> Chat:
    """The chat of a decoded document; `places` are (offset, length) of its requests, as far as known."""
    requests = [
        Asked(msgspec.convert(request, RequestInfo), *(place or (None, None)))
        for request, place in zip_longest(items(state.get("requests")), places)
        if isinstance(request, dict)
    ]
    info = {name: value for name, value in state.items() if name != "requests"}
    return Chat(msgspec.convert(info, ChatInfo), requests)


def title(info: ChatInfo) -> str | None:
    """As a person or the tool named the chat."""
    return text(info.custom_title) or text(info.computed_title)


def branch(info: ChatInfo) -> str | None:
    data = mapping(info.repo_data)
    return text(data.get("localBranch")) or text(data.get("branch"))
