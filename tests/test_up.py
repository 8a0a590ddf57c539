"""`siphon up`: collects, loads, serves, and shows a new line of a local log soon after it is written."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from goldens import HOMES
from road import copied

CASE = HOMES / "claude_code" / "c18_crlf" / "laptop"
LINE = (
    '{"type":"user","uuid":"up-1","parentUuid":null,"sessionId":"00000012-0000-4000-8000-000000000012",'
    '"timestamp":"2026-03-02T10:00:00.000Z","cwd":"/w","version":"2.1.0","isSidechain":false,'
    '"message":{"role":"user","content":"zanzibarword please"}}\n'
)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """(address, home) of a running `siphon up`."""
    home = copied(tmp_path / "laptop", CASE)
    config = tmp_path / "siphon.yml"
    config.write_text(
        f"archive: {tmp_path / 'archive'}\ndatabase: {tmp_path / 'siphon.db'}\ninterval: 3600\n"
        f"hosts: {{laptop: {{home: {home}}}}}\n"
    )
    port = _free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "siphon", "--config", str(config), "up", "--port", str(port)],
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}", home
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


def _until(address: str, word: str, seconds: float) -> float:
    """Seconds until a search finds the word."""
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        try:
            with urllib.request.urlopen(f"{address}/-/siphon/api/search?q={word}") as answer:
                if json.load(answer)["total"]:
                    return time.monotonic() - start
        except (urllib.error.URLError, ConnectionError):
            pass
        time.sleep(0.05)
    raise AssertionError(f"{word} was not found within {seconds} s")


def test_a_new_line_of_a_local_log_is_found_soon(served: tuple[str, Path]) -> None:
    address, home = served
    log = next(home.rglob("*.jsonl"))
    with urllib.request.urlopen(_ready(address)) as answer:
        assert answer.status == 200
    with log.open("a", newline="") as file:
        file.write(LINE)
    took = _until(address, "zanzibarword", 20)
    print(f"found after {took:.1f} s")


def _ready(address: str) -> str:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/-/siphon/api/status").close()
            return address
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise AssertionError("the server did not come up")
