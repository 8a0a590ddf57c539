"""/-/login and /-/logout, and what Datasette lets whom do; siphon/auth_gate.py stands before all."""

import asyncio
import time

from datasette import Forbidden, Response, hookimpl
from datasette.permissions import PermissionSQL

from siphon import audit, auth
from siphon.auth_gate import COOKIE, LOGIN
from siphon.auth_scripts import stamp_scripts
from siphon.web import whole_page

# What admins may do beside reading.
ADMIN = ("debug-menu", "permissions-debug")


@hookimpl
def register_routes():
    return [(r"^/-/login$", login), (r"^/-/logout$", logout)]


@hookimpl
def prepare_jinja2_environment(env):
    stamp_scripts(env)


@hookimpl
def permission_resources_sql(actor, action):
    """A limited reader sees no table and runs no SQL, whatever else allows it."""
    if actor is not None and actor.get("limited"):
        return PermissionSQL.deny(reason="a limited reader opens siphon's own pages only")
    if actor is not None and actor.get("role") == "admin" and action in ADMIN:
        return PermissionSQL.allow(reason="admin")
    return None


async def login(request, datasette):
    if request.method == "GET":
        return _form(datasette, request, {"next": request.args.get("next")})
    if request.method != "POST":
        raise Forbidden("Method not allowed")
    given = await request.post_vars()
    name, password = given.get("name", ""), given.get("password", "")
    served, now = datasette.siphon, time.time_ns() // 1_000_000
    wait = served.tries.wait(name, now)
    if wait:
        return _form(
            datasette, request, given, f"Too many wrong passwords; wait {wait // 1000 + 1} s", 429
        )
    served.tries.wrong(name, now)  # until it is known to be right: many at once are no way round
    accounts = served.door.accounts()
    user = await asyncio.to_thread(auth.by_password, accounts, name, password)
    known = any(one.name == name for one in accounts.users)
    by = name if known else "unknown"
    audit.note(served.config.archive, "login", at=now, by=by, method="password", ok=user is not None)
    if user is None:
        return _form(datasette, request, given, "Wrong name or password", 401)
    served.tries.right(name)
    response = Response.redirect(_local(given.get("next", "")))
    _set(request, response, auth.login(accounts, user, now), auth.LOGIN_MS // 1000)
    return response


async def logout(request):
    if request.method != "POST":
        return Response.redirect("/")
    response = Response.redirect(LOGIN)
    _set(request, response, "", 0)
    return response


def _set(request, response, value, seconds):
    secure = request.scheme == "https"
    response.set_cookie(COOKIE, value, max_age=seconds, secure=secure, httponly=True, samesite="lax")


def _local(place):
    """The page to go on to; never one of another site."""
    fine = place.startswith("/") and not place.startswith(("//", "/\\")) and place.isprintable()
    return place if fine else "/"


def _form(datasette, request, given, wrong=None, status=200):
    context = {"wrong": wrong, "next": given.get("next") or "/", "name": given.get("name") or ""}
    return whole_page(datasette, request, "login.html", context, status)
