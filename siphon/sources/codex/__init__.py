"""Codex CLI, `codex exec`, IDE extension and desktop app; TraeX, which writes the same files.

Logs: ~/.codex/sessions/YYYY/MM/DD/rollout-<local time>-<thread id>.jsonl, one event a line; `.zst`
beside or instead of it once compressed; moved to ~/.codex/archived_sessions when archived. Before
September 2025 flat below sessions/, without envelope, and before that one `.json` document.

One log holds one session: a session_meta, then response items (what the model saw) and events (what the
user saw) interleaved, each text in both. Usage comes as running totals. A fork, and a subagent given its
parent's history, begin with a copy of the parent's lines: that copy is left out where the parent's log
is held, and where it is not, it is told as a partial sighting of the parent, whose requests are nested.

Ids. Requests have none in these logs: `<turn id>:<running input + output tokens>` is the same in every
copy of the line, on every host and in every fork, and differs for what a fork did itself. Where a turn
has no UUID (before 2026) the thread's id stands for it. A `~2` follows where a total returns after a
reset. Messages have the item's id where one is logged, calls their call id; short ones are made unique
by the thread's.

Evidence: formats/codex.md; the persistence policy and fragment markers of openai/codex's rollout and
core crates; 19 real logs of 0.40 (2025-09) to 0.146 (2026-08). Checked 2026-11-21. TraeX's folder: four
independent readers name ~/.trae/cli; none of its logs was seen.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from siphon.log import Log
from siphon.records import Record, Tally
from siphon.source import Source
from siphon.sources._decode import head
from siphon.sources._loose import mapping, stamp, text
from siphon.sources.codex.reader import records
from siphon.sources.codex.skips import SKIPS
from siphon.sources.codex.twins import chosen


def parse(log: Log) -> Iterator[Record]:
    """The session of a log; of a log whose twin is read instead only a tally."""
    if not chosen(log):
        yield Tally("twin", "skipped", 1)
        return
    yield from records(log)


def resume(native_id: str) -> str | None:
    """The command that reopens a session."""
    return f"codex resume {native_id}"


_NAMED = re.compile(r"rollout-(\d{4})-(\d\d)-(\d\d)T\d\d-\d\d-\d\d-.+\.jsonl(\.zst)?")
_WRAPPED = ("session_meta", "response_item", "event_msg", "turn_context")


def recognise(log: Log) -> str | None:
    """Where a loose rollout would lie: by its name, else by its session_meta's id and time."""
    first = next(iter(head(log, 1)), {})
    if isinstance(first.get("session"), dict) and isinstance(first.get("items"), list):
        return f".codex/sessions/{log.name}" if log.name.endswith(".json") else None
    payload = mapping(first.get("payload"))
    if first.get("type") in _WRAPPED and payload:
        meta = payload if first["type"] == "session_meta" else {}
    elif "type" not in first and {"id", "timestamp", "instructions"} <= first.keys():
        meta = first
    else:
        return None
    named = _NAMED.fullmatch(log.name)
    if named:
        return f".codex/sessions/{named[1]}/{named[2]}/{named[3]}/{log.name}"
    return _place(text(meta.get("id")), stamp(meta.get("timestamp")), log.path.endswith(".zst"))


def _place(native_id: str | None, began: int | None, compressed: bool) -> str | None:
    if native_id is None or "/" in native_id or began is None:
        return None
    try:
        moment = datetime.fromtimestamp(began / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    suffix = ".jsonl.zst" if compressed else ".jsonl"
    return f".codex/sessions/{moment:%Y/%m/%d}/rollout-{moment:%Y-%m-%dT%H-%M-%S}-{native_id}{suffix}"


EVIDENCE = "writer's protocol and rollout crates; real logs of 0.40 to 0.146; checked 2026-11-21"

SOURCES = (
    Source(
        name="codex",
        title="Codex",
        globs=(
            ".codex/sessions/**/rollout-*.jsonl{,.zst}",
            ".codex/archived_sessions/**/rollout-*.jsonl{,.zst}",
            ".codex/sessions/rollout-*.json",
        ),
        beside=(".codex/session_index.jsonl",),
        parse=parse,
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence=EVIDENCE,
    ),
    Source(
        name="traex",
        title="TraeX",
        globs=(
            ".trae/cli/sessions/**/rollout-*.jsonl{,.zst}",
            ".trae/cli/archived_sessions/**/rollout-*.jsonl{,.zst}",
        ),
        beside=(".trae/cli/session_index.jsonl",),
        parse=parse,
        skips=SKIPS,
        evidence="Codex's format; its folder by independent readers, no log of it seen; 2026-11-21",
    ),
)
