"""What an ETag proves: of most objects it is the MD5 of the bytes, or of the MD5s of their parts.

Where it is neither (encrypted with a key of KMS, put together, Azure), it tells versions apart, no more.
"""

import hashlib
import re

_MD5 = re.compile(r"[0-9a-f]{32}(?:-(\d{1,5}))?")
_MB = 1 << 20
# Sizes of parts in use: 5 obstore and rclone, 8 AWS's own tools, 15 s3cmd, 16 MinIO, and others.
_PARTS = (5, 8, 10, 15, 16, 20, 25, 32, 50, 64, 100, 128, 256, 512)


def bare(etag: str | None) -> str | None:
    """The ETag without what is written around it, which differs between a listing and an answer."""
    return etag.removeprefix("W/").strip('"') if etag else None


class Digest:
    """Fed all bytes of an object, tells whether its ETag is made of them."""

    def __init__(self, etag: str | None, size: int) -> None:
        found = _MD5.fullmatch(etag or "")
        self._etag = etag
        self._sums: list[_Parts] = []
        if found and found[1]:
            self._sums = [_Parts(part) for part in _sizes(int(found[1]), size)]
        elif found:
            self._sums = [_Parts(None)]

    @property
    def can_tell(self) -> bool:
        """Whether this is an ETag of which that can be told."""
        return bool(self._sums)

    def feed(self, block: bytes) -> None:
        """The next bytes."""
        for each in self._sums:
            each.feed(block)

    def agrees(self) -> bool:
        """Whether the ETag is that of the bytes: they are the object's, all of them."""
        return any(each.etag() == self._etag for each in self._sums)


class _Parts:
    """The ETag of what is put in parts of one size (None: in one piece)."""

    def __init__(self, size: int | None) -> None:
        self._size = size
        self._left = size or 0
        self._done: list[bytes] = []
        self._part = _md5()

    def feed(self, block: bytes) -> None:
        if self._size is None:
            self._part.update(block)
            return
        rest = memoryview(block)
        while rest:
            self._part.update(rest[: self._left])
            taken = min(self._left, len(rest))
            rest, self._left = rest[taken:], self._left - taken
            if not self._left:
                self._end()

    def etag(self) -> str:
        if self._size is None:
            return self._part.hexdigest()
        if self._left < self._size:
            self._end()
        return f"{_md5(b''.join(self._done)).hexdigest()}-{len(self._done)}"

    def _end(self) -> None:
        self._done.append(self._part.digest())
        self._part, self._left = _md5(), self._size or 0


def _md5(data: bytes = b"") -> "hashlib._Hash":
    return hashlib.md5(data, usedforsecurity=False)


def _sizes(parts: int, size: int) -> list[int]:
    """The usual sizes of which so many parts make so many bytes."""
    fits = {count * _MB for count in _PARTS if parts == max(1, -(-size // (count * _MB)))}
    if parts > 1:
        whole = -(-size // parts)
        fits.add(-(-whole // _MB) * _MB)  # cut evenly, in whole MiB
    return sorted(fit for fit in fits if fit and parts == max(1, -(-size // fit)))
