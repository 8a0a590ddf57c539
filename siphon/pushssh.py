"""Pushing into a folder behind SSH, by SFTP: a temporary name, then a rename over what is there."""

import os
import posixpath
import secrets
import shutil
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from io import BytesIO
from typing import IO

import paramiko

from siphon.errors import SiphonError
from siphon.hosts import Found
from siphon.layout import PARTS, RAW
from siphon.pathtext import raw
from siphon.pushtarget import Content, mark_of
from siphon.sftp import SftpHost
from siphon.ssh import StrictConnection
from siphon.wanted import Wanted


class SshTarget:
    """One machine's folder in an inbox; may be used by several threads."""

    def __init__(self, connection: StrictConnection, name: str, inbox: str, machine: str) -> None:
        """`inbox` is seen from where a login lands; it must be there."""
        self.name = name
        self._connection = connection
        self._mine = threading.local()
        self._made: set[bytes] = set()  # folders
        try:
            self._inbox = self._sftp.normalize(inbox).encode()
            found = self._sftp.stat(inbox)
        except (OSError, paramiko.SSHException) as error:
            raise SiphonError(f"{name}: no such folder; make it there first") from error
        if not stat.S_ISDIR(found.st_mode or 0):
            raise SiphonError(f"{name}: is no folder")
        self._machine = posixpath.join(self._inbox, machine.encode())

    def sweep(self) -> None:
        parts = posixpath.join(self._machine, PARTS.encode())
        with self._told(PARTS), suppress(FileNotFoundError):
            for name in self._sftp.listdir(parts.decode()):
                self._sftp.remove(posixpath.join(parts, name.encode()))

    def there(self, wanted: Wanted) -> Mapping[str, Found]:
        with self._told("the logs there"):
            try:
                self._sftp.stat(self._machine + b"/" + RAW.encode())
            except FileNotFoundError:
                return {}
        home = os.fsdecode(self._machine) + f"/{RAW}"
        return SftpHost(self._connection, self.name, home).find(wanted).found

    def put(self, content: Content) -> str:
        place = posixpath.join(self._machine, RAW.encode(), raw(content.path))
        with content.file as source:
            self._place(place, source, content.size, content.mtime // 10**9)
        return mark_of(Found(content.path, content.size, content.mtime, None))

    def say(self, name: str, data: bytes) -> None:
        self._place(posixpath.join(self._machine, name.encode()), BytesIO(data), len(data), None)

    def close(self) -> None:
        self._connection.close()

    @property
    def _sftp(self) -> paramiko.SFTPClient:
        """This thread's own session: one is not made for several."""
        if not hasattr(self._mine, "sftp"):
            self._mine.sftp = paramiko.SFTPClient.from_transport(self._connection.transport)
        client: paramiko.SFTPClient = self._mine.sftp
        return client

    def _place(self, place: bytes, source: IO[bytes], size: int, mtime: int | None) -> None:
        part = posixpath.join(self._machine, PARTS.encode(), secrets.token_hex(8).encode())
        with self._told(os.fsdecode(place)):
            self._folder(posixpath.dirname(part))
            self._folder(posixpath.dirname(place))
            try:
                with self._sftp.open(part, "wx") as file:
                    file.chmod(0o600)
                    file.set_pipelined(True)
                    shutil.copyfileobj(source, file, 1 << 18)
                if self._sftp.stat(part).st_size != size:
                    raise SiphonError(f"{self.name}: not all bytes arrived; is its disk full?")
                if mtime is not None:
                    self._sftp.utime(part, (mtime, mtime))
                self._rename(part, place)
            except BaseException:
                with suppress(OSError, paramiko.SSHException):
                    self._sftp.remove(part)
                raise

    def _rename(self, part: bytes, place: bytes) -> None:
        try:
            self._sftp.posix_rename(part, place)
        except OSError as error:
            with suppress(FileNotFoundError):
                self._sftp.stat(place)
                # Plain SFTP renames over nothing only, and to remove the old one first may lose both.
                raise SiphonError(f"{self.name}: cannot replace a file at once: {error}") from error
            self._sftp.rename(part, place)

    def _folder(self, folder: bytes) -> None:
        """Make the folder, and those above it up to the inbox."""
        if folder in self._made or folder == self._inbox:
            return
        self._folder(posixpath.dirname(folder))
        try:
            self._sftp.mkdir(folder, 0o700)
        except OSError:
            if not stat.S_ISDIR(self._sftp.stat(folder).st_mode or 0):
                raise
        self._made.add(folder)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except (OSError, EOFError, paramiko.SSHException) as error:
            said = getattr(error, "strerror", None) or error or "the connection broke off"
            raise SiphonError(f"{self.name}: {what}: {said}") from error
