"""api_conversation_history.json: what the model was sent and answered, call by call."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from siphon.sources._loose import items, mapping, stamp, text
from siphon.sources.cline.files import Element

_CWD = re.compile(r"^# Current (?:Workspace|Working) Directory \((.+?)\)", re.MULTILINE)
_MODEL = re.compile(r"<model>([^<\n]+)</model>")
_RESULT = re.compile(r"\A\[(\w+)(?: for '(.*?)')?\] Result:\n?(.*)\Z", re.DOTALL)
_ENVIRONMENT = re.compile(r"<environment_details>.*?(?:</environment_details>|\Z)", re.DOTALL)
_WRAPPER = re.compile(r"</?(?:task|user_message|feedback|answer)>\n?")
_INJECTED = re.compile(
    r"\A\s*(?:\[ERROR\] You did not use a tool|\[TASK RESUMPTION\]|# task_progress"
    r"|<explicit_instructions)"
)
_FILES = re.compile(r"<file_content path=[^>]*>.*?</file_content>\n?", re.DOTALL)


Blocks = list[dict[str, Any]]


class Call(NamedTuple):
    """A tool the model called, and its result; `id` is None in builds that wrote calls as XML."""

    id: str | None
    name: str
    arguments: dict[str, Any]
    argument: str | None  # of XML builds: what the result names
    output: str | None
    failed: bool
    element: Element
    result: Element | None


class History(NamedTuple):
    calls: list[Call]
    cwd: str | None
    models: tuple[tuple[int, str, str | None], ...]  # since (ms), model, provider


def history(elements: Sequence[Element]) -> History:
    """Everything that the timeline (ui_messages.json) does not tell."""
    told = [(element, blocks(element)) for element in elements]
    results = dict(_results(told))
    calls = [call for element, held in told for call in _calls(element, held, results)]
    cwd, models = None, []
    for element, held in told:
        ts = stamp(element.value.get("ts")) or 0
        info = mapping(element.value.get("modelInfo"))
        if model := text(info.get("modelId")):
            models.append((ts, model, text(info.get("providerId"))))
        for words in _user_texts(held) if element.value.get("role") == "user" else ():
            if cwd is None and (found := _CWD.search(words)):
                cwd = found[1]
            if found := _MODEL.search(words):
                models.append((ts, found[1].strip(), None))
    return History(calls, cwd, tuple(models))


def blocks(element: Element) -> Blocks:
    """The content of a message as blocks."""
    content = element.value.get("content", element.value.get("text"))
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    return [mapping(block) for block in items(content)]


def _user_texts(held: Blocks) -> Iterator[str]:
    """All texts of a message to the model, those inside results too."""
    for block in held:
        words = block_text(block) if block.get("type") == "tool_result" else block.get("text")
        if isinstance(words, str):
            yield words


def block_text(block: dict[str, Any]) -> str | None:
    """The text of a tool_result."""
    content = block.get("content")
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in map(mapping, items(content))]
    return "\n".join(part for part in texts if isinstance(part, str)) if texts else None


def typed(words: str) -> str | None:
    """What of a user's text a person typed; None: nothing."""
    if _INJECTED.match(words) or _RESULT.match(words):
        return None
    kept = _FILES.sub("", _WRAPPER.sub("", _ENVIRONMENT.sub("", words))).strip()
    return kept or None


def result_text(words: str) -> str:
    """A result without what the extension appends for the model."""
    return _ENVIRONMENT.sub("", words).strip()


def _results(
    told: Sequence[tuple[Element, Blocks]],
) -> Iterator[tuple[str, tuple[dict[str, Any], Element]]]:
    for element, held in told:
        for block in held:
            native_id = text(block.get("tool_use_id"))
            if block.get("type") == "tool_result" and native_id:
                yield native_id, (block, element)


def _calls(
    element: Element, held: Blocks, results: dict[str, tuple[dict[str, Any], Element]]
) -> Iterator[Call]:
    if element.value.get("role") == "user":
        yield from _named_results(element, held)
        return
    for block in held:
        name = text(block.get("name"))
        if block.get("type") == "tool_use" and name:
            native_id = text(block.get("id"))
            result, place = results.get(native_id or "", ({}, None))
            output = block_text(result)
            yield Call(
                id=native_id,
                name=name,
                arguments=mapping(block.get("input")),
                argument=None,
                output=None if output is None else result_text(output),
                failed=bool(result.get("is_error")),
                element=element,
                result=place,
            )


def _named_results(element: Element, blocks: Blocks) -> Iterator[Call]:
    """XML builds: `[write_to_file for 'a.py'] Result:`, the result in the same or the next block."""
    held = [block.get("text") for block in blocks if block.get("type") == "text"]
    texts = [words for words in held if isinstance(words, str)]
    for index, words in enumerate(texts):
        if found := _RESULT.match(words):
            after = texts[index + 1] if index + 1 < len(texts) else ""
            follows = not _RESULT.match(after) and not after.startswith("<environment_details>")
            output = found[3] or (after if follows else "")
            yield Call(None, found[1], {}, found[2], result_text(output), False, element, element)
