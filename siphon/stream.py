"""The output of a remote command, read as it comes: by size, by line, or unpacked."""

import threading
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import paramiko

from siphon.errors import SiphonError
from siphon.hosts import BLOCK

IDLE_SECONDS = 600  # a host may hash a long log before it answers; a dead line is noticed sooner
_ERRORS_KEPT = 20_000


class Stream:
    """Bytes from a source that returns some of them at each call, and none at the end."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self._rest = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        block = self._rest or self._more()
        self._rest = block[size:]
        return block[:size]

    def exactly(self, size: int) -> Iterator[bytes]:
        """Yield blocks of `size` bytes in all. Raises SiphonError where they end before."""
        while size:
            block = self.read(min(size, BLOCK))
            if not block:
                raise SiphonError("the connection, or a command on the host, broke off")
            size -= len(block)
            yield block

    def rest(self) -> bytes:
        """All that is left."""
        return b"".join([self._rest, *iter(self._more, b"")])

    def after(self, line_begin: bytes) -> bytes | None:
        """Skip to the line that begins so and return the rest of it; None if there is none."""
        while (line := self._line()) is not None:
            if line.startswith(line_begin):
                return line[len(line_begin) :]
        return None

    def _line(self) -> bytes | None:
        line = b""
        while not line.endswith(b"\n"):
            block = self.read(BLOCK)
            if not block:
                return line or None
            end = block.find(b"\n") + 1 or len(block)
            self._rest = block[end:] + self._rest
            line += block[:end]
        return line[:-1]


def unpacked(stream: Stream) -> Stream:
    """What gzip packed."""
    gzip = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def more() -> bytes:
        while not gzip.eof:
            packed = gzip.unconsumed_tail or stream.read(BLOCK)
            if not packed:
                return b""  # cut off: the reader misses what should have come
            block = gzip.decompress(packed, BLOCK)
            if block:
                return block
        return b""

    return Stream(more)


class Command:
    """A command running on a host; its output is `out`, its complaints `errors()` once it has ended."""

    def __init__(self, connection: Any, command: str, words: bytes = b"") -> None:
        self._channel: paramiko.Channel = connection.create_session()
        self._channel.settimeout(IDLE_SECONDS)
        self._channel.exec_command(command.encode(errors="surrogateescape"))
        self._errors = bytearray()
        self._threads = [
            threading.Thread(target=self._send, args=(words,), daemon=True),
            threading.Thread(target=self._listen, daemon=True),
        ]
        for thread in self._threads:
            thread.start()
        self.out = Stream(self._receive)

    def errors(self) -> list[str]:
        """What it wrote to stderr, by line."""
        for thread in self._threads:
            thread.join(IDLE_SECONDS)
        return self._errors.decode(errors="replace").splitlines()

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(BLOCK)
        except TimeoutError as error:
            raise SiphonError(f"no answer for {IDLE_SECONDS} seconds") from error

    # Both run beside the reader: a host that waits to be heard, or to hear, would wait for ever.
    def _send(self, words: bytes) -> None:
        try:
            self._channel.sendall(words)
            self._channel.shutdown_write()
        except OSError:
            return  # the command ended without hearing all; its output tells

    def _listen(self) -> None:
        try:
            while block := self._channel.recv_stderr(BLOCK):
                self._errors += block[: max(0, _ERRORS_KEPT - len(self._errors))]
        except OSError:
            return  # silent for too long, or closed
