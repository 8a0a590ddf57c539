"""The first bytes of a file, as a file: what lies beyond them is not archived yet."""

import io
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BUFFER = 1 << 16  # bytes: most readers ask for larger blocks, which do not pass through it


class Bounded(io.RawIOBase):
    """A seekable view of the first `size` bytes of a file; closing it closes the file."""

    def __init__(self, file: io.FileIO, size: int) -> None:
        self._file = file
        self._size = size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer with what is left before the bound."""
        view = memoryview(buffer).cast("B")
        left = max(0, self._size - self._file.tell())
        return self._file.readinto(view[:left]) or 0

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As any file's, its end being the bound."""
        if whence == io.SEEK_END:
            return self._file.seek(self._size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def close(self) -> None:
        self._file.close()
        super().close()


def bounded(path: str, size: int) -> IO[bytes]:
    """Open the file's first `size` bytes for reading. Raises OSError."""
    return io.BufferedReader(Bounded(io.FileIO(path), size), _BUFFER)
