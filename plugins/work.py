"""/-/files, /-/tools and /-/problems: what was worked on, with what, and from where."""

import json
import time

from datasette import hookimpl

from siphon import api
from siphon.errors import SiphonError
from siphon.urls import Here
from siphon.web import arguments, failed, page
from siphon.work import CALLS, EDITS, PERIODS, USUAL, edit_facets, files_edited, newest_edits, tools_used

LABELS = {"source": "Tool", "host": "Host", "project": "Project", "path": "Path", "since": "Since"}


@hookimpl
def register_routes():
    return [
        (r"^/-/files$", files_page),
        (r"^/-/tools$", tools_page),
        (r"^/-/problems$", problems_page),
    ]


async def _shown(datasette, request, template, ask):
    given = arguments(request)
    try:
        return await page(
            datasette, request, template, lambda one: _with_place(one, request, given, ask)
        )
    except SiphonError as error:
        return failed(datasette, request, error)


def _with_place(connection, request, given, ask):
    return {
        "here": Here(request.path, given),
        "given": dict(given),
        "labels": LABELS,
        "chosen": [pair for pair in given if pair[0] in LABELS],
        **ask(connection, given),
    }


def _now():
    return time.time_ns() // 1_000_000


async def files_page(datasette, request):
    return await _shown(datasette, request, "files.html", _files)


def _files(connection, given):
    edits = newest_edits(connection)
    return {
        "files": files_edited(connection, given, edits=edits),
        "facets": edit_facets(connection, given, edits),
        "looked": EDITS,
    }


async def tools_page(datasette, request):
    return await _shown(datasette, request, "tools.html", _tools)


def _tools(connection, given):
    found = tools_used(connection, given, _now())
    return {
        "found": found,
        "periods": PERIODS,
        "period": dict(given).get("days", USUAL),
        "looked": CALLS,
    }


async def problems_page(datasette, request):
    return await _shown(datasette, request, "problems.html", _problems)


def _problems(connection, given):
    found = api.problems(connection, given)
    return {"found": found, "sessions": _of_logs(connection, found["problems"])}


def _of_logs(connection, problems):
    """(host, path) → the uid of a session that the log holds."""
    sql = """
        select l.host, l.path, min(s.uid)
        from (select distinct value ->> 0 as host, value ->> 1 as path from json_each(?)) f
        join logs l on l.host = f.host and l.path = f.path
        join sessions s on s.log_id = l.id and not s.hidden
        group by 1, 2
    """
    places = json.dumps([(one["host"], one["path"]) for one in problems])
    rows = connection.execute(sql, [places])
    return {(row[0], row[1]): row[2] for row in rows}
