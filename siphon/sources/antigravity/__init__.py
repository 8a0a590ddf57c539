"""Google Antigravity: ~/.gemini/antigravity-ide (before that antigravity); its CLI agy: antigravity-cli.

A conversation has a step log (brain/<id>/.system_generated/logs/transcript{_full,}.jsonl), a store of
protocol buffers (conversations/<id>.db), documents (brain/<id>/*.md) or some of these; places.py says
which is its log. Steps come from the step log, else from agy-reader's .trajectory.json if it does
not lag behind, else from the store; requests from the store's gen_metadata, else from the sidecar.
Input is without cache, output with thinking; no cost is told. Older conversations (.pb) are encrypted:
they are collected, not read; only their documents show. The paths are the same on all systems.
The CLI's sessions are `cli-<id>`: both products may hold the same conversation.

Evidence: samples of CLI transcripts and one gen_metadata row; independent readers of the store; no real
store; checked 2026-11-21. The format is not published and changes without notice.
"""

from siphon.source import Source, later

_ROOTS = tuple(f".gemini/antigravity{end}" for end in ("", "-ide", "-backup", "-cli"))
_LOGS = (
    "brain/*/.system_generated/logs/transcript_full.jsonl",
    "brain/*/.system_generated/logs/transcript.jsonl",
    "brain/*/.system_generated/logs/overview.txt",
    "brain/*/*.md",
    "brain/*/session.json",
    "conversations/*.db",
    "conversations/*.json",
)
_BESIDE = (
    "brain/*/*.md.metadata.json",
    "brain/*/*.md.resolved*",
    "conversations/*.pb",
    "implicit/*.pb",
    "annotations/*.pbtxt",
    "history.jsonl",
    "cache/last_conversations.json",
)
_SKIPS = {
    "twin": "the same conversation as another of its files, which is read instead",
}


def _resume(native_id: str) -> str | None:
    id = native_id.removeprefix("cli-")
    return None if id == native_id else f"agy --conversation {id}"


SOURCES = (
    Source(
        name="antigravity",
        title="Antigravity",
        globs=tuple(f"{root}/{log}" for root in _ROOTS for log in _LOGS),
        parse=later("siphon.sources.antigravity.logs", "parse"),
        beside=tuple(f"{root}/{file}" for root in _ROOTS for file in _BESIDE),
        resume=_resume,
        recognise=later("siphon.sources.antigravity.logs", "recognise"),
        sqlite=True,
        skips=_SKIPS,
        evidence="samples of transcripts and of one request, independent readers; 2026-11-21",
        gaps="version, cost; anything of older conversations but their documents (encrypted)",
    ),
)
