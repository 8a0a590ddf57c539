"""Checking an archive against its ledger: is every file there, as long as it must be, and unchanged?"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from siphon.deposit import PARTS, located
from siphon.ledger import Ledger
from siphon.packs import PACKED, index, opened
from siphon.pathtext import text

_BLOCK = 1 << 20


class Finding(NamedTuple):
    """Something in the archive that is not as its ledger says."""

    host: str | None
    path: str  # of the log below its home; without a host: of the file below the archive
    generation: int | None
    what: str


class _Kept(NamedTuple):
    host: str
    path: str
    generation: int
    size: int
    sha256: str
    place: str


_KEPT = """
    select host, path, generation, size, sha256, place from logs
    union all
    select host, path, g.generation, g.size, g.sha256, g.place
    from generations g join logs on id = log_id
"""


def findings(root: Path, ledger: Ledger, read_data: bool = False) -> Iterator[Finding]:
    """Yield what is missing, too short or unknown; `read_data`: also every log whose bytes changed."""
    places = set()
    for row in ledger.rows(f"{_KEPT} order by host, path, generation"):
        kept = _Kept(*row)
        places.add(kept.place)
        what = _wrong(root, kept, read_data)
        if what is not None:
            yield Finding(kept.host, kept.path, kept.generation, what)
    for place in _files(root):
        if place not in places:
            yield Finding(None, place, None, "in no ledger: left by a kill, or put there by hand")


def _wrong(root: Path, kept: _Kept, read_data: bool) -> str | None:
    try:
        if kept.place.startswith(PACKED):
            index(root, kept.place)
        elif (size := located(root, kept.place).stat().st_size) < kept.size:
            return f"too short: {size} of {kept.size} bytes"
        found = _sha256(root, kept) if read_data else kept.sha256
    except OSError as error:
        return f"missing: {error.strerror}" if error.strerror else f"damaged: {error}"
    if found != kept.sha256:
        return f"changed: its bytes hash to {found[:12]}…, archived were {kept.sha256[:12]}…"
    return None


def _sha256(root: Path, kept: _Kept) -> str:
    state = hashlib.sha256()
    with opened(root, kept.place, kept.size) as file:
        while block := file.read(_BLOCK):
            state.update(block)
    return state.hexdigest()


def _files(root: Path) -> Iterator[str]:
    """Yield the place of every file in the archive but its own books and parts."""
    for folder, names, files in os.walk(root):
        if Path(folder) == root:
            names[:] = [name for name in names if name not in (PARTS, ".locks")]
            files = []
        for name in files:
            yield text(os.fsencode(Path(folder, name).relative_to(root)))
