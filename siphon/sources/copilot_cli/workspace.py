"""workspace.yaml beside events.jsonl: the session's name, and where it runs if the events do not say."""

import msgspec
import yaml

from siphon.log import Log
from siphon.records import Session


class Workspace(msgspec.Struct):
    cwd: str | None = None
    git_root: str | None = None
    repository: str | None = None
    branch: str | None = None
    name: str | None = None
    summary: str | None = None


def completed(log: Log, session: Session) -> Session:
    """The session with what its workspace file adds; the name there is the one the person sees."""
    beside = log.near("workspace.yaml")
    found = _read(beside) if beside is not None else None
    if found is None:
        return session
    return session._replace(
        title=found.name or found.summary or session.title,
        cwd=session.cwd or found.cwd,
        project=session.project or found.git_root or found.cwd,
        git_branch=session.git_branch or found.branch,
        git_repo=session.git_repo or found.repository,
    )


def _read(log: Log) -> Workspace | None:
    try:
        raw = yaml.safe_load(log.data().decode(errors="replace"))
        return msgspec.convert(raw, Workspace, strict=False) if raw else None
    except (yaml.YAMLError, msgspec.ValidationError, RecursionError, ValueError) as error:
        log.problem(f"workspace.yaml: {str(error).splitlines()[0]}")
        return None
