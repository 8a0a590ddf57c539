"""A host that offers SFTP alone: listed folder by folder, what is held proved by samples.

A log that grew is believed if windows of the part already held are unchanged; at one size in sixteen all
of that part is read instead. A log of the same size but another time is read whole.
"""

import hashlib
import random
import stat
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from queue import SimpleQueue
from typing import NamedTuple, TypeVar

import paramiko
from paramiko.sftp import CMD_CLOSE, CMD_OPENDIR, CMD_READDIR

from siphon.errors import SiphonError
from siphon.hosts import BLOCK, Found, Listing, Piece, Proof, Want
from siphon.pathtext import inside, raw, text
from siphon.ssh import StrictConnection
from siphon.wanted import Root, Wanted

T = TypeVar("T")
Answer = TypeVar("Answer")
_COARSE_SECONDS = 2  # SFTP tells whole seconds: what happened within them cannot be told
_WINDOW = 8192  # bytes of a sample
_WINDOWS = 16
_FULL_CHECK = 16  # sizes of which one is checked in full
_SMALL = 256 << 10  # bytes; such logs are asked for side by side
_AT_ONCE = 4  # sessions side by side: one answers one question at a time
_REQUESTS = 64  # of 32 KiB, under way for one large file
_BILLION = 10**9


class SftpHost:
    """The files below `home`, which is seen from where a login lands; "" is that itself."""

    def __init__(self, connection: StrictConnection, name: str, home: str) -> None:
        self.connection = connection
        try:
            self.client: paramiko.SFTPClient = connection.sftp()
            self._idle: SimpleQueue[paramiko.SFTPClient] = SimpleQueue()
            self._more_sessions()
            self.home = self._real(home.encode() or b".")
        except (paramiko.SSHException, EOFError, OSError) as error:
            at = (
                f"no folder {home} there"
                if isinstance(error, FileNotFoundError)
                else f"no SFTP: {error}"
            )
            raise SiphonError(
                f"{name}: neither a shell with the tools it takes, nor SFTP: {at}"
            ) from error

    @property
    def wire(self) -> int:
        return self.connection.wire

    def find(self, wanted: Wanted) -> Listing:
        seen = _Seen({}, [], [])
        for root in wanted.roots:
            try:
                real = self._real(self._path(root.folder))
                attributes = self.client.lstat(real)
            except OSError:
                self._alive()
                continue  # there is none
            if not _below(real, self.home):
                seen.links.append(root.folder)
            elif stat.S_ISDIR(attributes.st_mode or 0):
                self._walk(real, root.folder, root, seen)
        return Listing(*seen)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        found = self._side_by_side(self._status, paths)
        return {each.path: each for each in found if each is not None}

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:  # noqa: ARG002
        small = [want for want in wants if want.start == 0 and want.size <= _SMALL]
        for want, data in zip(small, self._side_by_side(self._whole, small), strict=True):
            yield Piece(want, iter([data]), Proof)
        for want in wants:
            if want.start > 0 or want.size > _SMALL:
                yield from self._large(want)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}  # git cannot be asked by SFTP

    def close(self) -> None:
        self.connection.close()

    def _more_sessions(self) -> None:
        """Sessions to use at once; a host may grant no more than one."""
        self._idle.put(self.client)
        with suppress(paramiko.SSHException):
            for _ in range(_AT_ONCE - 1):
                self._idle.put(self.connection.client.open_sftp())

    def _side_by_side(
        self, ask: Callable[[paramiko.SFTPClient, T], Answer], questions: Sequence[T]
    ) -> Iterator[Answer]:
        """Ask each question on a session that is idle; the answers in the questions' order."""

        def asked(question: T) -> Answer:
            session = self._idle.get()
            try:
                return ask(session, question)
            finally:
                self._idle.put(session)

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(asked, questions)

    def _walk(self, folder: bytes, path: str, root: Root, seen: "_Seen") -> None:
        try:
            names = self._names(folder)
        except FileNotFoundError:
            return  # gone since its name was read
        except OSError as error:
            self._alive()
            if root.folder:
                seen.problems.append(f"{path}: {error.strerror or error}")
            return
        for name, attributes in names:
            below = f"{path}/{text(name)}" if path else text(name)
            kind = stat.S_IFMT(attributes.st_mode or 0)
            if kind == stat.S_IFDIR:
                if root.leads.fullmatch(below):
                    self._walk(folder + b"/" + name, below, root, seen)
            elif kind == stat.S_IFLNK:
                if root.folder and (root.match.fullmatch(below) or root.leads.fullmatch(below)):
                    seen.links.append(below)
            elif kind == stat.S_IFREG and root.match.fullmatch(below):
                seen.found[below] = _found(below, attributes)

    def _names(self, folder: bytes) -> list[tuple[bytes, paramiko.SFTPAttributes]]:
        """As listdir_attr, which fails on a name that is no UTF-8."""
        ask = self.client._request  # type: ignore[attr-defined]
        _, answer = ask(CMD_OPENDIR, folder)
        handle = answer.get_binary()
        names = []
        with suppress(EOFError):  # which tells that all were read
            while True:
                _, answer = ask(CMD_READDIR, handle)
                for _ in range(answer.get_int()):
                    name, _ = answer.get_binary(), answer.get_binary()
                    names.append((name, paramiko.SFTPAttributes._from_msg(answer)))  # type: ignore[attr-defined]
        self._alive()
        ask(CMD_CLOSE, handle)
        return [(name, attributes) for name, attributes in names if inside(name)]

    def _status(self, session: paramiko.SFTPClient, path: str) -> Found | None:
        try:
            attributes = session.lstat(self._path(path))
        except OSError:
            self._alive()
            return None
        return _found(path, attributes) if stat.S_ISREG(attributes.st_mode or 0) else None

    def _whole(self, session: paramiko.SFTPClient, want: Want) -> bytes:
        """The log's bytes; fewer than wanted if it has no more or cannot be read."""
        try:
            with session.open(self._path(want.path), "rb") as file:
                return file.read(want.size)
        except OSError:
            self._alive()
            return b""

    def _large(self, want: Want) -> Iterator[Piece]:
        try:
            file = self.client.open(self._path(want.path), "rb")
        except OSError:
            self._alive()
            return
        with file:
            yield Piece(want, self._blocks(file, want.start, want.size), lambda: self._proof(file, want))

    def _blocks(self, file: paramiko.SFTPFile, start: int, end: int) -> Iterator[bytes]:
        try:
            file.seek(start)
            file.prefetch(end, _REQUESTS)
            while start < end and (block := file.read(min(BLOCK, end - start))):
                start += len(block)
                yield block
        except OSError:
            self._alive()  # else it is this file alone that cannot be read: the bytes are too few

    def _proof(self, file: paramiko.SFTPFile, want: Want) -> Proof:
        """None for a new log; for one that grew, samples or, now and then, the hash of all of it."""
        if want.start == 0:
            return Proof()
        if want.start == want.size or random.Random(want.start).randrange(_FULL_CHECK) == 0:
            state = hashlib.sha256()
            for block in self._blocks(file, 0, want.size):
                state.update(block)
            return Proof(state.hexdigest())
        windows = _windows(want.start)
        try:
            return Proof(samples=list(zip((at for at, _ in windows), file.readv(windows), strict=True)))
        except OSError:
            self._alive()
            return Proof("unreadable")

    def _real(self, path: bytes) -> bytes:
        return self.client.normalize(path).encode()

    def _path(self, path: str) -> bytes:
        return self.home + b"/" + raw(path)

    def _alive(self) -> None:
        if not self.connection.is_connected:
            raise SiphonError("the connection broke off")


class _Seen(NamedTuple):
    found: dict[str, Found]
    problems: list[str]
    links: list[str]


def _found(path: str, attributes: paramiko.SFTPAttributes) -> Found:
    seconds = attributes.st_mtime or 0
    settled = seconds < time.time() - _COARSE_SECONDS
    return Found(path, attributes.st_size or 0, seconds * _BILLION, None, settled)


def _below(real: bytes, home: bytes) -> bool:
    return (real + b"/").startswith(home.rstrip(b"/") + b"/")


def _windows(size: int) -> list[tuple[int, int]]:
    """Where to look, as (offset, size): the first and the last bytes held, and some between."""
    if size <= _WINDOW * _WINDOWS:
        return [(0, size)]
    between = random.Random(size).sample(range(_WINDOW, size - _WINDOW), _WINDOWS - 2)
    return [
        (at, _WINDOW) for at in sorted([0, *(min(at, size - _WINDOW) for at in between), size - _WINDOW])
    ]
