"""/-/siphon/api/…: the JSON that scripts read, described in openapi.yml beside this file."""

import json
import time
from functools import partial

import yaml
from datasette import hookimpl
from datasette.utils.asgi import AsgiStream

from siphon import api, bulk
from siphon.assets import assets
from siphon.errors import SiphonError
from siphon.web import STRICT, arguments, as_json, error_json, known, path_part, read, state


@hookimpl
def register_routes():
    return [
        (r"^/-/siphon/api/search$", search),
        (r"^/-/siphon/api/sessions$", sessions),
        (r"^/-/siphon/api/session/(?P<uid>.+)$", session),
        (r"^/-/siphon/api/status$", status),
        (r"^/-/siphon/api/problems$", problems),
        (r"^/-/siphon/api/messages$", messages),
        (r"^/-/siphon/api/requests$", requests),
        (r"^/-/siphon/api/usage$", usage),
        (r"^/-/siphon/api/activity$", activity),
        (r"^/-/siphon/api/files$", files),
        (r"^/-/siphon/api/tools$", tools),
        (r"^/-/siphon/api/hosts$", hosts),
        (r"^/-/siphon/api/health$", health),
        (r"^/-/siphon/api/openapi\.json$", openapi),
        (r"^/-/siphon/api(/.*)?$", unknown),
    ]


async def search(datasette, request):
    return await _answer(datasette, request, api.search)


async def sessions(datasette, request):
    return await _answer(datasette, request, api.sessions)


async def session(datasette, request):
    name = path_part(request, "uid")
    return await _answer(datasette, request, lambda one, given: api.session(one, name, given))


async def status(datasette, request):
    return await _answer(datasette, request, _status)


def _status(connection, given):
    known(given)
    return api.status(connection)


async def problems(datasette, request):
    return await _answer(datasette, request, api.problems)


async def messages(datasette, request):
    return await _listed(datasette, request, bulk.MESSAGES, bulk.messages)


async def requests(datasette, request):
    return await _listed(datasette, request, bulk.REQUESTS, bulk.requests)


async def usage(datasette, request):
    return await _answer(datasette, request, bulk.usage)


async def activity(datasette, request):
    return await _answer(datasette, request, bulk.activity)


async def files(datasette, request):
    return await _answer(datasette, request, bulk.files)


async def tools(datasette, request):
    return await _answer(datasette, request, lambda one, given: bulk.tools(one, given, _now()))


async def hosts(datasette, request):
    return await _answer(datasette, request, _hosts)


def _hosts(connection, given):
    known(given)
    return bulk.hosts(connection, _now())


async def health(datasette, request):
    return await _answer(datasette, request, _health)


def _health(connection, given):
    known(given)
    return bulk.health(connection)


def _now():
    return time.time_ns() // 1_000_000


async def _listed(datasette, request, table, ask):
    """A page of a list; with format=ndjson all of it, a row a line."""
    given = arguments(request)
    form = dict(given).get("format", "json")
    if form == "json":
        return await _answer(datasette, request, ask)
    if form != "ndjson":
        return error_json(request, SiphonError(f"format={form!r} is unknown; known: json, ndjson"))
    try:
        first = await read(datasette, request, lambda one: ask(one, [*given, ("limit", str(bulk.MOST))]))
    except SiphonError as error:
        return error_json(request, error)
    return AsgiStream(
        partial(_lines, datasette, request, table.name, ask, given, first),
        headers={"cache-control": "private, no-cache", "content-security-policy": STRICT},
        content_type="application/x-ndjson",
    )


async def _lines(datasette, request, name, ask, given, page, writer):
    while True:
        for row in page[name]:
            await writer.write(
                json.dumps(row, ensure_ascii=False).encode(errors="replace").decode() + "\n"
            )
        if page["next"] is None:
            return
        more = [*given, ("limit", str(bulk.MOST)), ("cursor", page["next"])]
        page = await read(datasette, request, partial(_asked, ask, more))


async def _answer(datasette, request, ask):
    limits = request.scope["siphon"].actor.limits
    stamp = state(datasette.siphon.config.database, request.path, request.query_string, limits)
    try:
        given = arguments(request)
        value = await read(datasette, request, partial(_asked, ask, given))
    except SiphonError as error:
        return error_json(request, error)
    return as_json(request, value, stamp=stamp)


def _asked(ask, given, connection):
    return ask(connection, given)


async def openapi(request):
    text = (assets() / "plugins" / "openapi.yml").read_text(encoding="utf-8")
    return as_json(request, json.loads(json.dumps(yaml.safe_load(text), default=str)))


async def unknown(request):
    path = "/-/siphon/api/openapi.json"
    error = {"error": f"{request.path} is unknown", "hint": f"{path} lists what there is", "status": 404}
    return as_json(request, error, status=404)
