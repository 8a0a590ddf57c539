"""The laws of restoring: byte for byte, each with its time, never over other files."""

import os
import subprocess
from pathlib import Path

import pytest

from fleet import Site, config_of
from siphon import inventory, pathtext
from siphon.archive import Archive
from siphon.config import HostConfig
from siphon.errors import SiphonError
from siphon.restore import planned, restore

DAY = 24 * 3600 * 1000
PROJECT = ".claude/projects/-p"
START = 1_760_000_000_000
NAMES = (
    "a.jsonl",
    "line\nend.jsonl",
    "quote'\"$(touch pwned).jsonl",
    "-rf.jsonl",
    "..jsonl",
    "\U0001f600 \u202eesrever.jsonl",
    "tab\tand\x1b[31mred.jsonl",
    os.fsdecode(b"\xff\xfe.jsonl"),
    "\\xff.jsonl",
)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "home" / PROJECT).mkdir(parents=True)
    return Site(tmp_path / "home", config_of(tmp_path, tmp_path, HostConfig("host", tmp_path / "home")))


def collect(site: Site, day: int) -> None:
    site.collect(now=lambda: START + day * DAY)


def tree(folder: Path) -> dict[bytes, tuple[bytes, int]]:
    """Each file's bytes and time."""
    return {
        os.fsencode(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def put_back(site: Site, target: Path, path: str = "", **options: int) -> dict[bytes, tuple[bytes, int]]:
    done = restore(site.archive, planned(site.archive, "host", path, **options), target)
    assert done.problems == ()
    return tree(target)


def test_a_home_comes_back_byte_for_byte_with_its_times_whatever_its_names(
    site: Site, tmp_path: Path
) -> None:
    for number, name in enumerate(NAMES):
        file = site.home / PROJECT / name
        file.write_bytes(b"%d\n" % number * 3000 * number)
        os.utime(file, ns=(10**18 + number, 10**18 + 123_456_789 * number))
    before = tree(site.home)
    assert len(before) == len(NAMES)
    collect(site, 0)
    collect(site, 15)  # the larger ones are packed
    assert put_back(site, tmp_path / "back") == before
    assert not (tmp_path / "back" / "pwned").exists()


def test_a_lost_machine_comes_back_with_what_its_tools_had_deleted(site: Site, tmp_path: Path) -> None:
    site.write(f"{PROJECT}/a.jsonl", b"one\n")
    site.write(f"{PROJECT}/b.jsonl", b"two\n")
    before = tree(site.home)
    collect(site, 0)
    (site.home / PROJECT / "a.jsonl").unlink()
    collect(site, 1)
    assert put_back(site, tmp_path / "back") == before


def test_a_folder_or_a_log_alone_keeps_its_place(site: Site, tmp_path: Path) -> None:
    for path in (".claude/projects/-p/a.jsonl", ".claude/projects/-p2/a.jsonl"):
        site.write(path, path.encode())
    collect(site, 0)
    folder = put_back(site, tmp_path / "folder", ".claude/projects/-p")
    assert list(folder) == [b".claude/projects/-p/a.jsonl"]
    log = put_back(site, tmp_path / "log", ".claude/projects/-p2/a.jsonl")
    assert list(log) == [b".claude/projects/-p2/a.jsonl"]


def test_any_generation_and_any_day_comes_back(site: Site, tmp_path: Path) -> None:
    path = f"{PROJECT}/a.jsonl"
    states = []
    for day, data in enumerate((b"one\n", b"one\ntwo\n", b"other\n", b"", b"third\n")):
        site.write(path, data)
        states.append((data, (site.home / path).stat().st_mtime_ns))
        collect(site, day)
    name = os.fsencode(path)
    for generation, state in ((1, 1), (2, 2), (3, 4)):
        back = put_back(site, tmp_path / f"generation-{generation}", path, generation=generation)
        assert back == {name: states[state]}
    for day, (data, _) in enumerate(states):
        back = put_back(site, tmp_path / f"day-{day}", at=START + day * DAY + 5)
        assert back[name][0] == data
    with pytest.raises(SiphonError, match="nothing of that time"):
        planned(site.archive, "host", "", at=START - 1)


def test_nothing_is_written_where_another_file_is_in_the_way(site: Site, tmp_path: Path) -> None:
    for name in "abc":
        site.write(f"{PROJECT}/{name}.jsonl", name.encode())
    collect(site, 0)
    target = tmp_path / "back" / PROJECT
    target.mkdir(parents=True)
    (target / "b.jsonl").write_bytes(b"mine")
    with pytest.raises(SiphonError, match=r"b\.jsonl is there, with other bytes: --overwrite"):
        put_back(site, tmp_path / "back")
    assert [file.name for file in target.iterdir()] == ["b.jsonl"]
    copies = planned(site.archive, "host", "")
    assert restore(site.archive, copies, tmp_path / "back", overwrite=True).logs == 3
    assert {file.name: file.read_bytes() for file in target.iterdir()} == {
        f"{name}.jsonl": name.encode() for name in "abc"
    }
    again = restore(site.archive, copies, tmp_path / "back")
    assert (again.logs, again.same) == (0, 3)


def test_a_link_in_the_target_never_leads_out_of_it(site: Site, tmp_path: Path) -> None:
    site.write(f"{PROJECT}/a.jsonl", b"one")
    collect(site, 0)
    outside, target = tmp_path / "outside", tmp_path / "back"
    outside.mkdir()
    target.mkdir()
    (target / ".claude").symlink_to(outside)
    done = restore(site.archive, planned(site.archive, "host", ""), target)
    assert done.logs == 0
    assert done.problems == (f"host/{PROJECT}/a.jsonl: a link in the target folder leads out of it",)
    assert not [file for file in outside.rglob("*") if file.is_file()]


def test_damaged_bytes_are_told_not_restored(site: Site, tmp_path: Path) -> None:
    site.write(f"{PROJECT}/a.jsonl", b"one")
    site.write(f"{PROJECT}/b.jsonl", b"two")
    collect(site, 0)
    (site.archive.root / "host" / PROJECT / "a.jsonl").write_bytes(b"0ne")
    done = restore(site.archive, planned(site.archive, "host", ""), tmp_path / "back")
    assert done.logs == 1
    assert "damaged" in done.problems[0]
    assert list(tree(tmp_path / "back")) == [os.fsencode(f"{PROJECT}/b.jsonl")]


def test_the_archive_is_never_restored_into_itself(site: Site) -> None:
    site.write(f"{PROJECT}/a.jsonl", b"one")
    collect(site, 0)
    with pytest.raises(SiphonError, match="lies in the archive"):
        restore(site.archive, planned(site.archive, "host", ""), site.archive.root / "back")


def test_the_users_of_a_host_come_back_in_folders_of_their_own(tmp_path: Path) -> None:
    homes = {name: tmp_path / name for name in ("ada", "bob")}
    for name, home in homes.items():
        (home / PROJECT).mkdir(parents=True)
        (home / PROJECT / "a.jsonl").write_bytes(name.encode())
        site = Site(home, config_of(tmp_path, tmp_path, HostConfig(f"gpu/{name}", home)))
        site.collect()
    archive: Archive = site.archive
    assert inventory.found(archive, "gpu") == ("gpu", "")
    assert inventory.found(archive, f"gpu/ada/{PROJECT}") == ("gpu/ada", PROJECT)
    restore(archive, planned(archive, *inventory.found(archive, "gpu")), tmp_path / "back")
    restore(archive, planned(archive, *inventory.found(archive, "gpu/bob")), tmp_path / "bobs")
    assert {name: body for name, (body, _) in tree(tmp_path / "back").items()} == {
        os.fsencode(f"{name}/{PROJECT}/a.jsonl"): name.encode() for name in homes
    }
    assert list(tree(tmp_path / "bobs")) == [os.fsencode(f"{PROJECT}/a.jsonl")]


def test_a_path_is_understood_as_it_is_and_as_it_is_listed(site: Site) -> None:
    for name in NAMES:
        (site.home / PROJECT / name).write_bytes(os.fsencode(name))
    collect(site, 0)
    for held in site.archive.held():
        for written in (held.path, os.fsdecode(pathtext.raw(held.path))):
            assert inventory.log_at(site.archive, f"host/{written}") == ("host", held.path)
    with pytest.raises(SiphonError, match="no host of 'nobody/x' in the archive; known hosts: host"):
        inventory.found(site.archive, "nobody/x")
    with pytest.raises(SiphonError, match="no log 'x' of host"):
        inventory.log_at(site.archive, "host/x")


def test_the_history_of_a_log_is_told(site: Site) -> None:
    path = f"{PROJECT}/a.jsonl"
    for day, data in enumerate((b"one\n", b"one\ntwo\n", b"other\n")):
        site.write(path, data)
        collect(site, day)
    first, second = inventory.generations(site.archive, "host", path)
    assert (first.generation, first.size, first.began_at, first.replaced_at) == (
        1,
        8,
        START,
        START + 2 * DAY,
    )
    assert [(part.start, part.size, part.arrived_at) for part in first.segments] == [
        (0, 4, START),
        (4, 4, START + DAY),
    ]
    assert (second.generation, second.size, second.began_at, second.replaced_at) == (
        2,
        6,
        START + 2 * DAY,
        None,
    )
    sha256 = subprocess.run(["sha256sum", site.home / path], capture_output=True, text=True, check=True)
    assert sha256.stdout.startswith(second.sha256)
    (total,) = inventory.hosts(site.archive)
    assert (total.logs, total.generations, total.bytes, total.collected_at) == (
        1,
        2,
        14,
        START + 2 * DAY,
    )
    (log,) = inventory.logs(site.archive, "host")
    assert (log.generations, log.size, log.last_seen) == (2, 6, START + 2 * DAY)
