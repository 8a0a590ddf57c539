"""`toolUseResult`: the harness's own view of a tool's result, beside the text that the model got."""

from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from siphon.sources._diff import Lines
from siphon.sources._loose import count, integer, number

NOTHING = msgspec.Raw(b"")


class Outcome(msgspec.Struct, gc=False, rename="camel"):
    """What is read of it. Its shape is the tool's, and an MCP server's own structure may use the same
    names for other things: so each field is checked where it is read."""

    type: Any = None
    status: Any = None
    agent_id: Any = None
    interrupted: Any = None
    duration_ms: Any = None
    total_duration_ms: Any = None
    duration_seconds: Any = None
    structured_patch: msgspec.Raw = NOTHING
    search_count: Any = None
    results: msgspec.Raw = NOTHING
    exit_code: Any = None
    task: msgspec.Raw = NOTHING
    persisted_output_path: Any = None
    persisted_output_size: Any = None


Extra = Outcome | str | list[msgspec.Raw] | int | float | bool | None
"""A tool that failed leaves a text in its place; an MCP tool its content."""


class _Hunk(msgspec.Struct, gc=False):
    lines: list[str] = []


class _Task(msgspec.Struct, gc=False, rename="camel"):
    exit_code: Any = None


class _Found(msgspec.Struct, gc=False):
    tool_use_id: Any = None


_SIGN = itemgetter(slice(1))  # what a patch's row begins with
_RAW = ("structured_patch", "results", "task")
_PATCH = msgspec.json.Decoder(list[_Hunk])
_TASK = msgspec.json.Decoder(_Task)
_RESULTS = msgspec.json.Decoder(list[_Found | str | int | float | bool | None])


def copied(extra: Extra) -> Extra:
    """The same, no longer holding the bytes of its whole line."""
    if not isinstance(extra, Outcome):
        return extra if isinstance(extra, str) else None
    raw = {name: msgspec.Raw(bytes(getattr(extra, name))) for name in _RAW}
    return msgspec.structs.replace(extra, **raw)


def agent_of(extra: Extra) -> str | None:
    """The agent that a call started."""
    agent = extra.agent_id if isinstance(extra, Outcome) else None
    return agent if isinstance(agent, str) else None


class Measures(NamedTuple):
    """What a tool states of its run; None: it does not."""

    size: int | None  # bytes of an output that was too long for the line
    exit_code: int | None  # of a background shell, or of the task that was asked about
    duration_ms: int | None


def measures(outcome: Outcome) -> Measures | None:
    """None: it states nothing, as most do."""
    size, code = outcome.persisted_output_size, outcome.exit_code
    timeless = outcome.duration_ms is outcome.total_duration_ms is outcome.duration_seconds is None
    if timeless and size is code is None and not outcome.task:
        return None
    return Measures(
        None if size is None else count(size) or None,
        integer(code) if code is not None else _of_task(outcome.task) if outcome.task else None,
        None if timeless else _duration_ms(outcome),
    )


def _duration_ms(outcome: Outcome) -> int | None:
    for value, unit in (
        (outcome.duration_ms, 1),
        (outcome.total_duration_ms, 1),
        (outcome.duration_seconds, 1000),
    ):
        stated = number(value)
        if stated is not None and 0 <= stated < 1e12:
            return round(stated * unit)
    return None


def _of_task(task: msgspec.Raw) -> int | None:
    try:
        return integer(_TASK.decode(task).exit_code)
    except msgspec.DecodeError:
        return None


def patched(outcome: Outcome) -> Lines | None:
    """Lines added and removed by the change that was made; None: the outcome holds no patch."""
    if not outcome.structured_patch:
        return None
    try:
        hunks = _PATCH.decode(outcome.structured_patch)
    except msgspec.DecodeError:
        return None
    signs = "".join(map(_SIGN, chain.from_iterable([hunk.lines for hunk in hunks])))
    return Lines(signs.count("+"), signs.count("-")) if any(hunk.lines for hunk in hunks) else None


def searches(outcome: Outcome) -> int:
    """How many web searches a WebSearch call made; each has an own entry among its results."""
    stated = count(outcome.search_count)
    if stated is not None:
        return stated
    try:
        found = _RESULTS.decode(outcome.results)
    except msgspec.DecodeError:
        return 0
    return sum(1 for one in found if isinstance(one, _Found) and one.tool_use_id)
