"""One request of a chat while it is read."""

import re
from collections import Counter
from typing import NamedTuple

from siphon.records import ToolCall
from siphon.sources._loose import mapping, stamp, text
from siphon.sources._text import unique
from siphon.sources._transcript import Transcript
from siphon.sources.vscode_copilot import tools
from siphon.sources.vscode_copilot.chat import Asked

_DETAILS = re.compile(r"\A([^•]+?)\s*•")


class Turn(NamedTuple):
    """One request being read."""

    rows: Transcript
    types: Counter[str]
    asked: Asked
    key: str  # the request's id
    reply: str  # the response's id
    model: str | None
    ts: int | None
    known: tools.Rounds
    first: int  # seq at which it begins

    @property
    def gone(self) -> bool:
        """Undone: no longer part of the chat."""
        info = self.asked.info
        return info.is_hidden is True or bool(info.should_be_removed_on_send)

    @property
    def stopped(self) -> bool:
        info = self.asked.info
        return info.is_canceled is True or mapping(info.model_state).get("value") in (2, 3)

    def of(self, call: ToolCall) -> ToolCall:
        """The call with what it has of its request."""
        return call._replace(
            request=self.reply, abandoned=self.gone, offset=self.asked.offset, length=self.asked.length
        )


def opened(rows: Transcript, types: Counter[str], asked: Asked, key: str) -> Turn:
    info = asked.info
    metadata = mapping(mapping(info.result).get("metadata"))
    return Turn(
        rows=rows,
        types=types,
        asked=asked,
        key=key,
        reply=unique(rows.native_id, text(info.response_id)) or f"{key}/response",
        model=model_of(asked),
        ts=stamp(info.timestamp),
        known=tools.rounds(metadata),
        first=rows.last + 1,
    )


def model_of(asked: Asked) -> str | None:
    """The model that answered: as resolved, else as chosen; for `auto` as its footer names it."""
    result = mapping(asked.info.result)
    resolved = text(mapping(result.get("metadata")).get("resolvedModel"))
    chosen = (text(asked.info.model_id) or "").rpartition("/")[2] or None
    if resolved or (chosen and chosen != "auto"):
        return resolved or chosen
    told = _DETAILS.match(text(result.get("details")) or "")
    return told[1].strip().lower().replace(" ", "-") if told else chosen
