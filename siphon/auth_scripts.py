"""Scripts inside pages that are not ours: only those run that Datasette and marimo put there.

Each carries the nonce that the page's Content-Security-Policy names. With Datasette it is put into the
templates' source, so what comes from a log, which is filled in later, never gets one. marimo's page is
the same for every log: what notebooks show comes later, by a websocket.
"""

import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from jinja2 import Environment
from jinja2.ext import Extension

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)")
# Charts are drawn by expressions that are compiled in the page, and workers start from texts.
_NOTEBOOK = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' 'nonce-{nonce}'; worker-src 'self' blob:;"
    " style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:;"
    " connect-src 'self'; object-src 'none'; form-action 'self'; base-uri 'self';"
    " frame-ancestors 'none'"
)
_NONCE = "<script nonce=\"{{ request.scope['siphon'].nonce if request else '' }}\""
# The one handler inside a tag; plugins/static/datasette.js does its work.
_HANDLER = ' onclick="openColumnChooser()"'


class Nonces(Extension):
    """Jinja asks it for the source of each template."""

    def preprocess(self, source: str, _name: str | None, _filename: str | None = None) -> str:
        return _SCRIPT.sub(_NONCE, source).replace(_HANDLER, " data-choose-columns")


def stamp_scripts(environment: Environment) -> None:
    environment.add_extension(Nonces)


def stamping(send: Send, nonce: str) -> Send:
    """Sends marimo's pages with the nonce in their scripts; a copy kept by the browser has another."""
    started: list[Message] = []
    parts: list[bytes] = []

    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start" and _is_page(message):
            started.append(message)
        elif not started:
            await send(message)
        else:
            parts.append(message.get("body", b""))
            if not message.get("more_body"):
                body = _SCRIPT.sub(f'<script nonce="{nonce}"', b"".join(parts).decode()).encode()
                await send({**started[0], "headers": _headers(started[0], nonce, len(body))})
                await send({"type": "http.response.body", "body": body})

    return stamped


def _is_page(message: Message) -> bool:
    kinds = [value for name, value in message["headers"] if name.lower() == b"content-type"]
    return any(value.startswith(b"text/html") for value in kinds)


def _headers(message: Message, nonce: str, length: int) -> list[tuple[bytes, bytes]]:
    changed = (b"etag", b"cache-control", b"content-length")
    return [
        *((name, value) for name, value in message["headers"] if name.lower() not in changed),
        (b"cache-control", b"no-store"),
        (b"content-length", str(length).encode()),
        (b"content-security-policy", _NOTEBOOK.format(nonce=nonce).encode()),
    ]
