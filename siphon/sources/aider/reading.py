"""Runs → sessions."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from siphon.log import Log
from siphon.records import (
    FileTouch,
    Message,
    MessageKind,
    Record,
    Request,
    Role,
    Session,
    Tally,
    ToolCall,
)
from siphon.sources._loose import as_json, one_line
from siphon.sources.aider import says
from siphon.sources.aider.blocks import Block, Run, blocks, rows, runs
from siphon.sources.aider.edits import Edit, edits
from siphon.sources.aider.skips import SKIPS
from siphon.sources.aider.times import Times
from siphon.times import millis

_ASKING = re.compile(r"/(?:ask|code|architect|context|help)\s+(\S.*)", re.DOTALL)
_HELP = re.compile(r"# Question: .*\n\n# Relevant docs:", re.DOTALL)  # what /help asks the model
# Sent back to the model by aider, in the user's name.
_SENT_BACK = ("# Fix any errors below", "I ran this command:", "The LLM did not conform")


@dataclass(slots=True)
class Reading:
    """One run, while its blocks are read in order."""

    session: str
    times: Times
    ts: int | None  # the last time named
    last_seq: int = 0
    last_key: int = 0  # of requests
    version: str | None = None
    model: str | None = None
    architect: bool = False
    asked: str | None = None  # what /ask and its like pass on
    begun: bool = False  # whether the user has said something
    title: str | None = None
    answers: int = 0  # Tokens lines since the last prompt
    request: str | None = None
    edits: dict[str, Edit] = field(default_factory=dict)  # of the last answer
    message_seq: int | None = None
    known: Counter[str] = field(default_factory=Counter)

    def records(self, run: Run) -> Iterator[Record]:
        for block in blocks(run):
            self.known[block.speaker] += 1
            if block.speaker == "user":
                yield from self._user(block)
            elif block.speaker == "model":
                yield from self._model(block)
            else:
                yield from self._aider(block)

    def _message(self, block: Block, role: Role, kind: MessageKind, text: str) -> Message:
        self.last_seq += 1
        return Message(
            session=self.session,
            seq=self.last_seq,
            role=role,
            kind=kind,
            text=text,
            ts=self.ts,
            model=self._answering() if role == "assistant" else None,
            request=self.request if role == "assistant" else None,
            offset=block.offset,
            length=block.length,
        )

    def _user(self, block: Block) -> Iterator[Record]:
        words = block.text.strip()
        if self.asked is not None and words == self.asked:
            self.asked = None
            self.known["repeated"] += 1
            return
        if words == "<blank>":
            self.known["blank"] += 1
            return
        self.ts = self.times.of(block.text, self.ts) or self.ts
        passed = _ASKING.fullmatch(words)
        self.asked = passed[1].strip() if passed else None
        self.begun, self.answers = True, 0
        kind: MessageKind = "prompt"
        if words.startswith(_SENT_BACK):
            kind = "notice"
        elif _HELP.match(words):
            kind = "meta"
        elif words.startswith(("/", "!")) and not passed:
            kind = "command"
        if kind == "prompt":
            self.title = self.title or one_line(passed[1] if passed else words)
        self.edits, self.message_seq = {}, None
        self.request = self._next_request()
        yield self._message(block, "user", kind, words)

    def _model(self, block: Block) -> Iterator[Record]:
        self.edits = {**self.edits, **edits(block.text)}
        message = self._message(block, "assistant", "reply", block.text.strip("\n"))
        self.message_seq = message.seq
        yield message

    def _aider(self, block: Block) -> Iterator[Record]:
        said = block.told
        self.version = says.version(said) or self.version
        if named := says.model(said):
            self.model, self.architect = named[0], named[1] == "architect"
        kind: MessageKind = says.kind(said) if self.begun else "meta"
        yield self._message(block, "system", kind, block.text)
        for usage in says.usages(said):
            yield self._request(block, usage)
        for done in says.done(said):
            yield from self._done(block, done)

    def _request(self, block: Block, usage: says.Usage) -> Request:
        request = Request(
            session=self.session,
            native_id=self.request or self._next_request(),
            seq=self.message_seq or self.last_seq,
            model=self._answering(),
            ts=self.ts,
            input_tokens=usage.input,
            cache_read_tokens=usage.cache_read,
            cache_write_tokens=usage.cache_write,
            output_tokens=usage.output,
            reported_nanousd=usage.nanousd,
            offset=block.offset,
            length=block.length,
        )
        self.answers += 1
        self.last_key += 1
        self.request = self._next_request()
        return request

    def _answering(self) -> str | None:
        """The model that answers; after an architect's plan it may be the editor's."""
        return None if self.architect and self.answers else self.model

    def _next_request(self) -> str:
        return f"{self.session}/{self.last_key + 1}"

    def _done(self, block: Block, done: says.Done) -> Iterator[Record]:
        self.last_seq += 1
        call = ToolCall(
            session=self.session,
            seq=self.last_seq,
            name="run" if done.verb == "Running" else "edit",
            kind="shell" if done.verb == "Running" else "edit",
            message_seq=self.message_seq,
            summary=one_line(done.what),
            status="ok",
            ts=self.ts,
            offset=block.offset,
            length=block.length,
        )
        if done.verb == "Running":
            yield call._replace(input=as_json({"command": done.what}))
            return
        edit = self.edits.get(done.what)
        if done.verb == "Creating empty file":
            call = call._replace(name="create", kind="write", input=as_json({"path": done.what}))
        else:
            call = call._replace(
                input=as_json({"path": done.what, "edit": edit.text if edit else None}),
                lines_added=edit.lines.added if edit and edit.lines else None,
                lines_removed=edit.lines.removed if edit and edit.lines else None,
            )
        yield call
        action = "write" if call.kind == "write" else "edit"
        yield FileTouch(call.session, call.seq, done.what, action, call.lines_added, call.lines_removed)  # type: ignore[arg-type]  # one of two literals


def parse(log: Log) -> Iterator[Record]:
    lines, damaged = rows(log.data())
    if damaged:
        log.problem("invalid UTF-8: replaced")
    folder = "/".join(log.parts[:-1])
    times, seen, known = Times(log), Counter[str](), Counter[str]()
    for run in runs(lines):
        if run.header is None and not any(row.text.strip() for row in run.rows):
            continue
        name = f"{folder}@{(run.header or 'start').replace(' ', 'T')}"
        seen[name] += 1
        session = name if seen[name] == 1 else f"{name}.{seen[name]}"
        started = millis(run.header)
        times.begin(started)
        reading = Reading(session, times, started)
        yield from reading.records(run)
        known.update(reading.known)
        known["run"] += 1
        yield _session(reading, folder, started)
    for kind, n in sorted(known.items()):
        yield Tally(kind, "skipped" if kind in SKIPS else "read", n)


def _session(reading: Reading, folder: str, started: int | None) -> Session:
    return Session(
        native_id=reading.session,
        title=reading.title,
        project=folder or None,
        cwd=folder or None,
        version=reading.version,
        started_at=started,
        ended_at=reading.ts,
        kind="main" if reading.title else "probe",
    )


def recognise(log: Log) -> str | None:
    """A chat history has the header of a run, or aider's own marks in the first lines."""
    with log.open() as file:
        head = file.read(1 << 16)
    if not head.startswith(b"# aider chat started at ") and b"\n# aider chat started at " not in head:
        return None
    folder = log.parts[-2] if len(log.parts) > 1 else "aider"
    return f"{folder}/.aider.chat.history.md"
