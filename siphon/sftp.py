"""A host that offers SFTP alone: listed folder by folder, what is held proved by samples.

A log that grew is believed if windows of the part already held are unchanged; at one size in sixteen all
of that part is read instead. A log of the same size but another time is read whole.
"""

import errno
import hashlib
import random
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import paramiko

from siphon import windows
from siphon.errors import SiphonError, UnfitError
from siphon.hosts import Found, Listing, Piece, Proof, Want
from siphon.pathtext import inside, raw, text
from siphon.sftp_wire import Attributes, Sftp
from siphon.shellhost import no_home
from siphon.ssh import StrictConnection
from siphon.stream import IDLE_SECONDS
from siphon.wanted import Root, Wanted
from siphon.windows import is_windows, sftp_path

_COARSE_SECONDS = 2  # SFTP tells whole seconds: what happened within them cannot be told
_WINDOW = 8192  # bytes of a sample
_WINDOWS = 16
_FULL_CHECK = 16  # sizes of which one is checked in full
_SMALL = 32 << 10  # bytes; such logs are asked for many at a time
_AT_ONCE = 256
_BILLION = 10**9


class SftpHost:
    """The files below `home`, which is seen from where a login lands; "" is that itself."""

    def __init__(
        self, connection: StrictConnection, name: str, home: str, owner: int | None = None
    ) -> None:
        """`owner`: only files of the user with this number are seen. Raises UnfitError without SFTP."""
        self.connection = connection
        self.name = name
        self.owner = owner
        try:
            self._sftp = session(connection)
        except (paramiko.SSHException, SiphonError, OSError) as error:
            raise UnfitError(f"no SFTP: {error}") from error
        try:
            self.home = self._sftp.real(sftp_path(home).encode() or b".")
        except OSError as error:
            raise SiphonError(f"{name}: {no_home(home)}") from error
        self._windows = is_windows(self.home)
        self._spelled: dict[str, bytes] = {}  # path → as it is spelled there, where that differs

    @property
    def wire(self) -> int:
        return self.connection.wire

    means = "SFTP"

    def find(self, wanted: Wanted) -> Listing:
        seen = _Seen({}, [], [])
        self._enter()
        for root, attributes in self._there(wanted.roots, seen):
            try:
                real = self._sftp.real(self._path(root.folder))
            except OSError:
                continue  # a link to nowhere
            if not self._below(real):
                seen.links.append(root.folder)
            elif stat.S_ISDIR(attributes.mode) or real != self._path(root.folder):
                self._walk([(real, root.folder)], root, seen)
        return Listing(*seen)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        answers = zip(paths, self._sftp.lstats(map(self._path, paths)), strict=True)
        return {
            path: _found(path, each)
            for path, each in answers
            if each and stat.S_ISREG(each.mode) and self._mine(each)
        }

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:  # noqa: ARG002
        small = [want for want in wants if want.start == 0 and want.size <= _SMALL]
        for at in range(0, len(small), _AT_ONCE):
            some = small[at : at + _AT_ONCE]
            heads = list(self._sftp.heads([(self._path(want.path), want.size) for want in some]))
            for want, data in zip(some, heads, strict=True):
                yield Piece(want, iter([data]), Proof)
        for want in wants:
            if want.start > 0 or want.size > _SMALL:
                yield from self._large(want)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}  # git cannot be asked by SFTP

    def root(self) -> "SftpHost":
        return SftpHost(self.connection, self.name, "/")

    def close(self) -> None:
        self.connection.close()

    def _enter(self) -> None:
        (found,) = self._sftp.looks([self.home.rstrip(b"/") + b"/."])
        if isinstance(found, OSError) and found.errno == errno.EACCES:
            home = self.home.decode(errors="replace")
            raise SiphonError(f"{self.name}: {no_home(home, closed=True)}")

    def _there(self, roots: Sequence[Root], seen: "_Seen") -> Iterator[tuple[Root, Attributes]]:
        """The roots that are there, be it as links."""
        answers = list(self._sftp.looks(self._path(root.folder) for root in roots))
        for root, found in zip(roots, answers, strict=True):
            if not isinstance(found, OSError):
                yield root, found
            elif found.errno == errno.EACCES:
                seen.problems.append(f"{root.folder}: {found.strerror}")

    def _walk(self, folders: Sequence[tuple[bytes, str]], root: Root, seen: "_Seen") -> None:
        """Look into folders, given by their real and their own path, and then into those in them."""
        while folders:
            below: list[tuple[bytes, str]] = []
            names = self._sftp.folders([real for real, _ in folders])
            for (real, path), found in zip(folders, names, strict=True):
                if isinstance(found, OSError):
                    if root.folder and found.errno != errno.ENOENT:
                        seen.problems.append(f"{path}: {found.strerror}")
                    continue
                for name, attributes in found:
                    if inside(name):
                        own = f"{path}/{text(name)}" if path else text(name)
                        below += self._look(real + b"/" + name, own, attributes, root, seen)
            folders = below

    def _mine(self, attributes: Attributes) -> bool:
        return self.owner in (None, attributes.owner)

    def _large(self, want: Want) -> Iterator[Piece]:
        try:
            handle = self._sftp.open(self._path(want.path))
        except OSError:
            return
        yield Piece(want, self._blocks(handle, want), lambda: self._proof(handle, want))
        self._sftp.close(handle)

    def _blocks(self, handle: bytes, want: Want) -> Iterator[bytes]:
        """The bytes wanted; fewer if the file has no more, or they cannot be read."""
        with suppress(OSError):
            yield from self._sftp.read(handle, want.start, want.size)

    def _proof(self, handle: bytes, want: Want) -> Proof:
        """For a log that grew samples or, now and then, the hash of all of it; none for a new one."""
        if want.start == 0:
            return Proof()
        try:
            if want.start == want.size or random.Random(want.start).randrange(_FULL_CHECK) == 0:
                return Proof(_hash(self._sftp.read(handle, 0, want.size)))
            windows = _windows(want.start)
            return Proof(samples=[(at, b"".join(self._sftp.read(handle, at, to))) for at, to in windows])
        except OSError as error:
            return Proof(f"unreadable: {error}")

    def _path(self, path: str) -> bytes:
        there = self._spelled.get(path)
        return self.home.rstrip(b"/") + b"/" + (there or raw(path)) if path else self.home

    def _below(self, real: bytes) -> bool:
        home = self.home.rstrip(b"/") + b"/"
        if self._windows:
            return (real + b"/").lower().startswith(home.lower())
        return (real + b"/").startswith(home)

    def _look(
        self, real: bytes, path: str, attributes: Attributes, root: Root, seen: "_Seen"
    ) -> Sequence[tuple[bytes, str]]:
        """Note a file or a link; a folder that may lead to a file is handed back."""
        kind = stat.S_IFMT(attributes.mode)
        if kind == stat.S_IFDIR:
            return [(real, path)] if self._leads(root, path) else []
        known = self._known(root, path)
        if kind == stat.S_IFLNK and root.folder:
            if known is not None or self._leads(root, path):
                seen.links.append(path)
        elif kind == stat.S_IFREG and known is not None and self._mine(attributes):
            seen.found[known] = _found(known, attributes)
            if known != path:
                self._spelled[known] = raw(path)
        return []

    def _leads(self, root: Root, path: str) -> bool:
        return windows.leads(root, path) if self._windows else bool(root.leads.fullmatch(path))

    def _known(self, root: Root, path: str) -> str | None:
        """A file's path as its tool spells it; None: it is not looked for."""
        if self._windows:
            return windows.spelled(root, path)
        return path if root.match.fullmatch(path) else None


class _Seen(NamedTuple):
    found: dict[str, Found]
    problems: list[str]
    links: list[str]


def session(connection: StrictConnection) -> Sftp:
    channel = connection.create_session()
    channel.settimeout(IDLE_SECONDS)
    channel.invoke_subsystem("sftp")

    def send(data: bytes) -> None:
        with _line():
            channel.sendall(data)

    def receive(size: int) -> bytes:
        with _line():
            return bytes(channel.recv(size))

    return Sftp(send, receive)


@contextmanager
def _line() -> Iterator[None]:
    """What fails here is the connection, not the file that is asked about."""
    try:
        yield
    except OSError as error:
        raise SiphonError(f"the connection broke off: {error or 'no answer'}") from error


def _found(path: str, attributes: Attributes) -> Found:
    settled = attributes.mtime < time.time() - _COARSE_SECONDS
    return Found(path, attributes.size, attributes.mtime * _BILLION, None, settled)


def _hash(blocks: Iterator[bytes]) -> str:
    state = hashlib.sha256()
    for block in blocks:
        state.update(block)
    return state.hexdigest()


def _windows(size: int) -> list[tuple[int, int]]:
    """Where to look, from and to: the first and the last bytes held, and some between."""
    if size <= _WINDOW * _WINDOWS:
        return [(0, size)]
    between = random.Random(size).sample(range(_WINDOW, size - _WINDOW), _WINDOWS - 2)
    starts = sorted([0, size - _WINDOW, *between])
    return [(start, min(start + _WINDOW, size)) for start in starts]
