"""Cline, Roo Code, Kilo Code: <User>/globalStorage/<extension>/tasks/<id>/ui_messages.json.

<User> is ~/.config/<App>/User, ~/Library/Application Support/<App>/User, ~/AppData/Roaming/<App>/User,
or ~/.vscode-server/data/User and its like; Cline's own core writes the same below ~/.cline/data.
One task is one folder; its log is ui_messages.json, what the user saw. api_conversation_history.json
beside it gives the model's calls and their results, task_metadata.json and history_item.json the rest.
All are rewritten whole, and may shrink. A task of which only the API file is left is read from that;
one that only the index (state/taskHistory.json, tasks/_index.json) remembers is a partial session with
its totals. A task that was copied into another editor is read where it went on longest.

One api_req_started with tokens is one request. Cline: tokensIn is without cache, but with OpenAI's
protocol it holds the reads. Roo, Kilo: tokensIn is the whole input, unless it is less than its cached
parts (old builds). Times are UTC milliseconds; exit codes stand in texts only.
Kilo's successor of 2026 is an OpenCode fork and not read here.

Evidence: Cline's ExtensionMessage.ts, @roo-code/types 1.115, independent readers, one sample; no real
log; checked 2026-11-21.
"""

from functools import partial

from siphon.source import Source, later
from siphon.sources.cline.skips import SKIPS
from siphon.sources.cline.usage import exclusive, inclusive

_PARSE = later("siphon.sources.cline.logs", "parse")
_RECOGNISE = later("siphon.sources.cline.logs", "recognise")
_USERS = (
    ".config/*/User",
    "Library/Application Support/*/User",
    "AppData/Roaming/*/User",
    "{.vscode-server,.vscode-server-insiders,.vscodium-server,.cursor-server,.windsurf-server}/data/User",
)
_EVIDENCE = "the writers' type declarations, independent readers, one sample; 2026-11-21"
_SKIPS = {
    **SKIPS,
    "twin": "the same task, read from another of its files or from another editor's copy",
    "index": "a task of the index whose own files are there",
}


def _below(extension: str, *others: str) -> tuple[str, ...]:
    return (*(f"{user}/globalStorage/{extension}" for user in _USERS), *others)


def _globs(folders: tuple[str, ...], indexes: tuple[str, ...]) -> tuple[str, ...]:
    logs = ("tasks/*/ui_messages.json", "tasks/*/api_conversation_history.json", *indexes)
    return tuple(f"{folder}/{log}" for folder in folders for log in logs)


def _beside(folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{folder}/tasks/*/{{task_metadata,history_item}}.json" for folder in folders)


_CLINE = _below("saoudrizwan.claude-dev", ".cline/data")
_ROO = _below("rooveterinaryinc.roo-cline")
_KILO = _below("kilocode.kilo-code")

SOURCES = (
    Source(
        name="cline",
        title="Cline",
        globs=_globs(_CLINE, ("state/taskHistory.json",)),
        parse=partial(_PARSE, usage=exclusive),
        beside=_beside(_CLINE),
        recognise=partial(_RECOGNISE, product="cline", folder="saoudrizwan.claude-dev"),
        skips=_SKIPS,
        evidence=_EVIDENCE,
        gaps="git, reasoning tokens, durations; exit codes only in texts",
    ),
    Source(
        name="roo_code",
        title="Roo Code",
        globs=_globs(_ROO, ("tasks/_index.json",)),
        parse=partial(_PARSE, usage=inclusive),
        beside=_beside(_ROO),
        recognise=partial(_RECOGNISE, product="roo_code", folder="rooveterinaryinc.roo-cline"),
        skips=_SKIPS,
        evidence=_EVIDENCE,
        gaps="as Cline, and the version",
    ),
    Source(
        name="kilo_code",
        title="Kilo Code",
        globs=_globs(_KILO, ("tasks/_index.json",)),
        parse=partial(_PARSE, usage=inclusive),
        beside=_beside(_KILO),
        skips=_SKIPS,
        evidence=_EVIDENCE,
        gaps="as Roo Code",
    ),
)
