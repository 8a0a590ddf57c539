"""`siphon up`: collects, loads, serves, and shows a new line of a local log soon after it is written.

What it does with hosts that are slow, dead or gone, and how it ends.
"""

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from claude_lines import Lines
from goldens import HOMES
from ports import free_port
from road import copied
from siphon.archive import Archive
from sshd import running_sshd

CASE = HOMES / "claude_code" / "c18_crlf" / "laptop"
LINE = (
    '{"type":"user","uuid":"up-1","parentUuid":null,"sessionId":"00000012-0000-4000-8000-000000000012",'
    '"timestamp":"2026-03-02T10:00:00.000Z","cwd":"/w","version":"2.1.0","isSidechain":false,'
    '"message":{"role":"user","content":"zanzibarword please"}}\n'
)
PATIENCE = 90  # seconds: a limit that only a fault reaches, however busy the machine
NEW = "0000001e-0000-4000-8000-00000000001e"


class Up(NamedTuple):
    """A running `siphon up`."""

    process: subprocess.Popen[bytes]
    address: str
    folder: Path

    def told(self) -> str:
        """All that it wrote to stdout and stderr."""
        return (self.folder / "up.log").read_text()

    @property
    def archive(self) -> Archive:
        return Archive(self.folder / "archive")


def configure(folder: Path, hosts: str, interval: int = 3600) -> None:
    text = f"archive: archive\ndatabase: siphon.db\ninterval: {interval}\nhosts: {hosts}\n"
    (folder / "siphon.yml").write_text(text)


@contextmanager
def running(folder: Path, hosts: str, interval: int, home: Path | None = None) -> Iterator[Up]:
    """`hosts` as in siphon.yml, `home` whose .ssh is used; killed at the end if it is still there."""
    port = free_port()
    config = folder / "siphon.yml"
    words = [sys.executable, "-m", "siphon", "--config", str(config), "up", "--port", str(port)]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1", **({"HOME": str(home)} if home else {})}
    configure(folder, hosts, interval)
    with (folder / "up.log").open("wb") as log:
        process = subprocess.Popen(words, start_new_session=True, env=environ, stdout=log, stderr=log)
    up = Up(process, f"http://127.0.0.1:{port}", folder)
    try:
        yield up
    finally:
        print(up.told())
        if process.poll() is None:
            for pid in [*_below(process.pid), process.pid]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        process.wait()


def until(what: str, seen: Callable[[], object]) -> float:
    """Seconds until something is seen."""
    start = time.monotonic()
    while time.monotonic() - start < PATIENCE:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, sqlite3.OperationalError):
            if seen():
                return time.monotonic() - start
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {PATIENCE} s")


def _finds(up: Up, word: str) -> Callable[[], object]:
    def seen() -> object:
        with urllib.request.urlopen(f"{up.address}/-/siphon/api/search?q={word}") as answer:
            return json.load(answer)["total"]

    return seen


def _runs(up: Up, host: str) -> list[tuple[int, int | None, str]]:
    """Of collects, oldest first: started, ended, outcome."""
    book = up.folder / "archive" / ".ledger.db"
    with closing(sqlite3.connect(f"file:{book}?mode=ro", uri=True)) as ledger:
        sql = "select started_at, ended_at, outcome from runs where kind = 'collect' and host = ?"
        return ledger.execute(f"{sql} order by id", [host]).fetchall()


def _below(pid: int) -> list[int]:
    """All processes that this one has begun, and those that they have."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):
            for child in map(int, task.read_text().split()):
                found += [child, *_below(child)]
    return found


@pytest.fixture
def laptop(tmp_path: Path) -> Path:
    return copied(tmp_path / "laptop", CASE)


def test_a_new_line_is_found_soon_and_a_log_in_a_new_folder_too(tmp_path: Path, laptop: Path) -> None:
    with running(tmp_path, f"{{laptop: {{home: {laptop}}}}}", 3600) as up:
        until("the first load", lambda: _tools(up) == 1)
        log = next(laptop.rglob("*.jsonl"))
        with log.open("a", newline="") as file:
            file.write(LINE)
        took = [until("a new line", _finds(up, "zanzibarword"))]
        lines = Lines(NEW)
        lines.prompt("a sansibarword in a project that is new")
        lines.write(laptop, "-home-ada-new")
        took.append(until("a new project", _finds(up, "sansibarword")))
        other = copied(tmp_path / "codex", next((HOMES / "codex" / "tools").glob("*/")))
        (other / ".codex").rename(laptop / ".codex")
        took.append(until("a tool that is new", lambda: _tools(up) == 2))
        print("found after", ", ".join(f"{one:.1f} s" for one in took))


def _tools(up: Up) -> int:
    with urllib.request.urlopen(f"{up.address}/-/siphon/api/status") as answer:
        return len(json.load(answer)["sources"])


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_well_when_it_is_told_to(tmp_path: Path, laptop: Path, ending: signal.Signals) -> None:
    """While a slow host is being collected: without waiting for it, with code 0, and nothing is left."""
    with slow_host(tmp_path, 2 * PATIENCE) as slow:
        hosts = f"{{laptop: {{home: {laptop}}}, slow: {slow}}}"
        with running(tmp_path, hosts, 3600, tmp_path) as up:
            until("the slow host at work", lambda: _runs(up, "slow"))
            until("the first load", lambda: _tools(up) == 1)
            children = _below(up.process.pid)
            assert len(children) >= 3  # the server, the crew, its worker
            up.process.send_signal(ending)
            assert up.process.wait(PATIENCE) == 0
            until("its processes gone", lambda: not any(map(_alive, children)))
            assert [outcome for _, _, outcome in _runs(up, "slow")] == ["error"]  # interrupted
            assert list(up.archive.verify(read_data=True)) == []
            assert list((up.archive.root / ".parts").iterdir()) == []


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@contextmanager
def slow_host(folder: Path, seconds: int) -> Iterator[str]:
    """A real host that takes some seconds to begin anything; as siphon.yml names it."""
    slow = f'sleep {seconds}; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    home = copied(folder / "far", CASE)
    with running_sshd(folder / "sshd", f"ForceCommand {slow}") as sshd:
        (folder / ".ssh").symlink_to(sshd.folder)
        yield f"{{ssh: 127.0.0.1, port: {sshd.port}, home: {home}}}"


def test_a_slow_host_piles_nothing_up_and_a_dead_one_is_tried_less_and_less(
    tmp_path: Path, laptop: Path
) -> None:
    dead = f"{{ssh: 127.0.0.1, port: {free_port()}}}"
    with slow_host(tmp_path, 1) as slow:
        hosts = f"{{laptop: {{home: {laptop}}}, slow: {slow}, dead: {dead}}}"
        with running(tmp_path, hosts, 1, tmp_path) as up:
            until("two runs of the slow host", lambda: len(_ended(up, "slow")) >= 2)
            until("three of the dead one", lambda: len(_ended(up, "dead")) >= 3)
            slow_runs, fast, failed = (_ended(up, name) for name in ("slow", "laptop", "dead"))
            for (_, ended, _), (started, _, _) in pairwise(slow_runs):
                assert ended is not None and started >= ended + 1000
            assert all(ended is not None and ended - begun >= 1000 for begun, ended, _ in slow_runs)
            assert len(fast) > len(slow_runs)  # nobody waits for the slow one
            assert {outcome for _, _, outcome in failed} == {"error"}
            pauses = [later[0] - (one[1] or 0) for one, later in pairwise(failed)]
            assert all(pause >= 1000 * 2**number for number, pause in enumerate(pauses)), pauses
            up.process.terminate()
            assert up.process.wait(PATIENCE) == 0


def _ended(up: Up, host: str) -> list[tuple[int, int | None, str]]:
    return [run for run in _runs(up, host) if run[2] != "running"]


def test_a_changed_siphon_yml_is_taken_up_and_a_broken_one_told(tmp_path: Path, laptop: Path) -> None:
    """And when it is killed, nothing of it is left."""
    other = tmp_path / "other"
    lines = Lines(NEW)
    lines.prompt("a sansibarword on a host that is added")
    lines.write(other, "-home-ada-new")
    first = f"laptop: {{home: {laptop}}}"
    with running(tmp_path, f"{{{first}}}", 3600) as up:
        until("the first load", lambda: _tools(up) == 1)
        configure(tmp_path, f"{{{first}, other: {{home: {other}}}}}")
        until("a host that is added", _finds(up, "sansibarword"))
        assert "siphon.yml has changed: from now on it is in force" in up.told()
        configure(tmp_path, "{laptop: {hom: x}}")
        until("what is wrong", lambda: "unknown key 'hom'" in up.told())
        assert "what siphon.yml said before stays in force" in up.told()
        with next(laptop.rglob("*.jsonl")).open("a", newline="") as file:
            file.write(LINE)
        until("a new line", _finds(up, "zanzibarword"))
        (tmp_path / "siphon.yml").unlink()
        until("that it is gone", lambda: "it is gone" in up.told())
        assert up.told().count("unknown key 'hom'") == 1
        children = _below(up.process.pid)
        assert children
        up.process.kill()
        up.process.wait()
        until("its processes gone", lambda: not any(map(_alive, children)))
