"""The one usage row of a session: Droid keeps running totals of the session, nothing of its requests."""

import re

import msgspec

from siphon.log import Log
from siphon.records import Request
from siphon.sources._decode import document
from siphon.sources.factory_droid.lines import Settings, TokenUsage
from siphon.times import millis

_SETTINGS = msgspec.json.Decoder(Settings, strict=False)


def settings(log: Log) -> Settings | None:
    """What the settings beside the session say; None: there are none, or none that can be read."""
    beside = log.near(f"{log.stem}.settings.json")
    found = document(beside, _SETTINGS) if beside is not None else None
    return found[1] if found else None


def request(session: str, known: Settings, seq: int, ended_at: int | None) -> Request | None:
    """The session's total; the file does not say when or by which requests it was used."""
    usage = known.token_usage
    if usage is None:
        return None
    return Request(
        session,
        f"{session}/usage",
        seq,
        model=model(known.model),
        ts=millis(known.provider_lock_timestamp) or ended_at,
        input_tokens=usage.input_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_creation_tokens,
        output_tokens=_output(known, usage),
        reasoning_tokens=usage.thinking_tokens,
        aggregate=True,
        provider=known.provider_lock,
    )


def _output(known: Settings, usage: TokenUsage) -> int | None:
    """Anthropic counts thinking inside output; for the others Droid counts it beside."""
    thinking, output = usage.thinking_tokens or 0, usage.output_tokens
    anthropic = known.provider_lock == "anthropic" or (model(known.model) or "").startswith("claude")
    if output is None or (anthropic and thinking <= output):
        return output
    return output + thinking


def model(name: str | None) -> str | None:
    """A custom model's name as its vendor writes it: `custom:Claude Opus 4.5 [Anthropic]-0`."""
    if not name or not name.startswith("custom:"):
        return name or None
    plain = re.sub(r"-\d+$", "", name.removeprefix("custom:"))
    plain = re.sub(r"\s*\[[^\]]*\]\s*$", "", plain).strip().lower().replace(" ", "-").strip("-")
    return (re.sub(r"(?<=\d)\.(?=\d)", "-", plain) if plain.startswith("claude") else plain) or None
