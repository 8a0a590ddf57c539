"""Zip and tar files of logs, unpacked without trusting a name or a size in them."""

import lzma
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from siphon.errors import SiphonError

LIMIT = 20 << 30  # bytes unpacked in all
RATIO = 200  # times the packed size: logs pack to a tenth, bombs to a thousandth
SMALL = 64 << 20  # bytes unpacked that are no matter, whatever the ratio
MEMBERS = 1_000_000
_BLOCK = 1 << 20
_DRIVE = re.compile("[A-Za-z]:")
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError,
    ValueError,
)  # fmt: skip


class Member(NamedTuple):
    name: str
    mtime: float  # seconds; of a zip, whose times have no zone, as if it were UTC
    file: IO[bytes]


def packed(path: Path) -> bool:
    """Whether the file is a zip or tar archive (by content)."""
    try:
        return _zip(path) or tarfile.is_tarfile(path)
    except _DAMAGE:
        return False


def _zip(path: Path) -> bool:
    """A log may hold, and even end with, the bytes of a zip; an archive begins with them."""
    with path.open("rb") as file:
        return file.read(2) == b"PK" and zipfile.is_zipfile(path)


def unpack(path: Path, folder: Path) -> None:
    """Unpack regular files into the folder.

    Raises SiphonError naming the member that is absolute, leaves the folder, is a link or a device, or
    that makes the whole too large; what was unpacked before it is not used then.
    """
    limit = min(LIMIT, max(SMALL, path.stat().st_size * RATIO))
    total = 0
    try:
        for count, member in enumerate(_members(path), 1):
            target = folder / _inside(path, member.name)
            target.parent.mkdir(parents=True, exist_ok=True)
            total = _write(path, member, target, total, limit)
            os.utime(target, (member.mtime, member.mtime))
            if count > MEMBERS:
                raise SiphonError(f"{path}: more than {MEMBERS} members; unpack it yourself")
    except _DAMAGE as error:
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
    if "/" in parts[:1] or ".." in parts or _DRIVE.match(name) or "\0" in name:
        raise SiphonError(f"{path}: {name!r} leads out of the archive; refused")
    return PurePosixPath(*parts)


def _members(path: Path) -> Iterator[Member]:
    return _zipped(path) if _zip(path) else _tarred(path)


def _zipped(path: Path) -> Iterator[Member]:
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            _inside(path, info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)  # 0: its writer does not tell
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise SiphonError(f"{path}: {info.filename!r} is a link or a device; refused")
            if not info.is_dir():
                yield Member(info.filename, _time(info), archive.open(info))


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
                yield Member(info.name, max(0, min(info.mtime, 1 << 33)), file)


def _time(info: zipfile.ZipInfo) -> float:
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:  # a month of 0, as some writers leave it
        return 0
