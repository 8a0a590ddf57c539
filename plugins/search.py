"""/-/search: hits in all sessions, with facets, grouped by session."""

from datasette import hookimpl

from siphon.errors import SiphonError
from siphon.query import parse
from siphon.search import SORTS, Query, asked, scoped, search
from siphon.urls import Here
from siphon.web import arguments, failed, page
from siphon.window import SCOPES, WINDOW

SESSIONS, EACH = 10, 3  # sessions on a page, and hits of each that are shown

LABELS = {
    "host": "Host",
    "source": "Tool",
    "project": "Project",
    "repo": "Repository",
    "branch": "Branch",
    "kind": "Kind",
    "role": "Role",
    "model": "Model",
    "tool": "Tool call",
    "file": "File",
    "day": "Day",
    "since": "Since",
    "until": "Until",
    "session": "Session",
    "status": "Status",
}
SCOPE_LABELS = {
    "prompts": "Prompts",
    "replies": "Replies",
    "thinking": "Thinking",
    "other": "Notices",
    "input": "Tool input",
    "output": "Tool output",
}


@hookimpl
def register_routes():
    return [(r"^/-/search$", search_page)]


async def search_page(datasette, request):
    given = arguments(request)
    try:
        query = _grouped(asked(given, SESSIONS))
        chosen = any(name == "in" for name, _ in given)
        if not chosen:
            query = scoped(query)
        return await page(
            datasette, request, "search.html", lambda one: _found(one, query, chosen, given)
        )
    except SiphonError as error:
        return failed(datasette, request, error)


def _grouped(query: Query) -> Query:
    """A few hits of each session; all of them where one session is asked for."""
    names = {name for name, _ in (*query.filters, *parse(query.text).filters)}
    return query if "session" in names else query._replace(each=EACH)


def _found(connection, query, chosen, given):
    found = search(connection, query)
    widened = not (chosen or found.hits or query.offset or found.note) and query.scopes != SCOPES
    if widened:
        query = query._replace(scopes=SCOPES)
        found = search(connection, query)
    return {
        "found": found,
        "query": query,
        "widened": widened and bool(found.hits),
        "groups": [(uid, [hit for hit in found.hits if hit.session == uid]) for uid in found.sessions],
        "next": _next(query, found),
        "here": Here("/-/search", given),
        "labels": LABELS,
        "scopes": SCOPE_LABELS,
        "sorts": SORTS,
        "window_size": WINDOW,
        "given": dict(given),
        "chosen": [pair for pair in given if pair[0] not in ("q", "in", "sort", "limit", "offset")],
        "toggled": lambda scope: _toggled(query, scope),
    }


def _next(query, found):
    """The offset of the next page; None: this is the last."""
    after = query.offset + query.limit
    return after if after < (found.window if query.each is None else found.found_in) else None


def _toggled(query: Query, scope: str) -> str:
    """The scopes in the URL after this one is switched; all of them where none would be left."""
    left = [one for one in SCOPES if (one in query.scopes) != (one == scope)]
    return ",".join(left or SCOPES)
