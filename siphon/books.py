"""The notebooks below /-/notebooks/: each runs for whoever opens it, on the database that is served.

marimo lets every web page of the world speak to it (CORS, websockets): whoever comes from another page
than ours, or may not read the database, is sent away before it hears of them.
"""

import ast
import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import cache
from html import escape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from siphon.assets import assets
from siphon.auth_scripts import stamping

PATH = "/-/notebooks/"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Allowed = Callable[[Scope], Awaitable[bool]]


class Book(NamedTuple):
    """One notebook."""

    name: str  # of its file, and in its URL
    title: str
    file: Path


async def anyone(_: Scope) -> bool:
    """Where nobody logs in: whoever reaches the server."""
    return True


@cache
def books() -> Mapping[str, Book]:
    """The notebooks by name."""
    files = sorted((assets() / "notebooks").glob("*.py"))
    return {file.stem: Book(file.stem, _title(file), file) for file in files}


def _title(file: Path) -> str:
    """What its app is called; its file's name if it has no title."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "app_title":
            return str(ast.literal_eval(node.value))
    return file.stem


def mounted(inner: App, database: Path, allowed: Allowed = anyone) -> App:
    """The app with the notebooks below PATH; `allowed` says who may see them, by page or websocket."""
    shelf = _Shelf(database)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not scope["path"].startswith(PATH[:-1]):
            return await inner(scope, receive, send)
        if not _from_here(scope) or not await allowed(scope):
            return await _refuse(scope, receive, send)
        return await shelf(scope, receive, send)

    return app


def _from_here(scope: Scope) -> bool:
    """Whether a browser was sent by one of our own pages; no Origin: no other page can have done it."""
    headers = {bytes(name).lower(): bytes(value).decode("latin-1") for name, value in scope["headers"]}
    origin = headers.get(b"origin")
    return origin is None or urlsplit(origin).netloc == headers.get(b"host")


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 4403})
    return await _answer(send, 403, "text/plain", b"Not allowed.\n")


async def _answer(
    send: Send, status: int, kind: str, body: bytes, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    headers = [(b"content-type", f"{kind}; charset=utf-8".encode()), *(more or ())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Shelf:
    """What lies below PATH: the list of the notebooks, and marimo, made when it is first asked for."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.lock = asyncio.Lock()
        self.marimo: App | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name, slash, _ = scope["path"].removeprefix(PATH).partition("/")
        bare = scope["path"] == PATH[:-1] or (name in books() and not slash)
        if scope["type"] == "http" and bare:
            place = scope["path"].encode() + b"/"
            return await _answer(send, 302, "text/plain", b"", [(b"location", place)])
        if not name:
            return await _answer(send, 200, "text/html", _index())
        if name not in books():
            return (
                await _refuse(scope, receive, send)
                if scope["type"] == "websocket"
                else await _lost(send)
            )
        if scope["type"] == "http":
            send = stamping(send, scope["siphon"].nonce)
        scope = {**scope, "meta": {"database": str(self.database), "site": ""}}
        return await (await self._made())(scope, receive, send)

    async def _made(self) -> App:
        async with self.lock:
            if self.marimo is None:
                self.marimo = await asyncio.to_thread(_app)
        return self.marimo


async def _lost(send: Send) -> None:
    names = ", ".join(books())
    await _answer(send, 404, "text/plain", f"No such notebook; there are: {names}\n".encode())


def _app() -> App:
    # It takes seconds to load, and most who serve never open a notebook.
    import marimo

    builder = marimo.create_asgi_app(quiet=True, skew_protection=False)
    for book in books().values():
        builder = builder.with_app(path=PATH + book.name, root=str(book.file))
    app: App = builder.build()
    return app


_ABOUT = {
    "activity": "calendar, hours of the week, active and parallel hours, shapes of sessions",
    "cost": "by day, model, project, tool and machine; the sessions that cost most",
    "machines": "machines and tools side by side, and projects that moved between them",
    "projects": "one project: cost, files, languages, sessions, commits, people's and agents' share",
    "tools": "what agents called, what failed or was refused, MCP servers, skills, subagents",
    "wrapped": "a year or a month in one page, to keep as PNG or HTML",
}


def _index() -> bytes:
    items = "".join(
        f'<li><a href="{PATH}{escape(book.name)}/">{escape(book.title)}</a>'
        f"{escape(f': {about}' if (about := _ABOUT.get(book.name)) else '')}</li>"
        for book in books().values()
    )
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports – siphon</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        '<link rel="stylesheet" href="/-/siphon/static/siphon.css">'
        '<link rel="stylesheet" href="/-/siphon/static/lists.css">'
        '<script src="/-/siphon/static/theme.js"></script></head>'
        '<body class="siphon plain"><main><div class="page"><section class="sum"><h1>Reports</h1>'
        '<p><a href="/">All of siphon</a></p></section>'
        '<section><h2>Tables, and files to send</h2><p><a href="/-/usage">Usage and cost</a> by day,'
        " week, month, model, project, host and tool, in any time zone; with a button that makes a"
        " report of it.</p></section>"
        f"<section><h2>Notebooks</h2><ul>{items}</ul></section></div></main></body></html>"
    )
    return page.encode()
