"""The laws of loading, on every case of every source."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import goldens
from dump import dump, totals
from goldens import Case
from road import Road, copied, road
from siphon.db import connect

CASES = goldens.cases()
each_case = pytest.mark.parametrize(
    "case", CASES, ids=[f"{case.source.name}-{case.name}" for case in CASES]
)


def _homes(case: Case) -> dict[str, Path]:
    return {home.name: home for home in case.hosts}


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
def test_any_order_of_logs_gives_the_same_database(case: Case, tmp_path: Path) -> None:
    whole = road(tmp_path / "whole", _homes(case)).go()
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
            fleet.go()
    assert fleet.go() == whole


@each_case
def test_a_log_cut_anywhere_and_then_completed_equals_the_whole(case: Case, tmp_path: Path) -> None:
    """A cut at a line's end and one anywhere; `make soak` cuts at every byte."""
    whole = road(tmp_path / "whole", _homes(case)).go()
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
                fleet.go()
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
        grown = fleet.go()
    assert grown == whole


@pytest.fixture(scope="module")
def real(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """The three shared homes, collected and loaded."""
    homes = {home.name: home for home in sorted((shared / "homes").iterdir()) if home.is_dir()}
    fleet = road(tmp_path_factory.mktemp("real"), homes)
    fleet.go()
    yield fleet


def test_the_real_homes_add_up(real: Road) -> None:
    check_sums(real.database)


def test_the_real_homes_load_the_same_in_any_order(real: Road, shared: Path, tmp_path: Path) -> None:
    homes = {
        home.name: home for home in sorted((shared / "homes").iterdir(), reverse=True) if home.is_dir()
    }
    fleet = road(tmp_path, {})
    for name in homes:
        config = fleet.config._replace(hosts=road(tmp_path, {name: homes[name]}).config.hosts)
        one = fleet._replace(config=config)
        one.go()
    assert dump(fleet.database) == dump(real.database)


def test_a_killed_load_leaves_a_state_from_which_the_next_one_finishes(
    real: Road, tmp_path: Path
) -> None:
    """kill -9 at random points, of a first load and of later ones."""
    wanted = dump(real.database)
    chance = random.Random(9)
    config = tmp_path / "siphon.yml"
    database = tmp_path / "siphon.db"
    config.write_text(f"archive: {real.config.archive}\ndatabase: {database}\n")
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
        if database.exists() and chance.random() < 0.5:
            _forget(database)
    fleet = real._replace(config=real.config._replace(database=database))
    fleet.load()
    assert dump(database) == wanted
    assert totals(database) == totals(real.database)


def test_a_failing_parser_stops_its_log_alone(real: Road, tmp_path: Path) -> None:
    """A log that vanished from the archive's folder is told; the others load."""
    copy = copied(tmp_path / "archive", real.config.archive)
    fleet = real._replace(config=real.config._replace(archive=copy, database=tmp_path / "siphon.db"))
    victim = next(path for path in sorted(copy.glob("laptop/**/*.jsonl")))
    victim.unlink()
    done = fleet.load()
    assert [place for place, _ in done.failed] == [f"laptop/{victim.relative_to(copy / 'laptop')}"]
    with closing(connect(fleet.database)) as connection:
        assert connection.execute("select count(*) from sessions").fetchone()[0] > 0
        error = connection.execute("select error from logs where error is not null").fetchall()
    assert len(error) == 1
