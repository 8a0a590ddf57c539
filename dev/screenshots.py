"""docs/*.png: every page as the demo fleet fills it. `python dev/screenshots.py` makes them anew.

Needs Chromium, as the tests do.
"""

import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import uvicorn
from playwright.sync_api import Browser, sync_playwright

from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import FILE, Config, load_config
from siphon.demo import fleet
from siphon.load import load
from siphon.serve import app

DOCS = Path(__file__).resolve().parent.parent / "docs"
LARGEST = 200_000  # bytes of one picture


class Shot(NamedTuple):
    """One picture. `path` None: the session that the demo's tour leads to."""

    name: str
    path: str | None
    width: int = 1280
    height: int = 800
    dark: bool = False


SHOTS = (
    Shot("home", "/"),
    Shot("home-dark", "/", dark=True),
    Shot("search", "/-/search?q=test"),
    Shot("sessions", "/-/sessions"),
    Shot("session", None, width=1440, height=900),
    Shot("session-dark", None, width=1440, height=900, dark=True),
    Shot("session-phone", None, width=360, height=740),
    Shot("files", "/-/files"),
    Shot("tools", "/-/tools"),
    Shot("fleet", "/-/fleet"),
    Shot("problems", "/-/problems"),
    Shot("coverage", "/-/coverage"),
    Shot("data", "/siphon/session_list"),
    Shot("home-phone", "/", width=360, height=740),
)


def main() -> None:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory(prefix="siphon-shots-") as folder,
        _served(Path(folder)) as address,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for shot in SHOTS:
            _take(browser, address, shot)
        browser.close()


def _take(browser: Browser, address: str, shot: Shot) -> None:
    scheme = "dark" if shot.dark else "light"
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of its words
        timezone_id="UTC",
        locale="en-GB",
    )
    page = context.new_page()
    if shot.path is None:
        page.goto(f"{address}/-/sessions?sort=calls")
        page.locator("td.title a").first.click()
    else:
        page.goto(address + shot.path)
    page.wait_for_load_state("networkidle")
    file = DOCS / f"{shot.name}.png"
    page.screenshot(path=file)
    context.close()
    size = file.stat().st_size
    print(f"{file.name}: {size / 1000:.0f} kB{'' if size <= LARGEST else '  TOO LARGE'}")


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The demo fleet, loaded and served from this process."""
    fleet(folder, time.time_ns() // 1_000_000)
    # As on the machine that held the session: its resume card then names no folder of ours.
    home = folder / "homes" / "demo-desktop"
    config = load_config(folder / FILE, {"HOME": str(home)}, folder)
    _filled(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app(config), log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        while not server.started and thread.is_alive():
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(timeout=20)


def _filled(config: Config) -> None:
    archive = Archive(config.archive)
    collect(config, archive, ())
    load(archive, config.database)


if __name__ == "__main__":
    main()
