"""Where a conversation's files lie, and which of them is read as its log.

A conversation may have a step log (whole or cut), a store, a third party's reading of the store, a
document as old notes describe it, and artifacts; of the IDE below ~/.gemini/antigravity-ide, before that
antigravity. The first of these that is there is the log; the others are read beside it or left out.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from siphon.log import Log

LOGS = ".system_generated/logs"
ROOTS = ("antigravity-ide", "antigravity", "antigravity-backup")  # of the IDE, newest first
_ARTIFACTS = ("task.md", "implementation_plan.md", "walkthrough.md")
_MAINS = (
    "brain/{id}/" + LOGS + "/transcript_full.jsonl",
    "brain/{id}/" + LOGS + "/transcript.jsonl",
    "brain/{id}/" + LOGS + "/overview.txt",
    "conversations/{id}.db",
    "conversations/{id}.trajectory.json",
    "brain/{id}/session.json",
    "conversations/{id}.json",
)
_PATH = re.compile(
    r"(?P<root>(?:.*/)?)(?:brain/(?P<brain>[^/]+)/.+|conversations/(?P<file>[^/]+?)"
    r"(?:\.trajectory)?\.(?:db|json))"
)


class Place(NamedTuple):
    """A conversation of one host."""

    root: str  # with its last slash, "" being the home
    id: str

    @property
    def session(self) -> str:
        """Both products may hold the same conversation: each has a session of it."""
        return f"cli-{self.id}" if self.is_cli else self.id

    @property
    def is_cli(self) -> bool:
        return self.root.rstrip("/").endswith("antigravity-cli")

    @property
    def roots(self) -> Iterator[str]:
        """Its own folder and those that the IDE used at other times."""
        folder, _, name = self.root.rstrip("/").rpartition("/")
        if name not in ROOTS:
            yield self.root
            return
        for root in ROOTS:
            yield f"{folder}/{root}/" if folder else f"{root}/"

    def paths(self, pattern: str) -> Iterator[str]:
        for root in self.roots:
            yield root + pattern.format(id=self.id)

    def find(self, log: Log, pattern: str) -> Log | None:
        """The first of its files that is there."""
        for path in self.paths(pattern):
            if found := log.at(path):
                return found
        return None


def place_of(log: Log) -> Place:
    found = _PATH.fullmatch(log.path)
    if found is None:
        return Place("", log.stem)
    return Place(found["root"], found["brain"] or found["file"])


def is_main(log: Log, place: Place) -> bool:
    """Whether the conversation is read from this file."""
    for pattern in _MAINS:
        for path in place.paths(pattern):
            if path == log.path:
                return _holds(log)
            if _holds(log.at(path)):
                return False
    documents = artifacts(log, place)
    return not documents or documents[0] == log.path


def _holds(log: Log | None) -> bool:
    if log is None:
        return False
    with log.open() as file:
        return bool(file.read(1))


def artifacts(log: Log, place: Place) -> list[str]:
    """The paths of its documents, the task first."""
    for root in place.roots:
        folder = f"{root}brain/{place.id}/"
        if not re.search(r"[*?{\[]", folder):
            up = "../" * (len(log.parts) - 1)
            found = log.glob(f"{up}{folder}*.md")
            if found:
                return sorted(found, key=lambda path: (_rank(path.rpartition("/")[2]), path))
    return []


def _rank(name: str) -> int:
    return _ARTIFACTS.index(name) if name in _ARTIFACTS else len(_ARTIFACTS)
