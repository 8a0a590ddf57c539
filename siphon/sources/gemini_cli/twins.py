"""Which of several files of one session is read; the package's docstring tells where they come from."""

import re
from collections.abc import Iterator

from siphon.log import Log
from siphon.sources.gemini_cli import project

_HASH = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"(.+?)(\.jsonl?)(\.unreadable-\d+)?")


def stem(name: str) -> str:
    """A chat file's name without its suffixes."""
    found = _NAME.fullmatch(name)
    return found[1] if found else name


def twin(log: Log) -> bool:
    """Whether another file holds more of the same session."""
    folder, _, below = log.path.rpartition("/chats/")
    if not folder:
        return False
    root, _, slug = folder.rpartition("/")
    own = _rank(slug, below)
    others = [
        (other, name) for other in (slug, *_counterparts(log, root, slug)) for name in _names(below)
    ]
    better = [(other, name) for other, name in others if _rank(other, name) < own]
    return any(log.at(f"{root}/{other}/chats/{name}") is not None for other, name in better)


def _names(below: str) -> tuple[str, str]:
    folder, slash, name = below.rpartition("/")
    return f"{folder}{slash}{stem(name)}.jsonl", f"{folder}{slash}{stem(name)}.json"


def _rank(slug: str, name: str) -> tuple[bool, bool, bool]:
    """Lower is better: not set aside, an event log, in a slug's folder."""
    return ".unreadable-" in name, not name.endswith(".jsonl"), _HASH.fullmatch(slug) is not None


def _counterparts(log: Log, root: str, slug: str) -> Iterator[str]:
    """The slug folders of a hash, or the hash folder of a slug."""
    tool = root.rpartition("/")[0]
    if _HASH.fullmatch(slug):
        yield from project.slugs(log, tool, slug)
    elif (path := project.stated(log, tool, slug)) is not None:
        yield project.sha256(path)
