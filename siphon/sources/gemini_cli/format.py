"""What a Gemini CLI chat file holds. Parts are the Gemini API's; forks of the tool write the same."""

from typing import Any

import msgspec

from siphon.sources._decode import Count, Stamp


class Envelope(msgspec.Struct, rename="camel"):
    """One line: a rewind, a message, a change of the metadata, or the metadata."""

    rewind_to: Any = msgspec.field(default=None, name="$rewindTo")
    set: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="$set")
    id: Any = None
    type: Any = None
    tokens: msgspec.Raw = msgspec.Raw()
    session_id: Any = None
    project_hash: Any = None


class Metadata(msgspec.Struct, rename="camel"):
    """The first line, what `$set` changes of it, and the older form: the whole document."""

    session_id: Any = None
    project_hash: Any = None
    start_time: Any = None
    last_updated: Any = None
    kind: Any = None
    directories: Any = None
    summary: Any = None
    messages: list[msgspec.Raw] | None = None


class Thought(msgspec.Struct):
    subject: str | None = None
    description: str | None = None
    timestamp: Stamp = None


class Tokens(msgspec.Struct):
    """Of one request, not cumulative."""

    input: Count | None = None
    output: Count | None = None
    cached: Count | None = None
    thoughts: Count | None = None
    tool: Count | None = None
    total: Count | None = None


class DiffStat(msgspec.Struct):
    model_added_lines: Count | None = None
    model_removed_lines: Count | None = None


class Call(msgspec.Struct, rename="camel"):
    """A tool call with its result."""

    id: str | None = None
    name: str | None = None
    args: Any = None
    status: str | None = None
    timestamp: Stamp = None
    result: Any = None
    result_display: Any = None
    description: str | None = None
    agent_id: str | None = None


class Message(msgspec.Struct, rename="camel"):
    """One message; written again, under its id, whenever it grows."""

    id: str | None = None
    timestamp: Stamp = None
    type: str | None = None
    content: Any = None  # text, a part, or parts
    parts: Any = None  # the same in some older files
    display_content: Any = None  # what was typed, before references were expanded
    model: str | None = None
    thoughts: list[Thought] | None = None
    tokens: Tokens | None = None
    tool_calls: list[Call] | None = None

    def text(self) -> str:
        """What was said, thoughts left out."""
        return text(self.parts if self.content is None else self.content)


def parts(content: Any) -> list[dict[str, Any]]:
    """Content in its three forms as parts."""
    if isinstance(content, str):
        return [{"text": content}]
    found = content if isinstance(content, list) else [content]
    return [
        part if isinstance(part, dict) else {"text": part}
        for part in found
        if isinstance(part, dict | str)
    ]


def text(content: Any) -> str:
    """The text parts, thoughts left out."""
    said = (part for part in parts(content) if not part.get("thought"))
    return "\n".join(part["text"] for part in said if isinstance(part.get("text"), str))


def attachments(content: Any) -> list[dict[str, Any]]:
    """Inline data and files, without the data."""
    found = []
    for part in parts(content):
        inline, file = part.get("inlineData"), part.get("fileData")
        if isinstance(inline, dict):
            data = inline.get("data")
            size = len(data) * 3 // 4 if isinstance(data, str) else None
            found.append({"type": "inline", "media_type": inline.get("mimeType"), "bytes": size})
        elif isinstance(file, dict):
            found.append(
                {"type": "file", "media_type": file.get("mimeType"), "name": file.get("fileUri")}
            )
    return found


def responses(content: Any) -> list[dict[str, Any]]:
    """The functionResponse parts."""
    found = (part.get("functionResponse") for part in parts(content))
    return [response for response in found if isinstance(response, dict)]


def answer(response: dict[str, Any]) -> str | None:
    """What a tool answered: its output or error, else all of it as JSON."""
    value = response.get("response")
    if not isinstance(value, dict):
        return value if isinstance(value, str) else None
    for key in ("output", "error"):
        if isinstance(value.get(key), str):
            found: str = value[key]
            return found
    return msgspec.json.encode(value).decode() if value else None
