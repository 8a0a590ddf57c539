"""The web server: Datasette over the database, read-only, with our plugins, pages and settings.

The database may be built anew, replaced or missing while we serve: every request sees the file that
lies there now, or a page that says what to do.
"""

import asyncio
import json
import socket
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import click
import uvicorn
import yaml
from datasette import handle_exception  # type: ignore[import-untyped]  # it carries no types
from datasette.app import Datasette  # type: ignore[import-untyped]  # it carries no types
from datasette.database import Database  # type: ignore[import-untyped]
from jinja2 import Environment

from siphon import auth
from siphon.assets import assets
from siphon.auth_gate import API, LOOPBACK, OPEN, App, Door, Message, Receive, Scope, Send, Visit
from siphon.auth_limits import Readers
from siphon.auth_tries import Tries
from siphon.books import mounted
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.pages import STATIC, Pages, compile_all, pages
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
        self.templates = Environment()
        self.lock = asyncio.Lock()
        self.notebooks = mounted(self._pages, config.database)
        self.door = Door(self._opened, auth.file_of(config.database), config.names, wide)
        self.tries = Tries()

    async def _opened(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            first = asyncio.create_task(self._first())
            await _lifespan(receive, send)
            first.cancel()
            return
        await self.notebooks(scope, receive, send)

    async def _first(self) -> None:
        """Make the home page once for nobody, and have the others at hand, so that the first reader does
        not wait for all that is imported, compiled and looked up but once.
        """
        with suppress(SiphonError):  # which the first reader is told
            inner = await self._current()
            await inner(_asked("/"), _nothing, _unheard)
            await asyncio.to_thread(compile_all, self.templates)

    async def _pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All but the notebooks."""
        try:
            inner = await self._current()
        except SiphonError as error:
            return await _unavailable(scope, send, error)
        return await inner(scope, receive, send)

    async def _current(self) -> App:
        """Raises SiphonError where there is no database, or what lies there is none."""
        database = self.config.database
        file = _identity(database)
        if file is None:
            raise SiphonError(
                f"nothing is loaded yet: {database.name} is not there; `siphon load` makes it"
            )
        async with self.lock:
            if self.inner is None or file != self.file:
                site = datasette(self.config, self.door, self.tries)
                try:
                    await site.invoke_startup()
                except sqlite3.DatabaseError as error:
                    hint = "`siphon load --rebuild` makes it anew from the archive"
                    raise SiphonError(f"{database.name} cannot be read: {error}; {hint}") from error
                self.inner, self.file = site.app(), file
                self.templates = site.siphon.pages.templates
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


def _asked(path: str) -> Scope:
    """A request of our own."""
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "headers": []}
    visit = Visit(OPEN, "")
    return {**scope, "path": path, "raw_path": path.encode(), "query_string": b"", "siphon": visit}


async def _nothing() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _unheard(message: Message) -> None:
    """Its answer goes nowhere."""


async def _unavailable(scope: Scope, send: Send, error: SiphonError) -> None:
    what, _, hint = str(error).partition("; ")
    if scope["path"].startswith(API):
        value = {"error": what, "hint": hint, "status": 503}
        return await _send(send, b"application/json", json.dumps(value))
    text = f"{what[0].upper()}{what[1:]}.\n\n{hint}\n\n{_WAYS}"
    return await _send(send, b"text/plain", text, (b"refresh", b"5"))


_WAYS = """\
siphon up      collects and loads this machine's sessions, and serves them
siphon load    loads what is collected
siphon demo    shows a made-up fleet

This page looks again every 5 seconds.
"""


async def _send(send: Send, kind: bytes, text: str, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind + b"; charset=utf-8"), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": 503, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
