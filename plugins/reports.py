"""/-/usage: usage and cost in the days of any time zone. /-/report: the same as one file to send."""

import asyncio
import time

from datasette import Response, hookimpl

from siphon import zones
from siphon.errors import SiphonError
from siphon.report import KINDS, build, warm
from siphon.urls import Here
from siphon.usage_page import BY, FILTERS, FORMS, question, table, text, wanted
from siphon.web import arguments, failed, page, read

TITLES = {
    "daily": "Day", "weekly": "Week of", "monthly": "Month", "model": "Model", "project": "Project",
    "host": "Host", "source": "Tool",
}  # fmt: skip
LABELS = {"host": "Host", "source": "Tool", "project": "Project", "model": "Model"}
# What a line leads to: only these days, or only this thing.
NARROWS = {"model": "model", "project": "project", "host": "host", "source": "source"}
FORM_NAMES = {"html": "a web page", "md": "Markdown", "mail": "text for a mail", "csv": "CSV"}


@hookimpl
def register_routes():
    return [(r"^/-/usage$", usage_page), (r"^/-/report$", report)]


def _now():
    return time.time_ns() // 1_000_000


async def usage_page(datasette, request):
    given = arguments(request)
    try:
        asked = question(given, _now())
        return await page(
            datasette,
            request,
            "usage.html",
            lambda connection: _found(connection, request, given, asked),
        )
    except SiphonError as error:
        return failed(datasette, request, error)


def _found(connection, request, given, asked):
    return {
        "asked": asked,
        "table": table(connection, asked, _now()),
        "here": Here(request.path, given),
        "report": Here("/-/report", [pair for pair in given if pair[0] not in ("by", "model")]),
        "given": dict(given),
        "chosen": [pair for pair in given if pair[0] in FILTERS],
        "labels": LABELS,
        "by": BY,
        "titles": TITLES,
        "narrows": NARROWS.get(asked.by),
        "kinds": KINDS,
        "forms": FORM_NAMES,
        "zones": zones.names(),
    }


async def report(datasette, request):
    given = arguments(request)
    try:
        asked = wanted(given, _now())
        await asyncio.to_thread(warm)
        made = await read(datasette, request, lambda one: build(one, asked.kind, asked.chosen))
        body = (await asyncio.to_thread(text, made, asked.form)).encode(errors="replace")
    except SiphonError as error:
        return failed(datasette, request, error)
    shown = "inline" if asked.form == "html" else "attachment"
    headers = {
        "content-disposition": f'{shown}; filename="{asked.name}"',
        "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        "cache-control": "private, no-cache",
    }
    return Response(body, headers=headers, content_type=f"{FORMS[asked.form][1]}; charset=utf-8")
