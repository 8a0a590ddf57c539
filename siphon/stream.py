"""The output of a remote command, read as it comes: by size, by line, or unpacked."""

import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

from siphon.errors import SiphonError
from siphon.hosts import BLOCK

IDLE_SECONDS = 600  # a host may hash a long log before it answers; a dead line is noticed sooner


class Stream:
    """Bytes from a source that returns some of them at each call, and none at the end."""

    def __init__(self, more: Callable[[], bytes]) -> None:
        self._more = more
        self._block = b""
        self._at = 0  # in the block: to cut off what is read would copy all the rest each time
        self._before = 0  # bytes of the blocks before this one

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self._before + self._at

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._at >= len(self._block):
            self._before += len(self._block)
            self._block, self._at = self._more(), 0
        block = self._block[self._at : self._at + size]
        self._at += len(block)
        return block

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
        return b"".join([self._block[self._at :], *iter(self._more, b"")])

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
            self._at -= len(block) - end
            line += block[:end]
        return line[:-1]


def unpacked(stream: Stream, packer: str) -> Stream:
    """What zstd or gzip packed ("": nothing did). Cut off, it ends early: its reader misses that."""
    if not packer:
        return stream
    return _unzstded(stream) if packer == "zstd" else _gunzipped(stream)


def _unzstded(stream: Stream) -> Stream:
    from zstandard import ZstdDecompressor  # few hosts have it

    source = cast(IO[bytes], stream)
    reader = ZstdDecompressor().stream_reader(source, read_size=BLOCK)
    return Stream(lambda: reader.read1(BLOCK))


def _gunzipped(stream: Stream) -> Stream:
    gzip = zlib.decompressobj(zlib.MAX_WBITS | 16)

    def more() -> bytes:
        while not gzip.eof:
            packed = gzip.unconsumed_tail or stream.read(BLOCK)
            if not packed:
                return b""
            block = gzip.decompress(packed, BLOCK)
            if block:
                return block
        return b""

    return Stream(more)
