"""bench pages: milliseconds a page over HTTP, of a real server on the loaded corpus; medians."""

import json
import socket
import sqlite3
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from benchmarks.load import configured
from benchmarks.measure import siphon

TIMES = 15


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (page, median and slowest of TIMES) after one warming request."""
    config = configured(corpus, folder)
    siphon("collect", config=config)
    siphon("load", config=config)
    needle = json.loads((corpus / "truth.json").read_text())["needles"][0]["word"]
    with closing(sqlite3.connect(folder / "siphon.db")) as connection:
        counts = connection.execute(
            "select (select count(*) from session_list), count(*),"
            " (select count(*) from tool_calls) from messages"
        ).fetchone()
        uid = connection.execute("select uid from sessions order by messages desc limit 1").fetchone()[0]
    yield "database", f"{counts[0]} sessions, {counts[1]} messages, {counts[2]} tool calls"
    everything = "&".join(
        f"in={scope}" for scope in ("prompts", "replies", "thinking", "other", "input", "output")
    )
    pages = {
        "home": "/",
        "search, a rare word": f"/-/search?q={needle}&{everything}",
        "search, a common word, facets": f"/-/search?q=the&{everything}",
        "search, two words by relevance": f"/-/search?q=test+error&sort=relevance&{everything}",
        "session page (a window of the longest)": f"/-/session/{quote(uid)}",
        "session list": "/-/sessions",
        "API: search": f"/-/siphon/api/search?q=the&{everything}",
        "API: status": "/-/siphon/api/status",
        "Datasette: usage_by_day.json": "/siphon/usage_by_day.json",
    }
    with _server(config) as address:
        for name, path in pages.items():
            times = [_milliseconds(address + path) for _ in range(TIMES + 1)][1:]
            yield name, f"{statistics.median(times):.0f} ms (slowest {max(times):.0f})"


def _milliseconds(url: str) -> float:
    start = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        answer.read()
    return (time.perf_counter() - start) * 1000


@contextmanager
def _server(config: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    words = [sys.executable, "-m", "siphon", "--config", str(config), "serve", "--port", str(port)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        address = f"http://127.0.0.1:{port}"
        for _ in range(200):
            try:
                urllib.request.urlopen(f"{address}/-/siphon/api/status").close()
                break
            except OSError:
                time.sleep(0.1)
        try:
            yield address
        finally:
            process.terminate()
