"""What a session was billed for. Copilot CLI states it at three places that repeat each other.

1. `assistant.usage`, one a request, where it is persisted: then nothing else counts.
2. `session.shutdown` (and newer `session.usage_checkpoint`): totals by model. They are one aggregate
   request for each process run and model; subagents are inside.
3. `outputTokens` of each `assistant.message`: all there is of a run that never shut down. Such requests
   are incomplete: their input is not known.

Totals of a second shutdown either start anew or go on; `_goes_on` tells which. AI units (`nanoAiu`)
always go on: 10⁹ are one unit of $0.01.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from siphon.log import Log
from siphon.records import Request
from siphon.sources.copilot_cli.events import CallUsage, Detail, Metric, Totals, Usage

_NANOAIU_PER_NANOUSD = 100


class Classes(NamedTuple):
    """Disjoint token counts, and AI units; each None where the log does not say."""

    input: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output: int | None = None
    reasoning: int | None = None
    nano_aiu: float | None = None

    def minus(self, other: "Classes") -> "Classes":
        """What was used since."""
        return Classes(
            _less(self.input, other.input),
            _less(self.cache_read, other.cache_read),
            _less(self.cache_write, other.cache_write),
            _less(self.output, other.output),
            _less(self.reasoning, other.reasoning),
            None if self.nano_aiu is None else max(0.0, self.nano_aiu - (other.nano_aiu or 0)),
        )


def _less(total: int | None, before: int | None) -> int | None:
    return None if total is None else max(0, total - (before or 0))


class Run(NamedTuple):
    """Totals at one point of the log."""

    by_model: dict[str, Classes]
    nano_aiu: float | None
    id: str
    ts: int | None
    offset: int
    length: int
    seq: int


@dataclass
class Ledger:
    """Everything about usage that a log holds, in its order."""

    calls: list[Request] = field(default_factory=list)  # of assistant.usage
    responses: dict[str, Request] = field(default_factory=dict)  # output tokens only, by native id
    compactions: list[Request] = field(default_factory=list)
    tools: list[Request] = field(default_factory=list)  # separately metered tool calls
    runs: list[Run] = field(default_factory=list)
    resumable: bool = False  # newer versions rebuild their totals when they resume

    def requests(self, log: Log, session: str) -> Iterator[Request]:
        """What to count: each token once."""
        yield from self.tools
        if self.calls:
            yield from self.calls
            return
        aiu, before = 0.0, None
        for run in self.runs:
            if run.by_model:
                goes_on = before is not None and self._goes_on(log, before, run)
                yield from _aggregates(session, run, before if goes_on else None, aiu)
                before, aiu = run, run.nano_aiu or aiu
        end = -1 if before is None else before.offset
        yield from (response for response in self.responses.values() if _after(response, end))
        yield from self._crashed(session, end, aiu)

    def _crashed(self, session: str, end: int, aiu: float) -> Iterator[Request]:
        """After the last totals: the compactions, and the cost that a later checkpoint knows."""
        later = [run for run in self.runs if run.offset > end and not run.by_model]
        known = later[-1] if later else None
        for compaction in self.compactions:
            if _after(compaction, end):
                apart = known is None or _after(compaction, known.offset)
                yield compaction if apart else compaction._replace(reported_nanousd=None)
        if known is not None:
            yield from _cost_alone(session, known, aiu, incomplete=True)

    def _goes_on(self, log: Log, before: Run, run: Run) -> bool:
        """Whether a run's totals include those before it.

        The output of the responses decides where it matches exactly; else checkpoints do, which exist so
        that a resumed process can go on; a total that fell has started anew.
        """
        grown = all(not _fell(old, run.by_model.get(model)) for model, old in before.by_model.items())
        total = sum(classes.output or 0 for classes in run.by_model.values())
        if total == self._output(before.offset, run.offset):
            return False
        if not grown or total == self._output(-1, run.offset):
            return grown
        if not self.resumable:
            log.problem(
                f"ambiguous: totals of {run.id} may include those of {before.id}", offset=run.offset
            )
        return self.resumable

    def _output(self, start: int, end: int) -> int:
        """Tokens of the responses between two offsets."""
        between = (r for r in self.responses.values() if _after(r, start) and not _after(r, end))
        return sum(response.output_tokens or 0 for response in between)


def _after(request: Request, offset: int) -> bool:
    return request.offset is not None and request.offset > offset


def _fell(old: Classes, new: Classes | None) -> bool:
    return new is None or any((b or 0) < (a or 0) for a, b in zip(old[:4], new[:4], strict=True))


def _aggregates(session: str, run: Run, before: Run | None, aiu: float) -> Iterator[Request]:
    """One request for each model; the run's cost is its only model's, else it stands alone."""
    for model, classes in run.by_model.items():
        if before is not None:
            classes = classes.minus(before.by_model.get(model, Classes()))
        if classes.nano_aiu is None and run.nano_aiu and len(run.by_model) == 1:
            classes = classes._replace(nano_aiu=run.nano_aiu - aiu)
        yield request(session, f"{session}/{run.id}/{model}", run.seq, classes)._replace(
            model=model or None, ts=run.ts, aggregate=True, offset=run.offset, length=run.length
        )
    if len(run.by_model) > 1 and all(classes.nano_aiu is None for classes in run.by_model.values()):
        yield from _cost_alone(session, run, aiu)


def _cost_alone(session: str, run: Run, aiu: float, incomplete: bool = False) -> Iterator[Request]:
    """The cost since the last one, where the log does not say which tokens of which model it was for."""
    if (run.nano_aiu or 0) > aiu:
        yield Request(
            session,
            f"{session}/{run.id}",
            run.seq,
            ts=run.ts,
            incomplete=incomplete,
            aggregate=True,
            reported_nanousd=nanousd((run.nano_aiu or 0) - aiu),
            offset=run.offset,
            length=run.length,
        )


def by_model(totals: Totals) -> dict[str, Classes]:
    """The totals of each model, {} where the event has none."""
    metrics = dict(totals.model_metrics or {})
    if not any(metric.usage for metric in metrics.values()) and totals.provider_model_metrics:
        metrics = {}
        for row in totals.provider_model_metrics:
            if row.metrics is not None:
                metrics[row.model_id or ""] = row.metrics
    found = {
        model: _of_metric(metric)
        for model, metric in metrics.items()
        if metric.usage or metric.token_details
    }
    if not found and totals.token_details:
        only = next(iter(metrics), None) if len(metrics) == 1 else totals.current_model
        found = {only or "": disjoint(None, _counts(totals.token_details))}
    return found


def _of_metric(metric: Metric) -> Classes:
    details = _counts(metric.token_details or {})
    return disjoint(metric.usage, details)._replace(nano_aiu=metric.total_nano_aiu)


def _counts(details: Mapping[str, Detail]) -> dict[str, int]:
    return {
        name: detail.token_count for name, detail in details.items() if detail.token_count is not None
    }


def of_call(usage: CallUsage) -> Classes:
    """Of one request."""
    billed = usage.copilot_usage
    details = billed.token_details or [] if billed else []
    counts = {
        row.token_type: row.token_count
        for row in details
        if row.token_type and row.token_count is not None
    }
    return disjoint(usage, counts)._replace(nano_aiu=billed.total_nano_aiu if billed else None)


def disjoint(usage: Usage | CallUsage | None, details: Mapping[str, int]) -> Classes:
    """Input without its cached parts; details are disjoint already and tell cache writes more truly."""
    if usage is None:
        usage = Usage()
    read = details.get("cache_read", usage.cache_read_tokens)
    write = details.get("cache_write", usage.cache_write_tokens)
    fresh = usage.input_tokens
    if fresh is not None:
        fresh = max(0, fresh - (read or 0) - (write or 0))
    return Classes(
        input=details.get("input", fresh),
        cache_read=read,
        cache_write=write,
        output=details.get("output", usage.output_tokens),
        reasoning=usage.reasoning_tokens,
    )


def request(session: str, native_id: str | None, seq: int, classes: Classes) -> Request:
    """A request of these token counts."""
    return Request(
        session,
        native_id,
        seq,
        input_tokens=classes.input,
        cache_read_tokens=classes.cache_read,
        cache_write_tokens=classes.cache_write,
        output_tokens=classes.output,
        reasoning_tokens=classes.reasoning,
        reported_nanousd=nanousd(classes.nano_aiu),
    )


def nanousd(nano_aiu: float | None) -> int | None:
    """Zero units mean a subscription, not a price of nothing: None."""
    return round(nano_aiu / _NANOAIU_PER_NANOUSD) if nano_aiu and 0 < nano_aiu < 1e18 else None
