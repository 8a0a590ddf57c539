"""Factory Droid: ~/.factory/sessions/-<cwd, slashes as dashes>/<uuid>.jsonl, one event a line, appended.

Beside it `<uuid>.settings.json`: model and the session's token totals, written anew after each turn. In
the oldest layout both lie in sessions/ itself; of one session in both, the longer file is read.

The log does not say: tokens of single requests, their models, branch, cost. Totals may fall when a
session is resumed; what they were before is in the archive's older generations only.
Evidence: the vendor's droid-sdk 0.5.0 (session discovery, token totals) and other readers; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.factory_droid.skips import SKIPS

parse = later("siphon.sources.factory_droid.logs", "parse")
recognise = later("siphon.sources.factory_droid.logs", "recognise")


def resume(native_id: str) -> str | None:
    """Reopens by id."""
    return f"droid --resume {native_id}"


SOURCES = (
    Source(
        name="factory_droid",
        title="Factory Droid",
        globs=(".factory/sessions/-*/*.jsonl", ".factory/sessions/*.jsonl"),
        parse=parse,
        beside=(".factory/sessions/-*/*.settings.json", ".factory/sessions/*.settings.json"),
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence="vendor's droid-sdk 0.5.0 (session discovery, token totals), other readers, 2026-11-21",
        gaps="tokens and models of single requests (only the session's totals), git, version, cost",
    ),
)
