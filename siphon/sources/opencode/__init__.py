"""OpenCode: ~/.local/share/opencode, sessions of messages of parts; on Windows also AppData/*/opencode.

Three generations, each migrated by copying: `project/<slug>/storage/session/{info,message,part}` (one
JSON file a record), `storage/{session,message,part}` (the same, flatter) and `opencode.db` (SQLite;
channels have `opencode-<channel>.db`). Documents of `opencode export` are read from ~/opencode-export.
logs.py says which of a session's twins is read. Ids hold the time at which they were made, so a fork's
clones are known by being younger than their own time (lineage.py). One step-finish part is one billed
response: a message's own tokens are those of its last step. Input excludes cache; reasoning is beside
output unless the total says that it is inside. A cost of 0 beside tokens: the tool does not know it.
Forks with the same shapes: Kilo CLI, MiMoCode.

Evidence: the writer's storage and session code; real exports of versions 1.3.7 and 1.4.3; samples of the
second generation and of a migrated first one; 2026-11-21. Stores: from the writer's schema only.
"""

from functools import partial

from siphon.source import Source, later
from siphon.sources.opencode.places import Places
from siphon.sources.opencode.skips import SKIPS

_PARSE = later("siphon.sources.opencode.logs", "parse")
_PLACE = later("siphon.sources.opencode.loose", "place")


def _places(tool: str, firsts: tuple[str, ...] = (), exports: str | None = None) -> Places:
    roots = (".local/share", "AppData/Local", "AppData/Roaming")
    return Places(tool, tuple(f"{root}/{tool}" for root in roots), firsts, exports)


def _source(
    name: str, title: str, places: Places, command: str | None, evidence: str, gaps: str
) -> Source:
    resume = (lambda native_id: f"{command} --session {native_id}") if command else None
    files = (*places.second, *places.first)
    return Source(
        name=name,
        title=title,
        globs=(
            *places.stores,
            *(f"{folder}*.json" for folder in files),
            *(f"{data}/storage/migration" for data in places.data),
            *((f"{places.exports}/*.json",) if places.exports else ()),
        ),
        parse=partial(_PARSE, places=places),
        beside=(
            *(f"{data}/storage/{kind}/*/*.json" for data in places.data for kind in ("message", "part")),
            *(f"{data}/storage/project/*.json" for data in places.data),
            *(f"{folder.removesuffix('info/')}message/*/*.json" for folder in places.first),
            *(f"{folder.removesuffix('info/')}part/*/*/*.json" for folder in places.first),
        ),
        resume=resume,
        recognise=partial(_PLACE, places=places),
        sqlite=True,
        skips=SKIPS,
        evidence=evidence,
        gaps=gaps,
    )


SOURCES = (
    _source(
        "opencode",
        "OpenCode",
        _places("opencode", (".opencode",), "opencode-export"),
        "opencode",
        "writer's code, exports of 1.3.7 and 1.4.3, samples of its trees; 2026-11-21",
        "the repository; side calls for titles; tokens of retries; cost under subscriptions (0)",
    ),
    _source(
        "kilo_cli",
        "Kilo CLI",
        _places("kilo"),
        "kilo",
        "as OpenCode, no real log; 2026-11-21",
        "as OpenCode",
    ),
    _source(
        "mimocode",
        "MiMoCode",
        _places("mimocode"),
        None,
        "as OpenCode, no real log; 2026-11-21",
        "as OpenCode",
    ),
)
