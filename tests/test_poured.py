"""Pages that are sent as they are made: the head comes first, and errors are told wherever they are."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from typing import Any

import pytest
from datasette.utils.asgi import Request  # type: ignore[import-untyped]  # it carries no types
from jinja2 import DictLoader, Environment

from road import Road
from siphon.auth import Actor
from siphon.auth_gate import Visit
from siphon.auth_tries import Tries
from siphon.errors import SiphonError
from siphon.pages import Pages, policy
from siphon.poured import Context, Late, poured
from siphon.serve import Site, datasette

pytest_plugins = ["website_fixtures"]

PAGE = (
    "<h1>{{ name }}</h1>{% set rest = late() %}"
    "<ol>{% for n in rest.numbers %}<li>{{ n }}{% endfor %}</ol>"
)


async def _asked(road: Road, ask: Callable[[sqlite3.Connection], tuple[Context, Late]]) -> Any:
    """The answer of a real Datasette, with a template of this test."""
    site = datasette(road.config, Site(road.config, wide=False).door, Tries())
    templates = Environment(loader=DictLoader({"page.html": PAGE}), autoescape=True)
    site.siphon = site.siphon._replace(pages=Pages(templates, policy()))
    await site.invoke_startup()
    request = Request.fake("/-/session/one")
    request.scope["siphon"] = Visit(Actor("ada", "admin", None), "")
    return await poured(site, request, "page.html", ask)


async def _body(answer: Any, got: Callable[[bytes], None]) -> None:
    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.body":
            got(message["body"])

    await asyncio.wait_for(answer.asgi_send(send), 60)


def test_the_head_is_sent_before_the_rest_is_read(road: Road) -> None:
    seen, go_on = [], threading.Event()

    def late() -> Context:
        assert go_on.wait(60), "the rest was asked for before the head was sent"
        return {"numbers": range(100_000)}

    def got(block: bytes) -> None:
        seen.append(block)
        go_on.set()

    async def go() -> None:
        answer = await _asked(road, lambda _: ({"name": "a <b>"}, late))
        await _body(answer, got)

    asyncio.run(go())
    assert seen[0] == b"<h1>a &lt;b&gt;</h1>"
    assert len(seen) > 4  # and the rest in several blocks
    assert b"".join(seen) == b"<h1>a &lt;b&gt;</h1><ol>%s</ol>" % b"".join(
        b"<li>%d" % n for n in range(100_000)
    )


def test_an_error_in_the_rest_ends_the_page_with_a_line_that_tells_it(road: Road) -> None:
    seen: list[bytes] = []

    def late() -> Context:
        raise SiphonError("this <i>takes</i> too long; narrow it")

    async def go() -> None:
        await _body(await _asked(road, lambda _: ({"name": "one"}, late)), seen.append)

    asyncio.run(go())
    page = b"".join(seen).decode()
    assert page.startswith("<h1>one</h1>")
    assert "this &lt;i&gt;takes&lt;/i&gt; too long" in page and "Reload" in page


def test_an_error_in_the_head_is_raised_as_there_is_no_page_yet(road: Road) -> None:
    def ask(_connection: sqlite3.Connection) -> tuple[Context, Late]:
        raise SiphonError("no such session")

    with pytest.raises(SiphonError, match="no such session"):
        asyncio.run(_asked(road, ask))


def test_what_is_read_is_one_state_of_the_database(road: Road) -> None:
    """Head and rest are read in one transaction, so that a load between them shows in neither."""
    states = []

    def ask(connection: sqlite3.Connection) -> tuple[Context, Late]:
        def late() -> Context:
            states.append(connection.in_transaction)
            return {"numbers": []}

        states.append(connection.in_transaction)
        return {"name": "one"}, late

    async def go() -> None:
        await _body(await _asked(road, ask), lambda _: None)

    asyncio.run(go())
    assert states == [True, True]
