"""A hundred thousand logs (`make soak`): collected, packed, verified and restored in bounded memory."""

import os
import resource
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import Site, config_of
from siphon.config import HostConfig
from siphon.restore import planned, restore

DAY = 24 * 3600 * 1000
COUNT = 100_000

pytestmark = pytest.mark.skipif(
    "SIPHON_SOAK" not in os.environ, reason="an hour of disk work: make soak"
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    body = b'{"type":"user","text":"the same again, and again"}\n' * 100
    for number in range(COUNT):
        folder = tmp_path / "home" / ".claude" / "projects" / f"-p{number % 300}"
        if number < 300:
            folder.mkdir(parents=True)
        (folder / f"{number}.jsonl").write_bytes(b'{"n":%d}\n' % number + body)
    host = HostConfig("host", tmp_path / "home")
    yield Site(tmp_path / "home", config_of(tmp_path, tmp_path, host))
    shutil.rmtree(tmp_path)


def test_a_hundred_thousand_logs_are_one_archive_like_any_other(site: Site, tmp_path: Path) -> None:
    assert site.collect(now=lambda: 0).new == COUNT
    assert site.collect(now=lambda: DAY).changed == 0
    with site.archive.lock("test", 1):
        assert site.archive.pack_all(20 * DAY).logs == COUNT
    assert site.sound()
    assert site.collect(now=lambda: 2 * DAY).changed == 0
    grown = sorted((site.home / ".claude/projects/-p7").iterdir())
    for log in grown:
        with log.open("ab") as file:
            file.write(b"more\n")
    assert site.collect(now=lambda: 3 * DAY).grown == len(grown)
    assert site.sound()
    done = restore(site.archive, planned(site.archive, "host", ""), tmp_path / "back")
    assert (done.logs, done.problems) == (COUNT, ())
    for log in grown:
        assert (tmp_path / "back" / log.relative_to(site.home)).read_bytes() == log.read_bytes()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 600_000  # kB
