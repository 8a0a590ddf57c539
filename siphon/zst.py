"""zstd files as streams; a truncated one ends with an error instead of an early end."""

import io
from typing import IO, TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 17


class Unpacked(io.RawIOBase):
    """What a .zst file unpacks to, all its frames; not seekable. Reading raises zstandard.ZstdError."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = b""
        self._begun = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer).cast("B")
        while not self._ready:
            packed = self._frame.unused_data if self._frame.eof else b""
            packed = packed or self._file.read(_BLOCK)
            if not packed:
                if self._begun and not self._frame.eof:
                    raise zstandard.ZstdError("ends in the middle of a frame")
                return 0
            if self._frame.eof:
                self._frame = zstandard.ZstdDecompressor().decompressobj()
            self._begun = True
            self._ready = self._frame.decompress(packed)
        size = min(len(view), len(self._ready))
        view[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


def unpacked(file: IO[bytes]) -> IO[bytes]:
    """Read a .zst file as what it unpacks to; closing it closes the file."""
    return io.BufferedReader(Unpacked(file), 1 << 18)
