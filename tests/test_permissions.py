"""Who may read an archive: its owner; where siphon.yml names a group, that too; never anybody else."""

import grp
import os
import stat
from contextlib import suppress
from pathlib import Path

import pytest

from fleet import Site, config_of, noise
from siphon.archive import Archive
from siphon.config import HostConfig, load_config
from siphon.errors import SiphonError
from siphon.permissions import gid_of, wrong

PROJECT = ".claude/projects/-p"
DAY = 24 * 3600 * 1000


def other_group() -> str:
    """A group we are in; for root one that is not its own, so that it shows."""
    known = [group.gr_name for group in grp.getgrall() if group.gr_gid in os.getgroups()]
    other = [group.gr_name for group in grp.getgrall() if group.gr_gid not in (0, os.getegid())]
    return other[0] if os.geteuid() == 0 else known[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "home" / PROJECT).mkdir(parents=True)
    return Site(tmp_path / "home", config_of(tmp_path, tmp_path, HostConfig("host", tmp_path / "home")))


def filled(site: Site, day: int) -> None:
    """New, rewritten, packed and woken logs."""
    for name in "abc":
        site.write(f"{PROJECT}/{name}.jsonl", noise(100_000, seed=day))
    site.collect(now=lambda: day * DAY)
    site.write(f"{PROJECT}/a.jsonl", b"other")
    site.append(f"{PROJECT}/b.jsonl", b"more\n")
    site.collect(now=lambda: (day + 1) * DAY)
    site.collect(now=lambda: (day + 20) * DAY)
    site.append(f"{PROJECT}/b.jsonl", b"more\n")
    site.collect(now=lambda: (day + 21) * DAY)


def modes(archive: Archive) -> set[tuple[bool, int, int]]:
    found = []
    for path in [archive.root, *archive.root.rglob("*")]:
        with suppress(FileNotFoundError):  # SQLite's own beside the ledger come and go
            found.append(path.stat())
    return {(stat.S_ISDIR(one.st_mode), stat.S_IMODE(one.st_mode), one.st_gid) for one in found}


@pytest.mark.parametrize("mask", [0, 0o777])
def test_without_a_group_only_the_owner_reads_it(site: Site, mask: int) -> None:
    before = os.umask(mask)
    try:
        filled(site, 1)
    finally:
        os.umask(before)
    assert {mode[:2] for mode in modes(site.archive)} == {(True, 0o700), (False, 0o600)}
    assert list(wrong(site.archive.root, None)) == []


@pytest.mark.parametrize("mask", [0, 0o777])
def test_a_group_may_read_all_but_the_audit_log_and_the_locks(site: Site, mask: int) -> None:
    group = other_group()
    gid = gid_of(group)
    shared = Site(site.home, site.config._replace(group=group))
    before = os.umask(mask)
    try:
        filled(site, 1)  # at first for the owner alone: what is there is shared, too
        filled(shared, 50)
    finally:
        os.umask(before)
    assert modes(site.archive) == {(True, 0o2750, gid), (False, 0o640, gid), (False, 0o600, gid)}
    private = {
        path.name for path in site.archive.root.rglob("*") if path.stat().st_mode & 0o777 == 0o600
    }
    assert private == {".audit.jsonl", ".lock", "host"}
    assert (site.archive.root / ".locks" / "host").stat().st_mode & 0o777 == 0o600
    assert list(wrong(site.archive.root, gid)) == []


def test_a_group_that_is_taken_back_may_not_even_enter(site: Site) -> None:
    group = other_group()
    shared = Site(site.home, site.config._replace(group=group))
    filled(shared, 1)
    filled(site, 50)
    assert {mode[:2] for mode in modes(site.archive)} == {(True, 0o700), (False, 0o600)}


def test_a_group_that_is_not_there_is_told(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "siphon.yml"
    file.write_text("group: nosuchgroup\n")
    config = load_config(file, {"HOME": str(tmp_path)}, tmp_path)
    assert config.group == "nosuchgroup"
    with pytest.raises(SiphonError, match=r"'group: nosuchgroup' in siphon\.yml: there is no"):
        site.archive.share(config.group)
