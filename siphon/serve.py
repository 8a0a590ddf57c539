"""The web server: Datasette over the database, read-only, with our plugins, pages and settings.

The database may be built anew, replaced or missing while we serve: every request sees the file that
lies there now, or a page that says what to do.
"""

import asyncio
import json
import re
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, NamedTuple

import click
import uvicorn
import yaml
from datasette.app import Datasette  # type: ignore[import-untyped]  # it carries no types
from datasette.database import Database  # type: ignore[import-untyped]
from jinja2 import Environment

from siphon.assets import assets
from siphon.books import mounted
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.web import CORE, NAME, STATIC, environment

LOOPBACK = ("127.0.0.1", "localhost", "::1")
_PORT = re.compile(r":\d+$")
_HEADERS = (
    (b"content-security-policy", CORE.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Served(NamedTuple):
    """What plugins find at `datasette.siphon`."""

    config: Config
    pages: Environment  # our own templates


def serve(config: Config, host: str = "127.0.0.1", port: int = 8001) -> None:
    """Serve until interrupted. Raises SiphonError if the address cannot be listened on."""
    if host not in LOOPBACK:
        raise SiphonError(
            f"{host}: sessions are private, and nobody would have to log in; listen on 127.0.0.1 and"
            " let others in through ssh -L or a proxy that asks who they are"
        )
    listener = _listener(host, port)
    server = uvicorn.Server(uvicorn.Config(app(config), log_level="warning", lifespan="on"))
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


def app(config: Config) -> App:
    """The ASGI app: the pages, and the notebooks below them; both answer only to this machine."""
    return Site(config)


def datasette(config: Config) -> Datasette:
    """Datasette as we set it up, on the database file that lies there now."""
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
    site.siphon = Served(config, environment(folder / "plugins", site.static))
    return site


def _copied(words: object) -> Any:
    """Datasette moves parts of what it is given from one to the other."""
    return json.loads(json.dumps(words))


class Site:
    """The app: Datasette, made when the database is first there, and anew for a file in its place."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.file: tuple[int, int] | None = None
        self.inner: App | None = None
        self.lock = asyncio.Lock()
        self.pages = mounted(self._pages, config.database)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await _lifespan(receive, send)
        if not _addressed_here(scope):
            return await _refuse(scope, receive, send)
        return await self.pages(scope, receive, send)

    async def _pages(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All but the notebooks."""
        inner = await self._current()
        if inner is None:
            return await _plain(send, 503, _missing(self.config.database), refresh=True)
        return await inner(scope, receive, _guarded(send))

    async def _current(self) -> App | None:
        file = _identity(self.config.database)
        if file is None:
            return None
        async with self.lock:
            if file != self.file:
                site = datasette(self.config)
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


def _addressed_here(scope: Scope) -> bool:
    """Whether the request names us: a page of another site whose name leads here must not read us."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    return all(_PORT.sub("", host).strip("[]").lower() in LOOPBACK for host in hosts)


def _guarded(send: Send) -> Send:
    """Adds to each answer what browsers should refuse to do with it."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            given = {bytes(name).lower() for name, _ in headers}
            headers += [pair for pair in _HEADERS if pair[0] not in given]
            message = {**message, "headers": headers}
        await send(message)

    return guarded


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 4403})
    return await _plain(send, 403, "This server answers only to 127.0.0.1 and localhost.\n")


def _missing(database: Path) -> str:
    return (
        f"Nothing is loaded yet: {database} is not there.\n\n"
        "siphon up      collects and loads this machine's sessions, and serves them\n"
        "siphon load    loads what is collected\n"
        "siphon demo    shows a made-up fleet\n\n"
        "This page looks again every 5 seconds.\n"
    )


async def _plain(send: Send, status: int, text: str, refresh: bool = False) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    if refresh:
        headers.append((b"refresh", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})
