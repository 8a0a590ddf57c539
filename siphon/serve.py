"""The web server: Datasette over the database, read-only, with our plugins, pages and settings.

The database may be built anew, replaced or missing while we serve: every request sees the file that
lies there now, or a page that says what to do.
"""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any, NamedTuple

import click
import uvicorn
import yaml
from datasette import handle_exception  # type: ignore[import-untyped]  # it carries no types
from datasette.app import Datasette  # type: ignore[import-untyped]  # it carries no types
from datasette.database import Database  # type: ignore[import-untyped]

from siphon import auth
from siphon.assets import assets
from siphon.auth_gate import API, LOOPBACK, App, Door, Receive, Scope, Send
from siphon.auth_limits import Readers
from siphon.auth_tries import Tries
from siphon.books import mounted
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.pages import STATIC, Pages, pages
from siphon.web import NAME


class Served(NamedTuple):
    """What plugins find at `datasette.siphon`."""

    config: Config
    pages: Pages
    readers: Readers  # connections of those who may not read everything
    door: Door
    tries: Tries  # of passwords


def serve(config: Config, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve until interrupted. Raises SiphonError if the address cannot be listened on."""
    wide = host not in LOOPBACK
    if wide and not auth.load(auth.file_of(config.database)).any:
        raise SiphonError(
            f"{host}: sessions are private, and nobody would have to log in; first `siphon auth add-user"
            " NAME`, or listen on 127.0.0.1 and let others in through ssh -L"
        )
    listener = _listener(host, port)
    server = uvicorn.Server(uvicorn.Config(app(config, wide=wide), log_level="warning", lifespan="on"))
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"serving on http://{shown}:{listener.getsockname()[1]}/", err=True)
    with listener:
        server.run(sockets=[listener])


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named TCP, since asyncio sends small answers at once (TCP_NODELAY) only where it is: else 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as error:
        listener.close()
        what = error.strerror if isinstance(error, OSError) else "no such port"
        raise SiphonError(
            f"cannot listen on {host}:{port}: {what}; choose another port with --port"
        ) from None
    return listener


def app(config: Config, *, wide: bool = False) -> App:
    """The ASGI app: the pages, and the notebooks below them, behind one door.

    `wide`: others than this machine reach it, so that without accounts nobody enters.
    """
    return Site(config, wide).door


def datasette(config: Config, door: Door, tries: Tries) -> Datasette:
    """Datasette as we set it up, on the database file that lies there now."""
    # Else Datasette prints all local variables at every 404: a second's work, and what logs say.
    handle_exception.rich = None
    folder = assets()
    words = yaml.safe_load((folder / "metadata.yml").read_text(encoding="utf-8"))
    del words["definitions"]  # what others of its parts are made of
    site = Datasette(
        metadata=_copied(words),
        config=_copied(words),
        plugins_dir=str(folder / "plugins"),
        template_dir=str(folder / "plugins" / "templates"),
        static_mounts=[(STATIC, str(folder / "plugins" / "static"))],
        memory=True,
    )
    site.add_database(Database(site, str(config.database), mode="ro"), name=NAME)
    site.remove_database("_memory")
    # Not through Datasette's config, which it publishes.
    made = pages(folder / "plugins", site.static)
    site.siphon = Served(config, made, Readers(config.database), door, tries)
    return site


def _copied(words: object) -> Any:
    """Datasette moves parts of what it is given from one to the other."""
    return json.loads(json.dumps(words))


class Site:
    """The app: Datasette, made when the database is first there, and anew for a file in its place."""

    def __init__(self, config: Config, wide: bool) -> None:
        self.config = config
        self.file: tuple[int, int] | None = None
        self.inner: App | None = None
        self.lock = asyncio.Lock()
        self.notebooks = mounted(self._pages, config.database)
        self.door = Door(self._opened, auth.file_of(config.database), config.names, wide)
        self.tries = Tries()

    async def _opened(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        return await self.notebooks(scope, receive, send)

    async def _pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All but the notebooks."""
        inner = await self._current()
        if inner is None:
            return await _missing(scope, send, self.config.database)
        return await inner(scope, receive, send)

    async def _current(self) -> App | None:
        file = _identity(self.config.database)
        if file is None:
            return None
        async with self.lock:
            if file != self.file:
                site = datasette(self.config, self.door, self.tries)
                await site.invoke_startup()
                self.inner, self.file = site.app(), file
        return self.inner


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file lies at the path; None: none, or an empty one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_size else None


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _missing(scope: Scope, send: Send, database: Path) -> None:
    if scope["path"].startswith(API):
        error = f"nothing is loaded yet: {database.name} is not there"
        value = {"error": error, "hint": "`siphon load` makes it", "status": 503}
        return await _send(send, b"application/json", json.dumps(value))
    return await _send(send, b"text/plain", _NOTHING.format(database), (b"refresh", b"5"))


_NOTHING = """\
Nothing is loaded yet: {} is not there.

siphon up      collects and loads this machine's sessions, and serves them
siphon load    loads what is collected
siphon demo    shows a made-up fleet

This page looks again every 5 seconds.
"""


async def _send(send: Send, kind: bytes, text: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind + b"; charset=utf-8"), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
