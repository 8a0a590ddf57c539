"""A home directory of this machine as a host."""

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from siphon import shell
from siphon.errors import SiphonError
from siphon.hosts import BLOCK, Found, Listing, Piece, Proof, Want
from siphon.pathtext import raw, text
from siphon.wanted import Root, Wanted

_GIT_SECONDS = 300


class LocalHost:
    """Files below `home`; the folders `without` are never looked into."""

    wire = 0
    means = "files"

    def __init__(self, home: Path, without: Sequence[Path] = (), owner: int | None = None) -> None:
        """`owner`: only files of the user with this number are seen."""
        if not home.is_dir():
            raise SiphonError(f"{home}: no such folder; 'home' must name the directory to collect")
        self.home = os.fsencode(os.path.realpath(home))
        self.owner = owner
        self.without = {os.fsencode(os.path.realpath(folder)) for folder in without}

    def find(self, wanted: Wanted) -> Listing:
        seen = _Seen({}, [], [])
        for root in wanted.roots:
            path = self.home + b"/" + raw(root.folder)
            try:
                if not stat.S_ISDIR(os.stat(path).st_mode):  # noqa: PTH116  # bytes
                    continue
            except PermissionError as error:
                seen.problems.append(f"{root.folder}: {error.strerror}")
                continue
            except OSError:
                continue  # of most tools there is nothing here
            real = os.path.realpath(path)
            if _below(real, self.home):
                self._walk(real, root.folder, root, seen)
            else:
                seen.links.append(root.folder)
        return Listing(*seen)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        found = {}
        for path in paths:
            with suppress(OSError):
                status = os.lstat(self.home + b"/" + raw(path))
                if stat.S_ISREG(status.st_mode) and self.owner in (None, status.st_uid):
                    found[path] = _found(path, status)
        return found

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:  # noqa: ARG002
        with _Folder(self.home, self.owner) as folder:
            for want in wants:
                try:
                    descriptor = folder.open(raw(want.path))
                except OSError:
                    continue  # left out, as the interface says: the collector names it
                with os.fdopen(descriptor, "rb", buffering=0):
                    yield _piece(want, descriptor)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:
        asked = shell.words(os.fsencode(folder) for folder in folders)
        command = ["sh", "-c", shell.remotes()]
        answer = subprocess.run(
            command, input=asked, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
        return shell.answers(folders, answer.stdout)

    def ask(self, script: str, arguments: Sequence[str]) -> bytes:
        asked = shell.words(map(os.fsencode, arguments))
        command = ["sh", "-c", shell.asking(script)]
        answer = subprocess.run(
            command, input=asked, capture_output=True, timeout=_GIT_SECONDS, check=False
        )
        return answer.stdout

    def root(self) -> "LocalHost":
        return LocalHost(Path("/"), [Path(os.fsdecode(folder)) for folder in self.without])

    def close(self) -> None:
        """Nothing to hang up."""

    def _walk(self, folder: bytes, path: str, root: Root, seen: "_Seen") -> None:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    below = f"{path}/{text(entry.name)}" if path else text(entry.name)
                    self._look(entry, below, root, seen)
        except FileNotFoundError:
            return  # gone since its name was read
        except OSError as error:
            if root.folder:  # all of the home is full of closed folders and links, not our business
                seen.problems.append(f"{path}: {error.strerror}")

    def _look(self, entry: "os.DirEntry[bytes]", path: str, root: Root, seen: "_Seen") -> None:
        if entry.is_dir(follow_symlinks=False):
            if root.leads.fullmatch(path) and entry.path not in self.without:
                self._walk(entry.path, path, root, seen)
        elif entry.is_symlink():
            if root.folder and (root.match.fullmatch(path) or root.leads.fullmatch(path)):
                seen.links.append(path)
        elif entry.is_file(follow_symlinks=False) and root.match.fullmatch(path):
            status = entry.stat(follow_symlinks=False)
            if self.owner in (None, status.st_uid):
                seen.found[path] = _found(path, status)


class _Seen(NamedTuple):
    found: dict[str, Found]
    problems: list[str]
    links: list[str]


def _found(path: str, status: os.stat_result) -> Found:
    return Found(path, status.st_size, status.st_mtime_ns, status.st_ino)


def _below(real: bytes, home: bytes) -> bool:
    return real == home or real.startswith(home.rstrip(b"/") + b"/")


class _Folder:
    """Opens regular files below a home, step by step so that no link, however late, leads elsewhere."""

    def __init__(self, home: bytes, owner: int | None) -> None:
        self._home = home
        self._owner = owner
        self._path: bytes | None = None  # of the folder opened last: the next file is likely in it, too
        self._descriptor = -1

    def __enter__(self) -> "_Folder":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def open(self, path: bytes) -> int:
        """A descriptor of the file. Raises OSError."""
        above, _, name = (self._home + b"/" + path).rpartition(b"/")
        if above != self._path:
            self._close()
            self._descriptor = _descend(self._home, os.path.realpath(above))
            self._path = above
        file = os.open(name, _READ | os.O_NONBLOCK, dir_fd=self._descriptor)
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode) and self._owner in (None, status.st_uid):
            return file
        os.close(file)
        raise PermissionError("no regular file of this user")

    def _close(self) -> None:
        if self._path is not None:
            os.close(self._descriptor)
            self._path = None


_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def _descend(home: bytes, folder: bytes) -> int:
    """A descriptor of a folder below the home, whose path has no links."""
    if not _below(folder, home):
        raise PermissionError("leaves the home")
    current = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for step in folder[len(home) :].strip(b"/").split(b"/") if folder != home else ():
        try:
            below = os.open(step, _READ | os.O_DIRECTORY, dir_fd=current)
        finally:
            os.close(current)
        current = below
    return current


def _piece(want: Want, descriptor: int) -> Piece:
    before = os.fstat(descriptor)
    state = hashlib.sha256()

    def blocks() -> Iterator[bytes]:
        for block in _read(descriptor, 0, want.start):
            state.update(block)
        for block in _read(descriptor, want.start, want.size):
            state.update(block)
            yield block

    def proof() -> Proof:
        if _found("", os.fstat(descriptor)) == _found("", before):
            return Proof(state.hexdigest())
        again = hashlib.sha256()  # it was written to meanwhile: only a second look can tell
        for block in _read(descriptor, 0, want.size):
            again.update(block)
        return Proof(again.hexdigest())

    return Piece(want, blocks(), proof)


def _read(descriptor: int, start: int, end: int) -> Iterator[bytes]:
    """The bytes from start to end, or to where the file ends or cannot be read."""
    with suppress(OSError):
        while start < end and (block := os.pread(descriptor, min(BLOCK, end - start), start)):
            start += len(block)
            yield block
