"""Aider: <repository>/.aider.chat.history.md, Markdown, runs appended; at most 4 folders below home.

A header begins a run, and each run is a session, named by its folder and the header's time: no id is
told. Times have no zone and are taken for UTC. Only the header and (in .aider.input.history, beside it)
the prompts have times; a row has the last time named before it.
`Tokens:` lines are rounded; one line is one request. What is cached is part of `sent` unless it is more
than that. Edits count where aider says that it applied them. With an architect, the first line after a
prompt is the main model's, and whose the others are is not said.
Not read: .aider.llm.history (the same again, raw), the analytics log (seldom on, lies anywhere).
Paths are the same on Linux, macOS and Windows.

Evidence: a history of aider's own repository, 2024-08, 1,133 runs; aider's documentation; 2026-11-21.
"""

from siphon.source import Source, later
from siphon.sources.aider.skips import SKIPS

_FOLDERS = tuple("*/" * depth for depth in range(5))

SOURCES = (
    Source(
        name="aider",
        title="Aider",
        globs=tuple(f"{folder}.aider.chat.history.md" for folder in _FOLDERS),
        parse=later("siphon.sources.aider.reading", "parse"),
        beside=tuple(f"{folder}.aider.input.history" for folder in _FOLDERS),
        recognise=later("siphon.sources.aider.reading", "recognise"),
        skips=SKIPS,
        evidence="a real history of 1,133 runs (2024-08) and aider's documentation; 2026-11-21",
        gaps="a session's id, its zone, times of most rows, exact tokens, git, what commands printed",
    ),
)
