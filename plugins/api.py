"""/-/siphon/api/…: the JSON that scripts read, described in openapi.yml beside this file."""

import json
from functools import partial

import yaml
from datasette import hookimpl

from siphon import api
from siphon.assets import assets
from siphon.errors import SiphonError
from siphon.web import arguments, as_json, error_json, known, path_part, read, state


@hookimpl
def register_routes():
    return [
        (r"^/-/siphon/api/search$", search),
        (r"^/-/siphon/api/sessions$", sessions),
        (r"^/-/siphon/api/session/(?P<uid>.+)$", session),
        (r"^/-/siphon/api/status$", status),
        (r"^/-/siphon/api/problems$", problems),
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


async def _answer(datasette, request, ask):
    stamp = state(datasette.siphon.config.database, request.path, request.query_string)
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
