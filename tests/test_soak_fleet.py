"""Whatever tools do to their logs, and wherever a collect or a load is killed: nothing is lost.

A model of a home and of what must be archived of it, driven by hypothesis; and kills at random times.
A few steps always, 10,000 steps and 200 kills with SIPHON_SOAK=1 (`make soak`).
"""

import os
import random
import shutil
import signal
import tempfile
import time
import traceback
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from claude_lines import Lines
from dump import dump
from road import Road, road
from siphon.archive import Held
from siphon.db import connect

SOAK = "SIPHON_SOAK" in os.environ
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # disks are waited for
PROJECT = ".claude/projects/-home-ada-app"
NUMBERS = st.integers(0, 5)  # of logs: few, so that each has a life


@cache
def bytes_of(life: int) -> bytes:
    """All that a session's log gets in the end; another life, even of the same path, has others."""
    made = Lines(f"{life:08x}-0000-4000-8000-{life:012x}")
    for turn in range(12):
        made.prompt(f"question {turn} in life {life}")
        made.call("Bash", {"command": f"echo {turn}"}, f"output {turn}")
        made.reply(f"answer {turn}")
    return b"".join(f"{line}\n".encode() for line in made.lines)


class Written(NamedTuple):
    """A log on the host: which life, and how many of its bytes are there."""

    life: int
    size: int

    @property
    def data(self) -> bytes:
        return bytes_of(self.life)[: self.size]


class Home(RuleBasedStateMachine):
    """Tools at work in a home, collects and loads between. What was archived once must stay so."""

    steps = 0  # of all examples

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="siphon-soak-", dir=MEMORY))
        self.home = self.folder / "home"
        (self.home / PROJECT).mkdir(parents=True)
        self.road = road(self.folder / "siphon", {"laptop": self.home})
        self.there: dict[int, Written] = {}
        self.lives = 0
        self.kept: dict[str, set[bytes]] = {}  # path → what its generations held when last collected

    def teardown(self) -> None:
        try:
            self.collect()
            self.load()
            self._same_as_built_anew()
            print(f"{Home.steps} steps")
        finally:
            shutil.rmtree(self.folder)

    # What tools do

    def _write(self, number: int, written: Written, *, anew: bool = False) -> None:
        path = self.home / _path(number)
        data = written.data
        if anew:
            path.unlink(missing_ok=True)
        path.write_bytes(data)
        self.there[number] = written._replace(size=len(data))

    @rule(number=NUMBERS, size=st.integers(0, 9000))
    def grow(self, number: int, size: int) -> None:
        """Begin a log, or append to it; often in the middle of a line."""
        old = self.there.get(number)
        if old is None:
            self._write(number, Written(self._life(), size))
            return
        new = Written(old.life, old.size + size)
        with (self.home / _path(number)).open("ab") as file:
            file.write(new.data[old.size :])
        self.there[number] = Written(old.life, len(new.data))

    @rule(number=NUMBERS, size=st.integers(0, 9000), anew=st.booleans())
    def rewrite(self, number: int, size: int, anew: bool) -> None:
        """Another content, in place or as another file of the same name."""
        self._write(number, Written(self._life(), size), anew=anew)

    @precondition(lambda self: self.there)
    @rule(number=NUMBERS)
    def rewrite_in_the_same_size(self, number: int) -> None:
        if number in self.there:
            size = self.there[number].size
            other = Written(self._life(), size)
            if len(other.data) == size:
                self._write(number, other)

    @rule(number=NUMBERS, share=st.floats(0, 1))
    def cut(self, number: int, share: float) -> None:
        """Truncated, to nothing too."""
        if number in self.there:
            old = self.there[number]
            self._write(number, Written(old.life, int(old.size * share)))

    @rule(number=NUMBERS)
    def delete(self, number: int) -> None:
        if self.there.pop(number, None) is not None:
            (self.home / _path(number)).unlink()

    @rule(number=NUMBERS, other=NUMBERS)
    def rename(self, number: int, other: int) -> None:
        """As a log that is rotated; the other is replaced."""
        if number in self.there and number != other:
            (self.home / _path(number)).replace(self.home / _path(other))
            self.there[other] = self.there.pop(number)

    # What siphon does

    @rule(number=NUMBERS, size=st.integers(0, 9000))
    def collect_between(self, number: int, size: int) -> None:
        """A log is collected, rewritten and collected again, with nothing else between."""
        self.collect()
        self.rewrite(number, size, anew=False)
        self.collect()

    @rule()
    def collect(self) -> None:
        before = {held.path: held.generation for held in self.road.archive.held("laptop")}
        self.road.collect()
        for number, written in self.there.items():
            path = _path(number)
            assert self._archived(path) == written.data, path
            self.kept.setdefault(path, set())
        for held in self.road.archive.held("laptop"):
            assert held.generation >= before.get(held.path, 1)
        self._keep()

    def _keep(self) -> None:
        """All that was ever archived is still had: as a generation, or as the beginning of one."""
        for path, contents in self.kept.items():
            held = [self._generation(path, one.generation) for one in self._generations(path)]
            for content in contents:
                assert any(whole.startswith(content) for whole in held), path
            self.kept[path] = set(held)

    @rule()
    def load(self) -> None:
        self.road.load()
        with closing(connect(self.road.database)) as connection:
            assert connection.execute(
                "select count(*) from logs where error is not null"
            ).fetchone() == (0,)
            twins = connection.execute(
                "select session_id, seq, count(*) from (select session_id, seq from messages union all"
                " select session_id, seq from tool_calls) group by 1, 2 having count(*) > 1"
            ).fetchall()
            assert twins == []

    @rule()
    def verify(self) -> None:
        if self.road.config.archive.exists():
            assert list(self.road.archive.verify(read_data=True)) == []

    @invariant()
    def nothing_is_written_on_the_host(self) -> None:
        Home.steps += 1
        names = {
            file.relative_to(self.home).as_posix() for file in self.home.rglob("*") if file.is_file()
        }
        assert names == {_path(number) for number in self.there}

    def _life(self) -> int:
        self.lives += 1
        return self.lives

    def _archived(self, path: str) -> bytes | None:
        file = self.road.archive.home("laptop").open(path)
        return None if file is None else file.read()

    def _generations(self, path: str) -> list[Held]:
        return self.road.archive.generations("laptop", path)

    def _generation(self, path: str, generation: int) -> bytes:
        file = self.road.archive.open("laptop", path, generation)
        assert file is not None, (path, generation)
        return file.read()

    def _same_as_built_anew(self) -> None:
        grown = dump(self.road.database)
        self.road.load(rebuild=True)
        assert dump(self.road.database) == grown


def _path(number: int) -> str:
    return f"{PROJECT}/{number:08x}-0000-4000-8000-{0:012x}.jsonl"


TestHome = Home.TestCase
TestHome.settings = settings(
    max_examples=110 if SOAK else 2,
    stateful_step_count=100 if SOAK else 25,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_what_was_a_copy_counts_once_the_original_is_gone() -> None:
    """Found by the machine: a log was renamed, and the old path begun again with an empty file."""
    home = Home()
    home.rewrite(0, 900, anew=False)
    home.collect()
    home.load()
    home.rename(0, 1)
    home.collect()
    home.load()
    home.rewrite(0, 0, anew=False)
    home.teardown()  # collects, loads, and compares with a database built anew


# Kills


def test_collects_and_loads_killed_at_random_times_lose_and_double_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = road(tmp_path / "siphon", {"laptop": home})
    chance = random.Random(time.time_ns() if SOAK else 3)
    _work(home, chance, 0)
    begun = time.monotonic()
    assert not _killed(made, None)
    usual = time.monotonic() - begun
    kills = turn = 0
    while kills < (200 if SOAK else 6):
        turn += 1
        _work(home, chance, turn)
        kills += _killed(made, chance.uniform(0, 1.2 * usual))
        _nothing_is_half(made)
    print(f"{kills} kills in {turn} runs, a whole run takes {usual:.2f} s")
    assert not _killed(made, None)
    logs = {file.relative_to(home).as_posix(): file.read_bytes() for file in home.rglob("*.jsonl")}
    archive = made.archive.home("laptop")
    held = {one.path for one in made.archive.held("laptop")}
    assert held == set(logs)
    for path, data in logs.items():
        file = archive.open(path)
        assert file is not None and file.read() == data
    assert list(made.archive.verify(read_data=True)) == []
    assert list((made.archive.root / ".parts").iterdir()) == []
    grown = dump(made.database)
    made.load(rebuild=True)
    assert dump(made.database) == grown


def _work(home: Path, chance: random.Random, turn: int) -> None:
    """What tools do between two runs: begin logs, append, rewrite, truncate."""
    folder = home / PROJECT
    folder.mkdir(parents=True, exist_ok=True)
    for number in chance.sample(range(40), 8):
        file = home / _path(number)
        data = bytes_of(number)
        size = file.stat().st_size if file.exists() else 0
        act = chance.random()
        if act < 0.7 and size < len(data):
            with file.open("ab") as log:
                log.write(data[size : size + chance.randrange(1, 4000)])
        elif act < 0.85:
            file.write_bytes(bytes_of(100 + turn)[: chance.randrange(1, 20_000)])
        else:
            file.write_bytes(data[: size // 2])


def _killed(made: Road, after: float | None) -> bool:
    """Collect and load in a process that is killed after some seconds (None: never); whether it was."""
    child = os.fork()
    if child == 0:
        try:
            made.collect()
            made.load()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    end = time.monotonic() + (after if after is not None else 600)
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0
            return False
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _nothing_is_half(made: Road) -> None:
    """What is visible is whole: each log as the ledger says, and a database that can be read."""
    if not (made.config.archive / ".ledger.db").exists():
        return
    with made.archive.lock("wait until its processes have ended", 0):
        pass
    assert [one for one in made.archive.verify(read_data=True) if one.host] == []
    if made.database.exists():
        with closing(connect(made.database)) as connection:
            assert connection.execute("pragma quick_check").fetchone() == ("ok",)
