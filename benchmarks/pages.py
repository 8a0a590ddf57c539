"""bench pages: every page and API over HTTP, of a real server on a database as large as a team's."""

import http.client
import json
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import msgspec
from playwright.sync_api import sync_playwright

from benchmarks.large import Made, make

TIMES = 15
_EVERY = "&in=prompts,replies,thinking,other,input,output"


def bench(_corpus: Path | None, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (page, median and slowest of TIMES, aim). A database in the folder is taken as it is."""
    made = _made(folder)
    yield "database", f"{made.sessions:,} sessions, {made.messages:,} messages"
    with _server(folder) as server:
        for name, path, aim in _pages(made):
            times, work = zip(*_milliseconds(server, path), strict=True)
            yield (
                name,
                (
                    f"{statistics.median(times):.0f} ms (slowest {max(times):.0f}; aim {aim}),"
                    f" {statistics.median(work):.0f} ms of CPU"
                ),
            )
        paints = _paints(f"http://127.0.0.1:{server.port}/-/session/{quote(made.longest)}")
        yield (
            "first paint, session of 10,000 messages",
            f"{statistics.median(paints):.0f} ms (slowest {max(paints):.0f}; aim 200)",
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


def _milliseconds(server: Server, path: str) -> list[tuple[float, float]]:
    """(wall, CPU), after one request that warms what is cached; one connection, as browsers keep it."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    times = []
    for _ in range(TIMES + 1):
        worked, start = server.worked(), time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        times.append(((time.perf_counter() - start) * 1000, server.worked() - worked))
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return times[1:]


def _paints(url: str) -> list[float]:
    """Milliseconds to the first contentful paint in Chromium."""
    asked = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
    path = shutil.which("chromium") or shutil.which("google-chrome")
    times = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(5):
            page = browser.new_page()
            page.goto(url)
            times.append(float(page.wait_for_function(asked).json_value()))
            page.close()
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
