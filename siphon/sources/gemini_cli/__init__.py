"""Gemini CLI: ~/.gemini/tmp/<project>/chats/session-<minute>-<8 of id>.jsonl, an event log.

A line is a message (again, when it grows), `$set`, `$rewindTo` or the metadata. Older: `.json`, one
document. Subagents: `chats/<parent id>/<id>.jsonl`. <project> is a slug, in older versions the SHA-256
of the project's path.

A session may lie in several files: `.json` and, once resumed, `.jsonl` beside it; in the hash folder
and, once migrated, in the slug folder; unreadable ones are set aside as `.jsonl.unreadable-<ms>`. One is
read: `.jsonl` before `.json`, a slug before a hash, nothing set aside while another is there. Messages
that were rewound are abandoned; those that a compression replaced stay, with what they cost.

Not read: logs.json (prompts again), checkpoints and `/chat save` files, tool-outputs, telemetry. The
chats do not say: git branch, version, cost, when a tool call ended.
Evidence: the writer's source (chatRecordingService, HEAD 2026-08) and logs of April 2026; 2026-11-21.
"""

from siphon.source import Retention, Source, later
from siphon.sources.gemini_cli.skips import SKIPS

parse = later("siphon.sources.gemini_cli.logs", "parse")
recognise = later("siphon.sources.gemini_cli.logs", "recognise")


def resume(native_id: str) -> str | None:
    """Resumes by the session's id, in the project's folder."""
    return f"gemini --resume {native_id}"


SOURCES = (
    Source(
        name="gemini_cli",
        title="Gemini CLI",
        globs=(
            ".gemini/tmp/*/chats/session-*.{json,jsonl}",
            ".gemini/tmp/*/chats/session-*.jsonl.unreadable-*",
            ".gemini/tmp/*/chats/*/*.jsonl",
        ),
        parse=parse,
        beside=(
            ".gemini/projects.json",
            ".gemini/trustedFolders.json",
            ".gemini/tmp/*/.project_root",
            ".gemini/history/*/.project_root",
        ),
        resume=resume,
        version=2,
        recognise=recognise,
        skips=SKIPS,
        evidence="writer's source (chatRecordingService, HEAD 2026-08), logs of April 2026, 2026-11-21",
        # A limit on the number of sessions (maxCount) deletes earlier; it is not reckoned with.
        retention=Retention(
            days=30,
            read=later("siphon.sources.gemini_cli.cleanup", "days"),
            user=(".gemini/settings.json",),
            project=(".gemini/settings.json",),
            managed=(
                "/etc/gemini-cli/settings.json",
                "/Library/Application Support/GeminiCli/settings.json",
            ),
            usual=(
                "/etc/gemini-cli/system-defaults.json",
                "/Library/Application Support/GeminiCli/system-defaults.json",
            ),
        ),
        gaps="git, version, cost, cache writes, when a tool call ended",
    ),
)
