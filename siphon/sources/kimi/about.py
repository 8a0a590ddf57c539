"""What lies beside a wire: state.json, a subagent's meta.json, kimi.json with the projects' paths."""

import hashlib
from typing import Any, NamedTuple

import msgspec

from siphon.log import Log
from siphon.records import Session, SessionKind
from siphon.sources._decode import document
from siphon.sources._text import text_of
from siphon.sources._transcript import Transcript
from siphon.times import millis

_ANY = msgspec.json.Decoder(dict[str, Any])
_INTERNAL = ("ctitle-", "sklsum-", "dvlt-")  # jobs of the desktop app among the conversations


class Place(NamedTuple):
    """What a log's path says."""

    root: str  # .kimi or .kimi-code
    project: str  # folder: the MD5 of the project's path, or wd_<name>_<hash>
    session: str  # the session's folder or file
    agent: str | None  # a subagent's id

    @property
    def native_id(self) -> str:
        return f"{self.session}/{self.agent}" if self.agent else self.session

    @property
    def folder(self) -> str:
        return f"{self.root}/sessions/{self.project}/{self.session}"


def place(log: Log) -> Place:
    """A loose file's session is its name, or that of its folder."""
    parts = log.parts
    at = parts.index("sessions") if "sessions" in parts else -1
    below = parts[at + 1 :] if at >= 0 else ()
    if len(below) < 2:
        named = log.stem not in ("wire", "context") or len(parts) < 2
        return Place("", "", log.stem if named else parts[-2], None)
    session = below[1].removesuffix(".jsonl")
    agent = below[3] if len(below) > 4 and below[2] in ("subagents", "agents") else None
    return Place("/".join(parts[:at]), below[0], session, None if agent == "main" else agent)


def session(log: Log, at: Place, lines: Transcript, cwd: str | None) -> Session:
    """The session as the files beside it complete it."""
    state = companion(log, f"{at.folder}/state.json")
    where = text_of(state, "workDir", "cwd", "work_dir") or cwd or _registered(log, at)
    if lines.started_at is None and at.agent is None:  # a wire without times
        for stamp in (state.get("createdAt"), state.get("updatedAt")):
            lines.saw(millis(stamp) if isinstance(stamp, str | int | float) else None)
    title = None if at.agent else text_of(state, "custom_title", "title")
    internal = at.session.startswith(_INTERNAL)
    kind: SessionKind = "internal" if internal else "subagent" if at.agent else "main"
    return Session(
        at.native_id,
        title=title or lines.first_prompt(),
        project=where,
        cwd=where,
        started_at=lines.started_at,
        ended_at=lines.ended_at,
        kind=kind,
    )


def companion(log: Log, path: str) -> dict[str, Any]:
    """A JSON object beside the log; {} if there is none."""
    file = log.at(path)
    found = document(file, _ANY) if file is not None else None
    return found[1] if found else {}


def _registered(log: Log, at: Place) -> str | None:
    """The project's path by the MD5 of it that names the folder; remote ones have a prefix."""
    dirs = companion(log, f"{at.root}/kimi.json").get("work_dirs")
    for known in dirs if isinstance(dirs, list) else ():
        path = text_of(known, "path")
        if path and at.project.endswith(hashlib.md5(path.encode(), usedforsecurity=False).hexdigest()):
            return path
    return None
