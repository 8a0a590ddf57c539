"""The rows a parser yields. Field by field they become the tables' columns (schema.sql).

Conventions, for every record:
- `session` is the session's native id within its source, as in `Session.native_id`.
- `seq` orders all messages *and* tool calls of one session together (shared counter, rising, unique
  among the messages and among the tool calls of a session); it follows the log's order, not its clock.
- `ts` and other times are integer UTC milliseconds; `offset` and `length` are bytes of the log
  (of its decompressed bytes, where it is compressed) and lead back to the raw record.
- None means the log does not say; 0 means that it says zero.
"""

from typing import Literal, NamedTuple

Role = Literal["user", "assistant", "system", "tool"]
MessageKind = Literal[
    "prompt",  # what a person typed (or queued) for the model
    "reply",  # what the model said
    "thinking",
    "tool_result",  # only a result whose call is in no log; else the text is ToolCall.output
    "notice",  # harness to model or user: hooks, reminders, task notifications, interruptions
    "command",  # slash command or user shell command, and what it printed
    "summary",  # compaction summaries, recaps
    "error",  # API errors and the like
    "meta",  # kept for completeness, hidden by default: injected context, environment, caveats
]
ToolKind = Literal["read", "edit", "write", "shell", "search", "web", "agent", "mcp", "plan", "other"]
Status = Literal["ok", "error", "rejected", "interrupted", "pending"]
Action = Literal["read", "edit", "write", "delete", "search"]
RelationKind = Literal["subagent", "fork", "continuation", "compaction", "copy"]
SessionKind = Literal["main", "subagent", "internal", "probe"]
Fate = Literal["read", "skipped", "unknown"]


class Session(NamedTuple):
    """One session as one log tells it; yielded once per (log, native_id), at any point."""

    native_id: str
    title: str | None = None
    project: str | None = None  # folder that names the project: cwd, worktrees mapped back
    cwd: str | None = None
    git_branch: str | None = None
    git_repo: str | None = None  # as logged; the loader normalises it
    version: str | None = None  # of the tool, last one seen
    started_at: int | None = None
    ended_at: int | None = None
    kind: SessionKind = "main"
    entrypoint: str | None = None  # cli, vscode, exec, sdk …, as logged
    partial: bool = False  # known only from sightings in another session's log
    agent: str | None = None  # subagent's type or nickname


class Message(NamedTuple):
    """One block of text. A model response of three blocks is three messages with one `request`."""

    session: str
    seq: int
    role: Role
    kind: MessageKind
    text: str | None
    ts: int | None = None
    native_id: str | None = None  # unique within the source, copies excepted
    parent_native_id: str | None = None
    model: str | None = None
    request: str | None = None  # native id of the request that produced it
    abandoned: bool = False  # rewound or rolled back: not on the way to the last leaf
    attachments: str | None = None  # JSON [{type, media_type, bytes}], without the data
    offset: int | None = None
    length: int | None = None


class ToolCall(NamedTuple):
    """One tool call with its result, wherever in the log the result lies."""

    session: str
    seq: int
    name: str
    kind: ToolKind
    native_id: str | None = None
    message_seq: int | None = None  # the message of the same response that it followed, if any
    summary: str | None = None  # one line: the command, path, query or description
    input: str | None = None  # valid JSON text
    output: str | None = None  # text; the loader cuts the middle out of what exceeds 256 KiB
    output_bytes: int | None = None  # UTF-8 bytes of the whole output
    status: Status = "pending"
    exit_code: int | None = None
    ts: int | None = None
    duration_ms: int | None = None
    lines_added: int | None = None
    lines_removed: int | None = None
    request: str | None = None
    abandoned: bool = False
    offset: int | None = None
    length: int | None = None
    result_offset: int | None = None
    result_length: int | None = None


class FileTouch(NamedTuple):
    """A file that a tool call read or changed."""

    session: str
    call_seq: int  # ToolCall.seq
    path: str
    action: Action
    lines_added: int | None = None
    lines_removed: int | None = None


class Request(NamedTuple):
    """One billed model response; token classes are disjoint, output includes reasoning.

    Within one (log, session) a native id is yielded once, usage the field-wise maximum of its lines,
    ts that of its first line. Copies in other logs are the loader's matter.
    """

    session: str
    native_id: str | None  # the provider's response id, else the record's; None: identified by seq
    seq: int  # of its first message or call; identifies it where native_id is None
    model: str | None = None
    ts: int | None = None
    input_tokens: int | None = None  # uncached
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None  # 5 minutes, or where the log does not tell
    cache_write_1h_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None  # memo, inside output
    web_searches: int | None = None
    reported_nanousd: int | None = None  # the tool's own cost
    incomplete: bool = False  # the final usage never came
    nested: bool = False  # a sighting inside another session's log: owns only if nothing else does
    aggregate: bool = False  # sums several requests: no price bands
    tier: str | None = None  # fast, batch, priority, flex; None = standard
    geo: str | None = None  # us, where a surcharge applies
    provider: str | None = None  # only where the log names who billed it
    offset: int | None = None
    length: int | None = None


class Relation(NamedTuple):
    """`session` comes from `target`: its subagent, fork, continuation, compaction or copy."""

    session: str
    kind: RelationKind
    target_native_id: str  # a session's native id within the same source
    call_native_id: str | None = None  # the tool call in the target that started it


class Problem(NamedTuple):
    """A part of a log that could not be read, and where."""

    what: str
    line: int | None = None  # 1-based
    offset: int | None = None  # bytes


class Tally(NamedTuple):
    """How many records of one type a log holds, and what became of them."""

    type: str  # e.g. "assistant", "system/turn_duration", "attachment/file"
    fate: Fate
    n: int


Record = Session | Message | ToolCall | FileTouch | Request | Relation | Problem | Tally
