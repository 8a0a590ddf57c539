"""What is known of each host and log: late, silent, stuck, quarantined; and how bad it is."""

import json
import os
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from claude_lines import Lines
from road import Road, road
from siphon import cli
from siphon.archive import Archive
from siphon.backoff import wait_seconds
from siphon.collect import collect
from siphon.config import HealthConfig, HostConfig
from siphon.db import connect
from siphon.fleet import HostStatus, fleet
from siphon.health import EXIT_CODES, MOST, Finding, as_json, health, worst
from siphon.ledger import Run
from siphon.load import load
from siphon.runs import thin
from website import served

MINUTE = 60_000
HOUR = 60 * MINUTE
T0 = 1_700_000_000_000  # ms; "now" of the first collect: long ago
FIRST = "0000000a-0000-4000-8000-00000000000a"
SECOND = "0000000b-0000-4000-8000-00000000000b"


def session(home: Path, name: str = FIRST) -> Path:
    lines = Lines(name)
    lines.prompt("is all well?")
    lines.reply("it is")
    return lines.write(home)


@pytest.fixture
def made(tmp_path: Path) -> Road:
    """Two local hosts with a session each; collected every five minutes."""
    homes = {name: tmp_path / "homes" / name for name in ("laptop", "tower")}
    for home in homes.values():
        session(home)
    return road(tmp_path / "siphon", homes)


def _time(at: int) -> int:
    return at


def collected(made: Road, at: int, *names: str) -> None:
    collect(made.config, made.archive, names, now=partial(_time, at))


def found(made: Road, now: int) -> list[Finding]:
    if not made.database.exists():
        return health(None, made.archive, made.config, now)
    with closing(connect(made.database)) as connection:
        return health(connection, made.archive, made.config, now)


def hosts(made: Road, now: int) -> dict[str, HostStatus]:
    return {one.host: one for one in fleet(None, made.archive, made.config, now)}


def levels(findings: list[Finding], check: str) -> dict[str | None, str]:
    return {one.host: one.level for one in findings if one.check == check}


def test_all_is_well_after_a_collect_and_a_load(made: Road) -> None:
    collected(made, T0)
    made.load()
    findings = found(made, T0 + MINUTE)
    assert {one.check for one in findings if one.level == "ok"} == {"database", "host", "retention"}
    assert levels(findings, "host") == {"laptop": "ok", "tower": "ok"}


def test_a_lag_beyond_twice_the_interval_warns(made: Road) -> None:
    collected(made, T0)
    made.load()
    assert levels(found(made, T0 + 10 * MINUTE), "host") == {"laptop": "ok", "tower": "ok"}
    late = found(made, T0 + 10 * MINUTE + 1)
    assert levels(late, "host") == {"laptop": "warning", "tower": "warning"}
    assert worst(late) == "warning"
    patient = made._replace(config=made.config._replace(health=HealthConfig(lag=3600)))
    assert levels(found(patient, T0 + HOUR), "host") == {"laptop": "ok", "tower": "ok"}


def test_a_host_collected_seldom_on_purpose_is_not_late(made: Road) -> None:
    laptop, tower = made.config.hosts
    made = made._replace(config=made.config._replace(hosts=(laptop, tower._replace(every=86_400))))
    collected(made, T0)
    assert {name: one.state for name, one in hosts(made, T0 + HOUR).items()} == {
        "laptop": "late",
        "tower": "well",
    }


def test_a_host_that_stopped_sending_is_told_from_one_with_nothing_new(made: Road) -> None:
    collected(made, T0)
    made.load()
    shutil.rmtree(made.config.hosts[1].home or "")
    for minutes in (5, 10, 15):
        collected(made, T0 + minutes * MINUTE)
    now = T0 + 16 * MINUTE
    laptop, tower = hosts(made, now).values()
    assert (laptop.state, laptop.seen_at, laptop.news_at) == ("well", T0 + 15 * MINUTE, T0)
    assert (tower.state, tower.seen_at, tower.failures) == ("unreachable", T0, 3)
    assert (laptop.lag, tower.lag) == (MINUTE, 16 * MINUTE)
    assert tower.error is not None and "no such folder" in tower.error
    assert tower.logs == laptop.logs == 1  # what it has sent is kept
    assert levels(found(made, now), "host") == {"laptop": "ok", "tower": "warning"}


def test_a_machine_that_pushes_and_stopped_is_told_from_one_with_nothing_to_push(made: Road) -> None:
    """Both are collected well from where they push to; each push says when it was."""
    now = T0 + 25 * HOUR
    for at in (T0, now):
        collected(made, at)
    made.archive.ledger.note_heard("laptop", now)
    made.archive.ledger.note_heard("tower", T0)
    assert {name: one.state for name, one in hosts(made, now).items()} == {
        "laptop": "well",
        "tower": "silent",
    }
    (said,) = [one for one in found(made, now) if one.host == "tower" and one.check == "host"]
    assert said.level == "warning" and "stopped sending" in said.what and "1 d 1 h ago" in said.what


def test_a_host_that_fails_is_tried_later_and_later_up_to_a_cap(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        dead = HostConfig("dead", ssh="127.0.0.1", port=taken.getsockname()[1])
        made = road(tmp_path, {})
        made = made._replace(config=made.config._replace(hosts=(dead,)))
        waits = []
        at = T0
        for _ in range(6):
            collected(made, at)
            one = hosts(made, at)["dead"]
            assert one.state == "unreachable" and one.seen_at is None and one.next_run_at is not None
            waits.append((one.next_run_at - at) // MINUTE)
            at = one.next_run_at
    assert waits == [5, 10, 20, 40, 60, 60]


def test_a_host_that_is_collected_more_seldom_than_the_cap_keeps_its_interval() -> None:
    assert [wait_seconds(86_400, failures) for failures in (0, 1, 5)] == [86_400] * 3
    assert wait_seconds(60, 0) == wait_seconds(60, 1) == 60


def test_never_off_and_kept_are_told_apart(made: Road) -> None:
    collected(made, T0)
    laptop = made.config.hosts[0]
    new = HostConfig("new", home=laptop.home)
    config = made.config._replace(hosts=(laptop._replace(enabled=False), new))
    made = made._replace(config=config)
    found_ = hosts(made, T0 + HOUR)
    assert {name: one.state for name, one in found_.items()} == {
        "laptop": "off",
        "new": "never",
        "tower": "kept",
    }
    assert [found_[name].next_run_at for name in ("laptop", "tower")] == [None, None]
    assert levels(found(made, T0 + HOUR), "host") == {"laptop": "ok", "tower": "ok", "new": "unknown"}


def test_without_a_database_health_says_what_makes_it(made: Road) -> None:
    collected(made, T0)
    (first, *_) = found(made, T0)
    assert (first.level, first.check) == ("error", "database")
    assert "siphon load" in first.what


def test_a_load_that_is_behind_is_told_with_its_age(made: Road) -> None:
    collected(made, T0)
    made.load()
    assert made.config.hosts[0].home is not None
    log = session(made.config.hosts[0].home, SECOND)
    for minutes in range(5, 30, 5):
        collected(made, T0 + minutes * MINUTE)
    assert levels(found(made, T0 + 15 * MINUTE), "load") == {}
    (late,) = [one for one in found(made, T0 + 25 * MINUTE) if one.check == "load"]
    assert (late.level, late.since) == ("warning", T0 + 5 * MINUTE)
    assert late.path == log.relative_to(made.config.hosts[0].home).as_posix()


def _forget(database: Path, path: str) -> None:
    """What no load does by itself: a log is as if it had been passed over."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("update logs set size = 0 where host = 'laptop' and path = ?", [path])
        connection.commit()


@pytest.mark.parametrize("level", ["info", "error"])
def test_an_old_log_that_newer_ones_went_past_is_stuck(made: Road, level: str) -> None:
    made = made._replace(config=made.config._replace(health=HealthConfig(stuck=level)))
    home = made.config.hosts[0].home
    assert home is not None
    collected(made, T0)
    session(home, SECOND)
    collected(made, T0 + 5 * MINUTE)
    made.load()
    path = f".claude/projects/-home-ada-app/{FIRST}.jsonl"
    _forget(made.database, path)
    grace = 4 * 10 * MINUTE
    assert levels(found(made, T0 + grace), "stuck") == {}
    (stuck,) = [one for one in found(made, T0 + grace + MINUTE) if one.check == "stuck"]
    assert (stuck.level, stuck.host, stuck.path, stuck.since) == (level, "laptop", path, T0)
    assert stuck.source == "claude_code" and "41 min" in stuck.what
    made.load()
    assert levels(found(made, T0 + grace + MINUTE), "stuck") == {}


# Quarantine


@pytest.fixture
def broken(made: Road) -> Road:
    """The laptop's log cannot be read: its bytes are missing from the archive's folder."""
    collected(made, T0)
    file = _archived(made)
    file.rename(file.with_suffix(".away"))
    return made


def _archived(made: Road) -> Path:
    return made.config.archive / "laptop/.claude/projects/-home-ada-app" / f"{FIRST}.jsonl"


def _load(made: Road, tries: int | None = 3) -> tuple[int, int]:
    """(logs read, logs failed)"""
    done = load(made.archive, made.database, tries=tries)
    return done.changed, len(done.failed)


def test_a_log_that_fails_again_and_again_is_quarantined_and_shown(broken: Road) -> None:
    broken = broken._replace(config=broken.config._replace(health=HealthConfig(tries=3)))
    assert _load(broken) == (2, 1)
    (failed,) = [one for one in found(broken, T0) if one.check == "load"]
    assert (failed.level, failed.host) == ("info", "laptop")
    assert [_load(broken) for _ in range(4)] == [(1, 1), (1, 1), (0, 0), (0, 0)]
    (shown,) = [one for one in found(broken, T0) if one.check == "quarantine"]
    assert (shown.level, shown.host, shown.source) == ("warning", "laptop", "claude_code")
    assert shown.path == f".claude/projects/-home-ada-app/{FIRST}.jsonl"
    assert "after 3 tries" in shown.what and "siphon load --retry" in shown.what


def test_a_quarantined_log_that_grows_is_left_alone_until_it_is_retried(broken: Road) -> None:
    for _ in range(3):
        _load(broken)
    file = _archived(broken)
    file.with_suffix(".away").rename(file)
    log = next((broken.config.hosts[0].home or Path()).rglob("*.jsonl"))
    with log.open("a") as lines:
        lines.write('{"type":"summary","summary":"grown"}\n')
    collected(broken, T0 + 5 * MINUTE)
    assert _load(broken) == (0, 0)
    assert _load(broken, None) == (1, 0)
    assert _load(broken) == (0, 0)
    assert levels(found(broken, T0 + 5 * MINUTE), "quarantine") == {}


def test_a_quarantined_log_that_is_rewritten_is_tried_again(broken: Road) -> None:
    for _ in range(3):
        _load(broken)
    log = next((broken.config.hosts[0].home or Path()).rglob("*.jsonl"))
    log.write_text(log.read_text().replace("is all well?", "and now?"))
    os.utime(log)
    collected(broken, T0 + 5 * MINUTE)
    assert _load(broken) == (1, 0)


def test_many_logs_of_one_kind_are_counted(made: Road) -> None:
    home = made.config.hosts[0].home
    assert home is not None
    for number in range(MOST + 5):
        session(home, f"{number:08x}-0000-4000-8000-00000000000c")
    collected(made, T0)
    shutil.rmtree(made.config.archive / "laptop")
    load(made.archive, made.database)
    failed = [one for one in found(made, T0) if one.check == "load"]
    assert len(failed) == MOST + 1
    assert failed[-1].what == "and 6 more logs like these"


# The command


@pytest.fixture
def run(made: Road, capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    file = made.config.archive.parent / "siphon.yml"

    def run(*words: str, more: str = "") -> tuple[int, str]:
        names = "".join(f"  {host.name}: {{home: {host.home}}}\n" for host in made.config.hosts)
        file.write_text(f"archive: archive\ndatabase: siphon.db\nhosts:\n{names}{more}")
        code = cli.run(["--config", str(file), *words])
        return code, capsys.readouterr().out

    yield run


def test_the_exit_code_is_that_of_the_worst(made: Road, run: Any) -> None:
    code, out = run("health", "--json")
    assert (code, json.loads(out)["level"]) == (EXIT_CODES["error"], "error") == (5, "error")
    collected(made, time.time_ns() // 1_000_000 - 15 * MINUTE)
    made.load()
    code, out = run("health")
    assert (code, "nobody collects" in out) == (4, True)
    made.collect()
    made.load()
    code, out = run("health", "--json")
    assert (code, json.loads(out)["ok"]) == (0, True)
    code, out = run("health", "--json", more="  new: {home: .}\n")
    assert (code, json.loads(out)["level"]) == (3, "unknown")


def test_status_tells_every_host_to_people_and_to_scripts(made: Road, run: Any) -> None:
    made.collect()
    made.load()
    code, out = run("status", "--json")
    (laptop, _) = json.loads(out)["hosts"]
    assert code == 0 and laptop.keys() == set(HostStatus._fields)
    assert (laptop["host"], laptop["state"], laptop["reachable"]) == ("laptop", "well", True)
    assert (laptop["logs"], laptop["changed"], laptop["sessions"]) == (1, 1, 1)
    code, out = run("status")
    assert code == 0 and out.splitlines()[2].split()[:2] == ["laptop", "well"]


def test_findings_are_told_alike_to_scripts_whatever_was_found(made: Road) -> None:
    told = as_json(found(made, T0), T0)
    assert told.keys() == {"level", "ok", "at", "findings"}
    assert all(one.keys() == set(Finding._fields) for one in told["findings"])


def test_the_archive_is_not_made_by_asking(tmp_path: Path) -> None:
    made = road(tmp_path / "siphon", {"laptop": tmp_path})
    assert hosts(made, T0)["laptop"].state == "never"
    assert not made.config.archive.exists()
    assert isinstance(made.archive, Archive)


def test_the_page_shows_every_host_and_what_needs_a_look(made: Road) -> None:
    made.collect()
    shutil.rmtree(made.config.hosts[1].home or "")
    collect(made.config, made.archive)
    made.load()
    with served(made.config) as site:
        shown = site.get("/-/fleet").text
    assert '<span class="badge quiet">well</span>' in shown
    assert '<span class="badge bad">unreachable</span>' in shown and "no such folder" in shown
    assert '<span class="badge ">info</span> <a href="/-/sessions?host=tower">tower</a>' in shown
    assert "another version" not in shown
    assert "30 days" in shown and "its default" in shown


# The book of runs


def _copied(made: Road) -> list[tuple[int, str]]:
    with closing(connect(made.database)) as connection:
        return connection.execute("select id, outcome from runs order by id").fetchall()


def test_a_run_that_was_under_way_at_a_load_is_over_at_the_next(made: Road) -> None:
    collected(made, T0)
    run = made.archive.record_run(Run(kind="collect", host="far", started_at=T0))
    made.load()
    assert (run.id, "running") in _copied(made)
    made.archive.record_run(run._replace(outcome="ok", ended_at=T0 + MINUTE))
    made.load()
    assert (run.id, "ok") in _copied(made)
    assert _copied(made) == [(one.id, one.outcome) for one in made.archive.runs()]


def test_runs_that_found_nothing_are_forgotten_after_a_week_and_what_happened_is_not(made: Road) -> None:
    week = 7 * 24 * HOUR
    collected(made, T0)
    for minutes in range(5, 30, 5):
        collected(made, T0 + minutes * MINUTE)
    made.load()
    assert len(made.archive.runs()) == 13  # six rounds of two hosts, a load
    assert thin(made.archive, T0 + week) == 0
    assert thin(made.archive, T0 + HOUR + week) == 8
    kept = [(one.kind, one.host, one.logs_changed) for one in made.archive.runs()]
    assert sorted(kept, key=str) == [
        ("collect", "laptop", 0),
        ("collect", "laptop", 1),
        ("collect", "tower", 0),
        ("collect", "tower", 1),
        ("load", None, 2),
    ]
    made.load()
    assert _copied(made) == [(one.id, one.outcome) for one in made.archive.runs()]
    assert hosts(made, T0 + 26 * MINUTE)["laptop"].seen_at == T0 + 25 * MINUTE
