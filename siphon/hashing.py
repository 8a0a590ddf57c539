"""The sha256 of files."""

import hashlib
from pathlib import Path
from typing import IO

_BLOCK = 1 << 20
_ENDLESS = 1 << 62


def digest(file: Path, size: int = _ENDLESS) -> str:
    """The sha256 of the file's first `size` bytes, hex. Raises OSError."""
    with file.open("rb", buffering=0) as bytes:
        return hashed(bytes, size).hexdigest()


def hashed(file: IO[bytes], size: int = _ENDLESS) -> "hashlib._Hash":
    """The hash of the file's next `size` bytes, to go on with; of fewer where it is shorter."""
    state = hashlib.sha256()
    while size > 0 and (block := file.read(min(size, _BLOCK))):
        state.update(block)
        size -= len(block)
    return state
