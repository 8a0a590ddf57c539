"""Outputs too long for a line, which the harness writes to a file of their own beside the transcript."""

import re
from typing import NamedTuple

from siphon.log import Log
from siphon.sources.claude_code.agents import Place
from siphon.sources.claude_code.outcome import Outcome

_KEPT = 4 << 20  # bytes that are read; the loader keeps less
PERSISTED = "<persisted-output>"
_SAVED = re.compile(rf"{PERSISTED}.*?saved to: ([^\n]+)", re.DOTALL)


class Spilled(NamedTuple):
    text: str
    size: int  # bytes of the whole


def spilled(log: Log, place: Place, text: str | None, outcome: Outcome | None) -> Spilled | None:
    """The whole output, if it was spilled and its file is held.

    The path was written by a process that ran what a model asked for: no file is read but one that lies
    directly in the session's own folder.
    """
    path = outcome.persisted_output_path if outcome is not None else None
    if path is None and text is not None and PERSISTED in text:
        found = _SAVED.search(text)
        path = found[1].strip() if found else None
    if not path or not isinstance(path, str):
        return None
    parts = path.replace("\\", "/").split("/")
    if len(parts) < 3 or parts[-3:-1] != [place.trunk, "tool-results"] or parts[-1] in ("", ".", ".."):
        return None
    file = log.at(f"{place.folder}/tool-results/{parts[-1]}")
    return None if file is None else _read(file)


def _read(log: Log) -> Spilled:
    with log.open() as file:
        data = file.read(_KEPT)
        rest = 0
        while chunk := file.read(_KEPT):
            rest += len(chunk)
    text = data.decode(errors="replace")
    if rest:
        text += f"\n[… {rest} more bytes in {log.name} …]"
    return Spilled(text, len(data) + rest)
