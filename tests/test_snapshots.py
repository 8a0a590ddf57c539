"""SQLite stores are collected while their tools work in them."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from fleet import Fleet, Site, counts, site_of

pytest_plugins = ["fleet_fixtures"]

STORE = ".local/share/opencode/opencode.db"


def store_rows(site: Site) -> list[int]:
    with site.archive.home("host").sqlite(STORE) as db:
        return [row for (row,) in db.execute("select x from t order by x")]


@contextmanager
def store(site: Site, mode: str) -> Iterator[sqlite3.Connection]:
    """A tool at work in its store."""
    (site.home / STORE).parent.mkdir(parents=True)
    with closing(sqlite3.connect(site.home / STORE)) as db:
        db.execute(f"pragma journal_mode = {mode}")
        db.execute("create table t (x integer)")
        db.commit()
        yield db


def settle(site: Site, seconds: float) -> None:
    """Make the store look untouched for a while, as a coarse clock needs it."""
    for file in (site.home / STORE).parent.iterdir():
        os.utime(file, (seconds, seconds))


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_store_in_use_is_copied_whole_its_wal_merged_into_it(site: Site, mode: str) -> None:
    with store(site, mode) as db:
        db.execute("insert into t values (1)")
        db.commit()
        settle(site, 1.7e9)
        report = site.collect()
        assert (counts(report), report.problems) == ({"new": 1}, ())
        assert store_rows(site) == [1]
        assert list(site.held()) == [STORE]
        assert counts(site.collect()) == {}
        db.execute("insert into t values (2)")
        db.commit()
        db.execute("insert into t values (3)")  # not committed
        settle(site, 1.71e9)
        report = site.collect()
        assert (counts(report), report.problems) == ({"rewritten": 1}, ())
        assert store_rows(site) == [1, 2]
    assert site.sound()


def test_a_store_that_is_none_is_kept_as_it_is_and_told(site: Site) -> None:
    site.write(STORE, b"not a database, or an encrypted one")
    settle(site, 1.7e9)
    report = site.collect()
    what = "archived as it is: it is no SQLite database, or an encrypted one"
    assert report.problems == (f"{STORE}: {what}",)
    assert site.read(STORE) == b"not a database, or an encrypted one"


WRITER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("pragma journal_mode = wal")
db.execute("pragma wal_autocheckpoint = 20")
db.execute("create table t (x integer, y blob)")
print("go", flush=True)
x = 0
while True:
    db.execute("begin")
    for _ in range(3):
        db.execute("insert into t values (?, randomblob(3000))", (x,))
        x += 1
    db.execute("commit")
    time.sleep(0.02)
"""
BUSY = "it was written to all the time; the next collect tries again"


def test_a_store_that_is_written_to_all_the_time_is_archived_whole_or_not_at_all(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = site_of("gnu", fleet, tmp_path)
    (site.home / STORE).parent.mkdir(parents=True)
    command = [sys.executable, "-c", WRITER, str(site.home / STORE)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None and writer.stdout.readline() == "go\n"
        for _ in range(3):
            assert site.collect().problems in ((), (f"{STORE}: {BUSY}",))
            if STORE in site.held():
                rows = store_rows(site)
                assert rows == list(range(len(rows)))
                assert len(rows) % 3 == 0
        writer.kill()
    assert site.collect().problems == ()
    assert store_rows(site)
    assert site.sound()
