"""/-/session/<uid>: the transcript, a record in full, its raw bytes. /-/follow/<uid>: is there more?"""

import asyncio
from bisect import bisect_right
from functools import partial

from datasette import Response, hookimpl
from datasette.utils.asgi import AsgiStream

from siphon.archive import Archive
from siphon.entries import DENSITIES, USUAL, entries, files_touched
from siphon.errors import SiphonError
from siphon.export import FORMS, ORIGINAL, Wanted, copied, export, file_name, wanted_originals
from siphon.figures import plural
from siphon.pictures import pictures
from siphon.poured import poured
from siphon.raw import gone, records
from siphon.resume import resume
from siphon.search import Query, search
from siphon.sessions import branches, children, find, header, log_state, parents
from siphon.transcript import transcript, window
from siphon.urls import session_url
from siphon.web import (
    STRICT,
    arguments,
    as_json,
    error_json,
    failed,
    known,
    number,
    page,
    path_part,
    read,
    state,
    unchanged,
)

NAMES = (
    "at", "show", "find", "files", "part", "raw", "picture", "n", "fragment", "export", "subagents",
    "output",
)  # fmt: skip


FILES = 40  # of a session that its page lists, if not all are asked for


@hookimpl
def register_routes():
    return [(r"^/-/session/(?P<uid>.+)$", session), (r"^/-/follow/(?P<uid>.+)$", follow)]


async def session(datasette, request):
    name = path_part(request, "uid")
    given = arguments(request)
    try:
        known(given, *NAMES)
        uid = await read(datasette, request, lambda one: find(one, name))
        if uid != name:
            more = {key: value for key, value in given if key != "at"}
            return Response.redirect(session_url(uid, number(given, "at", None), **more))
        if (seq := number(given, "raw", None)) is not None:
            return await _raw(datasette, request, uid, seq)
        if (seq := number(given, "picture", None)) is not None:
            return await _picture(datasette, request, uid, seq, number(given, "n", 0))
        if (seq := number(given, "part", None)) is not None:
            return await _part(datasette, request, uid, seq)
        if (form := dict(given).get("export")) is not None:
            return await _export(datasette, request, uid, form)
        return await _transcript(datasette, request, uid, given)
    except SiphonError as error:
        return failed(datasette, request, error)


async def follow(datasette, request):
    """What an open page asks every other second: while the database is the same, nothing is read for it;
    else one row, which says whether this session has changed.
    """
    uid = path_part(request, "uid")
    limits = request.scope["siphon"].actor.limits
    stamp = state(datasette.siphon.config.database, "follow", uid, limits)
    if unchanged(request, stamp):
        return as_json(request, None, stamp=stamp)
    try:
        found = await read(datasette, request, lambda connection: log_state(connection, uid))
    except SiphonError as error:
        return error_json(request, error)
    return as_json(request, {"state": found}, stamp=stamp)


async def _transcript(datasette, request, uid, given):
    options = dict(given)
    density = options.get("show", USUAL)
    if density not in DENSITIES:
        raise SiphonError(f"show={density!r} is unknown; known: {', '.join(DENSITIES)}")
    at, words = number(given, "at", None), options.get("find", "")
    config = datasette.siphon.config

    def ask(connection):
        head = header(connection, uid)
        early = {
            "session": head,
            "at": at,
            "parents": parents(connection, head.id),
            "state": log_state(connection, uid),
            "query": words,
            "files_shown": 10**6 if options.get("files") == "all" else FILES,
        }
        return early, partial(late, connection, head)

    def late(connection, head):
        shown = window(connection, head.id, at, density)
        found = _found(connection, uid, words)
        born = children(connection, head.id)
        inside = transcript(connection, head.id, shown)
        by_call = {}
        for child in born:
            if child.at_uid == uid:
                by_call.setdefault(child.at_seq, []).append(child)
        return {
            "page": inside,
            "window": shown,
            "prompts": sum(one.kind == "prompt" for one in inside.outline),
            "children": born,
            "branches": _branches(connection, head.id, shown),
            "by_call": by_call,
            "files": files_touched(connection, head.id),
            "found": found,
            "hits": {hit.seq for hit in found.hits} if found else set(),
            "resume": resume(head, config, _gone(connection, config, head.id)),
        }

    return await poured(datasette, request, "session.html", ask)


def _found(connection, uid, words):
    if not words:
        return None
    return search(connection, Query(words, filters=(("session", uid),), sort="oldest", limit=200))


def _branches(connection, session, window):
    """By the record on this page that they stand behind: sessions that forked off there."""
    found = {}
    for one in branches(connection, session):
        place = bisect_right(window.seqs, one.seq) - 1
        if place >= 0 and (window.number == window.windows or one.seq < window.starts[window.number]):
            found.setdefault(window.seqs[place], []).append(one)
    return found


def _gone(connection, config, session):
    try:
        return gone(connection, Archive(config.archive), session)
    except SiphonError:  # an archive that cannot be opened does not hide what is loaded
        return False


async def _part(datasette, request, uid, seq):
    """One record in full: what a long one's link leads to, and what unfolding it fetches."""

    def ask(connection):
        head = header(connection, uid)
        found = entries(connection, head.id, [seq], "all")
        if not found:
            raise SiphonError(f"{uid} has no record {seq}; the transcript lists those it has")
        return {"session": head, "entry": found[0], "at": seq, "hits": set(), "by_call": {}}

    template = "_part.html" if "fragment" in dict(arguments(request)) else "part.html"
    return await page(datasette, request, template, ask)


def _records(datasette, request, uid, seq):
    def ask(connection):
        head = header(connection, uid)
        return records(connection, Archive(datasette.siphon.config.archive), head.id, seq)

    return read(datasette, request, ask)


async def _picture(datasette, request, uid, seq, n):
    """A picture out of the record's raw bytes, alone."""
    found = await _records(datasette, request, uid, seq)
    every = list(pictures(raw.data for raw in found))
    if not 0 <= n < len(every):
        raise SiphonError(f"record {seq} holds {plural(len(every), 'picture')}; n counts from 0")
    return Response(
        every[n].data,
        headers={"content-security-policy": f"{STRICT}; sandbox", "x-content-type-options": "nosniff"},
        content_type=every[n].media_type,
    )


async def _raw(datasette, request, uid, seq):
    """The record's bytes as the log has them; as text, so that no browser runs them."""
    found = await _records(datasette, request, uid, seq)
    return Response(
        b"\n".join(raw.data.rstrip(b"\n") for raw in found) + b"\n",
        headers={"content-security-policy": f"{STRICT}; sandbox", "x-content-type-options": "nosniff"},
        content_type="text/plain; charset=utf-8",
    )


async def _export(datasette, request, uid, form):
    if form not in FORMS:
        raise SiphonError(f"export={form!r} is unknown; known: {', '.join(FORMS)}")
    given = dict(arguments(request))
    wanted = Wanted(output=given.get("output") != "no", subagents=given.get("subagents") == "yes")

    archive = Archive(datasette.siphon.config.archive)

    def ask(connection):
        name = file_name(header(connection, uid), form)
        if form in ORIGINAL:
            return name, wanted_originals(connection, archive, uid, form, wanted)
        return name, b"".join(export(connection, archive, uid, form, wanted))

    name, found = await read(datasette, request, ask)
    headers = {
        "content-disposition": f'attachment; filename="{name}"',
        "content-security-policy": f"{STRICT}; sandbox",
    }
    kind = FORMS[form] if form == "zip" else f"{FORMS[form]}; charset=utf-8"
    if form in ORIGINAL:
        return AsgiStream(
            partial(_poured, copied(archive, found, form)), headers=headers, content_type=kind
        )
    return Response(found, headers=headers, content_type=kind)


async def _poured(blocks, writer):
    """Block by block: logs may be larger than memory."""
    while (block := await asyncio.to_thread(next, blocks, None)) is not None:
        # The writer itself would have text.
        await writer.send({"type": "http.response.body", "body": block, "more_body": True})
