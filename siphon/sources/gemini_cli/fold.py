"""Folds a chat file: later lines replace, rewind and compress what earlier ones said."""

from collections import Counter
from dataclasses import dataclass, field

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.sources._decode import document, places, typed
from siphon.sources._text import is_json
from siphon.sources.gemini_cli.format import Envelope, Metadata, Tokens

_ENVELOPE = msgspec.json.Decoder(Envelope, strict=False)
_METADATA = msgspec.json.Decoder(Metadata, strict=False)
_TOKENS = msgspec.json.Decoder(Tokens, strict=False)


@dataclass(slots=True)
class Kept:
    """The last version of a message."""

    line: Line
    raw: bytes | msgspec.Raw
    tokens: msgspec.Raw  # empty: none
    live: bool = True
    synthetic: bool = False  # first seen in a checkpoint that replaced other messages
    rewound: bool = False


@dataclass(slots=True)
class Chat:
    """What is known of the session."""

    session_id: str | None = None
    project_hash: str | None = None
    start_time: str | int | float | None = None
    last_updated: str | int | float | None = None
    kind: str | None = None
    summary: str | None = None
    directories: list[str] = field(default_factory=list)

    def update(self, log: Log, found: Metadata) -> None:
        """Take over what a line says; None says nothing."""
        for name in ("session_id", "project_hash", "start_time", "last_updated", "kind", "summary"):
            value = getattr(found, name)
            if isinstance(value, str) or (
                name.startswith(("start", "last")) and type(value) in (int, float)
            ):
                setattr(self, name, value)
            elif value is not None:
                log.problem(f"{name} is {type(value).__name__}, not str: dropped")
        if isinstance(found.directories, list):
            self.directories = [path for path in found.directories if isinstance(path, str)]


@dataclass
class Fold:
    """The state after all lines."""

    log: Log
    metadata: Chat = field(default_factory=Chat)
    messages: dict[str, Kept] = field(default_factory=dict)  # by id, in the order of their first version
    types: Counter[str] = field(default_factory=Counter)

    def add(self, line: Line, envelope: Envelope) -> None:
        """Take one line, or one message of a document."""
        if envelope.rewind_to is not None:
            self.types["$rewindTo"] += 1
            self._rewind(envelope.rewind_to)
        elif isinstance(envelope.id, str) or isinstance(envelope.type, str):
            own = envelope.id if isinstance(envelope.id, str) else f"#{line.number}"
            self.types[envelope.type if isinstance(envelope.type, str) else "(no type)"] += 1
            self._keep(own, line, line.data, envelope.tokens)
        elif bytes(envelope.set):
            self.types["$set"] += 1
            self._set(line, envelope.set)
        elif envelope.session_id is not None or envelope.project_hash is not None:
            self.types["metadata"] += 1
            self._set(line, msgspec.Raw(line.data))
        else:
            self.types["(neither message nor metadata)"] += 1

    def _keep(self, own: str, line: Line, raw: bytes | msgspec.Raw, tokens: msgspec.Raw) -> Kept:
        old = self.messages.get(own)
        if bytes(tokens) in (b"", b"null"):
            tokens = old.tokens if old else msgspec.Raw()
        kept = Kept(line, raw, tokens, synthetic=old.synthetic if old else False)
        self.messages[own] = kept
        return kept

    def _rewind(self, target: object) -> None:
        """Drop a message and all after it; of an unknown id, everything."""
        live = [own for own, kept in self.messages.items() if kept.live]
        start = live.index(target) if isinstance(target, str) and target in live else 0
        for own in live[start:]:
            self.messages[own].live, self.messages[own].rewound = False, True

    def _set(self, line: Line, raw: msgspec.Raw) -> None:
        found = typed(self.log, raw, _METADATA, line)
        if found is None:
            return
        self.metadata.update(self.log, found)
        if found.messages is not None:
            self._replace(line, found.messages)

    def _replace(self, line: Line, messages: list[msgspec.Raw]) -> None:
        """A checkpoint: these are all messages now. The others stay, as what was said before it."""
        before = any(kept.live for kept in self.messages.values())
        for kept in self.messages.values():
            kept.live = False
        for raw in messages:
            envelope = typed(self.log, raw, _ENVELOPE, line)
            if envelope is not None and isinstance(envelope.id, str):
                new = envelope.id not in self.messages
                kept = self._keep(envelope.id, line, raw, envelope.tokens)
                kept.synthetic = kept.synthetic or (new and before)

    def tokens(self, kept: Kept) -> Tokens | None:
        """The last token counts that any version of the message had."""
        return typed(self.log, kept.tokens, _TOKENS, kept.line) if bytes(kept.tokens) else None


def read(log: Log) -> Fold | None:
    """The folded file, an event log or (older) one document, whatever its name; None: unreadable."""
    if log.path.endswith(".json") or not _begins_with_a_line(log):
        found = document(log, _METADATA)
        return None if found is None else _of_document(log, *found)
    fold = Fold(log)
    for line, envelope in log.objects(_ENVELOPE):
        fold.add(line, envelope)
    return fold


def _begins_with_a_line(log: Log) -> bool:
    """False for a document that spans lines."""
    with log.open() as file:
        first = file.readline()
        rest = file.read(1)
    return is_json(first.decode(errors="replace")) or not (rest and first.lstrip().startswith(b"{"))


def _of_document(log: Log, data: bytes, whole: Metadata) -> Fold:
    fold = Fold(log)
    fold.metadata.update(log, whole)
    fold.types["metadata"] += 1
    for line in places(data, whole.messages or ()):
        envelope = typed(log, line.data, _ENVELOPE, line)
        if envelope is not None:
            fold.add(line, envelope)
    return fold
