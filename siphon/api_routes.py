"""The routes below /-/siphon/api/: what each asks, and which list of it can be narrowed or streamed."""

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import yaml

from siphon import api, api_sums, api_work, bulk
from siphon.api import Json
from siphon.api_work import Beyond
from siphon.assets import assets
from siphon.counts import counts
from siphon.errors import SiphonError
from siphon.fleet import fleet
from siphon.urls import Arguments

Ask = Callable[[sqlite3.Connection, Arguments, Beyond], Json]
MOST = 1000  # rows that a stream asks for at a time; 200 of a search


class Route(NamedTuple):
    """`rows`: the key of its list; None: it has none. `lasting`: the same while the database is."""

    path: str  # in openapi.yml
    ask: Ask
    rows: str | None = None
    lasting: bool = True
    page: int = MOST


def _plain(ask: Callable[[sqlite3.Connection, Arguments], Json]) -> Ask:
    return lambda connection, given, _: ask(connection, given)


def _status(connection: sqlite3.Connection, given: Arguments, beyond: Beyond) -> Json:
    _nothing(given)
    loaded = counts(connection)
    hosts = fleet(connection, beyond.archive, beyond.config, beyond.now, loaded)
    return api.status(connection, hosts, loaded)


def _hosts(connection: sqlite3.Connection, given: Arguments, beyond: Beyond) -> Json:
    _nothing(given, "fields")
    return api_work.hosts(connection, beyond)


def _health(connection: sqlite3.Connection, given: Arguments, beyond: Beyond) -> Json:
    _nothing(given)
    return api_work.health(connection, beyond)


def _nothing(given: Arguments, *but: str) -> None:
    for name, _ in given:
        if name not in but:
            raise SiphonError(f"{name!r} is unknown here; known: {', '.join(but) or 'nothing'}")


ROUTES: Mapping[str, Route] = {
    "search": Route("/search", _plain(api.search), "hits", page=200),
    "sessions": Route("/sessions", _plain(api.sessions), "sessions", page=500),
    "messages": Route("/messages", _plain(bulk.messages), "messages"),
    "requests": Route("/requests", _plain(bulk.requests), "requests"),
    "usage": Route("/usage", _plain(api_sums.usage), "usage"),
    "activity": Route("/activity", _plain(api_sums.activity), "activity"),
    "files": Route("/files", _plain(api_work.files), "files"),
    "tools": Route("/tools", api_work.tools, lasting=False),
    "hosts": Route("/hosts", _hosts, "hosts", lasting=False),
    "status": Route("/status", _status, lasting=False),
    "problems": Route("/problems", _plain(api.problems), "problems"),
    "health": Route("/health", _health, lasting=False),
}


def session(name: str) -> Route:
    """The route of the session of that name."""
    return Route(
        "/session/{name}", lambda connection, given, _: api.session(connection, name, given), "records"
    )


def answer(route: Route, connection: sqlite3.Connection, given: Arguments, beyond: Beyond) -> Json:
    """What the route answers, each row with the fields that were asked for alone."""
    found = route.ask(connection, given, beyond)
    fields = [one for one in dict(given).get("fields", "").split(",") if one]
    if route.rows is None or not fields:
        return found
    known = known_fields(route.path, route.rows)
    for name in fields:
        if name not in known:
            raise SiphonError(f"no field {name!r}; known: {', '.join(known)}")
    rows = [{name: row[name] for name in fields if name in row} for row in found[route.rows]]
    return {**found, route.rows: rows}


@cache
def openapi() -> Json:
    """openapi.yml, as JSON would have it."""
    text = (assets() / "plugins" / "openapi.yml").read_text(encoding="utf-8")
    found: Json = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return found


@cache
def known_fields(path: str, rows: str) -> Collection[str]:
    """The keys of a list's rows, as the description has them."""
    answered = openapi()["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]
    schema = _followed(answered["schema"])["properties"][rows]["items"]
    return list(dict.fromkeys(_properties(schema)))


def _properties(schema: Json) -> Iterator[str]:
    schema = _followed(schema)
    yield from schema.get("properties", ())
    for one in schema.get("oneOf", ()):
        yield from _properties(one)


def _followed(schema: Json) -> Json:
    if "$ref" not in schema:
        return schema
    found: Json = openapi()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def lines(rows: list[Json]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows)


def asked(query: str) -> Arguments:
    """The query's names and values. Raises SiphonError for an empty one, but of words to search for."""
    given = parse_qsl(query, keep_blank_values=True, errors="replace")
    for name, value in given:
        if not value and name != "q":
            raise SiphonError(f"{name}= is empty; leave it out, or give a value")
    return [pair for pair in given if pair[1]]


def wants_lines(given: Arguments, accept: str) -> tuple[bool, Arguments]:
    """Whether rows are to come a line each, and what else is asked. Raises SiphonError."""
    form = dict(given).get("format")
    if form not in (None, "json", "ndjson"):
        raise SiphonError(f"format={form!r} is unknown; known: json, ndjson")
    rest = [pair for pair in given if pair[0] != "format"]
    return form == "ndjson" or (form is None and "application/x-ndjson" in accept), rest


def stretch(route: Route, given: Arguments, cursor: str | None, left: int | None) -> Arguments:
    """What to ask for the next rows of a stream. `left`: how many are still wanted; None: all."""
    rest = [pair for pair in given if pair[0] not in ("limit", *(["cursor"] if cursor else []))]
    if route.rows != "hosts":
        rest.append(("limit", str(route.page if left is None else min(left, route.page))))
    return [*rest, ("cursor", cursor)] if cursor else rest


def wanted(given: Arguments) -> int | None:
    """How many rows of a stream; None: all."""
    text: Any = dict(given).get("limit")
    return None if text is None else api.whole({"limit": text}, "limit", 0, 1, 10**9)
