"""The laws of loading, on every case of every source."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from functools import cache
from pathlib import Path

import pytest

import goldens
from dump import dump, totals
from goldens import Case
from made_once import copy_of
from road import Road, copied, road
from siphon.db import connect

pytest_plugins = ["made_once_fixtures"]

CASES = goldens.cases()
each_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.source.name}-{case.name}" for case in CASES]
)


Whole = Callable[[Case], list[str]]


def _homes(case: Case) -> dict[str, Path]:
    return {home.name: home for home in case.hosts}


@pytest.fixture(scope="session")
def wholes(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """The dump of a case's homes, collected and loaded in one go."""

    @cache
    def dumped(source: str, name: str) -> list[str]:
        (case,) = (one for one in CASES if (one.source.name, one.name) == (source, name))
        return road(tmp_path_factory.mktemp("whole"), _homes(case)).go()

    return lambda case: dumped(case.source.name, case.name)


@each_case
def test_loading_again_changes_nothing_whichever_way(case: Case, tmp_path: Path) -> None:
    """Twice; with every log read again; rebuilt under an open reader. And the sums agree."""
    fleet = road(tmp_path, _homes(case))
    first = fleet.go()
    again = fleet.load()
    assert (again.changed, again.rows) == (0, 0)
    _forget(fleet.database)
    again = fleet.load()
    assert (again.changed, again.rows) == (again.logs, 0), "bulk and incremental store alike"
    assert dump(fleet.database) == first
    check_sums(fleet.database)
    with closing(connect(fleet.database)) as reader:
        reader.execute("select count(*) from sessions").fetchone()
        assert fleet.load(rebuild=True).rebuilt
        count = reader.execute("select count(*) from sessions").fetchone()[0]
    assert count == sum(line.startswith("sessions ") for line in first)
    assert dump(fleet.database) == first


def _forget(database: Path) -> None:
    """Make every log look as if another version of its source had read it."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("update logs set source_version = -1")
        connection.commit()


@each_case
def test_any_order_of_logs_gives_the_same_database(case: Case, wholes: Whole, tmp_path: Path) -> None:
    files = [
        (home.name, path.relative_to(home).as_posix(), home)
        for home in case.hosts
        for path in home.rglob("*")
        if path.is_file()
    ]
    random.Random(case.name).shuffle(files)
    fleet = road(tmp_path, {home.name: copied(tmp_path / home.name, home, []) for home in case.hosts})
    for number, (host, path, home) in enumerate(files, 1):
        copied(tmp_path / host, home, [path])
        if number % max(1, len(files) // 6) == 0:  # trees of many files: in a few goes
            fleet.step()
    assert fleet.go() == wholes(case)


@each_case
def test_a_log_cut_anywhere_and_then_completed_equals_the_whole(
    case: Case, wholes: Whole, tmp_path: Path
) -> None:
    """A cut at a line's end and one anywhere; `make soak` cuts at every byte."""
    whole = wholes(case)
    folder = tmp_path / "cut"
    homes = {home.name: copied(folder / home.name, home) for home in case.hosts}
    fleet = road(folder, homes)
    every = bool(os.environ.get("SIPHON_EVERY_BYTE"))
    for home in case.hosts:
        for path in goldens.logs(case.source, home)[: None if every else 3]:
            data = (home / path).read_bytes()
            if case.source.sqlite or not data:
                continue
            for cut in range(len(data)) if every else _cuts(data):
                (homes[home.name] / path).write_bytes(data[:cut])
                fleet.step()
                (homes[home.name] / path).write_bytes(data)
                assert fleet.go() == whole, f"{path} cut at byte {cut}"


def _cuts(data: bytes) -> set[int]:
    """At a line's end, and anywhere."""
    ends = [place + 1 for place, byte in enumerate(data) if byte == 10]
    chance = random.Random(len(data))
    return {chance.choice(ends or [0]), chance.randrange(len(data))}


SUMMED = (
    "requests input_tokens cache_read_tokens cache_write_tokens cache_write_1h_tokens output_tokens"
    " reasoning_tokens cost_usd"
).split()
USAGE_VIEWS = (
    "usage_by_day usage_by_model usage_by_project usage_by_host usage_by_source usage_by_session".split()
)


def check_sums(database: Path) -> None:
    with closing(connect(database)) as connection:
        total = _sums(connection, "(select 1 as requests, * from billed_requests)")
        for view in USAGE_VIEWS:
            assert _sums(connection, view) == pytest.approx(total), view
        listed = connection.execute("select sum(prompts), sum(tool_calls) from session_list").fetchone()
        counted = connection.execute(
            "select (select count(*) from messages where kind = 'prompt' and copy_of is null),"
            " (select count(*) from tool_calls where copy_of is null)"
        ).fetchone()
        active = connection.execute(
            "select sum(prompts), sum(tool_calls) from activity_by_hour"
        ).fetchone()
        used = connection.execute("select sum(calls) from tool_usage").fetchone()
        nothing = (0, 0)
        assert (listed[0] or 0, listed[1] or 0) == counted
        assert (active if active[0] is not None else nothing) == counted
        assert (used[0] or 0) == counted[1]


def _sums(connection: sqlite3.Connection, table: str) -> list[float]:
    columns = ", ".join(f"coalesce(sum({name}), 0)" for name in SUMMED)
    return list(connection.execute(f"select {columns} from {table}").fetchone())


def test_a_growing_log_loaded_step_by_step_equals_its_last_step(shared: Path, tmp_path: Path) -> None:
    steps = sorted((shared / "growth").glob("*.jsonl"))
    path = ".claude/projects/-w-duet/410c9611-5a08-49a3-9520-28e347223e15.jsonl"
    home = tmp_path / "home"
    (home / path).parent.mkdir(parents=True)
    (home / path).write_bytes(steps[-1].read_bytes())
    whole = road(tmp_path / "whole", {"laptop": home}).go()
    fleet = road(tmp_path / "grown", {"laptop": home})
    for step in steps:
        (home / path).write_bytes(step.read_bytes())
        fleet.step()
    assert fleet.go() == whole


def test_the_real_homes_add_up(real_road: Road) -> None:
    check_sums(real_road.database)


def test_the_real_homes_load_the_same_in_any_order(real_road: Road, tmp_path: Path) -> None:
    fleet = road(tmp_path, {})
    for host in reversed(real_road.config.hosts):
        one = fleet._replace(config=fleet.config._replace(hosts=(host,)))
        one.step()
    assert dump(fleet.database) == dump(real_road.database)


def test_a_killed_load_leaves_a_state_from_which_the_next_one_finishes(
    real_road: Road, tmp_path: Path
) -> None:
    """kill -9 at random points, of a first load and of later ones."""
    fleet = copy_of(real_road, tmp_path)
    wanted, sums = dump(fleet.database), totals(fleet.database)
    fleet.database.unlink()
    chance = random.Random(9)
    config = tmp_path / "siphon.yml"
    config.write_text(f"archive: {fleet.config.archive}\ndatabase: {fleet.database}\n")
    for _ in range(6):
        process = subprocess.Popen(
            [sys.executable, "-m", "siphon", "--config", str(config), "load"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(timeout=chance.uniform(0.2, 2.5))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if fleet.database.exists() and chance.random() < 0.5:
            _forget(fleet.database)
    fleet.load()
    assert dump(fleet.database) == wanted
    assert totals(fleet.database) == sums


def test_a_failing_parser_stops_its_log_alone(real_road: Road, tmp_path: Path) -> None:
    """A log that vanished from the archive's folder is told; the others load."""
    fleet = copy_of(real_road, tmp_path)
    fleet.database.unlink()
    laptop = fleet.config.archive / "laptop"
    victim = next(path for path in sorted(laptop.glob("**/*.jsonl")))
    victim.unlink()
    done = fleet.load()
    assert [place for place, _ in done.failed] == [f"laptop/{victim.relative_to(laptop)}"]
    with closing(connect(fleet.database)) as connection:
        assert connection.execute("select count(*) from sessions").fetchone()[0] > 0
        error = connection.execute("select error from logs where error is not null").fetchall()
    assert len(error) == 1
