"""Checking an archive against its ledger: is every file there, as long as it must be, and unchanged?"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from siphon.deposit import PARTS, digest, located
from siphon.ledger import Ledger
from siphon.pathtext import text


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
        what = _wrong(located(root, kept.place), kept, read_data)
        if what is not None:
            yield Finding(kept.host, kept.path, kept.generation, what)
    for place in _files(root):
        if place not in places:
            yield Finding(None, place, None, "in no ledger: left by a kill, or put there by hand")


def _wrong(file: Path, kept: _Kept, read_data: bool) -> str | None:
    try:
        size = file.stat().st_size
    except OSError as error:
        return f"missing: {error.strerror}"
    if size < kept.size:
        return f"too short: {size} of {kept.size} bytes"
    if read_data:
        found = digest(file, kept.size)
        if found != kept.sha256:
            return f"changed: its bytes hash to {found[:12]}…, archived were {kept.sha256[:12]}…"
    return None


def _files(root: Path) -> Iterator[str]:
    """Yield the place of every file in the archive but its own books and parts."""
    for folder, names, files in os.walk(root):
        if Path(folder) == root:
            names[:] = [name for name in names if name not in (PARTS, ".locks")]
            files = []
        for name in files:
            yield text(os.fsencode(Path(folder, name).relative_to(root)))
