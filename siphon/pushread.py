"""What a push has to send: logs that lie there otherwise or not at all, each as it was at one moment."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, NamedTuple, cast

from siphon.archive import Archive
from siphon.etag import Digest
from siphon.hosts import BLOCK, Found, Host, Piece, Want
from siphon.plan import Plan, StoreTask
from siphon.pushmemory import Sent
from siphon.pushtarget import Content, mark_of
from siphon.snapshots import snapshot

_IN_MEMORY = 4 << 20  # bytes of a log; larger ones wait in a temporary file
_TRIES = 3  # of a log that changes while it is read


class Ready(NamedTuple):
    """A log to be sent."""

    content: Content
    stamp: str | None  # of this state of it


class Reader:
    """Reads what is not there yet."""

    def __init__(
        self,
        home: Host,
        there: Mapping[str, Found],
        sent: Mapping[str, Sent],
        remember: Callable[[str, str | None, str], None],
    ) -> None:
        """`there`: what lies there; `sent`: what was put there; `remember`: told what is the same."""
        self.problems: dict[str, str] = {}  # by path: why a log cannot be had
        self._home = home
        self._there = there
        self._sent = sent
        self._remember = remember

    def has(self, path: str) -> bool:
        """Whether any state of the log lies there."""
        return path in self._there

    def read(self, todo: Plan) -> Iterator[Ready]:
        """Yield what has to be sent; whoever takes it closes it."""
        logs = [task.found for task in todo.tasks if not self._known(task.found.path, task.found.stamp)]
        for _ in range(_TRIES):
            moving: list[str] = []
            yield from self._unlike(self._logs(logs, moving))
            logs = list(self._home.stat(moving).values())
        for found in logs:
            self.problems[found.path] = "it changed while it was read; the next push takes it"
        stores = [task for task in todo.stores if not self._known(task.path, task.stamp)]
        yield from self._unlike(ready for task in stores for ready in self._store(task))

    def _known(self, path: str, stamp: str | None) -> bool:
        """Whether this state of a log was put there, and is still what lies there."""
        there = self._there.get(path)
        if stamp is None or there is None:
            return False
        return self._sent.get(path) == Sent(stamp, mark_of(there))

    def _unlike(self, found: Iterator[Ready]) -> Iterator[Ready]:
        """Those that what lies there does not prove to be the same."""
        for ready in found:
            content = ready.content
            there = self._there.get(content.path)
            if there is not None and there.size == content.size and _is(content.file, there):
                content.file.close()
                self._remember(content.path, ready.stamp, mark_of(there))
            else:
                yield ready

    def _logs(self, logs: Sequence[Found], moving: list[str]) -> Iterator[Ready]:
        left = {log.path: log for log in logs}
        wants = [Want(log.path, 0, log.size) for log in logs]
        for piece in self._home.fetch(wants, exact=True):
            log = left.pop(piece.want.path)
            content = _content(piece, log.mtime)
            if content is None:
                moving.append(log.path)
            else:
                yield Ready(content, log.stamp)
        for path in left:
            self.problems[path] = "it cannot be read"

    def _store(self, task: StoreTask) -> Iterator[Ready]:
        """A consistent copy of a store, with what its -wal holds."""
        with tempfile.TemporaryDirectory(prefix="siphon-push-") as folder:
            taken = snapshot(self._home, task, Archive(Path(folder)))
            if taken.problem is not None:
                self.problems[task.path] = taken.problem
            if taken.arrival is None:
                return
            arrival = taken.arrival
            file = arrival.part.open("rb")  # its name goes with the folder, its bytes when it is closed
            mtime = (arrival.mtime or 0) * 10**6
            content = Content(arrival.path, file, arrival.size, mtime, arrival.sha256)
        yield Ready(content, arrival.stamp)


def _content(piece: Piece, mtime: int) -> Content | None:
    """The log as it was at one moment; None: it was written to, and not only at its end."""
    state = hashlib.sha256()
    # In memory, or in a file that has no name.
    file = cast(IO[bytes], tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115  # its taker closes it
    for block in piece.blocks:
        file.write(block)
        state.update(block)
    size, sha256 = file.tell(), state.hexdigest()
    if size != piece.want.size or piece.proof().sha256 != sha256:
        file.close()
        return None
    file.seek(0)
    return Content(piece.want.path, file, size, mtime, sha256)


def _is(file: IO[bytes], there: Found) -> bool:
    """Whether the ETag of what lies there is made of these bytes."""
    digest = Digest(there.etag, there.size)
    while digest.can_tell and (block := file.read(BLOCK)):
        digest.feed(block)
    file.seek(0)
    return digest.agrees()
