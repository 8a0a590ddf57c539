"""A file that is made of pieces, each fetched when it is read: as any file's reader wants it."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Pieces(io.RawIOBase):
    """`size` bytes, read-only and seekable.

    `rest(at)` gives the bytes from `at` to the end of the piece that holds it; `close` is called once.
    """

    def __init__(self, size: int, rest: Callable[[int], bytes], close: Callable[[], None]) -> None:
        self._size = size
        self._rest = rest
        self._close = close
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer from one piece."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        data = self._rest(self._at)[:wanted]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """As any file's."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        if not self.closed:
            self._close()
        super().close()
