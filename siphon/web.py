"""What all our routes share: reading the database for a request, pages, JSON, and errors that help."""

import asyncio
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote

from datasette import Response  # type: ignore[import-untyped]  # it carries no types
from datasette.resources import DatabaseResource  # type: ignore[import-untyped]
from datasette.utils import sqlite_timelimit  # type: ignore[import-untyped]

from siphon.errors import SiphonError
from siphon.pages import policy
from siphon.sessions import UnknownSessionError
from siphon.urls import Arguments

T = TypeVar("T")
NAME = "siphon"  # the database's, in URLs and metadata.yml, whatever the file is called
PATIENCE_MS = 5000  # that one request may read for
_THEMES = ("light", "dark")

# What is no page loads nothing either.
STRICT = policy()


async def read(datasette: Any, request: Any, ask: Callable[[sqlite3.Connection], T]) -> T:
    """What `ask` finds, all of it in one state of the database, on a connection of what they may see.

    Raises SiphonError where it takes too long.
    """
    limits = request.scope["siphon"].actor.limits
    if limits is not None:
        there = partial(datasette.siphon.readers.read, limits, partial(_timed, ask=ask))
        return await asyncio.get_running_loop().run_in_executor(datasette.executor, there)
    await datasette.ensure_permission(
        action="view-database", resource=DatabaseResource(NAME), actor=request.actor
    )
    result: T = await datasette.get_database(NAME).execute_fn(lambda one: _snapshot(one, ask))
    return result


def _snapshot(connection: sqlite3.Connection, ask: Callable[[sqlite3.Connection], T]) -> T:
    connection.execute("begin")
    try:
        return _timed(connection, ask)
    finally:
        connection.rollback()


def _timed(connection: sqlite3.Connection, ask: Callable[[sqlite3.Connection], T]) -> T:
    try:
        with sqlite_timelimit(connection, PATIENCE_MS):
            return ask(connection)
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise SiphonError("this takes too long; narrow it with more words or filters") from None
        raise


def arguments(request: Any) -> Arguments:
    """The query's names and values, in order; empty values are left out."""
    return parse_qsl(request.query_string, keep_blank_values=False, errors="replace")


def number(given: Arguments, name: str, usual: int | None) -> int | None:
    """A whole number of the query; raises SiphonError if it is none."""
    text = dict(given).get(name)
    if text is None:
        return usual
    if not text.lstrip("-").isdecimal() or len(text) > 18:
        raise SiphonError(f"{name}={text!r} is no whole number; leave it out, or give one")
    return int(text)


def known(given: Arguments, *names: str) -> None:
    """Raises SiphonError naming a name of the query that is none of `names`."""
    for name, _ in given:
        if name not in names:
            raise SiphonError(f"{name!r} is unknown here; known: {', '.join(names)}")


def path_part(request: Any, name: str) -> str:
    """A part of the path as it was meant."""
    return unquote(request.url_vars[name], errors="replace")


async def page(
    datasette: Any,
    request: Any,
    template: str,
    ask: Callable[[sqlite3.Connection], Mapping[str, Any]],
) -> Response:
    """The template filled with what `ask` finds; all of it away from the event loop."""

    def filled(connection: sqlite3.Connection) -> str:
        return _render(datasette, request, template, ask(connection))

    return _html(datasette, await read(datasette, request, filled))


def failed(datasette: Any, request: Any, error: SiphonError) -> Response:
    """The page that tells what is wrong and the way out: 404 for a session, else 400."""
    what, _, hint = str(error).partition("; ")
    candidates = getattr(error, "candidates", [])
    context = {"what": what, "hint": hint.partition(":\n")[0], "candidates": candidates}
    return whole_page(datasette, request, "error.html", context, _status(error))


def whole_page(
    datasette: Any, request: Any, template: str, context: Mapping[str, Any], status: int = 200
) -> Response:
    """The template filled with what is known already."""
    return _html(datasette, _render(datasette, request, template, context), status)


def _render(datasette: Any, request: Any, template: str, context: Mapping[str, Any]) -> str:
    return "".join(filling(datasette, request, template, context))


def filling(datasette: Any, request: Any, template: str, context: Mapping[str, Any]) -> Iterator[str]:
    """The template's text, piece by piece as it is made."""
    # Links to tables lead limited readers nowhere.
    tables = request.scope["siphon"].actor.limits is None
    given = {"request": request, "tables": tables, "theme": _theme(request), **context}
    pieces: Iterator[str] = datasette.siphon.pages.templates.get_template(template).generate(given)
    return pieces


def _theme(request: Any) -> str | None:
    """What theme.js keeps; None: the system's."""
    chosen = request.cookies.get("siphon-theme")
    return chosen if chosen in _THEMES else None


def page_headers(datasette: Any) -> dict[str, str]:
    """Of a page that was made for one reader, as things are now."""
    return {
        "content-security-policy": datasette.siphon.pages.policy,
        "cache-control": "private, no-cache",
    }


def _html(datasette: Any, text: str, status: int = 200) -> Response:
    body = text.encode(errors="replace")
    return Response.html(body, status=status, headers=page_headers(datasette))


def _status(error: SiphonError) -> int:
    return 404 if isinstance(error, UnknownSessionError) else 400


def as_json(request: Any, value: object, *, status: int = 200, stamp: str | None = None) -> Response:
    """The value as JSON. `stamp` tells the state that it was read from, else the text does: the same
    again is a 304.
    """
    headers = {"cache-control": "private, no-cache", "content-security-policy": STRICT}
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if status == 200:
        stamp = stamp or hashlib.blake2b(body, digest_size=12).hexdigest()
        headers["etag"] = f'"{stamp}"'
        if unchanged(request, stamp):
            return Response("", status=304, headers=headers, content_type="application/json")
    kind = "application/json; charset=utf-8"
    return Response(body, status=status, headers=headers, content_type=kind)


def unchanged(request: Any, stamp: str) -> bool:
    """Whether the caller has the answer of that stamp already."""
    known = request.headers.get("if-none-match", "").split(",")
    return any(one.strip().removeprefix("W/") in (f'"{stamp}"', "*") for one in known)


def error_json(request: Any, error: SiphonError) -> Response:
    """An error as the API tells it."""
    what, _, hint = str(error).partition("; ")
    value: dict[str, Any] = {
        "error": what,
        "hint": hint.partition(":\n")[0] or None,
        "status": _status(error),
    }
    if isinstance(error, UnknownSessionError) and error.candidates:
        value["candidates"] = error.candidates
    return as_json(request, value, status=_status(error))


def no_such(request: Any, what: str, hint: str, status: int, **headers: str) -> Response:
    """An error that no SiphonError tells of."""
    found = as_json(request, {"error": what, "hint": hint, "status": status}, status=status)
    found.headers |= headers
    return found


def state(database: Path, *more: object) -> str:
    """Changes whenever the database does, or what is asked of it."""
    stamps = []
    for suffix in ("", "-wal"):
        try:
            found = database.with_name(database.name + suffix).stat()
            stamps += [found.st_mtime_ns, found.st_size, found.st_ino]
        except FileNotFoundError:
            stamps += [0]
    return hashlib.blake2b(repr((stamps, more)).encode(errors="replace"), digest_size=12).hexdigest()
