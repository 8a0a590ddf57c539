"""The laws of pruning: on demand alone, nothing that a newer log needs, never fetched back."""

import json
import os
import signal
import sqlite3
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

import pytest

from dump import dump
from goldens import HOMES
from road import Road, copied, road
from siphon import audit
from siphon.archive import Archive
from siphon.cli import run
from siphon.collect import collect
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.prune import Plan, plan, prune

DAY = 24 * 3600 * 1000
START = 1_760_000_000_000
NEWER = "-019df237-"  # the first fork of this case
EVENTS = ("open", "os.rename", "os.link", "os.remove", "os.rmdir")


@pytest.fixture
def forks(tmp_path: Path) -> Road:
    """A parent and three forks; the parent and two forks are old, one fork is new."""
    (home,) = (path for path in (HOMES / "codex" / "fork_held").iterdir() if path.is_dir())
    made = road(tmp_path, {"host": copied(tmp_path / "home", home)})
    for file in logs(made):
        at = (START + 90 * DAY if NEWER in file.name else START) / 1000
        os.utime(file, (at, at))
    made.go()
    return made


def logs(made: Road) -> list[Path]:
    home = made.config.hosts[0].home
    assert home is not None
    return sorted(home.rglob("rollout-*"))


def planned(made: Road) -> Plan:
    return plan(made.archive, made.database, START + 30 * DAY, ())


def pruned(made: Road) -> list[str]:
    """Prune; the paths that went."""
    todo = planned(made)
    with made.archive.lock("test", 1):
        prune(made.archive, todo.logs, START + 100 * DAY, lambda _done, _total: None)
    return [one.path for one in todo.logs]


def sessions(made: Road) -> int:
    with closing(connect(made.database)) as db:
        return int(db.execute("select count(*) from sessions").fetchone()[0])


def test_a_plan_deletes_nothing_and_spares_what_a_newer_log_is_read_with(forks: Road) -> None:
    parent, _, *others = (str(log.name) for log in logs(forks))
    todo = planned(forks)
    assert [one.path.rpartition("/")[2] for one in todo.logs] == others
    assert todo.kept == 1 and parent not in others
    assert sum(one.bytes for one in todo.logs) == sum(
        log.stat().st_size for log in logs(forks) if log.name in others
    )
    assert all(one.sessions >= 1 for one in todo.logs)
    assert len(forks.archive.held()) == 4
    assert list(forks.archive.verify(read_data=True)) == []


def test_what_was_pruned_leaves_the_archive_and_then_the_database(forks: Road) -> None:
    before = sessions(forks)
    gone = pruned(forks)
    assert sorted(held.path for held in forks.archive.held()) == sorted(
        str(log.relative_to(forks.config.hosts[0].home or Path()))
        for log in logs(forks)
        if str(log).rpartition("/")[2] not in {path.rpartition("/")[2] for path in gone}
    )
    assert not [
        file for path in gone for file in forks.archive.root.rglob(f"*{path.rpartition('/')[2]}*")
    ]
    assert list(forks.archive.verify(read_data=True)) == []
    forks.load()
    assert sessions(forks) < before
    updated = dump(forks.database)
    forks.load(rebuild=True)
    assert dump(forks.database) == updated


def test_the_next_collect_does_not_fetch_it_again(forks: Road) -> None:
    gone = pruned(forks)
    (report,) = collect(forks.config, forks.archive)
    assert (report.new, report.changed, report.bytes) == (0, 0, 0)
    assert not {held.path for held in forks.archive.held()} & set(gone)


def test_one_that_is_only_touched_stays_pruned(forks: Road) -> None:
    gone = pruned(forks)
    for path in gone:
        os.utime((forks.config.hosts[0].home or Path()) / path, (5, 5))
    for _ in range(2):
        (report,) = collect(forks.config, forks.archive)
        assert report.changed == 0
    assert report.bytes == 0  # told by its hash once, by its time from then on
    assert not {held.path for held in forks.archive.held()} & set(gone)


def test_one_that_changes_on_its_host_comes_as_a_new_generation(forks: Road) -> None:
    path, *_ = pruned(forks)
    log = (forks.config.hosts[0].home or Path()) / path
    with log.open("ab") as file:
        file.write(b"{}\n")
    collect(forks.config, forks.archive)
    (held,) = forks.archive.generations("host", path)
    assert (held.generation, held.size) == (2, log.stat().st_size)
    assert forks.archive.open("host", path, 1) is None
    kept = forks.archive.home("host").open(path)
    assert kept is not None and kept.read() == log.read_bytes()
    assert list(forks.archive.verify(read_data=True)) == []
    rows = forks.archive.ledger.rows("select generation, size, pruned_at from generations")
    assert rows == [(1, log.stat().st_size - 3, START + 100 * DAY)]


def test_all_generations_of_a_log_go_packed_ones_too(forks: Road) -> None:
    (old, *_) = [log for log in logs(forks) if "-019df26e-" in log.name]
    first = old.read_bytes()
    old.write_bytes(first + b" \n" * 100_000)
    os.utime(old, (1, 1))
    forks.collect()
    old.write_bytes(first)
    os.utime(old, (2, 2))
    forks.go()
    with forks.archive.lock("test", 1):
        forks.archive.pack_all(START * 2)
    assert [one.generations for one in planned(forks).logs] == [2, 1]
    assert len([file for file in (forks.archive.root / ".packed").rglob("*") if file.is_file()]) == 1
    pruned(forks)
    kept = {file for file in forks.archive.root.rglob("*") if file.is_file() and old.stem in file.name}
    assert kept == set()
    assert list(forks.archive.verify(read_data=True)) == []


def test_a_prune_killed_at_any_step_leaves_each_log_whole_or_gone(forks: Road) -> None:
    step = 0
    while True:
        archive = Archive(forks.config.archive.with_name(f"archive-{step}"))
        forks.config.archive.with_name(f"archive-{step}").mkdir()
        this = Road(forks.config._replace(archive=archive.root))
        this.collect()
        todo = plan(archive, forks.database, START + 30 * DAY, ())
        killed = _killed_at(archive, todo, step)
        held = {one.path for one in archive.held()}
        assert [finding for finding in archive.verify(read_data=True) if finding.host] == []
        with archive.lock("test", 1):  # whoever works next mends it
            pass
        assert {one.path for one in archive.held()} == held
        assert list(archive.verify(read_data=True)) == []
        if not killed:
            break
        step += 1
    assert step > 5


def _killed_at(archive: Archive, todo: Plan, step: int) -> bool:
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event in EVENTS
            if event in EVENTS and left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            fresh = Archive(archive.root)
            fresh.held()
            sys.addaudithook(count)
            prune(fresh, todo.logs, 1, lambda _done, _total: None)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_what_is_not_loaded_yet_is_never_judged(forks: Road) -> None:
    new = logs(forks)[0].with_name(
        "rollout-2026-06-04T08-00-00-019df300-5000-7000-8000-000000000008.jsonl"
    )
    new.write_bytes(logs(forks)[0].read_bytes())
    forks.collect()
    with pytest.raises(SiphonError, match="1 archived logs are not loaded yet"):
        planned(forks)
    forks.database.unlink()
    with pytest.raises(SiphonError, match="siphon load"):
        planned(forks)


def test_the_command_prints_a_plan_then_does_it_and_notes_it(
    forks: Road, capsys: pytest.CaptureFixture[str]
) -> None:
    file = forks.config.database.with_name("siphon.yml")
    file.write_text(
        f"archive: {forks.config.archive}\ndatabase: {forks.config.database}\n"
        f"hosts:\n  host: {{home: {forks.config.hosts[0].home}}}\n"
    )
    age = f"{(time.time_ns() // 1_000_000 - START) // DAY - 30}d"
    words = ["--config", str(file), "prune", "--older-than", age]
    assert run(words) == 0
    said = capsys.readouterr().out
    assert "host: 2 logs (2 generations" in said and "kept: 1 old log" in said and "--apply" in said
    assert len(forks.archive.held()) == 4
    assert [note for note in audit.notes(forks.archive.root) if note["what"] == "prune"] == []
    assert run([*words, "--apply", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["applied"], told["kept"], told["hosts"][0]["logs"]) == (True, 1, 2)
    (note,) = (note for note in audit.notes(forks.archive.root) if note["what"] == "prune")
    assert (note["hosts"], note["logs"], note["older_than"]) == (["host"], 2, age)
    assert len(forks.archive.held()) == 2
    assert run([*words, "--host", "nobody"]) == 1
    assert run(["--config", str(file), "prune", "--older-than", "soon"]) == 1
    assert "'soon' is no age" in capsys.readouterr().err


def test_the_ledger_keeps_a_tombstone(forks: Road) -> None:
    gone = pruned(forks)
    with closing(sqlite3.connect(forks.archive.root / ".ledger.db")) as book:
        sql = """select path, size > 0, length(sha256), place, pruned_at from logs
            where pruned_at is not null"""
        assert sorted(book.execute(sql)) == [
            (path, 1, 64, "", START + 100 * DAY) for path in sorted(gone)
        ]
