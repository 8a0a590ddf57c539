"""The disk is full: what is archived stays whole and readable, and with room the rest arrives."""

import os
import resource
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fleet import PROJECT, Site, config_of, noise
from siphon.collect import collect
from siphon.config import HostConfig
from siphon.errors import SiphonError

SIZES = (1, 2, 3, 4, 6, 8, 64)  # MB, of the disk as it is made larger
DAY = 24 * 3600 * 1000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """A function that makes a small disk, or that one larger (MB), and gives its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def sized(megabytes: int) -> Path:
        again = ["-o", f"size={megabytes}m,mode=700{',remount' if folder.is_mount() else ''}"]
        subprocess.run(
            ["mount", "-t", "tmpfs", *again, "tmpfs", folder], check=True, capture_output=True
        )
        return folder

    try:
        sized(SIZES[0])
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("mounting a small disk needs root; the limit on files' sizes is tested")
    yield sized
    subprocess.run(["umount", "--lazy", folder], check=True)


def _lived(home: Path, turn: int) -> None:
    """Logs are made, grow and are rewritten."""
    for number in range(4):
        log = home / PROJECT / f"{turn}-{number}.jsonl"
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_bytes(noise(400_000, seed=turn * 10 + number))
    for log in sorted((home / PROJECT).iterdir())[::3]:
        with log.open("ab") as file:
            file.write(noise(100_000, seed=turn))
    for log in sorted((home / PROJECT).iterdir())[::5]:
        log.write_bytes(noise(300_000, seed=-turn))


def _try(site: Site, day: int) -> bool:
    """Whether a collect came through."""
    try:
        (report,) = collect(site.config, site.archive, now=lambda: day * DAY)
    except SiphonError:
        return False
    return report.error is None


def test_on_a_full_disk_nothing_archived_is_lost_and_with_room_all_arrives(
    disk: Callable[[int], Path], tmp_path: Path
) -> None:
    home = tmp_path / "home"
    config = config_of(tmp_path, tmp_path, HostConfig("host", home))
    site = Site(home, config._replace(archive=disk(SIZES[0]) / "archive"))
    outcomes = []
    for turn, size in enumerate(SIZES):
        disk(size)
        _lived(home, turn)
        outcomes += [_try(site, 20 * turn), _try(site, 20 * turn)]  # what rests is packed, room or not
        for held in site.archive.held():
            data = site.read(held.path)
            assert data is not None and len(data) == held.size
        assert [one for one in site.archive.verify(read_data=True) if one.host is not None] == []
    assert False in outcomes[:-2] and outcomes[-2:] == [True, True]
    logs = {f"{PROJECT}/{log.name}": log.read_bytes() for log in (home / PROJECT).iterdir()}
    assert {path: site.read(path) for path in site.held()} == logs
    with site.archive.lock("test", 1):
        pass
    assert site.sound()


def test_where_files_may_not_grow_the_collect_tells_and_the_archive_stays_whole(tmp_path: Path) -> None:
    """As on a full disk, by a limit on this process's files."""
    home = tmp_path / "home"
    (home / PROJECT).mkdir(parents=True)
    site = Site(home, config_of(tmp_path, tmp_path, HostConfig("host", home)))
    site.write(f"{PROJECT}/a.jsonl", noise(200_000))
    site.collect()
    before = {path: site.read(path) for path in site.held()}
    site.append(f"{PROJECT}/a.jsonl", noise(900_000))
    site.write(f"{PROJECT}/b.jsonl", noise(900_000))
    assert _limited(lambda: _try(site, 1)) == 1
    assert {path: site.read(path) for path in site.held()} == before
    assert [one for one in site.archive.verify(read_data=True) if one.host is not None] == []
    site.collect()
    assert set(site.held()) == {f"{PROJECT}/a.jsonl", f"{PROJECT}/b.jsonl"}
    assert site.sound()


def _limited(act: Callable[[], bool]) -> int:
    """Act in a process whose files may have half a megabyte: 0 well, 1 told, else it broke."""
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        try:
            os._exit(0 if act() else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
