"""A fleet made for the pages' tests, loaded over the real road, and a real server on it."""

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn

from claude_lines import START, Lines
from goldens import HOMES
from road import Road, copied, road
from siphon.config import Config
from siphon.serve import app

LONG = "00000001-aaaa-4000-8000-0000000000a1"
RICH = "00000002-aaaa-4000-8000-0000000000a2"
HOSTILE = "00000003-aaaa-4000-8000-0000000000a3"
PROMPTS = 250  # of the long session; each has a reply

EVIL = "https://evil.example"
ATTACKS = (
    "<script>window.hacked = 1; fetch('https://evil.example/x')</script>",
    "<img src=x onerror='window.hacked = 2'><svg onload='window.hacked = 3'>",
    "[click](javascript:window.hacked=4) ![pixel](https://evil.example/pixel.png)",
    '"><iframe srcdoc="<script>parent.hacked = 5</script>"></iframe>',
    '```html"><script>window.hacked = 6</script>\n</code></pre><script>window.hacked = 7</script>\n```',
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07 \x1b[31mred\x1b[0m \u202egnp.exe\u202c",
    "<style>@import url(https://evil.example/style.css)</style><base href='https://evil.example/'>",
    "<https://evil.example/a> <JaVaScRiPt:window.hacked=9> [data](data:text/html,<script>1</script>)",
    "![svg](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9J3dpbmRvdy5oYWNrZWQ9MTAnLz4=)"
    " <svg><script>window.hacked = 10</script><a xlink:href='javascript:window.hacked=11'>x</a></svg>",
    "\u200f\u2067src/\u202etxt.exe\u2069\u0000\u0007\u2028</p><math><mi//xlink:href='data:x,<script>1</script>'>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %} </title><script>window.hacked = 8</script>",
)


def fleet(folder: Path) -> Road:
    """Two hosts: Claude Code's cases with a long, a rich and a hostile session; Codex's cases."""
    laptop, build = folder / "homes" / "laptop", folder / "homes" / "build"
    for case in ("c10_subagent", "c13_resumed_copy", "c14_fork", "compaction"):
        copied(laptop, HOMES / "claude_code" / case / "laptop")
    for case in ("tools", "patches", "tokens"):
        for home in (HOMES / "codex" / case).iterdir():
            if home.is_dir():
                copied(build, home)
    _long().write(laptop)
    _rich().write(laptop)
    _hostile().write(laptop, "-home-ada-evil")
    return road(folder, {"laptop": laptop, "build": build})


def _long() -> Lines:
    lines = Lines(LONG)
    lines.title("A long one")
    for number in range(PROMPTS):
        lines.prompt(f"question number {number} about the harbour")
        lines.reply(f"answer number {number}: the **ferry** leaves at noon")
    return lines


def _rich() -> Lines:
    lines = Lines(RICH, start=START + timedelta(days=1))
    lines.title("Everything at once")
    lines.prompt("fix the tide table\nand keep the *old* one")
    lines.thinking("The needlethought is here: tides come twice a day.")
    lines.call("Bash", {"command": "grep -rn needleinput src"}, "src/tide.py:3: needleoutput\n" * 400)
    lines.call(
        "Edit",
        {
            "file_path": "/home/ada/app/src/tide.py",
            "old_string": "a = 1\nb = 2",
            "new_string": "a = 1\nb = 3",
        },
        "The file has been updated.",
    )
    lines.call(
        "Write", {"file_path": "/home/ada/app/notes.md", "content": "# Notes\n\nlow tide\n"}, "ok"
    )
    lines.call(
        "TodoWrite",
        {
            "todos": [
                {"content": "read the table", "status": "completed", "activeForm": "Reading"},
                {"content": "mend the table", "status": "in_progress", "activeForm": "Mending"},
            ]
        },
        "Todos have been modified",
    )
    lines.call("Bash", {"command": "false"}, "Exit code 1", error=True)
    lines.reply(
        "Done.\n\n| day | tide |\n|---|--:|\n| Mon | 3.2 |\n\n```python\nprint('needlereply')\n```\n"
    )
    lines.prompt("thanks")
    lines.reply("You are welcome.")
    return lines


def _hostile() -> Lines:
    lines = Lines(HOSTILE, cwd="/home/ada/evil'; touch pwned", start=START + timedelta(days=2))
    lines.title("".join((*ATTACKS[:2], ATTACKS[5])) + "hostile title")
    for attack in ATTACKS:
        lines.prompt(f"hostile {attack}")
        lines.reply(f"hostile {attack}")
        lines.thinking(f"hostile {attack}")
        lines.call("Bash", {"command": f"hostile {attack}", "description": attack}, f"hostile {attack}")
        lines.call("Task", {"prompt": attack * 5, "description": attack}, f"# {attack}")
        lines.call(f"mcp__{attack}__{attack}", {attack: attack}, attack)
        lines.call("Edit", {"file_path": attack, "old_string": attack, "new_string": attack * 2}, attack)
    lines.reply("hostile " + "x" * 5_000_000)
    lines.call("Bash", {"command": "hostile " + "y" * 5_000_000}, "hostile " + "<b>" * 1_700_000)
    return lines


class Answer(NamedTuple):
    """What the server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


class Site(NamedTuple):
    """A server that listens."""

    url: str

    def get(self, path: str, **headers: str) -> Answer:
        """Without following redirects."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.send(urllib.request.Request(self.url + path, headers=named))

    def send(self, request: urllib.request.Request) -> Answer:
        """Any request, without following redirects."""
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return Answer(answer.status, _headers(answer.headers), answer.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, _headers(error.headers), error.read())


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


def _headers(given: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in given.items()}


@contextmanager
def served(config: Config) -> Iterator[Site]:
    """A real server on a free loopback port, for as long as the block runs."""
    server = uvicorn.Server(uvicorn.Config(app(config), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until(lambda: server.started or not thread.is_alive())
    assert server.started
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}")
    finally:
        server.should_exit = True
        thread.join(timeout=20)


def until(holds: Any, seconds: float = 60) -> None:
    """Wait until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
