"""bench pages: every page and API over HTTP, of a real server on a database as large as a team's.

Nothing that is asked is kept by the server: what a page takes the first time differs from later by what
the system's file cache and the connections hold.
"""

import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec
from playwright.sync_api import Page, sync_playwright

from benchmarks import beside
from benchmarks.large import Made, make
from siphon import auth
from siphon.auth_gate import COOKIE

TIMES = 15
_OPENING_MS = 3000  # Chromium has made all of a new window by then
_PAINT = """() => new Promise(told => new PerformanceObserver(list => {
    const [paint] = list.getEntriesByName("first-contentful-paint");
    if (paint) told(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""
_EVERY = "&in=prompts,replies,thinking,other,input,output"


def bench(_corpus: Path | None, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (page, median and slowest of TIMES, aim). A database in the folder is taken as it is."""
    made = _made(folder)
    yield "database", f"{made.sessions:,} sessions, {made.messages:,} messages"
    yield from _alone(folder, made)
    yield from _beside_a_load(folder, made)
    yield from _limited(folder, made)


def _alone(folder: Path, made: Made) -> Iterator[tuple[str, str]]:
    with _server(folder) as server:
        for name, path, aim in _pages(made):
            yield name, _told(_milliseconds(server, path), aim)
        base = f"http://127.0.0.1:{server.port}"
        for way, times in _paints(
            f"{base}/-/session/{quote(made.longest)}", f"{base}/-/sessions"
        ).items():
            yield (
                f"first paint, session of 10,000 messages, {way}",
                f"{statistics.median(times):.0f} ms (slowest {max(times):.0f}; aim 200)",
            )


def _beside_a_load(folder: Path, made: Made) -> Iterator[tuple[str, str]]:
    """The aim is twice that of a page alone."""
    with _loading(folder / "siphon.db") as brought, _server(folder) as server:
        for name, path, aim in _pages(made):
            yield f"{name}, a load beside", _told(_milliseconds(server, path), 2 * aim)
        before, start = brought(), time.monotonic()
        time.sleep(10)
        rate = (brought() - before) * beside.SESSIONS * beside.MESSAGES / (time.monotonic() - start)
        yield "the load beside", f"{rate:.0f} messages a second"


@contextmanager
def _loading(database: Path) -> Iterator[Callable[[], int]]:
    """A load in a process of its own; gives how many transactions it has committed."""
    words = [sys.executable, "-m", "benchmarks.beside", str(database)]
    told = database.with_name("beside.txt")
    with (
        told.open("w") as out,
        subprocess.Popen(words, stdin=subprocess.PIPE, stdout=out) as process,
    ):
        assert process.stdin is not None
        while not told.stat().st_size and process.poll() is None:
            time.sleep(0.1)
        try:
            yield lambda: told.read_text().count("\n")
        finally:
            process.stdin.close()


def _limited(folder: Path, made: Made) -> Iterator[tuple[str, str]]:
    """A reader of one host beside one of everything: the aim is twice the time of the latter."""
    accounts = auth.file_of(folder / "siphon.db")
    try:
        whole, part = (
            _account(accounts, name, hosts) for name, hosts in (("all", None), ("one", ("gpu-1",)))
        )
        with _server(folder) as server:
            for name, path, _ in _pages(made):
                if made.usual in path or quote(made.usual) in path or quote(made.longest) in path:
                    continue  # of another host
                usual = statistics.median(times[0] for times in _milliseconds(server, path, whole)[1:])
                yield (
                    f"{name}, a reader of one host",
                    _told(_milliseconds(server, path, part), 2 * usual),
                )
    finally:
        accounts.unlink(missing_ok=True)


def _account(file: Path, name: str, hosts: tuple[str, ...] | None) -> str:
    """The cookie of a new account's login."""
    now = time.time_ns() // 1_000_000
    auth.add_user(file, auth.Account(name, "reader", "", now, hosts), "of the benchmark alone")
    accounts = auth.load(file)
    user = next(one for one in accounts.users if one.name == name)
    return f"{COOKIE}={auth.login(accounts, user, now)}"


def _told(found: list[tuple[float, float]], aim: float) -> str:
    times, work = zip(*found[1:], strict=True)
    return (
        f"{statistics.median(times):.0f} ms (first {found[0][0]:.0f}, slowest {max(times):.0f};"
        f" aim {aim:.0f}), {statistics.median(work):.0f} ms of CPU"
    )


def _made(folder: Path) -> Made:
    """The database, built where there is none; what it holds is noted beside it."""
    note = folder / "made.json"
    if not note.exists():
        note.write_bytes(msgspec.json.encode(make(folder / "siphon.db")))
    return Made(*json.loads(note.read_text()))


def _pages(made: Made) -> Iterator[tuple[str, str, int]]:
    """(name, path, milliseconds that it may take)."""
    common, middling, rare = made.common, made.middling, made.rare
    yield "home", "/", 100
    yield "search: a rare word, everywhere", f"/-/search?q={rare}{_EVERY}", 100
    yield "search: a middling word, everywhere", f"/-/search?q={middling}{_EVERY}", 100
    yield "search: the commonest word, everywhere", f"/-/search?q={common}{_EVERY}", 100
    yield "search: the commonest word, one host", f"/-/search?q={common}&host=gpu-1", 100
    yield "search: a middling word, prompts", f"/-/search?q={middling}&kind=prompt", 100
    both = f"{common}+{middling}"
    yield "search: two words by relevance", f"/-/search?q={both}&sort=relevance{_EVERY}", 150
    yield "session list", "/-/sessions", 100
    yield "session list by cost, one host", "/-/sessions?sort=cost&host=gpu-1", 100
    yield "session page", f"/-/session/{quote(made.usual)}", 150
    yield "session page, of 10,000 messages", f"/-/session/{quote(made.longest)}", 150
    yield "session page, its end", f"/-/session/{quote(made.longest)}?at=99999", 150
    yield "files", "/-/files", 100
    yield "tools", "/-/tools", 100
    for name in (
        f"search?q={common}", f"search?q={rare}", "sessions", f"session/{quote(made.usual)}", "messages",
        "requests", "usage", "activity", "files", "tools", "hosts", "status", "health",
    ):  # fmt: skip
        yield f"API: {name.partition('/')[0]}", f"/-/siphon/api/{name}", 60


class Server(NamedTuple):
    """A server that listens, in a process of its own."""

    port: int
    pid: int

    def worked(self) -> float:
        """CPU milliseconds of all its threads so far (Linux; elsewhere 0)."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e6


def _milliseconds(server: Server, path: str, cookie: str = "") -> list[tuple[float, float]]:
    """(wall, CPU) of the first request and TIMES more; one connection, as browsers keep it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    times = []
    for _ in range(TIMES + 1):
        worked, start = server.worked(), time.perf_counter()
        connection.request("GET", path, headers={"cookie": cookie} if cookie else {})
        answer = connection.getresponse()
        answer.read()
        times.append(((time.perf_counter() - start) * 1000, server.worked() - worked))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return times


def _paints(url: str, listed: str) -> dict[str, list[float]]:
    """Milliseconds to the first contentful paint in Chromium, by the way to the page.

    Chromium makes a new window's own parts after that has opened, which takes it as long as the page.
    Every window begins with an empty cache.
    """
    times: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])

        def paint(way: str, page: Page) -> None:
            page.goto(url)
            times.setdefault(way, []).append(float(page.evaluate(_PAINT)))
            page.close()

        for _ in range(TIMES):
            paint("as the window opens", browser.new_page())
            page = browser.new_page()
            page.wait_for_timeout(_OPENING_MS)
            paint("in an open window", page)
            page = browser.new_page()
            page.goto(listed)
            page.wait_for_timeout(_OPENING_MS)
            paint("from the list of sessions", page)
        browser.close()
    return times


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    config = folder / "siphon.yml"
    config.write_text("archive: archive\ndatabase: siphon.db\n")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    words = [sys.executable, "-m", "siphon", "--config", str(config), "serve", "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield Server(port, process.pid)
        finally:
            process.terminate()


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
