"""Collects are killed, at any moment; whoever collects next has everything."""

import random
import signal
import subprocess
import sys
from pathlib import Path

from fleet import PROJECT, Fleet, made, noise
from siphon.archive import Archive

pytest_plugins = ["fleet"]

CHECKOUT = Path(__file__).parent.parent

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
    """Logs are made, grow and are rewritten while collects are killed; then one is let finish."""
    chance = random.Random(7)
    homes = {host: made(tmp_path / host) for host in ("near", "far")}
    archive = Archive(tmp_path / "archive")
    kills = 0
    for turn in range(16):
        for home in homes.values():
            _live(home, turn, chance)
        kills += _killed(fleet, tmp_path, [] if turn % 4 else ["near"], chance.uniform(0.0, 0.5))
        for held in archive.held():
            file = archive.home(held.host).open(held.path)
            assert file is not None and len(file.read()) == held.size
        assert [finding for finding in archive.verify(read_data=True) if finding.host] == []
    assert kills > 8
    assert not _killed(fleet, tmp_path, [], None)
    for host, home in homes.items():
        logs = {str(file.relative_to(home)): file.read_bytes() for file in home.rglob("*.jsonl")}
        held = {held.path for held in archive.held(host)}
        assert held == set(logs)
        for path, data in logs.items():
            assert (archive.root / host / path).read_bytes() == data
    assert [finding for finding in archive.verify(read_data=True) if finding.host] == []
    assert list((archive.root / ".parts").iterdir()) == []


def _live(home: Path, turn: int, chance: random.Random) -> None:
    """What tools do between two collects."""
    project = home / PROJECT
    project.mkdir(parents=True, exist_ok=True)
    logs = sorted(project.iterdir())
    for log in chance.sample(logs, len(logs) // 3):
        with log.open("ab") as file:
            file.write(noise(chance.randrange(1, 200_000), seed=turn))
    for log in chance.sample(logs, len(logs) // 6):
        log.write_bytes(noise(chance.randrange(1, 200_000), seed=-turn))
    for number in range(12):
        (project / f"{turn}-{number}.jsonl").write_bytes(
            noise(chance.randrange(0, 100_000), seed=number)
        )


def _killed(fleet: Fleet, folder: Path, hosts: list[str], after: float | None) -> bool:
    """Collect in a process, killed after some seconds (None: never); whether it was."""
    port = str(fleet.sshds["gnu"].port)
    script = [sys.executable, "-c", KILLED, CHECKOUT, folder, fleet.keys, port, *hosts]
    with subprocess.Popen(
        list(map(str, script)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        assert process.stdout.readline() == "go\n"
        process.stdin.write("\n")
        process.stdin.flush()
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            return True
        assert set(process.stdout.read().strip("[]\n").split(", ")) == {"None"}
    return False
