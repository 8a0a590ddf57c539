"""The laws of logs at rest: packed when they no longer grow, and nobody who reads them can tell."""

import io
import os
import random
import sqlite3
import subprocess
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from dump import dump
from fleet import Site, config_of, noise
from goldens import HOMES
from road import road
from siphon.config import HostConfig
from siphon.db import connect
from siphon.ledger import VERSION, Ledger
from siphon.log import Log
from siphon.places import located
from siphon.raw import records
from siphon.verify import Share
from siphon.zst import FRAME, pack, seekable

DAY = 24 * 3600 * 1000
PROJECT = ".claude/projects/-p"
START = 1_760_000_000_000


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "home" / PROJECT).mkdir(parents=True)
    return Site(tmp_path / "home", config_of(tmp_path, tmp_path, HostConfig("host", tmp_path / "home")))


def collect(site: Site, day: int) -> None:
    site.collect(now=lambda: START + day * DAY)


def place(site: Site, path: str) -> str:
    entry = site.archive.ledger.entry("host", path)
    assert entry is not None
    return entry.place


def large(size: int) -> bytes:
    """Lines of JSON, of which the frames of a packed log hold some thousand each."""
    lines = (b'{"n": %d, "what": "the same again"}\n' % number for number in range(size // 30))
    return b"".join(lines)


def test_a_log_that_did_not_grow_for_two_weeks_is_packed_and_reads_as_before(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", large(3 * FRAME)
    site.write(path, data)
    collect(site, 0)
    collect(site, 13)
    assert place(site, path) == f"host/{path}"
    collect(site, 15)
    assert place(site, path) == f".zst/host/1/{path}.zst"
    packed = located(site.archive.root, place(site, path))
    assert packed.stat().st_size < len(data) / 4
    assert not (site.archive.root / "host").exists()
    assert site.read(path) == data
    assert site.held() == {path: (1, len(data))}
    log = Log(site.archive.home("host"), "host", path)
    assert sum(1 for _ in log.lines()) == data.count(b"\n")
    for at in (0, FRAME - 5, 2 * FRAME, len(data) - 3):
        with log.open() as file:  # as a page that shows one record
            assert file.seek(at) == at
            assert file.read(10) == data[at : at + 10]
    assert site.sound()


def test_a_database_made_from_packed_logs_is_the_same(tmp_path: Path) -> None:
    homes = {"laptop": HOMES / "claude_code" / "c10_subagent" / "laptop"}
    (homes["server"],) = (path for path in (HOMES / "codex" / "tools").iterdir() if path.is_dir())
    made = road(tmp_path, homes)
    before = made.go()
    with made.archive.lock("test", 1):
        packed = made.archive.pack_all(1 << 60)
    assert packed.logs > 0
    assert not made.load().changed  # nothing that a reader could see has changed
    made.load(rebuild=True)
    assert dump(made.database) == before
    with closing(connect(made.database)) as db:
        sql = """select s.id, seq from messages m join sessions s on s.id = session_id
            join logs l on l.id = s.log_id where length is not null and s.host = 'server'"""
        for session, seq in db.execute(sql).fetchall():
            for raw in records(db, made.archive, session, seq):
                whole = (homes["server"] / raw.path).read_bytes()
                assert whole[raw.offset : raw.offset + len(raw.data)] == raw.data


def test_verify_may_run_while_logs_are_collected_packed_and_woken(site: Site) -> None:
    child = os.fork()
    if child == 0:
        try:
            for turn in range(12):
                for number in range(8):
                    site.write(f"{PROJECT}/{turn % 3}-{number}.jsonl", noise(20_000, turn * number))
                site.append(f"{PROJECT}/0-1.jsonl", b"more\n")
                collect(site, turn * 15)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    looked, ended = 0, 0
    while not ended:
        assert list(site.archive.verify(read_data=True)) == []
        ended, status = os.waitpid(child, os.WNOHANG)
        looked += 1
    assert status == 0 and looked > 2
    assert site.sound()


def test_a_packed_log_is_one_that_zstd_itself_unpacks(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", large(2 * FRAME)
    site.write(path, data)
    collect(site, 0)
    collect(site, 15)
    packed = located(site.archive.root, place(site, path))
    assert subprocess.run(["zstd", "-dc", packed], capture_output=True, check=True).stdout == data


def test_a_packed_log_that_grows_again_is_continued(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", large(50_000)
    site.write(path, data)
    collect(site, 0)
    collect(site, 15)
    site.append(path, b"more\n")
    collect(site, 16)
    assert site.held() == {path: (1, len(data) + 5)}
    assert place(site, path) == f"host/{path}"
    assert site.read(path) == data + b"more\n"
    assert not (site.archive.root / ".zst").exists()
    assert site.archive.ledger.rows("select start, size from segments order by start") == [
        (0, len(data)),
        (len(data), 5),
    ]
    assert site.sound()


def test_a_packed_log_that_is_rewritten_stays_packed_as_a_generation(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", large(50_000)
    site.write(path, data)
    collect(site, 0)
    collect(site, 15)
    site.write(path, b"another\n")
    collect(site, 16)
    assert site.held() == {path: (2, 8)}
    old = site.archive.open("host", path, 1)
    assert old is not None and old.read() == data
    site.write(path, data)  # and back: a third generation, packed in its turn beside the first
    collect(site, 17)
    collect(site, 40)
    assert place(site, path) == f".zst/host/3/{path}.zst"
    assert site.read(path) == data
    assert site.sound()


def test_logs_are_packed_little_by_little(site: Site) -> None:
    for number in range(5):
        site.write(f"{PROJECT}/{number}.jsonl", noise(40_000, number))
    collect(site, 0)
    packed = [site.archive.pack("host", START + 15 * DAY, most=100_000).logs for _ in range(4)]
    assert packed == [2, 2, 1, 0]


def test_small_logs_are_left_as_they_are(site: Site) -> None:
    site.write(f"{PROJECT}/a.jsonl", b"x" * 4095)
    collect(site, 0)
    collect(site, 99)
    assert place(site, f"{PROJECT}/a.jsonl") == f"host/{PROJECT}/a.jsonl"


def test_a_damaged_log_is_not_packed_but_left_for_verify(site: Site) -> None:
    path = f"{PROJECT}/a.jsonl"
    site.write(path, noise(10_000))
    collect(site, 0)
    with (site.archive.root / "host" / path).open("r+b") as file:
        file.write(b"\0")
    collect(site, 15)
    assert place(site, path) == f"host/{path}"
    assert [finding.path for finding in site.archive.verify(read_data=True)] == [path]


def test_a_log_that_the_archive_has_damaged_comes_whole_when_it_grows(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", noise(10_000)
    site.write(path, data)
    collect(site, 0)
    collect(site, 15)
    packed = located(site.archive.root, place(site, path))
    packed.write_bytes(packed.read_bytes()[:-20])
    site.append(path, b"more\n")
    collect(site, 16)
    assert site.read(path) == data + b"more\n"
    assert site.held() == {path: (2, len(data) + 5)}


def test_a_store_at_rest_is_read_as_sqlite(site: Site) -> None:
    path = ".local/share/opencode/opencode.db"
    (site.home / path).parent.mkdir(parents=True)
    with closing(sqlite3.connect(site.home / path)) as db:
        db.execute("create table t (x)")
        db.execute("insert into t values (42)")
        db.commit()
    collect(site, 0)
    collect(site, 15)
    assert place(site, path).startswith(".zst/")
    with site.archive.home("host").sqlite(path) as store:
        assert store.execute("select x from t").fetchall() == [(42,)]


def test_what_a_reader_opened_it_can_read_to_the_end(site: Site) -> None:
    path, data = f"{PROJECT}/a.jsonl", noise(3 * FRAME)
    site.write(path, data)
    collect(site, 0)
    plain = site.archive.home("host").open(path)
    collect(site, 15)
    packed = site.archive.home("host").open(path)
    site.append(path, b"more\n")
    collect(site, 16)
    assert plain is not None and plain.read() == data
    assert packed is not None and packed.read() == data


def test_logs_whose_paths_stand_in_each_others_way_are_packed_too(site: Site) -> None:
    """A log where another one's packed form would lie, and folders where logs were."""
    paths = [f"{PROJECT}/a.jsonl", f"{PROJECT}/a.jsonl.zst", f"{PROJECT}/{'n' * 245}.jsonl"]
    for number, path in enumerate(paths):
        site.write(path, noise(9000, number))
    site.archive.held()
    collect(site, 0)
    collect(site, 15)
    held = site.held()
    assert all(place(site, path).startswith(".zst/") for path in held)
    assert {path: site.read(path) for path in held} == {
        path: (site.home / path).read_bytes() for path in held
    }
    assert site.sound()


@pytest.mark.parametrize("size", [0, 1, FRAME - 1, FRAME, FRAME + 1, 3 * FRAME + 7])
def test_packed_bytes_can_be_read_from_anywhere(size: int, tmp_path: Path) -> None:
    data = random.Random(size).randbytes(size)
    with (tmp_path / "packed").open("wb") as out:
        pack(io.BytesIO(data), out)
    with seekable((tmp_path / "packed").open("rb"), size) as file:
        assert file.read() == data
        assert file.seek(-1, os.SEEK_END) == max(0, size - 1)
        assert file.read() == data[-1:]
        file.seek(size // 2)
        assert file.read(100) == data[size // 2 :][:100]
        assert file.seek(size + 10) == size + 10
        assert file.read() == b""


def test_a_cut_packed_file_is_refused_not_read_short(tmp_path: Path) -> None:
    packed = io.BytesIO()
    pack(io.BytesIO(noise(3 * FRAME)), packed)
    whole = packed.getvalue()
    for size in (0, 10, 16, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(OSError, match="damaged"):
            seekable((tmp_path / "cut").open("rb"), 3 * FRAME)


def test_damaged_and_lost_logs_are_fetched_again_on_demand(site: Site) -> None:
    logs = {f"{PROJECT}/{name}.jsonl": noise(9000, number) for number, name in enumerate("abcde")}
    for path, data in logs.items():
        site.write(path, data)
    collect(site, 0)
    collect(site, 15)  # packed
    lost, damaged, grown, gone, _ = logs
    located(site.archive.root, place(site, lost)).unlink()
    for path in (damaged, grown, gone):
        file = located(site.archive.root, place(site, path))
        file.write_bytes(file.read_bytes()[:-9] + b"\0" * 9)
    (site.home / gone).unlink()
    collect(site, 16)
    found = list(site.archive.verify(read_data=True))
    assert [finding.path for finding in found] == [lost, damaged, grown, gone]
    assert site.archive.refetch(found) == 3
    site.append(grown, b"more\n")
    collect(site, 17)
    assert {path: site.read(path) for path in (lost, damaged)} == {
        path: logs[path] for path in (lost, damaged)
    }
    assert site.held()[damaged] == (1, 9000)
    assert site.held()[grown] == (2, 9005)
    left = [(finding.path, finding.generation) for finding in site.archive.verify(read_data=True)]
    assert left == [(grown, 1), (gone, 1)]  # no host has these any more


def test_each_log_is_in_one_share_of_seven(site: Site) -> None:
    for number in range(20):
        site.write(f"{PROJECT}/{number}.jsonl", noise(100, number))
    collect(site, 0)
    for file in (site.archive.root / "host" / PROJECT).iterdir():
        file.write_bytes(b"y" * 100)
    found = [
        finding.path
        for part in range(1, 8)
        for finding in site.archive.verify(read_data=True, share=Share(part, 7))
    ]
    assert sorted(found) == sorted(site.held())
    assert list(site.archive.verify()) == []


def test_verify_says_which_of_the_pieces_that_arrived_is_damaged(site: Site) -> None:
    path = f"{PROJECT}/a.jsonl"
    site.write(path, b"first\n")
    collect(site, 0)
    site.append(path, b"second\n")
    collect(site, 1)
    with (site.archive.root / "host" / path).open("r+b") as file:
        file.seek(8)
        file.write(b"\0")
    (finding,) = site.archive.verify(read_data=True)
    assert finding.what.endswith("; bytes 6 to 13")


LEDGER_1 = """
create table logs (id integer primary key, host text not null, path text not null,
    generation integer not null, size integer not null, mtime integer, stamp text, sha256 text not null,
    place text not null, first_seen integer not null, changed_at integer not null, gone_at integer,
    unique (host, path));
create table generations (log_id integer not null references logs(id), generation integer not null,
    size integer not null, mtime integer, sha256 text not null, place text not null,
    replaced_at integer not null, primary key (log_id, generation)) without rowid;
create table runs (id integer primary key, kind text not null, host text, started_at integer not null,
    ended_at integer, outcome text not null, logs_seen integer, logs_changed integer, bytes integer,
    problems integer, error text);
create table segments (log_id integer not null, generation integer not null, start integer not null,
    size integer not null, sha256 text not null, arrived_at integer not null,
    primary key (log_id, generation, start)) without rowid;
create table hosts (name text primary key, collected_at integer, attempted_at integer not null,
    error text) without rowid;
create table repos (host text not null, cwd text not null, repo text, asked_at integer,
    primary key (host, cwd)) without rowid;
insert into logs values (1, 'h', 'a', 1, 3, 5, 's', 'abc', 'h/a', 1, 2, null);
pragma user_version = 1;
"""


def test_a_ledger_of_an_earlier_siphon_is_brought_up_to_date(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "old.db")) as db:
        db.executescript(LEDGER_1)
    old, new = Ledger(tmp_path / "old.db"), Ledger(tmp_path / "new.db")
    entry = old.entry("h", "a")
    assert entry is not None and (entry.place, entry.pruned_at) == ("h/a", None)
    assert old.rows("pragma user_version") == new.rows("pragma user_version") == [(VERSION,)]
    tables = """select t.name, c.name, c.type, "notnull", c.pk
        from sqlite_master t, pragma_table_info(t.name) c where t.type = 'table' order by 1, cid"""
    assert old.rows(tables) == new.rows(tables)


def test_when_a_log_was_last_seen_is_known_once_it_is_gone(site: Site) -> None:
    path = f"{PROJECT}/a.jsonl"
    site.write(path, b"one\n")
    collect(site, 0)
    collect(site, 3)
    (site.home / path).unlink()
    collect(site, 5)
    times = "select gone_at, last_seen from logs"
    assert site.archive.ledger.rows(times) == [(START + 5 * DAY, START + 3 * DAY)]
    site.write(path, b"one\n")
    collect(site, 6)
    assert site.archive.ledger.rows(times) == [(None, None)]
