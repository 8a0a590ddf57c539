"""Texts that the log holds twice, as item and as event: each is taken once."""

import re
from collections.abc import Sequence
from typing import Any

from siphon.records import MessageKind
from siphon.sources.codex.prompts import Block, blocks, folder
from siphon.sources.codex.thread import (
    Said,
    Thread,
    encoded,
    from_event,
    from_item,
    own_id,
    say,
    sighted,
)


def user_said(
    thread: Thread, parts: Sequence[str], pictures: list[dict[str, Any]], native_id: Any
) -> None:
    """A user-role item."""
    keys = {part.strip() for part in parts}
    if len(parts) > 1:
        keys |= {"\n".join(parts).strip(), "".join(parts).strip()}
    known = from_item(thread, "user", keys)
    if known is not None:
        _upgrade(thread, known, native_id, pictures)
        return
    said = _blocks(thread, parts, pictures, native_id, item=True)
    if said is not None:
        sighted(thread, "user", keys, said, item=True)


def user_told(thread: Thread, words: str, pictures: list[dict[str, Any]]) -> None:
    """A user_message event."""
    key = words.strip()
    if from_event(thread, "user", key):
        return
    said = _blocks(thread, [words], pictures, None, item=False)
    if said is not None:
        sighted(thread, "user", {key}, said, item=False)


def _blocks(
    thread: Thread, parts: Sequence[str], pictures: list[dict[str, Any]], native_id: Any, item: bool
) -> Said | None:
    """Say each kind of text in turn; the one that counts, a prompt if there is one, has the id."""
    found = _merged([block for part in parts for block in blocks(part)])
    if not found and pictures:
        found = [Block("prompt", "")]
    main = next((block for block in found if block.kind == "prompt"), found[-1] if found else None)
    result = None
    for block in found:
        mine = block is main
        said = _say(thread, block, native_id if mine else None, pictures if mine else None, item)
        result = said if mine else result
    return result


def _merged(found: list[Block]) -> list[Block]:
    """Neighbours of one kind as one text."""
    merged: list[Block] = []
    for block in found:
        if merged and merged[-1].kind == block.kind:
            merged[-1] = Block(block.kind, f"{merged[-1].text}\n\n{block.text}")
        else:
            merged.append(block)
    return merged


def _say(
    thread: Thread, block: Block, native_id: Any, pictures: list[dict[str, Any]] | None, item: bool
) -> Said:
    kind, words = block
    if kind == "prompt" and words in thread.echoes:
        kind = "meta"  # an aborted turn's prompt, sent once more
    said = say(thread, "user", kind, words or None, native_id, pictures, item)
    if kind == "prompt":
        thread.turns.append(said.seq)
        thread.prompt = thread.prompt or words
        thread.latest = words
    if block.kind == "prompt":
        thread.echoes.clear()
    elif thread.cwd is None:
        thread.cwd = thread.project = folder(words)
    return said


def _upgrade(thread: Thread, said: Said, native_id: Any, pictures: list[dict[str, Any]]) -> None:
    """Give what an event told the item's id and place."""
    if said.gone:
        return
    said.from_item = True
    said.native_id = own_id(thread, native_id)
    said.attachments = encoded(pictures) or said.attachments
    said.offset, said.length = thread.offset, thread.length


_ASIDE = re.compile(r"<(oai-mem-citation|proposed_plan)>\s*(.*?)\s*</\1>", re.DOTALL)


def assistant_said(thread: Thread, words: str, pictures: list[dict[str, Any]], native_id: Any) -> None:
    """An assistant item. Events tell it without its citations, and its plan apart."""
    if not words.strip() and not pictures:
        return
    keys = {words.strip()}
    if "</" in words:
        plans = [aside[2] for aside in _ASIDE.finditer(words) if aside[1] == "proposed_plan"]
        keys |= {_ASIDE.sub("", words).strip(), *plans}
    _model_said(thread, "assistant", words, keys, native_id, pictures)


def assistant_told(thread: Thread, words: str) -> None:
    """An agent_message event, a plan."""
    _model_told(thread, "assistant", words)


def thought(thread: Thread, parts: Sequence[str], native_id: Any) -> None:
    """A reasoning item; events tell each of its parts apart."""
    if parts:
        _model_said(
            thread, "thinking", "\n\n".join(parts), {part.strip() for part in parts}, native_id, []
        )


def thought_told(thread: Thread, words: str) -> None:
    """An agent_reasoning event."""
    _model_told(thread, "thinking", words)


_KINDS: dict[str, MessageKind] = {"assistant": "reply", "thinking": "thinking"}


def _model_said(
    thread: Thread, role: str, words: str, keys: set[str], native_id: Any, pictures: list[dict[str, Any]]
) -> None:
    known = from_item(thread, role, keys)
    if known is None:
        known = say(thread, "assistant", _KINDS[role], words or None, native_id, pictures)
        sighted(thread, role, keys, known, item=True)
    elif not known.gone:
        known.text = words
        _upgrade(thread, known, native_id, pictures)


def _model_told(thread: Thread, role: str, words: str) -> None:
    key = words.strip()
    if not key or from_event(thread, role, key):
        return
    if thread.request is not None:
        thread.request = thread.said = None  # the items of the response before are all there
    said = say(thread, "assistant", _KINDS[role], words, from_item=False)
    sighted(thread, role, {key}, said, item=False)
