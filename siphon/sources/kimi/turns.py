"""Builds a session's rows out of turns and steps, whichever wire tells them.

A step is one request: its thinking, text and calls get the request's id when the step ends. Prompts and
texts without an id are identified by time and content: a fork copies the lines before it as they are.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from siphon.lines import Line
from siphon.records import Message, MessageKind, Request, Role, Status, ToolCall
from siphon.sources._text import as_json, size, unique
from siphon.sources._transcript import Transcript
from siphon.sources.kimi import tools
from siphon.sources.kimi.lines import Usage

_ANY = msgspec.json.Decoder()


@dataclass
class Open:
    """A text that is still being streamed."""

    kind: MessageKind
    seq: int
    text: str


class Outcome(NamedTuple):
    """What came of a call."""

    output: str | None
    failed: bool = False
    message: str | None = None  # what the harness says of it
    display: Any = None

    @property
    def refused(self) -> bool:
        """Whether a person said no."""
        return "reject" in (self.message or self.output or "").lower()[:200]


@dataclass
class Turns:
    """The session so far."""

    lines: Transcript
    side: bool = False  # a subagent's: its prompts are tasks
    model: str | None = None
    step: list[int] = field(default_factory=list)  # seqs since the step began
    open: Open | None = None
    calls: dict[str, int] = field(default_factory=dict)
    arguments: dict[int, str] = field(default_factory=dict)  # streamed JSON text, by the call's seq
    asked: dict[int, Any] = field(default_factory=dict)  # the same, decoded
    refused: set[str] = field(default_factory=set)

    def say(
        self,
        line: Line,
        ts: int | None,
        role: Role,
        kind: MessageKind,
        text: str,
        native_id: str | None = None,
        attachments: str | None = None,
    ) -> int | None:
        """Add a message that is complete."""
        self.open = None
        if not text.strip():
            return None
        return self.lines.put(
            Message(
                self.lines.native_id,
                self.lines.seq(),
                role,
                kind,
                text,
                ts=ts,
                native_id=native_id or _identity(kind, ts, text),
                model=self.model if role == "assistant" else None,
                attachments=attachments,
                offset=line.offset,
                length=len(line.data),
            )
        )

    def prompt(self, line: Line, ts: int | None, content: Any, person: bool = True) -> None:
        """What a person typed; in a subagent, what its parent asked."""
        text, found = words(content), attachments(content)
        kind: MessageKind = "prompt" if person and not self.side else "notice"
        if kind == "prompt" and text.lstrip().startswith("/"):
            kind = "command"
        attached = as_json(found) if found else None
        self.say(line, ts, "user", kind, text or ("(attachment)" if found else ""), attachments=attached)

    def part(
        self, line: Line, ts: int | None, kind: MessageKind, text: Any, native_id: str | None = None
    ) -> None:
        """A piece of a reply or of thinking; pieces of one kind in succession are one message."""
        if not isinstance(text, str) or not text:
            return
        if self.open is not None and self.open.kind == kind and native_id is None:
            self.open.text += text
            row = self.lines.rows[self.open.seq]
            if isinstance(row, Message):
                self.lines.put(row._replace(text=self.open.text))
            return
        seq = self.say(line, ts, "assistant", kind, text, native_id)
        if seq is not None:
            self.step.append(seq)
            self.open = Open(kind, seq, text)

    def call(self, line: Line, ts: int | None, own: str | None, name: str, args: Any) -> None:
        """A tool call; its arguments may come as the beginning of a JSON text."""
        rows, seqs = self.lines.rows, reversed(self.step)
        spoken = next((seq for seq in seqs if isinstance(rows[seq], Message)), None)
        self.open = None
        text = args if isinstance(args, str) else as_json(args) or ""
        value, json = _understood(text) if isinstance(args, str) else (args or "", text or None)
        row = ToolCall(
            self.lines.native_id,
            self.lines.seq(),
            name,
            tools.kind(name),
            native_id=call_identity(self.lines.native_id, own, ts),
            message_seq=spoken,
            summary=tools.summary(name, value),
            input=json,
            ts=ts,
            offset=line.offset,
            length=len(line.data),
        )
        self.lines.put(row)
        self.step.append(row.seq)
        if own:
            self.calls[own] = row.seq
        self.arguments[row.seq], self.asked[row.seq] = text, value

    def more_arguments(self, text: Any) -> None:
        """The rest of the last call's arguments."""
        seq = next(reversed(self.arguments), -1)
        row = self.lines.call(seq)
        if row is not None and isinstance(text, str):
            self.arguments[seq] += text
            value, json = _understood(self.arguments[seq])
            self.asked[seq] = value
            self.lines.put(row._replace(input=json, summary=tools.summary(row.name, value)))

    def result(self, line: Line, ts: int | None, own: str | None, told: Outcome) -> None:
        """A call's result."""
        row = self.lines.call(self.calls.get(own or "", -1))
        if row is None:
            self.say(line, ts, "tool", "tool_result", told.output or told.message or "")
            return
        status: Status = "ok" if not told.failed else "rejected" if told.refused else "error"
        status = "rejected" if own in self.refused else status
        args = self.asked.get(row.seq, "")
        changed = tools.lines(row.name, args, told.display) if status == "ok" else (None, None)
        text = told.output or told.message
        took = ts - row.ts if ts is not None and row.ts is not None and ts >= row.ts else None
        self.lines.put(
            row._replace(
                output=text,
                output_bytes=size(text),
                status=status,
                exit_code=_exit(told) if row.kind == "shell" else None,
                duration_ms=took,
                lines_added=changed[0],
                lines_removed=changed[1],
                result_offset=line.offset,
                result_length=len(line.data),
            )
        )
        self.lines.saw(ts)
        if status == "ok":
            session = self.lines.native_id
            self.lines.touched(row.seq, tools.touches(session, row.seq, row.name, args, changed))

    def begin(self) -> None:
        """A step begins."""
        self.step, self.open = [], None

    def end(
        self, line: Line, ts: int | None, usage: Usage, own: str | None, nested: bool = False
    ) -> None:
        """The step ends with its usage; its rows belong to this request."""
        for seq in self.step if own is not None else ():
            self.lines.put(self.lines.rows[seq]._replace(request=own))
        self.bill(line, ts, usage, own, self.step[0] if self.step else self.lines.seq(), nested)

    def bill(
        self, line: Line, ts: int | None, usage: Usage, own: str | None, first: int, nested: bool = False
    ) -> None:
        """Add a request whose first row is at `first`."""
        self.lines.bill(
            Request(
                self.lines.native_id,
                own,
                first,
                model=self.model,
                ts=ts,
                input_tokens=usage.input_other,
                cache_read_tokens=usage.input_cache_read,
                cache_write_tokens=usage.input_cache_creation,
                output_tokens=usage.output,
                nested=nested,
                offset=line.offset,
                length=len(line.data),
            )
        )

    def undo(self, prompts: int) -> None:
        """Abandon everything from the so-many-th last prompt on."""
        live = [row.seq for row in self.lines.rows.values() if not row.abandoned and _typed(row)]
        if not live or prompts < 1:
            return
        start = live[-prompts] if prompts <= len(live) else live[0]
        for seq, row in list(self.lines.rows.items()):
            if seq >= start:
                self.lines.put(row._replace(abandoned=True))

    def stopped(self) -> None:
        """Calls without a result were interrupted."""
        for seq in list(self.lines.rows):
            row = self.lines.call(seq)
            if row is not None and row.status == "pending":
                self.lines.put(row._replace(status="interrupted"))


def call_identity(session: str, own: str | None, ts: int | None) -> str | None:
    """Short ids (`Bash_0`) are unique with their time, which copies in a fork keep."""
    return unique(session if ts is None else f"@{ts}", own)


def usage_identity(ts: int | None, usage: Usage) -> str | None:
    """Of a request without an id: its time and counts, which copies in a fork keep."""
    return (
        None if ts is None else f"usage@{ts}/{usage.input_other}/{usage.input_cache_read}/{usage.output}"
    )


def _exit(told: Outcome) -> int | None:
    stated = tools.exit_code(told.message)
    return tools.exit_code(told.output) if stated is None else stated


def _typed(row: Message | ToolCall) -> bool:
    return isinstance(row, Message) and row.kind in ("prompt", "command")


def _identity(kind: str, ts: int | None, text: str) -> str | None:
    if ts is None:
        return None
    return f"{kind}@{ts}:{hashlib.blake2s(text.encode(errors='replace'), digest_size=8).hexdigest()}"


def _understood(text: str) -> tuple[Any, str | None]:
    """Arguments as a value and as JSON text; what is no JSON, or not yet, is a text."""
    if not text:
        return text, None
    try:
        return _ANY.decode(text), text
    except (msgspec.DecodeError, RecursionError):
        return text, msgspec.json.encode(text).decode()


def words(content: Any) -> str:
    """The text of a content in its forms: text, or parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "\n".join(text for text in texts if isinstance(text, str))


def attachments(content: Any) -> list[dict[str, Any]]:
    """Parts that are no text, without their data."""
    found = []
    for part in content if isinstance(content, list) else ():
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind not in ("text", "think"):
            inner = part.get(kind) if isinstance(part.get(kind), dict) else part
            url = inner.get("url") if isinstance(inner, dict) else None
            found.append({"type": kind, **_linked(url if isinstance(url, str) else "")})
    return [{key: value for key, value in row.items() if value is not None} for row in found]


def _linked(url: str) -> dict[str, Any]:
    """A data URL's type and size, or the address itself."""
    if not url.startswith("data:"):
        return {"name": url or None}
    head, _, data = url.partition(",")
    return {"media_type": head[5:].partition(";")[0], "bytes": len(data) * 3 // 4}
