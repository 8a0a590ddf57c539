"""A host behind a network of its own, whose cable is pulled in the middle of a log: nothing is lost.

The host is an sshd in a network namespace, joined to ours by a pair of virtual interfaces. Only root may
make one; tests/test_cuts.py cuts connections where there is no root.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

import pytest

from fleet import LOG, PROJECT, Site, config_of, made, noise
from siphon.collect import collect
from siphon.config import HostConfig
from siphon.hostreport import HostReport
from sshd import Sshd, running_sshd

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make network namespaces")

_PATIENCE_SECONDS = 60
_FIRST = IPv4Address("198.18.0.0")  # of the range kept for tests of networks
_MEGABYTES = 8
_CUT_AT = 1 << 20  # bytes: in the middle of a log


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


class Cable(NamedTuple):
    """A host on the other end of a cable."""

    sshd: Sshd
    space: str  # its network namespace
    ours: str  # interface
    theirs: str
    our_address: str

    def there(self, *words: str) -> None:
        """Run `ip` on the host."""
        _run("ip", "-n", self.space, *words)

    def passed(self) -> int:
        """Bytes that came from the host so far."""
        lines = Path("/proc/thread-self/net/dev").read_text().splitlines()
        (counts,) = (line.split(":")[1] for line in lines if line.strip().startswith(f"{self.ours}:"))
        return int(counts.split()[0])

    def wait(self) -> None:
        """Until the host can be reached: that it cannot is remembered for a moment."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < end:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((self.sshd.address, self.sshd.port)) == 0:
                    return
            time.sleep(0.02)
        pytest.fail("the host does not come back")

    def slow(self, rate: str) -> None:
        _run(
            *("tc", "-n", self.space, "qdisc", "replace", "dev", self.theirs, "root", "tbf"),
            *("rate", rate, "burst", "32kb", "latency", "200ms"),
        )

    def quick(self) -> None:
        subprocess.run(
            ["tc", "-n", self.space, "qdisc", "del", "dev", self.theirs, "root"],
            capture_output=True,
            check=False,  # it may not have been slow
        )


_SETNS = ctypes.CDLL(None, use_errno=True).setns
_CLONE_NEWNET = 0x40000000


@contextmanager
def _within(name: str) -> Iterator[None]:
    """This thread, and those and the processes that it begins, in the namespace.

    In the machine's own one an interface that comes and goes makes Chromium drop what it fetches.
    """
    with Path("/proc/thread-self/ns/net").open() as own, Path(f"/run/netns/{name}").open() as other:
        assert _SETNS(other.fileno(), _CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert _SETNS(own.fileno(), _CLONE_NEWNET) == 0


@contextmanager
def _space(name: str) -> Iterator[None]:
    """A network namespace."""
    asked = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
    if "not permitted" in asked.stderr:
        pytest.skip(f"this machine's kernel gives root no network namespace: {asked.stderr.strip()}")
    assert asked.returncode == 0, asked.stderr
    try:
        _run("ip", "-n", name, "link", "set", "lo", "up")
        yield
    finally:
        _run("ip", "netns", "del", name)  # and the pair with it


def _pair(name: str, ours: str, theirs: str, our_address: str, address: str) -> None:
    """Two interfaces: here, and in the namespace."""
    _run("ip", "link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", name)
    _run("ip", "addr", "add", f"{our_address}/30", "dev", ours)
    _run("ip", "-n", name, "addr", "add", f"{address}/30", "dev", theirs)
    _run("ip", "link", "set", ours, "up")
    _run("ip", "-n", name, "link", "set", theirs, "up")


@pytest.fixture(scope="module")
def cable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cable]:
    if shutil.which("ip") is None or shutil.which("tc") is None:
        pytest.fail("ip and tc are missing: install Debian's iproute2 (`make test` does)")
    number = os.getpid() % 20_000
    name, ours, theirs = f"siphon{number}", f"siphon{number}a", f"siphon{number}b"
    our_address, address = str(_FIRST + 4 * number + 1), str(_FIRST + 4 * number + 2)
    here = f"{name}-here"
    with _space(name), _space(here), _within(here):
        _pair(name, ours, theirs, our_address, address)
        enter = ("ip", "netns", "exec", name)
        folder = tmp_path_factory.mktemp("cable")
        with running_sshd(folder, address=address, within=enter) as sshd:
            yield Cable(sshd, name, ours, theirs, our_address)


def _site(cable: Cable, folder: Path, **changes: object) -> Site:
    home = made(folder / "home")
    host = cable.sshd.host("host", home, **{"keepalive": 1, "timeout": 30, **changes})
    return Site(home, config_of(folder, cable.sshd.folder, host))


def _cut(cable: Cable, site: Site, cut: Callable[[], None]) -> HostReport:
    """Collect; the cable is cut once so many bytes came through it."""
    begun, error = cable.passed(), []

    def watch() -> None:
        end = time.monotonic() + _PATIENCE_SECONDS
        while cable.passed() - begun < _CUT_AT:
            if time.monotonic() > end:
                error.append("so many bytes never came")
                return
            time.sleep(0.001)
        cut()

    watching = threading.Thread(target=watch)
    watching.start()
    (report,) = collect(site.config, site.archive)
    watching.join()
    assert not error
    return report


CUTS = {
    "our end": (
        lambda cable: _run("ip", "link", "set", cable.ours, "down"),
        lambda cable: _run("ip", "link", "set", cable.ours, "up"),
    ),
    "its end": (
        lambda cable: cable.there("link", "set", cable.theirs, "down"),
        lambda cable: cable.there("link", "set", cable.theirs, "up"),
    ),
    "dropped": (
        lambda cable: cable.there("route", "add", "blackhole", f"{cable.our_address}/32"),
        lambda cable: cable.there("route", "del", "blackhole", f"{cable.our_address}/32"),
    ),
}


@pytest.mark.parametrize("where", CUTS)
def test_a_cable_pulled_in_the_middle_of_a_log_loses_nothing(
    where: str, cable: Cable, tmp_path: Path
) -> None:
    cut, mend = CUTS[where]
    site = _site(cable, tmp_path)
    logs = {f"{PROJECT}/{number}.jsonl": noise(1 << 20, seed=number) for number in range(4)}
    logs[LOG] = noise(_MEGABYTES << 20)
    site.write(LOG, logs[LOG][: 5 << 20])
    site.collect()
    for path, data in logs.items():
        site.write(path, data)
    cable.slow("80mbit")
    try:
        report = _cut(cable, site, lambda: cut(cable))
        assert report.error is not None and report.reachable
        (host,) = site.config.hosts
        hasty = site.config._replace(hosts=(host._replace(timeout=1),))
        (down,) = collect(hasty, site.archive)
        assert down.error is not None and not down.reachable
    finally:
        mend(cable)
        cable.quick()
        cable.wait()
    for path in site.held():
        data = site.read(path)
        assert data is not None and logs[path].startswith(data)
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())
    assert site.collect().error is None
    assert {path: site.read(path) for path in site.held()} == logs
    assert {generation for generation, _ in site.held().values()} == {1}
    assert site.sound()


def test_a_cable_that_is_back_within_the_patience_was_never_away(cable: Cable, tmp_path: Path) -> None:
    site = _site(cable, tmp_path, keepalive=10)
    site.write(LOG, noise(_MEGABYTES << 20))

    def blink() -> None:
        _run("ip", "link", "set", cable.ours, "down")
        time.sleep(1)  # the patience is forty times as long
        _run("ip", "link", "set", cable.ours, "up")

    cable.slow("80mbit")
    try:
        report = _cut(cable, site, blink)
    finally:
        cable.quick()
    assert (report.error, report.new) == (None, 1)
    assert site.read(LOG) == noise(_MEGABYTES << 20)
    assert site.sound()


def test_a_slow_line_is_waited_for_however_short_the_timeout_and_delays_no_other(
    cable: Cable, tmp_path: Path
) -> None:
    site = _site(cable, tmp_path, timeout=3)
    data = noise(6 << 20)
    site.write(LOG, data)
    near = made(tmp_path / "near", PROJECT)
    (near / "1.jsonl").write_bytes(b"one\n")
    (slow,) = site.config.hosts
    hosts = (slow, HostConfig("near", home=tmp_path / "near"))
    cable.slow("8mbit")
    try:
        slow_one, near_one = collect(site.config._replace(hosts=hosts), site.archive)
    finally:
        cable.quick()
    assert slow_one.error is None and near_one.error is None
    assert slow_one.ended_at - slow_one.started_at > 3000  # its timeout
    assert near_one.ended_at < slow_one.ended_at
    assert site.read(LOG) == data
    assert site.sound()
