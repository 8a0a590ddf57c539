"""Billed responses: one a step. A message's own tokens are those of its last step only."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from siphon.records import Request
from siphon.sources._loose import count, mapping, nanousd
from siphon.sources.opencode.shapes import Part, Turn, models

_OUTPUT = ("text", "reasoning", "tool")


class Step(NamedTuple):
    """What one model response gave; without `finish` its usage never came, or is the message's."""

    native_id: str
    parts: Sequence[Part]
    finish: Part | None


def steps(turn: Turn, key: str) -> list[Step]:
    """An assistant's message cut at its step-finish parts; `key` names what has none."""
    found, open_parts = [], list[Part]()
    for part in turn.parts:
        open_parts.append(part)
        if part.info.type == "step-finish":
            found.append(Step(part.key, open_parts, part))
            open_parts = []
    if open_parts or not found:
        found.append(Step(key, open_parts, None))
    return found


class Tokens(NamedTuple):
    """Disjoint classes; output holds reasoning."""

    fresh: int | None = None
    read: int | None = None
    write: int | None = None
    output: int | None = None
    reasoning: int | None = None


def request(session: str, turn: Turn, step: Step, seq: int, ts: int | None) -> Request | None:
    """The step's request; None if the model was never heard of."""
    alone = not any(_finishes(turn))
    tokens = _tokens(step.finish.info.tokens if step.finish else turn.info.tokens if alone else None)
    if step.finish is None and not any(tokens):
        if not any(part.info.type in _OUTPUT for part in step.parts):
            return None
        tokens = Tokens()  # the writer's zeros until the end of the step
    model, provider = models(turn.info)
    return Request(
        session=session,
        native_id=step.native_id,
        seq=seq,
        model=model,
        ts=ts,
        input_tokens=tokens.fresh,
        cache_read_tokens=tokens.read,
        cache_write_tokens=tokens.write,
        output_tokens=tokens.output,
        reasoning_tokens=tokens.reasoning,
        reported_nanousd=_cost(turn, step, alone),
        incomplete=tokens == Tokens(),
        provider=provider,
        offset=step.finish.offset if step.finish else None,
        length=step.finish.length if step.finish else None,
    )


def _tokens(told: Any) -> Tokens:
    """The log keeps reasoning beside output or, where the total says so, inside."""
    tokens = mapping(told)
    cache = mapping(tokens.get("cache"))
    read, write = count(cache.get("read")), count(cache.get("write"))
    fresh, output = count(tokens.get("input")), count(tokens.get("output"))
    reasoning, total = count(tokens.get("reasoning")), count(tokens.get("total"))
    inside = total is not None and total == sum(n or 0 for n in (fresh, output, read, write))
    beside = 0 if inside else reasoning or 0
    return Tokens(fresh, read, write, None if output is None else output + beside, reasoning)


def _cost(turn: Turn, step: Step, alone: bool) -> int | None:
    """The step's cost, else on the last step the message's; 0 means that the tool does not know it."""
    if alone:
        return nanousd(turn.info.cost) or None
    costs = [nanousd(part.info.cost) or 0 for part in _finishes(turn)]
    if step.finish is None:
        return None
    if any(costs):
        return nanousd(step.finish.info.cost) or None
    last = list(_finishes(turn))[-1]
    return (nanousd(turn.info.cost) or None) if last is step.finish else None


def _finishes(turn: Turn) -> Iterator[Part]:
    return (part for part in turn.parts if part.info.type == "step-finish")
