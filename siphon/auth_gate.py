"""The door of the web server: every request comes from here, is asked who it is, and goes where it may.

It stands before all else, the notebooks and their websockets too. What a limited reader may ask for is
listed here and everything else refused; what the answers then hold, auth_limits.py says.
"""

import ipaddress
import json
import re
import secrets
import socket
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from siphon import auth
from siphon.auth import Account, Accounts, Actor
from siphon.errors import SiphonError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "siphon"
API = "/-/siphon/api/"
LOGIN = "/-/login"
# Where siphon's own pages say nothing else: no script but what this server itself put into the page.
_CORE = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data:; connect-src 'self'; object-src 'none'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
_ANYONE = re.compile(r"/-/(login|siphon/static/.+)")
# The pages of siphon that read the database by `web.read`, and so hold a limited reader's rows alone.
_LIMITED = re.compile(
    r"/|/-/(search|sessions|files|tools|fleet|problems|coverage|usage|report|logout|session/.+|chart/.+|follow/.+|siphon/api/.+)"
)
_ADMINS = re.compile(
    r"/-/(config|settings|plugins|threads|tasks|databases|metadata|actor|actions|versions|permissions|check"
    r"|rules|allowed|allow-debug|auth-token|create-token|api|messages|patterns|logs)(\.json|[/.].*)?"
)
_PORT = re.compile(r":\d+$")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Visit(NamedTuple):
    """What the door knows of a request; stands in its scope as "siphon"."""

    actor: Actor
    nonce: str  # that scripts of the page carry


class Door:
    """Lets into `inner` whoever may enter. `wide`: others than this machine reach the server."""

    def __init__(self, inner: App, file: Path, names: tuple[str, ...] = (), wide: bool = False) -> None:
        self.inner = inner
        self.file = file  # of the accounts
        self.names = frozenset(name.lower() for name in (*LOOPBACK, *names))
        self.wide = wide
        self.read: tuple[object, Accounts] = (None, Accounts())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.inner(scope, receive, send)
        nonce = secrets.token_urlsafe(16)
        if scope["type"] == "http":
            send = _guarded(send, nonce, _opened_elsewhere(scope))
        refusal = self._stranger(scope)
        if refusal is not None:
            return await _refuse(scope, receive, send, 403, refusal)
        try:
            actor = self._actor(scope)
        except SiphonError as error:
            return await _refuse(scope, receive, send, 503, str(error))
        if actor is None and not admits(_NOBODY, scope["path"]):
            return await _ask_who(scope, receive, send)
        actor = actor or _NOBODY
        # Datasette goes by the path as it was sent, the notebooks by what that means.
        paths = (scope["path"], scope.get("raw_path", b"").decode("latin-1") or scope["path"])
        if not all(admits(actor, path.partition("?")[0]) for path in paths):
            return await _refuse(scope, receive, send, 403, f"{actor.name} may not open {scope['path']}")
        scope = {**scope, "siphon": Visit(actor, nonce)}
        if actor.name:
            limited = actor.limits is not None
            scope["actor"] = {"id": actor.name, "role": actor.role, "limited": limited}
        return await self.inner(scope, receive, send)

    def accounts(self) -> Accounts:
        """As the file says now. Raises SiphonError."""
        stamp = _stamp(self.file)
        if stamp != self.read[0]:
            self.read = (stamp, auth.load(self.file))
        return self.read[1]

    def _stranger(self, scope: Scope) -> str | None:
        """Why the request must be that of a page of another site; None: it need not."""
        hosts = _given(scope, b"host")
        if not all(self._ours(_PORT.sub("", host).strip("[]").lower()) for host in hosts):
            return (
                f"This server answers only to {', '.join(sorted(self.names))}; see 'names' in siphon.yml"
            )
        origins = _given(scope, b"origin")
        # A page that tells nobody where it is says "null"; what no page can make up says if it is ours.
        own = _given(scope, b"sec-fetch-site") == ["same-origin"]
        if not own and any(urlsplit(origin).netloc not in hosts for origin in origins):
            return "A page of another site asked for this."
        return None

    def _ours(self, host: str) -> bool:
        if host in self.names:
            return True
        # A name can be made to lead here by whoever owns it; an address cannot.
        return self.wide and (host == socket.gethostname().lower() or _is_address(host))

    def _actor(self, scope: Scope) -> Actor | None:
        accounts = self.accounts()
        if not accounts.any:
            return None if self.wide else OPEN
        found = _account(accounts, scope, time.time_ns() // 1_000_000)
        return None if found is None else auth.actor(found)


OPEN = Actor("", "admin", None)  # on this machine, before there is any account
_NOBODY = Actor("nobody", "none", None)


def admits(actor: Actor, path: str) -> bool:
    """Whether this one may ask for that path."""
    if _ANYONE.fullmatch(path):
        return True
    if actor.role not in auth.ROLES:
        return False
    if actor.limits is not None:
        return _LIMITED.fullmatch(path) is not None
    return actor.role == "admin" or _ADMINS.fullmatch(path) is None


def _account(accounts: Accounts, scope: Scope, now: int) -> Account | None:
    for given in _given(scope, b"authorization"):
        kind, _, token = given.partition(" ")
        return auth.by_token(accounts, token.strip(), now) if kind.lower() == "bearer" else None
    for given in _given(scope, b"cookie"):
        try:
            cookies = SimpleCookie(given)
        except CookieError:
            continue
        if COOKIE in cookies:
            return auth.by_login(accounts, cookies[COOKIE].value, now)
    return None


def _given(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for header, value in scope["headers"] if header.lower() == name]


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _stamp(file: Path) -> object:
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size, found.st_mode)


def _opened_elsewhere(scope: Scope) -> bool:
    """Whether another site's page may have opened this one, and would hold on to its window."""
    return _given(scope, b"sec-fetch-site") not in (["none"], ["same-origin"])


def _guarded(send: Send, nonce: str, severed: bool) -> Send:
    """Adds to each answer what browsers should refuse to do with it.

    `severed`: also what cuts a page's window off from whoever opened it. For that a browser begins a new
    process: a page that no other site can have opened is painted in half the time without.
    """
    more = [(b"content-security-policy", _CORE.format(nonce=nonce).encode()), *_HEADERS]
    if severed:
        more.append((b"cross-origin-opener-policy", b"same-origin"))

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", []))
            given = {bytes(name).lower() for name, _ in headers}
            headers += [pair for pair in more if pair[0] not in given]
            message = {**message, "headers": headers}
        await send(message)

    return guarded


async def _ask_who(scope: Scope, receive: Receive, send: Send) -> None:
    """To the login page with a browser that shows a page; else 401."""
    shows = any("text/html" in given for given in _given(scope, b"accept"))
    if scope["type"] == "http" and shows and not scope["path"].startswith(API):
        asked = scope["path"] + (
            "?" + scope["query_string"].decode("latin-1") if scope["query_string"] else ""
        )
        place = f"{LOGIN}?next={quote(asked, safe='/')}"
        return await _send(send, 302, b"text/plain", b"", (b"location", place.encode()))
    hint = "log in at /-/login, or send a token: `siphon auth token` makes one"
    return await _refuse(scope, receive, send, 401, f"who are you; {hint}")


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        return await send({"type": "websocket.close", "code": 4401 if status == 401 else 4403})
    more = [(b"www-authenticate", b'Bearer realm="siphon"')] if status == 401 else []
    if not scope["path"].startswith(API):
        return await _send(send, status, b"text/plain", f"{why}\n".encode(), *more)
    what, _, hint = why.partition("; ")
    body = json.dumps({"error": what, "hint": hint or None, "status": status})
    return await _send(send, status, b"application/json", body.encode(), *more)


async def _send(send: Send, status: int, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind + b"; charset=utf-8"), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
