"""Collects are killed, at any moment; whoever collects next has everything."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from fleet import PROJECT, Fleet, Site, made, noise, site_of
from siphon.archive import Archive
from siphon.collect import collect
from siphon.verify import Finding

pytest_plugins = ["fleet_fixtures"]

SOAK = "SIPHON_SOAK" in os.environ  # `make soak`: at every step, and 200 times at random
CHECKOUT = Path(__file__).parent.parent

EVENTS = ("open", "os.rename", "os.link", "os.remove", "os.mkdir", "os.truncate")
LOGS = ("new", "grown", "grown-2", "woken", "rewritten", "rewritten-2", "rewritten-3", "shrunk", "same")


OLD = noise(3000)
LARGE = noise(100_000)  # packed when it is replaced, or at rest
WEEKS = 21 * 24 * 3600 * 1000  # ms: until logs rest


def _before(site: Site, project: Path) -> None:
    """Logs of which some are packed when the collect that is killed begins, and some when it ends."""
    for name in ("woken", "rewritten-3"):
        (project / f"{name}.jsonl").write_bytes(LARGE)
    site.collect(now=lambda: 0)
    for name in LOGS[1:]:
        if not (project / f"{name}.jsonl").exists():
            data = LARGE if name in ("rewritten-2", "same") else OLD
            (project / f"{name}.jsonl").write_bytes(data)
    site.collect(now=lambda: WEEKS)
    assert _packed(site) == {"woken", "rewritten-3"}


def _wrong(archive: Archive) -> list[Finding]:
    """What a kill must not leave; files that no ledger names it may, for the next run to clear."""
    found = archive.verify(read_data=True)
    return [one for one in found if one.host is not None or one.path.startswith((".ledger", ".audit"))]


def _packed(site: Site) -> set[str]:
    rows = site.archive.ledger.rows("select path from logs where place glob '.zst/*'")
    return {Path(path).stem for (path,) in rows}


def _after(home: Path) -> None:
    for name, data in {
        "new": b"new\n",
        "grown": OLD + b"more\n",
        "grown-2": OLD + b"more\n",
        "woken": LARGE + b"more\n",
        "rewritten": b"x" + noise(4000),
        "rewritten-2": b"y" + noise(4000),
        "rewritten-3": b"z" + noise(4000),
        "shrunk": b"",
    }.items():
        (home / f"{name}.jsonl").write_bytes(data)


def _killed_at(site: Site, step: int) -> bool:
    """Collect in a child that is killed as it opens, links, renames … for the step-th time."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            left -= event in EVENTS
            if event in EVENTS and left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            sys.addaudithook(count)
            collect(site.config, site.archive, now=lambda: 2 * WEEKS)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_a_collect_killed_at_any_step_loses_nothing_and_shows_no_half(
    fleet: Fleet, tmp_path: Path
) -> None:
    step = 0
    while True:
        site = site_of("local", fleet, made(tmp_path / str(step)))
        project = made(site.home / ".claude", "projects", "-p")
        _before(site, project)
        _after(project)
        if not _killed_at(site, step):
            break
        for held in site.archive.held():
            data = site.read(held.path)
            name = held.path.rpartition("/")[2]
            assert data in ((project / name).read_bytes(), OLD, LARGE), (step, name)
        assert _wrong(site.archive) == []
        site.collect(now=lambda: 2 * WEEKS)
        assert _packed(site) == {"same"}
        logs = {f"{PROJECT}/{log.name}": log.read_bytes() for log in project.iterdir()}
        assert {path: site.read(path) for path in site.held()} == logs
        for path, data in logs.items():
            if not path.endswith("same.jsonl"):
                assert (site.archive.root / "host" / path).read_bytes() == data
        for name in ("rewritten-2", "rewritten-3"):
            kept = site.archive.open("host", f"{PROJECT}/{name}.jsonl", 1)
            assert kept is not None and kept.read() == LARGE
        assert site.sound(), (step, list((site.archive.root / ".parts").iterdir()))
        shutil.rmtree(tmp_path / str(step))
        step += 1 if SOAK else 5
    assert step > 60


KILLED = """
import os, sys, threading, time
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/tests"]
from pathlib import Path
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
folder, keys, port = Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
hosts = (
    HostConfig("near", home=folder / "near"),
    HostConfig("far", ssh="127.0.0.1", port=port, remote_home=str(folder / "far")),
)
config = Config(folder / "archive", folder / "siphon.db", 300, (), hosts, None, keys)
print("go", flush=True)
sys.stdin.readline()
print([report.error for report in collect(config, Archive(config.archive), sys.argv[5:])])
"""


def test_a_collect_killed_at_any_moment_loses_nothing_and_shows_no_half(
    fleet: Fleet, tmp_path: Path
) -> None:
    """Logs are made, grow and are rewritten while collects are killed; then one is let finish.

    The kills are spread over the time that a collect takes, as far as it was let finish: no phase of it
    is left out where the machine is slow, and few collects end before theirs where it is fast.
    """
    chance = random.Random(7)
    homes = {host: made(tmp_path / host) for host in ("near", "far")}
    archive = Archive(tmp_path / "archive")
    usual = {}  # seconds that a collect of these hosts took, when it last was let finish
    for hosts in (("near",), ()):
        for home in homes.values():
            _live(home, 0, chance)
        usual[hosts] = _collected(fleet, tmp_path, hosts)
    kills = turn = 0
    tenths = [0] * 11  # of a collect's time, in which the kills were
    while kills < (200 if SOAK else 9):
        turn += 1
        for home in homes.values():
            _live(home, turn, chance)
        hosts = () if turn % 3 else ("near",)
        after = chance.uniform(0, 1.05 * usual[hosts])
        seconds = _collected(fleet, tmp_path, hosts, after)
        if seconds is None:
            kills += 1
            tenths[int(10 * after / usual[hosts])] += 1
        else:
            usual[hosts] = seconds
        with archive.lock("wait until all its processes have ended", 0):
            pass
        for held in archive.held():
            file = archive.home(held.host).open(held.path)
            assert file is not None and len(file.read()) == held.size
        assert _wrong(archive) == []
    print(f"{kills} kills in {turn} collects, by tenths of one's time: {tenths}")
    assert turn < 3 * kills
    _collected(fleet, tmp_path, ())
    for host, home in homes.items():
        logs = {str(file.relative_to(home)): file.read_bytes() for file in home.rglob("*.jsonl")}
        held = {held.path for held in archive.held(host)}
        assert held == set(logs)
        for path, data in logs.items():
            assert (archive.root / host / path).read_bytes() == data
    assert _wrong(archive) == []
    assert list((archive.root / ".parts").iterdir()) == []


def _live(home: Path, turn: int, chance: random.Random) -> None:
    """What tools do between two collects."""
    project = home / PROJECT
    project.mkdir(parents=True, exist_ok=True)
    logs = sorted(project.iterdir())
    for log in chance.sample(logs, len(logs) // 3):
        with log.open("ab") as file:
            file.write(noise(chance.randrange(1, 50_000), seed=turn))
    for log in chance.sample(logs, len(logs) // 6):
        log.write_bytes(noise(chance.randrange(1, 50_000), seed=-turn))
    for number in range(6):
        (project / f"{turn}-{number}.jsonl").write_bytes(noise(chance.randrange(0, 50_000), seed=number))


def _collected(
    fleet: Fleet, folder: Path, hosts: Sequence[str], after: float | None = None
) -> float | None:
    """Collect in a process; the seconds that it took, or None: it was killed after so many."""
    port = str(fleet.sshds["gnu"].port)
    script = [sys.executable, "-c", KILLED, CHECKOUT, folder, fleet.keys, port, *hosts]
    with subprocess.Popen(
        list(map(str, script)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "go\n"
        begun = time.monotonic()
        process.stdin.write("\n")
        process.stdin.flush()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return None
        assert set(process.stdout.read().strip("[]\n").split(", ")) == {"None"}
    return time.monotonic() - begun
