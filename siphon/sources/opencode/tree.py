"""The JSON trees: a session's file, its messages' folder, a folder of parts for each message."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

import msgspec

from siphon.log import Log
from siphon.sources._loose import mapping, text
from siphon.sources._sqlite import decoded
from siphon.sources.opencode import first
from siphon.sources.opencode.shapes import (
    MESSAGE,
    PART,
    SESSION,
    Conversation,
    Part,
    SessionInfo,
    Turn,
    children,
    clock,
    ordered,
    parted,
)

T = TypeVar("T")
_ANY = msgspec.json.Decoder()
_BEFORE = 20  # of a parent's messages, the youngest ones before a child, that are searched for its call
_JITTER = 128  # ms by which an id may be older or younger than its message


class Tree(NamedTuple):
    """A tree as a log sees it: `root` holds `message` and `part`, and is a path below the home."""

    log: Log
    root: str
    first: bool  # of the first generation: parts lie in a folder of their session


def glob(log: Log, pattern: str) -> list[str]:
    """Paths that match a pattern below the home; the log remembers that it looked."""
    return log.glob("../" * (len(log.parts) - 1) + pattern)


def aside(log: Log) -> Log:
    """The log for looks at what other logs tell: it remembers that it looked, and keeps no problems."""
    other = Log(log.home, log.host, log.path)
    other.reads = log.reads
    return other


def tree_of(log: Log, session_file: str) -> Tree:
    """The tree of a session's file, `session/<project>/<id>.json` or `session/info/<id>.json`."""
    folder = PurePosixPath(session_file).parent
    root = folder.parent if folder.name == "info" else folder.parent.parent
    return Tree(log, str(root), folder.name == "info")


def conversation(tree: Tree, session_file: str) -> Conversation:
    """The session of a session's file; one that does not decode is known by its name."""
    info = _read(tree.log, session_file, SESSION) or SessionInfo()
    session = text(info.id) or PurePosixPath(session_file).stem
    return Conversation(session, info, turns(tree, session), _worktree(tree, info))


def orphan(tree: Tree, session: str) -> Conversation:
    """Messages whose session has no file."""
    return Conversation(session, SessionInfo(), turns(tree, session))


def turns(tree: Tree, session: str) -> list[Turn]:
    """A session's messages."""
    found = (_turn(tree, session, path) for path in _message_paths(tree, session))
    return ordered([turn for turn in found if turn is not None])


def _message_paths(tree: Tree, session: str) -> list[str]:
    return glob(tree.log, f"{tree.root}/message/{_literal(session)}/*.json")


def _turn(tree: Tree, session: str, path: str) -> Turn | None:
    info = _read(tree.log, path, MESSAGE)
    if info is None:
        return None
    message = info.id = text(info.id) or PurePosixPath(path).stem
    if info.parts is not None:
        info, inline = first.translated(info)
        return Turn(message, info, parted(session, message, inline))
    return Turn(message, info, _parts(tree, session, message))


def _parts(tree: Tree, session: str, message: str) -> list[Part]:
    folder = f"{_literal(session)}/{_literal(message)}" if tree.first else _literal(message)
    infos = []
    for path in glob(tree.log, f"{tree.root}/part/{folder}/*.json"):
        info = _read(tree.log, path, PART)
        if info is not None:
            info.id = text(info.id) or PurePosixPath(path).stem
            infos.append(info)
    return parted(session, message, infos)


def _read(log: Log, path: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """What a file of the tree holds; a problem names its path."""
    file = log.at(path)
    return None if file is None else decoded(log, file.data(), decoder, path)


def _worktree(tree: Tree, info: SessionInfo) -> str | None:
    project = text(info.project)
    if tree.first or project is None or "/" in project:
        return None
    return text(mapping(_read(tree.log, f"{tree.root}/project/{project}.json", _ANY)).get("worktree"))


def caller(tree: Tree, child: Conversation) -> str | None:
    """The tool call of the parent that started a session, if the parent still has it."""
    parent = text(child.info.parent)
    created = mapping(child.info.time).get("created")
    if parent is None:
        return None
    tree = tree._replace(log=aside(tree.log))
    paths = _message_paths(tree, parent)
    limit = f"msg_{clock(created + _JITTER)}" if isinstance(created, int) else "~"
    before = [path for path in paths if PurePosixPath(path).name < limit] or paths
    for path in reversed(before[-_BEFORE:]):
        turn = _turn(tree, parent, path)
        for session, call in children(turn) if turn else ():
            if session == child.id:
                return call
    return None


def elders(tree: Tree, turn: Turn) -> Iterator[tuple[str, list[Turn]]]:
    """Yield (session, messages) of each session that has a message made about that time."""
    if turn.info.created is None:
        return
    tree = tree._replace(log=aside(tree.log))
    edges = {clock(turn.info.created + shift)[:7] for shift in (-_JITTER, 0, _JITTER)}
    old = glob(tree.log, f"{tree.root}/message/*/msg_{{{','.join(sorted(edges))}}}*.json")
    sessions = {PurePosixPath(path).parent.name for path in old}
    for session in sorted(sessions):
        yield session, turns(tree, session)


def orphans(tree: Tree) -> list[str]:
    """Sessions that have messages but no file; parts without a message become a problem."""
    files = glob(tree.log, f"{tree.root}/session/*/*.json")
    messages = [PurePosixPath(path) for path in glob(tree.log, f"{tree.root}/message/*/*.json")]
    parts = {PurePosixPath(path).parent.name for path in glob(tree.log, f"{tree.root}/part/*/*.json")}
    for lost in sorted(parts - {path.stem for path in messages}):
        if lost.startswith("msg_"):  # other names need not be those of message files
            tree.log.problem(f"parts without their message {lost}")
    known = {PurePosixPath(path).stem for path in files}
    known |= {name.removeprefix("ses_") for name in known}
    return sorted({path.parent.name for path in messages} - known)


def _literal(name: str) -> str:
    """The name as a glob that matches it alone."""
    return "".join(f"[{char}]" if char in "*?[{}" else char for char in name).replace("/", "_")
