"""What siphon.yml says of one host: how much a run, which paths, and when."""

import calendar
import os
import time
from pathlib import Path

import pytest

from fleet import LOG, PROJECT, Fleet, Site, config_of, counts, noise, site_of
from siphon.collect import collect
from siphon.config import HostConfig
from siphon.schedule import next_due

pytest_plugins = ["fleet_fixtures"]

HOUR = 3_600_000  # ms


@pytest.fixture
def zone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours of the day are those of this machine: an hour east of Greenwich."""
    monkeypatch.setenv("TZ", "CET-1")
    time.tzset()


def limited(fleet: Fleet, folder: Path, limit: int) -> Site:
    """Logs of 100 kB each, the oldest last in name."""
    site = site_of("gnu", fleet, folder, limit=limit)
    for number in range(6):
        path = site.write(f"{PROJECT}/log-{number}.jsonl", noise(100_000, seed=number))
        os.utime(path, (1.7e9 - number, 1.7e9 - number))
    return site


def names(site: Site) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in site.held())


def test_a_run_stops_at_its_limit_says_so_and_the_next_carries_on(fleet: Fleet, tmp_path: Path) -> None:
    site = limited(fleet, tmp_path, 250_000)
    report = site.collect(dry_run=True)
    assert (len(report.planned), report.left_logs, report.left_bytes) == (2, 4, 400_000)
    report = site.collect()
    assert (counts(report), report.left_logs, report.left_bytes) == ({"new": 2}, 4, 400_000)
    assert "4 (400.0 kB) left for the next run: limit 250.0 kB" in report.said()
    assert names(site) == ["log-4.jsonl", "log-5.jsonl"]  # the oldest: they are deleted first
    (run,) = site.archive.runs()
    assert (run.left_logs, run.left_bytes, run.outcome) == (4, 400_000, "ok")
    site.append(f"{PROJECT}/log-5.jsonl", b"grows\n")
    report = site.collect()
    assert counts(report) == {"new": 2, "grown": 1}  # what grew comes before what is new
    assert site.collect().left_logs == 0
    assert len(names(site)) == 6
    assert counts(site.collect()) == {}
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())


def test_a_log_larger_than_the_limit_comes_alone_and_whole(fleet: Fleet, tmp_path: Path) -> None:
    site = limited(fleet, tmp_path, 1000)
    for number in range(6):
        assert site.collect().new == 1
        assert len(site.held()) == number + 1
        for path in site.held():  # what grows all the time never keeps the others out
            site.append(path, b"grows\n")
    assert counts(site.collect()) == {"grown": 6}
    assert len(names(site)) == 6
    assert site.sound()


def test_only_the_paths_asked_for_are_collected(way: str, fleet: Fleet, tmp_path: Path) -> None:
    work = ".claude/projects/-work"
    site = site_of(way, fleet, tmp_path, paths=(".claude/projects/-w*",), skip_paths=("**/agent-*",))
    kept = f"{work}/one.jsonl"
    for path in (LOG, kept, f"{work}/two/subagents/agent-x.jsonl", f"{work}/two/tool-results/t.txt"):
        site.write(path, b"one\n")
    assert site.collect().problems == ()
    assert set(site.held()) == {kept, f"{work}/two/tool-results/t.txt"}
    (host,) = site.config.hosts
    less = site._replace(
        config=site.config._replace(hosts=(host._replace(skip_paths=(work, "**/agent-*")),))
    )
    assert counts(less.collect()) == {}  # what is no longer looked for has not gone


def test_a_store_is_skipped_with_all_its_parts(fleet: Fleet, tmp_path: Path) -> None:
    store = ".local/share/opencode/opencode.db"
    site = site_of("local", fleet, tmp_path, skip_paths=(store,))
    for part in ("", "-wal", "-journal"):
        site.write(store + part, b"x")
    assert site.collect().seen == 0


@pytest.mark.usefixtures("zone")
def test_a_host_is_due_when_its_time_has_come_and_within_its_hours() -> None:
    noon = calendar.timegm((2026, 1, 2, 12, 0, 0)) * 1000  # 13:00 here
    always = HostConfig("a")
    assert next_due(always, noon, noon) == noon
    six = HostConfig("a", every=6 * 3600)
    assert next_due(six, None, noon) == noon
    assert next_due(six, noon - 2 * HOUR, noon) == noon + 4 * HOUR
    assert next_due(six, noon - 8 * HOUR, noon) == noon
    night = HostConfig("a", hours=((22 * 60, 6 * 60),))
    assert next_due(night, None, noon) == noon + 9 * HOUR
    assert next_due(night, None, noon + 11 * HOUR) == noon + 11 * HOUR
    lunch = HostConfig("a", every=3600, hours=((12 * 60 + 30, 13 * 60 + 30),))
    assert next_due(lunch, noon, noon) == noon + 23 * HOUR + HOUR // 2
    assert next_due(lunch, noon - HOUR, noon) == noon


def test_a_host_that_is_not_due_waits_unless_it_is_named(fleet: Fleet, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    hosts = (HostConfig("often", home=home), HostConfig("rarely", home=home, every=6 * 3600))
    config = config_of(tmp_path, fleet.keys, *hosts)
    site = Site(home, config)
    at = 1_800_000_000_000

    def collected(at: int, *named: str) -> list[str]:
        return [report.host for report in collect(config, site.archive, named, now=lambda: at)]

    assert collected(at) == ["often", "rarely"]
    assert collected(at + HOUR) == ["often"]
    assert collected(at + HOUR, "rarely") == ["rarely"]
    assert collected(at + 6 * HOUR) == ["often"]
    assert collected(at + 7 * HOUR) == ["often", "rarely"]
