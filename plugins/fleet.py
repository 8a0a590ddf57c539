"""/-/fleet: every host as it stands, what needs a look, and what the tools' own clean-up will delete."""

import time

from datasette import hookimpl

from siphon import api
from siphon.archive import Archive
from siphon.counts import counts
from siphon.errors import SiphonError
from siphon.fleet import fleet, ledger
from siphon.health import health, worst
from siphon.retention import keepings
from siphon.web import arguments, failed, known, page

BADGES = {"ok": "quiet", "info": "", "unknown": "quiet", "warning": "warn", "error": "bad"}
STATES = {  # of hosts: the badge's look
    "well": "quiet", "off": "quiet", "kept": "quiet", "never": "", "late": "warn", "silent": "warn",
    "failing": "bad", "unreachable": "bad",
}  # fmt: skip


@hookimpl
def register_routes():
    return [(r"^/-/fleet$", fleet_page)]


async def fleet_page(datasette, request):
    archive = Archive(datasette.siphon.config.archive)
    if request.scope["siphon"].actor.limits is not None:
        archive = None  # its ledger knows hosts that this reader is not to see
    given = arguments(request)
    try:
        return await page(
            datasette,
            request,
            "fleet.html",
            lambda one: _found(one, archive, datasette.siphon.config, given),
        )
    except SiphonError as error:
        return failed(datasette, request, error)


def _found(connection, archive, config, given):
    known(given)
    now = time.time_ns() // 1_000_000
    loaded = counts(connection)
    hosts = fleet(connection, archive, config, now, loaded)
    findings = health(connection, archive, config, now)
    told = [one for one in findings if one.level != "ok" and one.check != "retention"]
    book = ledger(archive)
    return {
        "now": now,
        "hosts": hosts,
        "status": api.status(connection, hosts, loaded),
        "level": worst(findings),
        "findings": told,
        "retention": [(one, keeping) for one, keeping in _retention(findings, book, now)],
        "badges": BADGES,
        "states": STATES,
        "unknown": connection.execute(_UNKNOWN).fetchall(),
    }


_UNKNOWN = """
    select source, type, fate, sum(records), sum(logs) from coverage_by_type
    where fate = 'unknown' group by 1, 2 order by 4 desc
"""


def _retention(findings, book, now):
    """Each finding about a tool's clean-up, with what it is made of."""
    kept = {(one.host, one.source): one for one in keepings(book, now)} if book else {}
    for one in findings:
        if one.check == "retention":
            yield one, kept[one.host, one.source]
