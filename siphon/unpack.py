"""Zip and tar files of logs, unpacked without trusting a name or a size in them."""

import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from siphon.errors import SiphonError

LIMIT = 20 << 30  # bytes unpacked in all
RATIO = 1000  # times the packed size: logs pack to a tenth, bombs to a thousandth
MEMBERS = 1_000_000
_BLOCK = 1 << 20


class Member(NamedTuple):
    name: str
    size: int  # bytes, as the archive claims
    file: IO[bytes]


def packed(path: Path) -> bool:
    """Whether the file is a zip or tar archive (by content)."""
    return zipfile.is_zipfile(path) or tarfile.is_tarfile(path)


def unpack(path: Path, folder: Path) -> None:
    """Unpack regular files into the folder.

    Raises SiphonError naming the member that is absolute, leaves the folder, is a link or a device, or
    that makes the whole too large; what was unpacked before it is not used then.
    """
    limit = min(LIMIT, max(1 << 28, path.stat().st_size * RATIO))
    total = 0
    try:
        for count, member in enumerate(_members(path), 1):
            target = folder / _inside(path, member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            total = _write(path, member, target, total, limit)
            if count > MEMBERS:
                raise SiphonError(f"{path}: more than {MEMBERS} members; unpack it yourself")
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, RuntimeError) as error:
        raise SiphonError(f"{path}: cannot be unpacked: {error}") from None


def _write(path: Path, member: Member, target: Path, total: int, limit: int) -> int:
    with member.file as source, target.open("wb") as copy:
        while block := source.read(_BLOCK):
            total += len(block)
            if total > limit:
                raise SiphonError(
                    f"{path}: {member.name!r} makes it larger than {limit} bytes unpacked; refused"
                )
            copy.write(block)
    return total


def _inside(path: Path, name: str) -> PurePosixPath:
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0] or "\0" in name:
        raise SiphonError(f"{path}: {name!r} leads out of the archive; refused")
    return PurePosixPath(*parts)


def _members(path: Path) -> Iterator[Member]:
    return _zipped(path) if zipfile.is_zipfile(path) else _tarred(path)


def _zipped(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            _inside(path, info.filename)
            mode = info.external_attr >> 16
            if mode and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                raise SiphonError(f"{path}: {info.filename!r} is a link or a device; refused")
            if not info.is_dir():
                yield Member(info.filename, info.file_size, archive.open(info))


def _tarred(path: Path) -> Iterator[Member]:
    with tarfile.open(path) as archive:
        for info in archive:
            _inside(path, info.name)
            if info.isdir():
                continue
            if not info.isreg():
                raise SiphonError(f"{path}: {info.name!r} is a link or a device; refused")
            file = archive.extractfile(info)
            if file is not None:
                yield Member(info.name, info.size, file)
