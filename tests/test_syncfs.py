"""Many small files are forced to disk at once, where the file system is known to do so."""

import fcntl
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from siphon import private, syncfs

_FIEMAP = 0xC020660B  # linux/fiemap.h
_NOT_ON_DISK = 0x4  # FIEMAP_EXTENT_DELALLOC: in memory only
_HEAD, _EXTENT = struct.Struct("=QQLLLL"), struct.Struct("=QQQQQLLLL")


@pytest.fixture
def disk() -> Iterator[Path]:
    """A folder on a disk: those of pytest may be in memory."""
    with tempfile.TemporaryDirectory(prefix="siphon-tests-", dir="/var/tmp") as folder:
        yield Path(folder)


def _waiting(file: Path) -> bool:
    """Whether the file has bytes that have no place on the disk yet."""
    with file.open("rb") as opened:
        asked = _HEAD.pack(0, 1 << 62, 0, 0, 1, 0) + bytes(_EXTENT.size)
        answer = fcntl.ioctl(opened, _FIEMAP, asked)
    mapped = _HEAD.unpack_from(answer)[3]
    return mapped > 0 and bool(_EXTENT.unpack_from(answer, _HEAD.size)[5] & _NOT_ON_DISK)


@pytest.mark.parametrize("count", [3, 20, 200])
def test_files_that_are_synced_have_their_place_on_the_disk(disk: Path, count: int) -> None:
    files = [disk / f"{number % 7}" / f"{number}.jsonl" for number in range(count)]
    for file in files:
        private.folder(file.parent)
        with private.create(file) as out:
            out.write(b"x" * 2000)
    private.sync(files)
    try:
        assert not any(map(_waiting, files))
    except OSError as error:
        pytest.skip(f"this file system does not tell where files lie: {error.strerror}")


def test_a_file_system_that_is_not_known_is_left_to_fsync() -> None:
    assert not syncfs.synced(Path("/proc"))


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    if not syncfs._there():
        assert not syncfs.synced(tmp_path / "none")
        return
    with pytest.raises(FileNotFoundError):
        syncfs.synced(tmp_path / "none")
