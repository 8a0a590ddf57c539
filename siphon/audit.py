"""The audit log, archive/.audit.jsonl: who did what to the archive, a JSON object a line, only appended.

It holds ids and counts, never content: no text of a log, no key, no token.
"""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from siphon import private
from siphon.errors import SiphonError

FILE = ".audit.jsonl"
Fact = str | int | bool | None | list[str] | list[int]


def note(archive: Path, what: str, at: int, by: str | None = None, **facts: Fact) -> None:
    """Append a line to the audit log of the archive at that folder, and force it to disk.

    `what`: what was done (collect, prune, pack, restore, trust, …); `at`: ms; `by`: who, where it is not
    the user of this process. Raises SiphonError where it cannot be written: then do not act.
    """
    line = {"at": at, "what": what, "by": by or f"uid {os.getuid()}", "process": os.getpid(), **facts}
    try:
        private.folder(archive)
        descriptor = private.book(archive / FILE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            _append(descriptor, _checked(msgspec.json.encode(line)) + b"\n")
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = f"the audit log cannot be written: {error.strerror}"
        raise SiphonError(f"{archive / FILE}: {reason}") from error


def notes(archive: Path) -> Iterator[dict[str, Any]]:
    """Yield what was noted, oldest first; a line torn by a power cut as {"what": "unreadable"}."""
    file = archive / FILE
    if not file.exists():
        return
    with file.open("rb") as lines:
        for line in lines:
            try:
                told = msgspec.json.decode(line, type=dict[str, Any])
            except (msgspec.DecodeError, UnicodeDecodeError):
                told = {"what": "unreadable"}
            told.pop("check", None)
            yield told


def altered(archive: Path) -> Iterator[int]:
    """Yield the numbers, from 1, of the lines that are not as they were written."""
    file = archive / FILE
    if file.exists():
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                told, _, _ = line.rpartition(b',"check":')
                if line != _checked(told + b"}") + b"\n":
                    yield number


def _checked(line: bytes) -> bytes:
    """The line, a JSON object, with the beginning of its own hash as last key."""
    return b'%s,"check":"%s"}' % (line[:-1], hashlib.sha256(line).hexdigest()[:16].encode())


def _append(descriptor: int, line: bytes) -> None:
    """Write the line, whole or not at all, behind whatever a cut left."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    if end and os.pread(descriptor, 1, end - 1) != b"\n":
        line = b"\n" + line
    try:
        done = 0
        while done < len(line):
            done += os.write(descriptor, line[done:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, end)
        raise
