"""/-/coverage: what of each tool's logs is read, skipped on purpose, or unknown."""

from datasette import hookimpl

from siphon.coverage import types, versions
from siphon.errors import SiphonError
from siphon.urls import Here
from siphon.web import arguments, failed, known, page


@hookimpl
def register_routes():
    return [(r"^/-/coverage$", coverage_page)]


async def coverage_page(datasette, request):
    given = arguments(request)
    try:
        known(given, "source")
        source = dict(given).get("source")
        return await page(datasette, request, "coverage.html", lambda one: _found(one, source))
    except SiphonError as error:
        return failed(datasette, request, error)


def _found(connection, source):
    every = versions(connection)
    kinds = types(connection, source)
    return {
        "here": Here("/-/coverage", [("source", source)] if source else []),
        "tools": _by_tool(every),
        "versions": [one for one in every if one.source == source],
        "source": source,
        "unknown": _summed(kind for kind in kinds if kind.fate == "unknown"),
        "kinds": _summed(kinds) if source else [],
    }


SUMMED = (
    "logs", "failed_logs", "bytes", "records", "read_records", "skipped_records", "unknown_records",
    "problems", "sessions", "sessions_without_project", "sessions_without_model",
    "sessions_without_time", "requests", "requests_without_price",
)  # fmt: skip


def _by_tool(every):
    """Each tool's figures over all its versions, and how many there are."""
    tools = {}
    for one in every:
        sums = tools.setdefault(one.source, {"versions": 0, **dict.fromkeys(SUMMED, 0)})
        sums["versions"] += 1
        for name in SUMMED:
            sums[name] += getattr(one, name) or 0
    return tools


def _summed(kinds):
    """Types over all versions, in the order given: (source, type, fate, reason) → records, logs."""
    sums = {}
    for kind in kinds:
        one = sums.setdefault((kind.source, kind.type, kind.fate, kind.reason), [0, 0])
        one[0] += kind.records
        one[1] += kind.logs
    return [(*key, *counts) for key, counts in sums.items()]
