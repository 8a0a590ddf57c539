"""The tools' own clean-up: how long logs last on their hosts, and what would be lost with them."""

import math
import os
from functools import partial
from pathlib import Path

import pytest

from claude_lines import Lines
from fleet import Fleet, Site, made, site_of
from siphon import retention
from siphon.archive import Archive
from siphon.collect import collect
from siphon.fleet import fleet as hosts
from siphon.health import Finding, health
from siphon.hostreport import HostReport
from siphon.local import LocalHost
from siphon.retention import Keeping, keepings
from siphon.source import Retention, Source
from siphon.sources import sources
from siphon.sources.claude_code import cleanup as claude
from siphon.sources.gemini_cli import cleanup as gemini

pytest_plugins = ["fleet_fixtures"]

DAY = 24 * 3600 * 1000
T0 = 1_700_000_000_000  # ms: now, of the first collect
FIRST = "0000000a-0000-4000-8000-00000000000a"
SECOND = "0000000b-0000-4000-8000-00000000000b"
SECRET = "sk-ant-secret-of-the-settings"
HOUR = DAY // 24


@pytest.mark.parametrize(
    ("data", "days"),
    [
        (b"{}", None),
        (b'{"cleanupPeriodDays": 7, "env": {"A": "b"}}', 7),
        (b'\xef\xbb\xbf{"cleanupPeriodDays": 0}', 0),
        (b'{"cleanupPeriodDays": 99999}', 99999),
    ],
)
def test_claude_codes_period_is_read(data: bytes, days: float | None) -> None:
    assert claude.days(data) == days


@pytest.mark.parametrize(
    ("data", "days"),
    [
        (b"{}", None),
        (b'{"general": {"vimMode": true}}', None),
        (b'{"general": {"sessionRetention": {"enabled": true}}}', None),
        (b'{"general": {"sessionRetention": {"enabled": false, "maxAge": "1d"}}}', math.inf),
        (b'{"general": {"sessionRetention": {"maxAge": "12h"}}}', 0.5),
        (b'{"general": {"sessionRetention": {"maxAge": "4w"}}}', 28),
        (b'{"general": {"sessionRetention": {"maxAge": "2m"}}}', 60),
        (b'// mine\n{"url": "http://x//y", /* "general": 1, */\n"general": {}}', None),
        (b'{"general": /* 1w */ {"sessionRetention": {"maxAge": "10d"}}} // end', 10),
    ],
)
def test_gemini_clis_period_is_read(data: bytes, days: float | None) -> None:
    assert gemini.days(data) == days


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"cleanupPeriodDays": "soon"}'])
def test_what_cannot_be_read_is_an_error(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        claude.days(data)


# On real hosts


def session(home: Path, name: str, changed: int, cwd: Path | None = None, prompts: int = 1) -> Path:
    """A log last changed then (ms)."""
    lines = Lines(name, str(cwd or home / "app"))
    for _ in range(prompts):
        lines.prompt("how long will this last?")
    log = lines.write(home)
    os.utime(log, ns=(changed * 1_000_000, changed * 1_000_000))
    return log


def settings(folder: Path, text: str) -> None:
    (folder / ".claude").mkdir(parents=True, exist_ok=True)
    (folder / ".claude" / "settings.json").write_text(text)


def _time(at: int) -> int:
    return at


def collected(site: Site, at: int) -> HostReport:
    (report,) = collect(site.config, site.archive, now=partial(_time, at))
    assert report.error is None, report
    return report


def kept(archive: Archive, now: int) -> Keeping:
    (one,) = keepings(archive.ledger.db, now)
    return one


def told(site: Site, now: int) -> Finding:
    (one,) = [one for one in health(None, site.archive, site.config, now) if one.check == "retention"]
    return one


@pytest.mark.parametrize("way", ["local", "gnu", "bsd", "sftp"])
def test_the_settings_are_looked_at_on_the_host_and_not_taken(
    fleet: Fleet, way: str, tmp_path: Path
) -> None:
    """User's and project's settings: the shortest period holds, as the tool cleans up all it finds."""
    site = site_of(way, fleet, tmp_path)
    project = made(tmp_path, "code", "app")
    session(site.home, FIRST, T0 - 2 * DAY, project)
    settings(site.home, f'{{"cleanupPeriodDays": 20, "env": {{"KEY": "{SECRET}"}}}}')
    collected(site, T0)
    assert kept(site.archive, T0)[:4] == ("host", "claude_code", 20, "~/.claude/settings.json")
    if way != "sftp":  # which cannot ask git, so folders are not noted
        _look_at_projects(site, project)
    data = b"".join(file.read_bytes() for file in site.archive.root.rglob("*") if file.is_file())
    assert SECRET.encode() not in data
    assert not any("settings" in path for path in site.held())


def _look_at_projects(site: Site, project: Path) -> None:
    settings(project, '{"cleanupPeriodDays": 10}')
    collected(site, T0 + 7 * HOUR)
    one = kept(site.archive, T0 + 7 * HOUR)
    assert (one.days, one.setting) == (10, f"{project}/.claude/settings.json")
    assert (one.logs, one.oldest, one.until) == (1, T0 - 2 * DAY, T0 + 8 * DAY)
    settings(project, '{"cleanupPeriodDays": 99999}')
    collected(site, T0 + 14 * HOUR)
    assert kept(site.archive, T0).days == 20


def test_without_a_setting_the_tools_default_holds(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    session(site.home, FIRST, T0 - DAY)
    collected(site, T0)
    one = kept(site.archive, T0)
    assert (one.days, one.setting, one.waiting) == (30, "its default", 0)


def test_settings_are_not_looked_at_in_every_run(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    session(site.home, FIRST, T0 - DAY)
    collected(site, T0)
    settings(site.home, '{"cleanupPeriodDays": 3}')
    collected(site, T0 + 5 * HOUR)
    assert kept(site.archive, T0).days == 30
    collected(site, T0 + 6 * HOUR)
    assert kept(site.archive, T0).days == 3


def test_settings_that_cannot_be_read_are_told(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    session(site.home, FIRST, T0 - DAY)
    settings(site.home, '{"cleanupPeriodDays": 3')
    report = collected(site, T0)
    assert any("~/.claude/settings.json: how long logs are kept" in one for one in report.problems)
    assert kept(site.archive, T0).setting == "its default"


def test_what_is_managed_overrides_all(tmp_path: Path) -> None:
    """With a tool whose managed settings lie where a test may write."""
    home = made(tmp_path, "home")
    managed = tmp_path / "managed.json"
    claude_code = sources()["claude_code"]
    source = claude_code._replace(
        retention=Retention(30, claude.days, (".claude/settings.json",), managed=(str(managed),))
    )
    settings(home, '{"cleanupPeriodDays": 5}')
    log = session(home, FIRST, T0)
    assert look(tmp_path, home, source, log, T0).days == 5
    managed.write_text('{"cleanupPeriodDays": 365}')
    assert look(tmp_path, home, source, log, T0 + DAY).days == 365


def look(folder: Path, home: Path, source: Source, log: Path, at: int) -> Keeping:
    archive, host = Archive(folder / "archive"), LocalHost(home)
    found = host.stat([log.relative_to(home).as_posix()])
    assert retention.look(archive, host, "host", found, [source], at) == []
    return kept(archive, at)


# What follows


def test_logs_left_behind_are_told_with_the_day_they_go(fleet: Fleet, tmp_path: Path) -> None:
    """A limit leaves the second log for the next run."""
    site = site_of("local", fleet, tmp_path, limit=2000)
    for name in (FIRST, SECOND):
        session(site.home, name, T0 - 25 * DAY, prompts=5)
    collected(site, T0)
    one = kept(site.archive, T0)
    assert (one.waiting, one.waiting_until) == (1, T0 + 5 * DAY)
    said = told(site, T0)
    assert (said.level, said.until) == ("warning", T0 + 5 * DAY)
    assert "1 log will be deleted there from 2023-11-19 on unless collected" in said.what
    assert told(site, T0 + 6 * DAY).level == "error"
    collected(site, T0 + HOUR)
    assert kept(site.archive, T0).waiting == 0


def test_while_a_host_is_late_what_it_writes_is_in_danger(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    session(site.home, FIRST, T0 - DAY)
    collected(site, T0)
    assert told(site, T0 + HOUR // 12).level == "ok"  # all is archived
    assert [told(site, T0 + days * DAY).level for days in (1, 22, 24, 31)] == [
        "info", "info", "warning", "error",
    ]  # fmt: skip
    said = told(site, T0 + 24 * DAY)
    assert said.until == T0 + 30 * DAY and "2023-12-14" in said.what


def test_a_tool_that_deletes_faster_than_it_is_collected_is_warned_of(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = site_of("local", fleet, tmp_path, every=DAY // 1000)
    settings(site.home, '{"cleanupPeriodDays": 1}')
    session(site.home, FIRST, T0 - HOUR)
    collected(site, T0)
    assert told(site, T0 + HOUR).level == "warning"


def test_logs_that_went_from_the_host_are_counted_no_more(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    first = session(site.home, FIRST, T0 - 29 * DAY)
    session(site.home, SECOND, T0 - DAY)
    collected(site, T0)
    one = kept(site.archive, T0)
    assert (one.logs, one.oldest, one.soon) == (2, T0 - 29 * DAY, 1)
    assert told(site, T0).level == "info" and "1 go within a week" in told(site, T0).what
    first.unlink()
    collected(site, T0 + 2 * DAY)
    one = kept(site.archive, T0 + 2 * DAY)
    assert (one.logs, one.oldest, one.soon) == (1, T0 - DAY, 0)
    (status,) = hosts(None, site.archive, site.config, T0 + 2 * DAY)
    assert (status.logs, status.gone) == (2, 1)
