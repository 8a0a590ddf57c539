"""One session in several files: archiving moves a rollout, compressing replaces it by a .zst.

A run that was cut short, or a collector that never deletes, holds both. One of them is read: the
longest, else the likeliest to be current.
"""

import re

import zstandard

from siphon.log import Log
from siphon.sources.codex.session import root

_DATED = re.compile(r"rollout-(\d{4})-(\d\d)-(\d\d)T.*", re.DOTALL)
_CHUNK = 1 << 20


def rank(path: str) -> tuple[bool, bool, str]:
    """Sorts live before archived, plain before compressed."""
    return "/archived_sessions/" in path, path.endswith(".zst"), path


def chosen(log: Log) -> bool:
    """Whether this file is the one to be read of the session's files."""
    others = [twin for path in _places(log) if path != log.path and (twin := log.at(path)) is not None]
    if not others:
        return True
    own = _size(log)
    return all(_before(log, own, twin, _size(twin)) for twin in others)


def _before(log: Log, size: int, twin: Log, twin_size: int) -> bool:
    return size > twin_size or (size == twin_size and rank(log.path) < rank(twin.path))


def _places(log: Log) -> list[str]:
    """All paths at which a file of this session may lie."""
    home, stem = root(log), log.stem
    folders = [f"{home}/sessions", f"{home}/archived_sessions"]
    dated = _DATED.fullmatch(stem)
    if dated:
        folders.insert(0, f"{home}/sessions/{dated[1]}/{dated[2]}/{dated[3]}")
    return [f"{folder}/{stem}{suffix}" for folder in folders for suffix in (".jsonl", ".jsonl.zst")]


def _size(log: Log) -> int:
    """Decompressed bytes; of damaged data as many as can be had."""
    size = 0
    with log.open() as file:
        if not log.path.endswith(".zst"):
            return file.seek(0, 2)
        try:
            while chunk := file.read(_CHUNK):
                size += len(chunk)
        except zstandard.ZstdError:
            return size
    return size
