"""Amp: ~/.local/share/amp/threads/T-<uuid>.json, one document a thread, written anew at each step.

The same on macOS and Windows. Newer versions keep threads on the server; `amp threads export` gives the
same document. Of several files of one thread that with the greatest `v` is read.

The log does not say: when a response without usage came; what oracle, Task and finder used: the sums are
a lower bound. Credits are not dollars and are left out. The names of the relation fields are in doubt.
Evidence: other readers (the writer is closed); 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.amp.skips import SKIPS

parse = later("siphon.sources.amp.logs", "parse")
recognise = later("siphon.sources.amp.logs", "recognise")


def resume(native_id: str) -> str | None:
    """Continues a thread."""
    return f"amp threads continue {native_id}"


SOURCES = (
    Source(
        name="amp",
        title="Amp",
        globs=(".local/share/amp/threads/T-*.json",),
        parse=parse,
        resume=resume,
        recognise=recognise,
        skips=SKIPS,
        evidence="other readers; the writer is closed, 2026-11-21",
        gaps="what oracle, Task and finder used; times of responses without usage; dollars",
    ),
)
