"""The project's path, which the chats themselves do not name: they hold its hash, the folder a slug.

In this order: `.project_root` beside chats/ or in history/, projects.json, and then the paths that
trustedFolders.json and the tool calls mention, of which the right one is told by its SHA-256.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from siphon.log import Log
from siphon.sources._text import line

T = TypeVar("T")
_PATH = re.compile(r"(?:[A-Za-z]:[\\/]|/)[^\s\"'`:;,<>|()\[\]{}*?]{2,300}")
_TRIED = 2000  # paths of one log


class Projects(msgspec.Struct):
    """projects.json: path → slug."""

    projects: dict[str, str] = {}


_PROJECTS = msgspec.json.Decoder(Projects, strict=False)
_FOLDERS = msgspec.json.Decoder(dict[str, object], strict=False)


def path(log: Log, root: str, slug: str, digest: str | None, texts: Iterable[str]) -> str | None:
    """The project's path; `root` is the tool's folder (`.gemini`), `slug` the one above chats/."""
    known = stated(log, root, slug)
    if known is None and digest is not None:
        known = next((path for path in _registered(log, root) if sha256(path) == digest), None)
    return known or _hashed(digest or slug, _mentioned(log, f"{root}/trustedFolders.json", texts))


def stated(log: Log, root: str, slug: str) -> str | None:
    """The path that a slug stands for."""
    return (
        _first_line(log, f"{root}/tmp/{slug}/.project_root")
        or _first_line(log, f"{root}/history/{slug}/.project_root")
        or next((path for path, name in _registered(log, root).items() if name == slug), None)
    )


def slugs(log: Log, root: str, digest: str) -> list[str]:
    """The slugs of a project that is known by its hash."""
    return [name for path, name in _registered(log, root).items() if sha256(path) == digest]


def _first_line(log: Log, place: str) -> str | None:
    file = log.at(place)
    return line(file.data().decode(errors="replace"), 4096) if file is not None else None


def _registered(log: Log, root: str) -> dict[str, str]:
    file = log.at(f"{root}/projects.json")
    return _decoded(log, file, _PROJECTS).projects if file is not None else {}


def _mentioned(log: Log, place: str, texts: Iterable[str]) -> Iterator[str]:
    file = log.at(place)
    yield from _decoded(log, file, _FOLDERS) if file is not None else {}
    for text in texts:
        yield from _PATH.findall(text)


def _hashed(digest: str, candidates: Iterable[str]) -> str | None:
    """The candidate, or the folder above one, that has the digest."""
    if len(digest) != 64:
        return None
    tried: set[str] = set()
    for candidate in candidates:
        for folder in _upwards(candidate):
            if folder in tried:
                break
            tried.add(folder)
            if sha256(folder) == digest:
                return folder
        if len(tried) > _TRIED:
            return None
    return None


def _upwards(path: str) -> Iterator[str]:
    separator = "\\" if "\\" in path else "/"
    path = path.rstrip(separator + ".")
    while len(path) > 1:
        yield path
        path = path.rpartition(separator)[0]


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def _decoded(log: Log, file: Log, decoder: msgspec.json.Decoder[T]) -> T:
    """The companion's value, or an empty one; that it is unreadable is said once."""
    try:
        return decoder.decode(file.data())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        what = f"{file.name}: {error}"
        if all(problem.what != what for problem in log.problems):
            log.problem(what)
        return decoder.decode(b"{}")
