"""Where things lie in an archive: a log on its own path; packed and replaced ones in other trees."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import msgspec

from siphon import private
from siphon.ledger import Ledger
from siphon.pathtext import raw

PARTS = ".parts"
GENERATIONS = ".generations"  # replaced generations, as they came
PACKED = ".packed"  # the same in chunks (siphon/packs.py)
RESTING = ".zst"  # logs that no longer grow, compressed (siphon/resting.py)
_NOTE = "doubtful-"  # in .parts
_numbers = count()


def located(root: Path, place: str) -> Path:
    """The file at a place that a ledger row names."""
    return Path(name(root, place))


def name(root: Path, place: str) -> str:
    """As `located`, where thousands are asked for."""
    return f"{root}/{os.fsdecode(raw(place))}"


def of_log(root: Path, ledger: Ledger, host: str, path: str, others: Sequence[str] | None = None) -> str:
    """Where the current generation belongs: on its own path, or, if that cannot be, under its hash.

    `others`: the host's rivals, where they are known already.
    """
    place = f"{host}/{path}"
    known = rivals(ledger, host) if others is None else others
    taken = any(_taken(ledger, rival, place) for rival in known)
    possible = None if taken else _possible(root, place)
    return possible or _flat(root, GENERATIONS, host, path, "current")


def rivals(ledger: Ledger, host: str) -> list[str]:
    """Other hosts whose logs may have the same place: gpu's ada/x is gpu/ada's x."""
    above = host.rpartition("/")[0]
    below = ledger.rows("select name from hosts where name > ? and name < ?", f"{host}/", f"{host}0")
    return [name for (name,) in below] + ([above] if above else [])


def _taken(ledger: Ledger, rival: str, place: str) -> bool:
    if not place.startswith(f"{rival}/"):
        return False
    entry = ledger.entry(rival, place.removeprefix(f"{rival}/"))
    return entry is not None and entry.place == place


def of_generation(root: Path, host: str, path: str, generation: int) -> str:
    """Where a replaced generation belongs."""
    place = f"{GENERATIONS}/{_folder(host)}/{generation}/{path}"
    return _possible(root, place) or _flat(root, GENERATIONS, host, path, str(generation))


def of_resting(root: Path, host: str, path: str, generation: int) -> str:
    """Where a log at rest belongs."""
    place = f"{RESTING}/{_folder(host)}/{generation}/{path}.zst"
    return _possible(root, place) or _flat(root, RESTING, host, path, f"{generation}.zst")


def _possible(root: Path, place: str) -> str | None:
    """The place, its folder made; None if a folder, a file above it or its length stands in the way."""
    file = name(root, place)
    folder = file.rpartition("/")[0]
    try:
        if not os.path.isdir(folder):  # noqa: PTH112  # a Path for each of thousands takes longer
            private.folder(Path(folder))
        return None if stat.S_ISDIR(os.lstat(file).st_mode) else place
    except FileNotFoundError:
        return place
    except OSError:
        return None


def _folder(host: str) -> str:
    """The host's folder in a tree where generations lie beside hosts: gpu/1 is not gpu's first."""
    return host.replace("/", "+")


def _flat(root: Path, tree: str, host: str, path: str, name: str) -> str:
    digest = hashlib.sha256(raw(path)).hexdigest()[:32]
    place = f"{tree}/{_folder(host)}/.flat/{digest}.{name}"
    private.folder(located(root, place).parent)
    return place


def sync_names(root: Path, places: Iterable[str]) -> None:
    """Force to disk the names in the places' folders and in those above."""
    top = str(root)
    folders: set[str] = set()
    for place in places:
        folder = name(root, place).rpartition("/")[0]
        while folder != top and folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    private.sync([*map(Path, folders), root] if folders else ())


@contextmanager
def doubtful(root: Path, places: Sequence[str]) -> Iterator[None]:
    """Meanwhile files may lie at these places that no ledger names; a kill leaves them to `clear`."""
    if not places:
        yield
        return
    note = root / PARTS / f"{_NOTE}{os.getpid()}-{next(_numbers)}"
    with private.create(note) as file:
        file.write(msgspec.json.encode(places))
    private.sync([note, note.parent])
    yield
    note.unlink()


def clear(root: Path, ledger: Ledger) -> None:
    """Remove what was left at doubtful places and is in no ledger."""
    for place in noted(root):
        if not ledger.names(place):
            remove(root, place)
    for note in (root / PARTS).glob(f"{_NOTE}*"):
        note.unlink()


def noted(root: Path) -> set[str]:
    """The doubtful places of now, and those that a kill has left."""
    found: set[str] = set()
    for note in (root / PARTS).glob(f"{_NOTE}*"):
        with suppress(FileNotFoundError, msgspec.DecodeError):  # not written yet: nothing was begun
            found.update(msgspec.json.decode(note.read_bytes(), type=list[str]))
    return found


def remove(root: Path, place: str) -> None:
    """Remove a file, and the folders above it that it leaves empty."""
    file = located(root, place)
    file.unlink(missing_ok=True)
    for folder in file.relative_to(root).parents:
        try:
            (root / folder).rmdir()
        except OSError:
            return  # not empty
