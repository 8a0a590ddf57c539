"""/-/siphon/api/…: the JSON that scripts read, described in openapi.yml beside this file."""

import time
from functools import partial

from datasette import Forbidden, NotFound, hookimpl
from datasette.utils.asgi import AsgiStream, Base400

from siphon.api_routes import (
    ROUTES,
    answer,
    asked,
    lines,
    openapi,
    session,
    stretch,
    wanted,
    wants_lines,
)
from siphon.api_work import Beyond
from siphon.archive import Archive
from siphon.errors import SiphonError
from siphon.web import STRICT, as_json, error_json, no_such, path_part, read, state, unchanged

PATH = "/-/siphon/api/"
HEADERS = {"cache-control": "private, no-cache", "content-security-policy": STRICT}


@hookimpl
def register_routes():
    names = "|".join(ROUTES)
    return [
        (rf"^{PATH}(?P<name>{names})$", named),
        (rf"^{PATH}session/(?P<uid>.+)$", one_session),
        (rf"^{PATH}openapi\.json$", description),
        (r"^/-/siphon/api(/.*)?$", unknown),
    ]


@hookimpl(tryfirst=True)
def handle_exception(request, exception):
    """An error as the API tells it, also where we did not expect it."""
    if not request.path.startswith(PATH):
        return None
    status = {NotFound: 404, Forbidden: 403}.get(type(exception), getattr(exception, "status", 500))
    if isinstance(exception, Base400) or status != 500:
        return no_such(request, str(exception), "see /-/siphon/api/openapi.json", status)
    hint = "this is a fault of siphon; its terminal tells more"
    return no_such(request, "this could not be answered", hint, 500)


async def named(datasette, request):
    return await _answered(datasette, request, ROUTES[request.url_vars["name"]])


async def one_session(datasette, request):
    return await _answered(datasette, request, session(path_part(request, "uid")))


async def description(request):
    return _method(request) or as_json(request, openapi())


async def unknown(request):
    error = f"{request.path} is unknown"
    return no_such(request, error, "/-/siphon/api/openapi.json lists what there is", 404)


async def _answered(datasette, request, route):
    if wrong := _method(request):
        return wrong
    try:
        streamed, given = wants_lines(asked(request.query_string), request.headers.get("accept", ""))
        if streamed and route.rows is not None:
            return await _streamed(datasette, request, route, given)
        stamp = _stamp(datasette, request) if route.lasting else None
        if stamp is not None and unchanged(request, stamp):
            return as_json(request, None, stamp=stamp)
        ask = partial(answer, route, given=given, beyond=_beyond(datasette, request))
        return as_json(request, await read(datasette, request, ask), stamp=stamp)
    except SiphonError as error:
        return error_json(request, error)


def _method(request):
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return None
    what = f"{request.method} is not for this"
    return no_such(request, what, "everything here is read with GET", 405, allow="GET, HEAD, OPTIONS")


def _beyond(datasette, request):
    """A limited reader's answers come from their connection alone; time goes by minutes, for ETags."""
    config = datasette.siphon.config
    limited = request.scope["siphon"].actor.limits is not None
    minute = time.time_ns() // 60_000_000_000 * 60_000
    return Beyond(config, None if limited else Archive(config.archive), minute)


def _stamp(datasette, request):
    limits = request.scope["siphon"].actor.limits
    return state(datasette.siphon.config.database, request.path, request.query_string, limits)


async def _streamed(datasette, request, route, given):
    """All rows, a line each; the first are read before, so that what is wrong is said as usual."""
    left = wanted(given)
    ask = partial(answer, route, beyond=_beyond(datasette, request))
    first = await read(datasette, request, partial(ask, given=stretch(route, given, None, left)))
    return AsgiStream(
        partial(_lines, datasette, request, (route, given, ask), first, left),
        headers=HEADERS,
        content_type="application/x-ndjson",
    )


async def _lines(datasette, request, stream, page, left, writer):
    route, given, ask = stream
    while True:
        rows = page[route.rows]
        await writer.write(lines(rows).encode(errors="replace").decode())
        left = None if left is None else left - len(rows)
        if page["next"] is None or left == 0:
            return None
        more = stretch(route, given, page["next"], left)
        try:
            page = await read(datasette, request, partial(ask, given=more))
        except SiphonError as error:
            return await writer.write(lines([{"error": str(error)}]))
