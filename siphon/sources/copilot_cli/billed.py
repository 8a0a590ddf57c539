"""Events that state usage; what counts of them is decided in usage.py."""

import msgspec

from siphon.sources._decode import typed
from siphon.sources.copilot_cli.events import CallUsage, Compaction, Totals
from siphon.sources.copilot_cli.state import At, Reading, placed
from siphon.sources.copilot_cli.usage import Run, by_model, of_call, request

_COMPACTION = msgspec.json.Decoder(Compaction, strict=False)
_USAGE = msgspec.json.Decoder(CallUsage, strict=False)
_TOTALS = msgspec.json.Decoder(Totals, strict=False)


def compacted(reading: Reading, at: At, data: msgspec.Raw) -> None:
    done = typed(reading.log, data, _COMPACTION, at.line)
    if done is None:
        return
    response = reading.own(done.request_id) or at.id
    error = done.error if isinstance(done.error, str) else None
    seq = reading.say(at, "system", "summary", done.summary_content, request=response)
    seq = seq if seq is not None else reading.say(at, "system", "error", error)
    if done.compaction_tokens_used is not None:
        used = done.compaction_tokens_used
        lines = reading.transcript(at.agent)
        billed = request(lines.native_id, response, lines.last if seq is None else seq, of_call(used))
        reading.ledger.compactions.append(placed(billed, at, used.model or reading.model))


def usage(reading: Reading, at: At, data: msgspec.Raw) -> None:
    used = typed(reading.log, data, _USAGE, at.line)
    if used is None:
        return
    lines = reading.transcript(at.agent or used.parent_tool_call_id)
    own = used.api_call_id or (used.accounting.usage_id if used.accounting else None)
    response = reading.own(own) or at.id
    billed = request(lines.native_id, response, max(0, lines.last), of_call(used))
    reading.ledger.calls.append(placed(billed, at, used.model or reading.model))


def totals(reading: Reading, at: At, data: msgspec.Raw) -> None:
    found = typed(reading.log, data, _TOTALS, at.line)
    if found is None:
        return
    checkpoint = found.model_metrics is None
    reading.ledger.resumable |= checkpoint or bool(found.usage_accounting_watermarks)
    reading.ledger.runs.append(
        Run(
            by_model(found),
            found.total_nano_aiu,
            at.id or f"totals@{at.line.offset}",
            at.ts,
            at.line.offset,
            len(at.line.data),
            max(0, reading.main.last),
        )
    )
