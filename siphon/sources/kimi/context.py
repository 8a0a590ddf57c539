"""context.jsonl, the model's history: read only where no wire tells the session.

It has no times. Before a compaction it was set aside as `context_1.jsonl`, `context_2.jsonl`: these are
read first, in their order.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from siphon.lines import Line
from siphon.log import Log
from siphon.records import Record
from siphon.sources._decode import entries
from siphon.sources._tally import tallies
from siphon.sources._text import text_of
from siphon.sources._transcript import Transcript
from siphon.sources.kimi.about import Place, session
from siphon.sources.kimi.lines import ContextLine
from siphon.sources.kimi.skips import SKIPS
from siphon.sources.kimi.turns import Outcome, Turns, words

_LINE = msgspec.json.Decoder(ContextLine, strict=False)
READ = frozenset({"context/user", "context/assistant", "context/tool"})
_ROTATED = re.compile(r"context_(\d+)\.jsonl")


def parse(log: Log, at: Place, times: Iterator[int]) -> Iterator[Record]:
    """All records; `times` are those of a wire that tells nothing else."""
    types: Counter[str] = Counter()
    turns = Turns(Transcript(at.native_id), at.agent is not None)
    for part in _parts(log):
        for line, entry in entries(part, _LINE):
            types[f"context/{entry.role}"] += 1
            _read(turns, line, entry)
        if part is not log:
            _unplaced(turns.lines)
    for ts in times:
        turns.lines.saw(ts)
    if types:
        yield session(log, at, turns.lines, None)
        yield from turns.lines.records()
    yield from tallies(types, READ, SKIPS)


def _unplaced(lines: Transcript) -> None:
    """These rows lie in another file than the log: no offset leads to them."""
    for row in list(lines.rows.values()):
        lines.put(row._replace(offset=None, length=None))


def _parts(log: Log) -> Iterator[Log]:
    if log.name == "context.jsonl":
        found = [
            path for path in log.glob("context_*.jsonl") if _ROTATED.fullmatch(path.rpartition("/")[2])
        ]
        for path in sorted(found, key=_number):
            if (part := log.at(path)) is not None:
                yield part
    yield log


def _number(path: str) -> int:
    found = _ROTATED.fullmatch(path.rpartition("/")[2])
    return int(found[1]) if found else 0


def _read(turns: Turns, line: Line, entry: ContextLine) -> None:
    if entry.role == "user":
        turns.prompt(line, None, entry.content)
    elif entry.role == "assistant":
        turns.begin()
        for part in entry.content if isinstance(entry.content, list) else [entry.content]:
            thinks = text_of(part, "type") == "think"
            turns.part(
                line,
                None,
                "thinking" if thinks else "reply",
                text_of(part, "think") if thinks else words(part),
            )
        for call in entry.tool_calls if isinstance(entry.tool_calls, list) else ():
            _call(turns, line, call)
    elif entry.role == "tool":
        turns.result(line, None, entry.tool_call_id, Outcome(words(entry.content)))


def _call(turns: Turns, line: Line, call: Any) -> None:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict) and (name := text_of(function, "name")):
        turns.call(line, None, text_of(call, "id"), name, function.get("arguments") or "")
