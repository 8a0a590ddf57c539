"""The made-up fleet: what a newcomer without logs sees."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml

import goldens
from conftest import CHECKOUT
from made_once import NOW
from ports import free_port
from road import Road
from siphon.demo import HOMES, fleet
from siphon.retell import WEEKS, retell, stories, told
from siphon.sources import sources

pytest_plugins = ["made_once_fixtures"]

DAY = 86_400_000


@pytest.fixture
def loaded(demo_road: Road) -> Road:
    return demo_road


def rows(way: Road, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{way.database}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


def tree(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Path → bytes and modification time."""
    return {
        file.relative_to(folder).as_posix(): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_the_same_moment_gives_the_same_fleet(tmp_path: Path) -> None:
    for name in ("one", "two"):
        fleet(tmp_path / name, NOW)
    one, two = tree(tmp_path / "one" / "homes"), tree(tmp_path / "two" / "homes")
    assert one == two
    assert len(one) > 80


def test_no_placeholder_is_left(tmp_path: Path) -> None:
    fleet(tmp_path, NOW)
    assert [name for name, (data, _) in tree(tmp_path).items() if b"{{" in data or "{{" in name] == []


def test_an_unknown_placeholder_is_an_error() -> None:
    with pytest.raises(ValueError, match="nonsense"):
        told("{{nonsense 1}}", next(iter(_tellings())))


def _tellings() -> Iterator[Any]:
    from siphon.retell import tellings

    return tellings("key", {"{{id a}}": "{{t 1.0}} {{x|y}}"}, NOW)


def test_a_story_is_told_once_for_each_alternative_and_the_oldest_first() -> None:
    found = list(_tellings())
    assert [told("{{x|y}}", telling) for telling in found] == ["x", "y"]
    assert found[0].begin <= found[1].begin <= NOW - 1000


def test_all_of_it_loads_without_a_problem(loaded: Road) -> None:
    assert rows(loaded, "select * from problem_list") == []
    assert rows(loaded, "select path, error from logs where error is not null") == []
    assert rows(loaded, "select source, type from coverage_by_type where fate = 'unknown'") == []


def test_every_request_has_a_price(loaded: Road) -> None:
    assert rows(loaded, "select * from unpriced_models") == []
    ((requests, cost),) = rows(loaded, "select count(*), sum(cost_usd) from billed_requests")
    assert requests > 300
    assert 20 < cost < 300


def test_every_source_of_every_home_appears(loaded: Road) -> None:
    homes = {host.name: host.home for host in loaded.config.hosts if host.home}
    wanted = {
        (name, source.name)
        for name, home in homes.items()
        for source in sources().values()
        if goldens.logs(source, home)
    }
    assert set(rows(loaded, "select distinct host, source from sessions")) == wanted
    assert len({host for host, _ in wanted}) == 3
    assert len({source for _, source in wanted}) >= 5


def test_every_template_is_a_log_or_stands_beside_one(tmp_path: Path) -> None:
    for templates in HOMES.iterdir():
        home = tmp_path / templates.name
        retell(templates, home, NOW)
        wanted = {path for source in sources().values() for path in goldens.logs(source, home)}
        beside = {path for path in tree(home) if Path(path).suffix in ("", ".yaml")}
        beside |= {path for path in tree(home) if path.endswith(".meta.json")}
        assert set(tree(home)) - wanted - beside == set()


def test_it_says_that_it_is_made_up(loaded: Road) -> None:
    assert rows(loaded, "select name from hosts where name not like 'demo-%'") == []
    main = rows(loaded, "select title from session_list where kind = 'main'")
    assert 60 <= len(main) <= 100
    assert [title for (title,) in main if not title.startswith("Demo: ")] == []
    first = "select min(seq), text from messages join sessions s on s.id = session_id"
    prompts = rows(
        loaded,
        f"{first} where role = 'user' and messages.kind = 'prompt' and s.kind = 'main' group by s.id",
    )
    assert [text for _, text in prompts if "A made-up demo session." not in text] == []


def test_it_spans_the_last_weeks_and_never_the_future(loaded: Road) -> None:
    ((first, last),) = rows(loaded, "select min(started_at), max(ended_at) from sessions")
    assert NOW - (WEEKS * 7 + 3) * DAY < first < NOW - 7 * DAY * (WEEKS - 2)
    assert NOW - 3 * DAY < last <= NOW


def test_it_shows_what_there_is_to_see(loaded: Road) -> None:
    kinds = {kind for (kind,) in rows(loaded, "select distinct kind from tool_calls")}
    assert kinds >= {"read", "edit", "write", "shell", "search", "web", "agent", "mcp", "plan"}
    statuses = {status for (status,) in rows(loaded, "select distinct status from tool_calls")}
    assert statuses >= {"ok", "error", "rejected"}
    said = {kind for (kind,) in rows(loaded, "select distinct kind from messages")}
    assert said >= {"prompt", "reply", "thinking", "command", "summary"}
    assert rows(loaded, "select 1 from session_tree where kind = 'subagent' and target_uid is not null")
    assert rows(loaded, "select 1 from file_edits where lines_added > 5 limit 1")


def test_every_story_names_itself_by_ids_of_its_own() -> None:
    """An id of another story would make two sessions of one request."""
    for templates in HOMES.iterdir():
        for name, story in stories(templates).items():
            names = [found for text in story.values() for found in _names(text)]
            assert [one for one in names if one != name and not one.startswith(f"{name}-")] == []


def _names(text: str) -> list[str]:
    return [part.split("}}")[0].split(" ")[0] for part in text.split("{{id ")[1:]]


def command(*words: str, cwd: Path, **more: str) -> subprocess.Popen[str]:
    env = {**os.environ, "HOME": str(cwd), "PYTHONPATH": str(CHECKOUT), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "siphon", "demo", *words],
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_kept_it_stays_and_is_shown_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = command("--no-serve", "--keep", str(kept), cwd=tmp_path)
    out, errors = first.communicate()
    assert (first.returncode, errors) == (0, "")
    assert "made up" in out
    before = tree(kept / "homes")
    assert yaml.safe_load((kept / "siphon.yml").read_text())["hosts"].keys() == {
        path.split("/")[0] for path in before
    }
    again = command("--no-serve", "--keep", str(kept), cwd=tmp_path)
    assert (again.communicate()[1], again.returncode) == ("", 0)
    assert tree(kept / "homes") == before


def test_a_folder_with_other_things_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    run = command("--no-serve", "--keep", "mine", cwd=tmp_path)
    _, errors = run.communicate()
    assert (run.returncode, errors.count("\n")) == (1, 1)
    assert "name a new folder" in errors
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_served_it_answers_and_leaves_nothing_behind(tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    port = free_port()
    run = command("--port", str(port), cwd=tmp_path, TMPDIR=str(temporary))
    try:
        page = _answer(f"http://127.0.0.1:{port}/", run)
        assert "demo-laptop" in page or "siphon" in page.lower()
        assert any(path.name.startswith("siphon-demo-") for path in temporary.iterdir())
    finally:
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=120)
    assert list(temporary.iterdir()) == []


def _answer(url: str, run: subprocess.Popen[str]) -> str:
    """The page, as soon as there is one."""
    late = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return str(answer.read().decode())
        except (urllib.error.URLError, ConnectionError):
            assert run.poll() is None, run.communicate()
            assert time.monotonic() < late
            time.sleep(0.1)
