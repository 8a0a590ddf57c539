"""bench collect: over SSH on loopback, to a real sshd of its own; best of three where nothing is moved.

The other side runs on the same two cores, so what is measured is both sides together. The disk's own
part is told beside: ext4 makes files ten times slower for minutes after others were deleted near them.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import command
from siphon import private
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
from siphon.hostreport import HostReport
from siphon.ssh import connect, login_of
from tests.sshd import Sshd, running_sshd

_GB = 10**9
_TIMES = 3
_LARGE = ".claude/projects/-large/11111111-1111-4111-8111-111111111111.jsonl"


class Timed(NamedTuple):
    """A collect: how long it took, and its CPU seconds, which a busy machine leaves alone."""

    seconds: float
    here: float
    there: float
    report: HostReport

    @property
    def kilobytes(self) -> str:
        return f"{self.report.wire / 1000:.0f} kB"

    @property
    def cpu(self) -> str:
        return f"CPU-s {self.here:.2f} here, {self.there:.2f} there"


class Place(NamedTuple):
    """Homes behind one sshd, and where they are collected."""

    folder: Path
    sshd: Sshd

    def home(self, name: str) -> Path:
        home = self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        return home

    def host(self, name: str) -> HostConfig:
        return self.sshd.host(name, self.home(name))

    def config(self, *names: str) -> Config:
        archive = self.folder / "archive" / names[0]
        hosts = tuple(map(self.host, names))
        return Config(archive, archive.parent / "none.db", 300, (), hosts, None, self.sshd.folder)

    def collect(self, name: str) -> Timed:
        """One host, in this process."""
        config = self.config(name)
        there = self.cpu()
        start, here = time.perf_counter(), time.process_time()
        (report,) = collect(config, Archive(config.archive))
        seconds = time.perf_counter() - start
        assert report.error is None and not report.problems, report
        here = time.process_time() - here
        return Timed(seconds, here, self.cpu() - there, report)

    def cpu(self) -> float:
        """Seconds that the sshd and all sessions that have ended took."""
        time.sleep(0.3)  # for the last one to end
        stat = Path(f"/proc/{self.sshd.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")

    def clear(self, name: str) -> None:
        shutil.rmtree(self.home(name))
        shutil.rmtree(self.config(name).archive)

    def connection(self) -> float:
        """Seconds to connect and hang up: what every collect needs, whatever comes then."""
        host = self.host("none")

        def once() -> None:
            connect(login_of(host), self.sshd.folder).close()

        return min(_seconds(once) for _ in range(_TIMES))

    def commands(self) -> int:
        """How many were run on the host so far."""
        return len(re.findall(r"Starting session: command", self.sshd.log.read_text()))


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    with running_sshd(folder / "sshd", "LogLevel VERBOSE") as sshd:
        place = Place(folder, sshd)
        place.collect("warm")  # imports
        connection = place.connection()
        yield "connection alone", f"{connection:.2f} s"
        yield from _small(place, connection)
        yield from _large(place, corpus, connection)
        yield from _fleet(place)


def _small(place: Place, connection: float) -> Iterator[tuple[str, str]]:
    _logs(place.home("small"), 10_000, 2000)
    first = place.collect("small")
    assert first.report.new == 10_000
    yield "first collect of 10,000 logs of 2 kB (≤ 8 s)", f"{first.seconds:.1f} s; {first.cpu}"
    yield "the disk's part: such files made, synced and renamed alone", _bare(place.home("bare"))
    before = place.commands()
    again = min((place.collect("small") for _ in range(_TIMES)), key=lambda one: one.seconds)
    assert (again.report.seen, again.report.changed) == (10_000, 0)
    commands = (place.commands() - before) / _TIMES
    yield (
        "10,000 unchanged logs, beyond the connection (≤ 1 s, one command)",
        f"{again.seconds - connection:.2f} s, {commands:g} command, {again.kilobytes}; {again.cpu}",
    )
    place.clear("small")


def _large(place: Place, corpus: Path, connection: float) -> Iterator[tuple[str, str]]:
    file = place.home("large") / _LARGE
    file.parent.mkdir(parents=True)
    _grow(file, corpus)
    first = place.collect("large")
    assert first.report.new == 1
    rate = file.stat().st_size / first.seconds / 10**6
    wire = f"{first.report.wire / 1e6:.0f} MB"
    yield "first collect of one log of 1 GB (≥ 60 MB/s)", f"{rate:.0f} MB/s, {wire}; {first.cpu}"
    words = [*(["openssl", "dgst", "-sha256"] if shutil.which("openssl") else ["sha256sum"]), str(file)]
    hashed = min((command(words) for _ in range(_TIMES)), key=lambda cost: cost.wall)
    yield f"{words[0]}: the hash of that log", f"{hashed.wall:.2f} s; CPU-s {hashed.cpu:.2f}"
    for _ in range(_TIMES):
        with file.open("ab") as log:
            log.write(b'{"type":"user","message":{"role":"user","content":"%s"}}\n' % (b"more " * 1600))
        grown = place.collect("large")
        assert grown.report.grown == 1
        yield (
            "8 kB appended to it, beyond connection and prefix hash (≤ 1 s, ≤ 100 kB)",
            f"{grown.seconds - connection - hashed.wall:.2f} s, {grown.kilobytes}; {grown.cpu}",
        )
    place.clear("large")


def _fleet(place: Place) -> Iterator[tuple[str, str]]:
    """Whole commands, as a fleet is collected in processes."""
    names = [f"host{number}" for number in range(20)]
    for name in names:
        _logs(place.home(name), 500, 2000)
    config = place.folder / "fleet.yml"
    config.write_text(_yaml(place, names))
    home = place.folder / "user"
    home.mkdir()
    (home / ".ssh").symlink_to(place.sshd.folder)

    def collected(*hosts: str) -> tuple[float, float]:
        """Seconds, and CPU seconds here and there."""
        words = [sys.executable, "-m", "siphon", "--config", str(config), "collect", *hosts]
        there = place.cpu()
        cost = command(words, env={**os.environ, "HOME": str(home)})
        return cost.wall, cost.cpu + place.cpu() - there

    collected()
    one, one_cpu = min(collected(names[0]) for _ in range(_TIMES))
    all_, all_cpu = min(collected() for _ in range(_TIMES))
    yield "one unchanged host of 500 logs, the whole command", f"{one:.2f} s; CPU-s {one_cpu:.2f}"
    yield (
        "20 such hosts in parallel (≤ 6 × one)",
        f"{all_:.2f} s = {all_ / one:.1f} × one; CPU-s {all_cpu:.2f} = {all_cpu / one_cpu:.1f} × one",
    )


def _logs(home: Path, count: int, size: int) -> None:
    """So many logs of that size, in folders of 100; an hour old, as most logs are."""
    line = json.dumps({"type": "user", "message": {"role": "user", "content": "x" * 150}}) + "\n"
    data = (line * (size // len(line) + 1))[:size].encode()
    for number in range(count):
        file = home / f".claude/projects/-p{number // 100}/{number:08}-1111-4111-8111-111111111111.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"%08d" % number + data[8:])


def _bare(folder: Path, batches: int = 10, files: int = 1000) -> str:
    """Seconds, and CPU seconds, to write as many files as durably with nothing else done."""
    start, cpu = time.perf_counter(), time.process_time()
    for batch in range(batches):
        (folder / str(batch)).mkdir()
        parts = [folder / f"{batch}-{number}" for number in range(files)]
        for part in parts:
            part.write_bytes(b"x" * 2000)
        private.sync(parts)
        for part in parts:
            part.rename(folder / str(batch) / part.name)
        private.sync([folder, folder / str(batch)])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    shutil.rmtree(folder)
    return f"{seconds:.1f} s; CPU-s {cpu:.2f}"


def _grow(file: Path, corpus: Path) -> None:
    """A log of 1 GB, of real lines, over and over (a packer's window is far smaller)."""
    sources = sorted(corpus.glob("*/.claude/projects/*/*.jsonl"))
    with file.open("wb") as log:
        while log.tell() < _GB:
            for source in sources:
                log.write(source.read_bytes())
                if log.tell() >= _GB:
                    break


def _yaml(place: Place, names: list[str]) -> str:
    hosts = [
        f"  {name}: {{ssh: 127.0.0.1, port: {place.sshd.port}, home: {place.home(name)}}}\n"
        for name in names
    ]
    return f"archive: {place.folder / 'archive' / 'fleet'}\nhosts:\n{''.join(hosts)}"


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
