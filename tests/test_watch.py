"""Local homes: folders that come and go, and tools that write without pause."""

import queue
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from claude_lines import Lines
from road import Road, road
from siphon.rounds import Rounds
from siphon.watch import Watcher

GLOBS = (".claude/projects/*/*.jsonl", ".codex/sessions/**/rollout-*.jsonl")
SESSION = "0000000a-0000-4000-8000-00000000000a"
PATIENCE = 60  # seconds: a limit that only a fault reaches, however busy the machine


class Watched:
    """A watcher, and the names that it noted."""

    def __init__(self, home: Path) -> None:
        self.names: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.watcher = Watcher({"laptop": home}, GLOBS, self.names.put)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".claude/projects/-p").mkdir(parents=True)
    return tmp_path


@pytest.fixture
def watched(home: Path) -> Iterator[Watched]:
    made = Watched(home)
    yield made
    made.watcher.close()


def _drained(watched: Watched) -> None:
    """Until nothing more is noted for a while."""
    while True:
        try:
            watched.names.get(timeout=0.5)
        except queue.Empty:
            return


def _name(watched: Watched) -> str | None:
    try:
        return watched.names.get(timeout=PATIENCE)
    except queue.Empty:
        return None


def test_a_folder_that_goes_and_comes_again_is_watched_again(home: Path, watched: Watched) -> None:
    _drained(watched)
    (home / ".claude/projects/-p/one.jsonl").write_text("1\n")
    assert _name(watched) == "laptop"
    shutil.rmtree(home / ".claude")
    watched.watcher.extend()
    (home / ".claude/projects/-p").mkdir(parents=True)
    watched.watcher.extend()
    _drained(watched)
    (home / ".claude/projects/-p/two.jsonl").write_text("2\n")
    assert _name(watched) == "laptop"


def test_a_folder_that_was_not_there_is_watched_once_it_is(home: Path, watched: Watched) -> None:
    _drained(watched)
    (home / ".codex/sessions/2026/01/01").mkdir(parents=True)
    (home / ".codex/sessions/2026/01/01/rollout-1.jsonl").write_text("1\n")
    watched.watcher.extend()
    assert _name(watched) == "laptop"


def test_what_is_no_log_is_not_noted(home: Path, watched: Watched) -> None:
    _drained(watched)
    (home / ".claude/projects/-p/notes.txt").write_text("mine\n")
    (home / ".claude/projects/-p/notes.txt").unlink()
    (home / ".bashrc").write_text("mine\n")
    (home / ".claude/projects/-p/one.jsonl").write_text("1\n")
    assert _name(watched) == "laptop"  # of the last alone: events come in order
    _drained(watched)


def _collects(made: Road) -> int:
    return sum(one.kind == "collect" for one in made.archive.runs())


def _writing(made: Road, log: Path, collects: int) -> int:
    """Write without pause until it was collected so often, or patience ends; how often it was."""
    said: list[str] = []
    rounds = Rounds(made.config._replace(interval=3600), made.archive, said.append, said.append)
    rounds.step()
    begun, before = time.monotonic(), _collects(made)
    while _collects(made) - before < collects and time.monotonic() - begun < PATIENCE:
        with log.open("a") as file:
            file.write('{"type":"summary","summary":"on and on"}\n')
        rounds.note("laptop")
        rounds.step()
    rounds.close()
    return _collects(made) - before


def test_a_tool_that_writes_without_pause_is_collected_all_the_same(tmp_path: Path) -> None:
    lines = Lines(SESSION)
    lines.prompt("go on")
    log = lines.write(tmp_path / "home")
    made = road(tmp_path / "siphon", {"laptop": tmp_path / "home"})
    assert _writing(made, log, 2) == 2
