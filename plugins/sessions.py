"""/-/sessions: every session, by any order, narrowed down by facets."""

from itertools import groupby

from datasette import hookimpl

from siphon.errors import SiphonError
from siphon.session_list import asked, day_of, sessions
from siphon.urls import Here
from siphon.web import arguments, failed, page

LABELS = {
    "host": "Host",
    "source": "Tool",
    "project": "Project",
    "repo": "Repository",
    "branch": "Branch",
    "kind": "Kind",
    "model": "Model",
    "q": "Words",
    "since": "Since",
    "until": "Until",
    "day": "Day",
}
COLUMNS = (
    ("title", "Session"),
    ("prompts", "Prompts"),
    ("calls", "Calls"),
    ("tokens", "Tokens"),
    ("cost", "Cost"),
    ("duration", "At work"),
    ("started", "Began (UTC)"),
)
# Orders that group the list, and how they are called.
GROUPS = {
    "started": day_of,
    "project": lambda one: one.project,
    "tool": lambda one: one.source,
    "host": lambda one: one.host,
    "branch": lambda one: one.git_branch,
}
ORDERS = {"started": "Day", "project": "Project", "tool": "Tool", "host": "Host", "branch": "Branch"}


@hookimpl
def register_routes():
    return [(r"^/-/sessions$", session_page)]


async def session_page(datasette, request):
    given = arguments(request)
    try:
        # Subagents are shown with the sessions that they served, unless they are asked for.
        narrowed = [pair for pair in given if pair != ("kind", "any")]
        if not any(name == "kind" for name, _ in given):
            narrowed.append(("kind", "main"))
        query = asked(narrowed)
        return await page(datasette, request, "sessions.html", lambda one: _listed(one, query, given))
    except SiphonError as error:
        return failed(datasette, request, error)


def _listed(connection, query, given):
    found = sessions(connection, query, facets=True)
    by = GROUPS.get(query.sort.removeprefix("-"))
    groups = groupby(found.sessions, by) if by else [(None, found.sessions)]
    return {
        "found": found,
        "query": query,
        "groups": [(name, list(rows)) for name, rows in groups],
        "grouped": by is not None,
        "here": Here("/-/sessions", given),
        "given": dict(given),
        "labels": LABELS,
        "columns": COLUMNS,
        "orders": ORDERS,
        "sorting": query.sort.removeprefix("-"),
        "turned": query.sort.startswith("-"),
        "chosen": [pair for pair in given if pair[0] not in ("sort", "limit", "offset", "cursor")],
    }
