"""Who may reach the notebooks below the server."""

import asyncio
from pathlib import Path
from typing import Any

from siphon import books


def test_a_websocket_of_another_page_is_closed_before_marimo_hears_of_it() -> None:
    heard: list[dict[str, Any]] = []
    scope = {
        "type": "websocket",
        "path": "/-/notebooks/cost/ws",
        "headers": [(b"host", b"127.0.0.1:8001"), (b"origin", b"http://evil.example")],
    }

    async def inner(*_: Any) -> None:
        raise AssertionError("not for Datasette")

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        heard.append(message)

    asyncio.run(books.mounted(inner, Path("none.db"))(scope, receive, send))
    assert heard == [{"type": "websocket.close", "code": 4403}]


def test_who_may_not_see_the_database_sees_no_notebook() -> None:
    heard: list[int] = []

    async def nobody(_: Any) -> bool:
        return False

    async def inner(*_: Any) -> None:
        heard.append(200)

    async def send(message: Any) -> None:
        heard.append(message.get("status", 0))

    app = books.mounted(inner, Path("none.db"), nobody)
    for path in ("/-/notebooks/", "/-/notebooks/cost/", "/-/notebooks"):
        asyncio.run(app({"type": "http", "path": path, "headers": []}, inner, send))
    assert heard == [403, 0] * 3
    asyncio.run(app({"type": "http", "path": "/-/notebook", "headers": []}, inner, send))
    assert heard[-1] == 200
