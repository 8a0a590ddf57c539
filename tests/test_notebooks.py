"""The notebooks: headless on full, empty and one-tool databases, as commands, and in Chromium."""

import importlib.util
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import altair as alt
import pytest
from playwright.sync_api import Browser, Page

from chromium import PATIENCE_MS, chromium
from conftest import CHECKOUT
from made_once import copy_of
from ports import free_port
from road import Road, road
from siphon import books, moves, notebook, sums, wrapped, zones
from siphon.config import load_config
from siphon.errors import SiphonError

pytest_plugins = ["made_once_fixtures"]

NAMES = sorted(path.stem for path in (CHECKOUT / "notebooks").glob("*.py"))
EVIL = '<img src=x onerror="document.title=1"> **bold** [link](http://evil.example)'


@pytest.fixture(scope="module")
def demo(demo_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up fleet's database; one of its sessions has a title that must do nothing."""
    folder = tmp_path_factory.mktemp("books")
    copy_of(demo_road, folder)
    with closing(sqlite3.connect(folder / "siphon.db")) as connection:
        connection.execute("update sessions set title = ? where id = 1", [EVIL])
        connection.execute("update usage_hours set model = ? where session_id = 1", [EVIL])
        connection.execute("update usage_hours set cost_nanousd = null, unpriced_requests = requests"
                           " where session_id = 1")  # fmt: skip
        connection.execute("update projects set name = ? where id = 2", [EVIL])
        connection.commit()
    return folder / "siphon.db"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    (folder / "home").mkdir()
    way = road(folder, {"nothing": folder / "home"})
    way.go()
    return way.database


@pytest.fixture(scope="module")
def one_tool(demo_road: Road, tmp_path_factory: pytest.TempPathFactory) -> Path:
    way = road(tmp_path_factory.mktemp("one"), {"demo-gpu": demo_road.home("demo-gpu")})
    way = way._replace(config=way.config._replace(skip=("claude_code",)))
    way.go()
    return way.database


def run(name: str, database: Path, monkeypatch: pytest.MonkeyPatch, *words: str) -> dict[str, Any]:
    """What the notebook's cells define, run headless in this process, `words` as its command line."""
    monkeypatch.setenv("SIPHON_DATABASE", str(database))
    monkeypatch.setattr(sys, "argv", [name, *words])
    spec = importlib.util.spec_from_file_location(name, CHECKOUT / "notebooks" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, defined = module.app.run()
    return dict(defined)


@pytest.mark.parametrize("name", ["cost", "machines", "projects", "wrapped"])
def test_models_without_a_price_are_named_where_a_sum_leaves_them_out(name: str, demo: Path) -> None:
    text = (CHECKOUT / "notebooks" / f"{name}.py").read_text()
    assert "notebook.left_out(" in text
    with closing(notebook.opened(demo)) as connection:
        told = notebook.left_out(notebook.rows(connection, "cost_by_hour", chosen()))
    assert "no price is known" in told and "<img" not in told


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["demo", "empty", "one_tool"])
def test_each_notebook_runs_headless(
    name: str, kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    defined = run(name, request.getfixturevalue(kind), monkeypatch)
    assert "connection" in defined


def test_the_cost_notebook_shows_every_request(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = run("cost", demo, monkeypatch)["usage"]
    with closing(sqlite3.connect(demo)) as connection:
        ((requests, cost),) = connection.execute(
            "select sum(requests), sum(cost_nanousd) / 1e9 from usage_hours"
        )
    assert sums.total(usage, "requests") == requests
    assert sums.total(usage, "cost_usd") == pytest.approx(cost)


def test_real_logs_run_too(real_road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        run(name, real_road.database, monkeypatch)


def as_command(name: str, database: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "HOME": str(database.parent)}
    command = [sys.executable, CHECKOUT / "notebooks" / f"{name}.py", "--database", database, *words]
    return subprocess.run(command, env=env, capture_output=True, text=True)


def test_as_a_command_a_notebook_needs_its_database(tmp_path: Path) -> None:
    bad = as_command("cost", tmp_path / "none.db")
    assert bad.returncode != 0
    assert "`siphon load` makes it" in bad.stderr


def test_as_a_command_wrapped_takes_its_database_and_writes_its_page(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--period", "2026-10", "--to")
    done = as_command("wrapped", demo, *words, tmp_path / "page.png")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.png").read_bytes().startswith(b"\x89PNG")
    run("wrapped", demo, monkeypatch, *words, str(tmp_path / "page.html"))
    assert (tmp_path / "page.html").read_bytes().lstrip().startswith(b"<!DOCTYPE html>")


def test_the_database_is_the_argument_else_the_environment_else_the_configuration(
    tmp_path: Path,
) -> None:
    environ = {"SIPHON_DATABASE": "env.db", "HOME": str(tmp_path)}
    assert notebook.database("mine.db", environ, tmp_path) == tmp_path / "mine.db"
    assert notebook.database(None, environ, tmp_path) == tmp_path / "env.db"
    (tmp_path / "siphon.yml").write_text("database: configured.db\n")
    assert notebook.database(None, {"HOME": str(tmp_path)}, tmp_path) == tmp_path / "configured.db"


def test_a_missing_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exception, match="siphon load") as caught:
        run("cost", tmp_path / "none.db", monkeypatch)
    assert isinstance(caught.value, SiphonError) or isinstance(caught.value.__cause__, SiphonError)


# --- what they share ---


def chosen(**more: Any) -> notebook.Choice:
    whole = notebook.Choice(date(2026, 1, 1), date(2026, 12, 31), True, (), (), (), zones.zone("UTC"))
    return whole._replace(**more)


@pytest.mark.parametrize("view", ["cost_by_hour", "session_list", "tools_by_hour", "busy_time", "files"])
def test_a_choice_narrows_a_view_by_what_it_has(demo: Path, view: str) -> None:
    since, until = date(2026, 10, 1), date(2026, 10, 31)
    narrow = chosen(whole=False, since=since, until=until, hosts=("demo-desktop",))
    with closing(notebook.opened(demo)) as connection:
        every = notebook.rows(connection, view, chosen())
        found = notebook.rows(connection, view, narrow)
    time = next(name for name in ("hour", "started_at", "last_ts") if name in every[0])
    begin, end = (zones.begin(day, narrow.zone) for day in (since, date(2026, 11, 1)))
    assert 0 < len(found) < len(every)
    wanted = [
        row
        for row in every
        if begin <= row[time] < end and row.get("host", "demo-desktop") == "demo-desktop"
    ]
    assert sorted(found, key=repr) == sorted(wanted, key=repr)


def test_a_month_and_a_year_hold_their_days() -> None:
    any_choice = chosen()
    spans = {name: notebook.within(any_choice, name) for name in ("2024-02", "2026-12", "2026")}
    assert {name: (one.since, one.until) for name, one in spans.items()} == {
        "2024-02": (date(2024, 2, 1), date(2024, 2, 29)),
        "2026-12": (date(2026, 12, 1), date(2026, 12, 31)),
        "2026": (date(2026, 1, 1), date(2026, 12, 31)),
    }


def test_text_of_logs_is_no_markup() -> None:
    assert "<img" not in notebook.plain(EVIL)
    assert "](" not in notebook.plain(EVIL)
    assert notebook.link(EVIL, "h/s/n", "").text.count("<") == 2


def test_days_in_a_row() -> None:
    assert notebook.streak(["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-03"]) == 3
    assert notebook.streak([]) == 0


def test_sums_keep_what_nobody_knows_apart_from_zero() -> None:
    rows = [{"k": "a", "n": None}, {"k": "b", "n": 0}, {"k": "b", "n": 2}]
    assert sums.grouped(rows, ["k"], ["n"]) == [{"k": "a", "n": None}, {"k": "b", "n": 2}]
    assert sums.total(rows[:1], "n") is None


def test_folding_keeps_the_total() -> None:
    rows: list[sums.Row] = [{"k": name, "n": n} for n, name in enumerate("abcdefgh")]
    few = sums.folded([*rows, {"k": None, "n": 9}], "k", "n", 4, "not told")
    assert sums.total(few, "n") == sums.total(rows, "n") + 9
    assert {row["k"] for row in few} == {"not told", "h", "g", "others (6)"}


def test_a_project_moves_when_its_next_session_is_elsewhere() -> None:
    def session(at: int, host: str, **more: Any) -> sums.Row:
        row = {"started_at": at, "ended_at": at + 5, "host": host, "project": "p", "shape": "quick"}
        return {**row, "session_uid": f"{host}/{at}", "title": "t", **more}

    found = moves.moves(
        [
            session(30, "b"),
            session(10, "a"),
            session(20, "b", shape="automated"),
            session(40, "b"),
            session(50, "a", project="q"),
        ]
    )
    assert [(one["from"], one["to"], one["at"], one["after_ms"]) for one in found] == [
        ("a", "b", 30, 15)
    ]


def test_a_page_to_keep_needs_nothing_else(demo: Path, tmp_path: Path, page: Page) -> None:
    with closing(notebook.opened(demo)) as connection:
        month = notebook.within(chosen(), "2026-10")
        views = ("session_shapes", "cost_by_hour", "activity_by_hour", "active_time", "files")
        rows = wrapped.Rows(*(notebook.rows(connection, view, month) for view in views))
    chart = wrapped.page("2026-10", rows, zones.days(month.since, month.until), month.zone)
    assert isinstance(chart, alt.VConcatChart)
    assert wrapped.png(chart).startswith(b"\x89PNG")
    (tmp_path / "page.html").write_bytes(wrapped.html(chart))
    asked = watched(page)
    page.goto((tmp_path / "page.html").as_uri())
    page.wait_for_selector("canvas, svg")
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


# --- in a browser ---


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    found = browser.new_page(viewport={"width": 1280, "height": 2400})
    yield found
    found.close()


def watched(page: Page) -> list[str]:
    """Every URL that the page asks for, from now on."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    return asked


@contextmanager
def serving(*command: str | Path, ready: str, **env: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, *map(str, command)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        late = time.monotonic() + 120
        while not _answers(ready):
            assert process.poll() is None and time.monotonic() < late
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def look(page: Page, url: str) -> None:
    """The notebook shows its charts and words, asks nobody else, and nothing in it acts."""
    asked = watched(page)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(url)
    page.get_by_text("What is counted.").wait_for(timeout=PATIENCE_MS)
    page.locator("canvas, svg.marks").first.wait_for(timeout=PATIENCE_MS)
    here = url.split("/")[2]
    assert [one for one in asked if not one.startswith(("data:", "blob:")) and here not in one] == []
    assert errors == []
    assert page.locator("text=An internal error occurred").count() == 0
    assert page.title() != "1"


def test_marimo_run_shows_the_cost_notebook(demo: Path, page: Page) -> None:
    port = free_port()
    file = CHECKOUT / "notebooks" / "cost.py"
    command = ("-m", "marimo", "run", file, "--headless", "--no-token", "--port", str(port))
    url = f"http://127.0.0.1:{port}/"
    with serving(*command, ready=url, SIPHON_DATABASE=str(demo)):
        look(page, url)


SERVER = """
import sys, uvicorn
from pathlib import Path
from siphon.config import load_config
from siphon.serve import app
config = load_config(Path(sys.argv[1]), {"HOME": sys.argv[1]}, Path("/"))
uvicorn.run(app(config), port=int(sys.argv[2]), log_level="warning")
"""


@pytest.fixture(scope="module")
def served(demo: Path) -> Iterator[str]:
    """The address of a server with the notebooks mounted."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    script = demo.parent / "server.py"
    script.write_text(SERVER)
    with serving(script, demo.parent / "siphon.yml", str(port), ready=f"{url}/-/notebooks/"):
        yield url


@pytest.mark.parametrize("name", NAMES)
def test_each_notebook_shows_itself_below_the_server_and_leads_to_sessions(
    served: str, page: Page, name: str
) -> None:
    look(page, f"{served}/-/notebooks/{name}/")
    link = page.locator("a[href^='/-/session/']").first
    link.wait_for(timeout=PATIENCE_MS)
    answer = page.goto(f"{served}{link.get_attribute('href')}")
    assert answer is not None and answer.ok


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_pages_of_others_and_unknown_notebooks_get_nothing(served: str) -> None:
    assert status(f"{served}/-/notebooks/cost/", Origin="http://evil.example") == 403
    assert status(f"{served}/-/notebooks/cost/", Origin=served) == 200
    assert status(f"{served}/-/notebooks/nonsense/") == 404
    assert status(f"{served}/-/notebooks/cost") == 200, "a missing slash is mended"


def test_every_notebook_has_a_title_and_says_what_it_counts() -> None:
    for name, book in books.books().items():
        text = book.file.read_text()
        assert book.title and book.title.lower() == name
        assert "**What is counted.**" in text and "**What is not.**" in text


def test_no_notebook_holds_sql_longer_than_a_view_and_a_where() -> None:
    for book in books.books().values():
        queries = [line for line in book.file.read_text().splitlines() if "select " in line]
        assert all("join" not in line and "group by" not in line for line in queries)
        assert len(queries) <= 1


def test_the_configuration_of_a_demo_is_read(demo: Path) -> None:
    config = load_config(demo.parent / "siphon.yml", {"HOME": str(demo.parent)}, demo.parent)
    assert config.database == demo
