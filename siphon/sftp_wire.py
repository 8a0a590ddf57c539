"""The reading half of SFTP, version 3, with many questions under way at a time.

paramiko's own client asks one by one, fails on names that are no UTF-8, and when it reads ahead may
fetch a file twice.
"""

import errno
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from siphon.errors import SiphonError

_INIT, _VERSION, _OPEN, _CLOSE, _READ = 1, 2, 3, 4, 5
_LSTAT, _OPENDIR, _READDIR, _REALPATH = 7, 11, 12, 16
_STATUS, _HANDLE, _DATA, _NAME, _ATTRS = 101, 102, 103, 104, 105
_EOF = 1
_ERRNO = {2: errno.ENOENT, 3: errno.EACCES}  # no such file, permission denied
_READ_ONLY = 1
_UNDER_WAY = 64  # questions
_PIECE = 32768  # bytes; every server gives as many at once


class Attributes(NamedTuple):
    """What SFTP tells about a file; what it leaves out is 0."""

    size: int
    mode: int
    mtime: int  # s
    owner: int = 0  # number of the user


class Reply(NamedTuple):
    """An answer: its kind and what it holds."""

    kind: int
    body: bytes

    @property
    def ended(self) -> bool:
        """Whether it says that there is no more."""
        return self.kind == _STATUS and self.body[:4] == struct.pack(">I", _EOF)

    def expect(self, kind: int) -> bytes:
        """The body of an answer of this kind. Raises OSError for what the host says instead."""
        if self.kind == kind:
            return self.body
        if self.kind != _STATUS:
            raise OSError(errno.EPROTO, "not an answer to the question")
        (code,) = struct.unpack_from(">I", self.body)
        said, _ = _string(self.body, 4) if len(self.body) > 8 else (b"", 0)
        raise OSError(_ERRNO.get(code, errno.EIO), said.decode(errors="replace") or f"SFTP error {code}")


class Question(NamedTuple):
    """What is asked; its number is added when it is sent."""

    kind: int
    body: bytes


class Sftp:
    """A session; `send` and `receive` are those of its channel."""

    def __init__(self, send: Callable[[bytes], None], receive: Callable[[int], bytes]) -> None:
        self._send = send
        self._receive = receive
        self._buffer = bytearray()
        self._replies: dict[int, Reply] = {}
        self._last = 0
        send(struct.pack(">IBI", 5, _INIT, 3))
        kind, _ = self._packet()
        if kind != _VERSION:
            raise OSError(errno.EPROTO, "no SFTP server")

    def real(self, path: bytes) -> bytes:
        """The path without links, absolute. Raises OSError."""
        (reply,) = self.ask([Question(_REALPATH, _packed(path))])
        name, _ = _string(reply.expect(_NAME), 4)
        return name

    def lstats(self, paths: Iterable[bytes]) -> Iterator[Attributes | None]:
        """What lies at each path, links not followed; None: nothing that can be seen."""
        for found in self.looks(paths):
            yield None if isinstance(found, OSError) else found

    def looks(self, paths: Iterable[bytes]) -> Iterator[Attributes | OSError]:
        """What lies at each path, links not followed, or why it cannot be told."""
        for reply in self.ask(Question(_LSTAT, _packed(path)) for path in paths):
            try:
                yield _attributes(reply.expect(_ATTRS), 0)[0]
            except OSError as error:
                yield error

    def folders(self, paths: Sequence[bytes]) -> Iterator[list[tuple[bytes, Attributes]] | OSError]:
        """What is in each folder, or why it cannot be told."""
        opened = [
            _or_error(reply, _HANDLE)
            for reply in self.ask(Question(_OPENDIR, _packed(p)) for p in paths)
        ]
        found: dict[bytes, list[tuple[bytes, Attributes]]] = {
            h: [] for h in opened if isinstance(h, bytes)
        }
        more = list(found)
        while more:
            replies = list(self.ask(Question(_READDIR, handle) for handle in more))
            for handle, reply in zip(more, replies, strict=True):
                found[handle] += _names(reply)
            more = [handle for handle, reply in zip(more, replies, strict=True) if reply.kind == _NAME]
        self._close(found)
        for outcome in opened:
            yield outcome if isinstance(outcome, OSError) else found[outcome]

    def heads(self, wants: Sequence[tuple[bytes, int]]) -> Iterator[bytes]:
        """The first bytes of each (path, size), at most 32 KiB; fewer where there are no more."""
        asked = self.ask(Question(_OPEN, _packed(path) + _FOR_READING) for path, _ in wants)
        handles = [_or_error(reply, _HANDLE) for reply in asked]
        good = [
            (handle, size)
            for handle, (_, size) in zip(handles, wants, strict=True)
            if isinstance(handle, bytes)
        ]
        data = iter(list(self.ask(_read(handle, 0, size) for handle, size in good)))
        self._close([handle for handle, _ in good])
        for handle in handles:
            reply = None if isinstance(handle, OSError) else next(data)
            yield _string(reply.body, 0)[0] if reply is not None and reply.kind == _DATA else b""

    def open(self, path: bytes) -> bytes:
        """A handle of the file, to read. Raises OSError."""
        (reply,) = self.ask([Question(_OPEN, _packed(path) + _FOR_READING)])
        return reply.expect(_HANDLE)

    def close(self, handle: bytes) -> None:
        """Give the handle back."""
        self._close([handle])

    def read(self, handle: bytes, start: int, end: int) -> Iterator[bytes]:
        """Yield the bytes from start to end, or to where the file ends. Raises OSError."""
        starts = range(start, end, _PIECE)
        replies = self.ask(_read(handle, at, min(_PIECE, end - at)) for at in starts)
        for at, reply in zip(starts, replies, strict=True):
            if reply.ended:
                return
            data, _ = _string(reply.expect(_DATA), 0)
            while len(data) < min(_PIECE, end - at):  # a server may give less than asked for
                (rest,) = self.ask([_read(handle, at + len(data), min(_PIECE, end - at) - len(data))])
                if rest.ended:
                    break
                data += _string(rest.expect(_DATA), 0)[0]
            yield data

    def ask(self, questions: Iterable[Question]) -> Iterator[Reply]:
        """The replies, in the order of the questions; the next ones are on their way meanwhile."""
        waiting: deque[int] = deque()
        for question in questions:
            self._last += 1
            body = struct.pack(">BI", question.kind, self._last) + question.body
            self._send(struct.pack(">I", len(body)) + body)
            waiting.append(self._last)
            if len(waiting) >= _UNDER_WAY:
                yield self._reply(waiting.popleft())
        while waiting:
            yield self._reply(waiting.popleft())

    def _close(self, handles: Iterable[bytes]) -> None:
        for _ in self.ask(Question(_CLOSE, handle) for handle in handles):
            pass

    def _reply(self, number: int) -> Reply:
        while number not in self._replies:
            kind, body = self._packet()
            (answered,) = struct.unpack_from(">I", body)
            self._replies[answered] = Reply(kind, body[4:])
        return self._replies.pop(number)

    def _packet(self) -> tuple[int, bytes]:
        (size,) = struct.unpack(">I", self._exactly(4))
        packet = self._exactly(size)
        return packet[0], packet[1:]

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            block = self._receive(1 << 18)
            if not block:
                raise SiphonError("the connection, or SFTP on the host, broke off")
            self._buffer += block
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data


_FOR_READING = struct.pack(">II", _READ_ONLY, 0)


def _packed(text: bytes) -> bytes:
    return struct.pack(">I", len(text)) + text


def _read(handle: bytes, start: int, size: int) -> Question:
    return Question(_READ, handle + struct.pack(">QI", start, size))


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    """A string, and where what follows begins."""
    (size,) = struct.unpack_from(">I", body, at)
    return body[at + 4 : at + 4 + size], at + 4 + size


def _or_error(reply: Reply, kind: int) -> bytes | OSError:
    """The body (of a handle: as it is to be sent back), or what the host says instead."""
    try:
        return reply.expect(kind)
    except OSError as error:
        return error


def _names(reply: Reply) -> list[tuple[bytes, Attributes]]:
    if reply.kind != _NAME:
        return []
    (count,) = struct.unpack_from(">I", reply.body)
    at, names = 4, []
    for _ in range(count):
        name, at = _string(reply.body, at)
        _, at = _string(reply.body, at)  # as `ls -l` would show it
        attributes, at = _attributes(reply.body, at)
        names.append((name, attributes))
    return names


def _attributes(body: bytes, at: int) -> tuple[Attributes, int]:
    (flags,) = struct.unpack_from(">I", body, at)
    at, size, mode, mtime, owner = at + 4, 0, 0, 0, 0
    if flags & 1:
        (size,) = struct.unpack_from(">Q", body, at)
        at += 8
    if flags & 2:
        (owner,) = struct.unpack_from(">I", body, at)
        at += 8  # and the group
    if flags & 4:
        (mode,) = struct.unpack_from(">I", body, at)
        at += 4
    if flags & 8:
        _, mtime = struct.unpack_from(">II", body, at)
        at += 8
    if flags & 0x80000000:
        (count,) = struct.unpack_from(">I", body, at)
        at += 4
        for _ in range(2 * count):
            _, at = _string(body, at)
    return Attributes(size, mode, mtime, owner), at
