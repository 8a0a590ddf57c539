"""A session to keep or to hand on: as Markdown, one HTML file, JSON, or its log's own bytes."""

import json
import sqlite3
from collections.abc import Iterator
from html import escape
from typing import NamedTuple

from siphon import api
from siphon.archive import Archive
from siphon.assets import assets
from siphon.entries import Call, Entry, Text, entries, visible_seqs
from siphon.figures import bytes_, count, duration, stamp, usd
from siphon.markdown import markdown
from siphon.originals import Originals, log_bytes, originals, zipped
from siphon.reading import call_figures, call_line, label
from siphon.sessions import Header, children, header
from siphon.sources import sources
from siphon.toolview import parts
from siphon.visible import visible

FORMS = {
    "md": "text/markdown",
    "html": "text/html",
    "json": "application/json",
    "raw": "text/plain",
    "zip": "application/zip",
}
ORIGINAL = ("raw", "zip")  # forms that are read from the archive, not from the database
LONGEST = 200_000  # characters of a message that are read as Markdown
_STEP = 200  # records read at a time


class Wanted(NamedTuple):
    """What goes into an export besides what was said."""

    output: bool = True  # what tools gave back
    subagents: bool = False  # the sessions of subagents, after the one that started them


def export(
    connection: sqlite3.Connection, archive: Archive, uid: str, form: str, wanted: Wanted
) -> Iterator[bytes]:
    """The session's parts in the order of the file. Raises UnknownSessionError, SiphonError."""
    if form in ORIGINAL:
        yield from copied(archive, wanted_originals(connection, archive, uid, form, wanted), form)
        return
    heads = list(_family(connection, header(connection, uid), wanted, set()))
    if form == "json":
        whole = [_json(connection, head, wanted) for head in heads]
        yield json.dumps(whole if wanted.subagents else whole[0], ensure_ascii=False, indent=1).encode(
            errors="replace"
        )
        return
    for text in (_html if form == "html" else _markdown)(connection, heads, wanted):
        yield text.encode(errors="replace")


def wanted_originals(
    connection: sqlite3.Connection, archive: Archive, uid: str, form: str, wanted: Wanted
) -> Originals:
    """Which logs a form of ORIGINAL holds. Raises UnknownSessionError, SiphonError."""
    head = header(connection, uid)
    family = list(_family(connection, head, wanted, set())) if form == "zip" else [head]
    return originals(connection, archive, family)


def copied(archive: Archive, found: Originals, form: str) -> Iterator[bytes]:
    """The bytes of a form of ORIGINAL; the database is not needed any more. Raises SiphonError."""
    return zipped(archive, found) if form == "zip" else log_bytes(archive, found.logs[0])


def file_name(head: Header, form: str) -> str:
    """A name that every system takes."""
    kept = "".join(one if one.isalnum() or one in "-_." else "-" for one in head.native_id)
    return f"{head.source}-{kept[:80]}.{'jsonl' if form == 'raw' else form}"


def _family(
    connection: sqlite3.Connection, head: Header, wanted: Wanted, seen: set[str]
) -> Iterator[Header]:
    seen.add(head.uid)
    yield head
    if not wanted.subagents:
        return
    for child in children(connection, head.id):
        if child.kind == "subagent" and child.uid is not None and child.uid not in seen:
            yield from _family(connection, header(connection, child.uid), wanted, seen)


def _records(connection: sqlite3.Connection, head: Header) -> Iterator[Entry]:
    seqs = visible_seqs(connection, head.id, "all")
    for start in range(0, len(seqs), _STEP):
        yield from entries(connection, head.id, seqs[start : start + _STEP], "all")


def _json(connection: sqlite3.Connection, head: Header, wanted: Wanted) -> api.Json:
    whole = api.session(connection, head.uid, [("limit", "1")])
    records = [api.record(entry) for entry in _records(connection, head)]
    if not wanted.output:
        for one in records:
            one.pop("output", None)
    return {**whole, "records": records, "next": None}


def _facts(head: Header) -> list[str]:
    tool = sources()[head.source].title if head.source in sources() else head.source
    return [
        f"{tool}{f' {head.version}' if head.version else ''} on {head.host}",
        f"{stamp(head.started_at)} to {stamp(head.ended_at)} UTC, {duration(head.active_ms)} at work",
        f"folder {head.cwd or '–'}, branch {head.git_branch or '–'}",
        f"models {head.models or '–'}",
        f"{count(head.tokens)} tokens, {usd(head.cost_usd)}",
        head.uid,
    ]


def _markdown(connection: sqlite3.Connection, heads: list[Header], wanted: Wanted) -> Iterator[str]:
    for head in heads:
        yield f"# {_plain(head.title or head.native_id)}\n\n"
        yield "".join(f"- {_plain(fact)}\n" for fact in _facts(head)) + "\n"
        for entry in _records(connection, head):
            yield (
                _markdown_call(entry, head, wanted) if isinstance(entry, Call) else _markdown_text(entry)
            )


def _plain(text: str) -> str:
    return visible(" ".join(text.split()))


def _markdown_text(said: Text) -> str:
    text = visible(said.text or "")
    if said.kind not in ("prompt", "reply"):
        text = "\n".join(f"> {line}" for line in text.split("\n"))
    return f"## {label(said)}{_when(said.ts)}\n\n{text}\n\n"


def _markdown_call(call: Call, head: Header, wanted: Wanted) -> str:
    notes = ", ".join([call.status, *call_figures(call)])
    line = _plain(call_line(call, head.cwd)).replace("`", "'")
    text = f"**{_plain(call.name)}** `{line}` ({notes})\n\n"
    if wanted.output and call.output:
        output = visible(call.output)
        text += f"{_fence(output)}\n{output}\n{_fence(output)}\n\n"
    return text


def _fence(text: str) -> str:
    """A fence that the text does not close."""
    fence = "```"
    while fence in text:
        fence += "`"
    return fence


def _when(ts: int | None) -> str:
    return "" if ts is None else f" · {stamp(ts, '%Y-%m-%d %H:%M:%S')}"


_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def _html(connection: sqlite3.Connection, heads: list[Header], wanted: Wanted) -> Iterator[str]:
    title = escape(_plain(heads[0].title or heads[0].native_id))
    yield (
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>"
        f'<meta http-equiv="content-security-policy" content="{_POLICY}">'
        f"<meta name='viewport' content='width=device-width, initial-scale=1'><title>{title}</title>"
        f"<style>{_style()}</style></head><body>\n"
    )
    for head in heads:
        yield f"<h1>{escape(_plain(head.title or head.native_id))}</h1>\n"
        yield f"<p class='facts'>{'<br>'.join(escape(_plain(fact)) for fact in _facts(head))}</p>\n"
        for entry in _records(connection, head):
            yield _html_call(entry, head, wanted) if isinstance(entry, Call) else _html_text(entry)
    yield "</body></html>\n"


def _style() -> str:
    return (assets() / "plugins" / "static" / "export.css").read_text(encoding="utf-8")


def _html_text(said: Text) -> str:
    head = f"<h2>{escape(label(said))}{_when(said.ts)}</h2>"
    if len(said.text or "") <= LONGEST and said.kind == "prompt":
        return f"{head}<div class='prompt'>{markdown(said.text or '', breaks=True)}</div>\n"
    if len(said.text or "") <= LONGEST and said.kind in ("reply", "summary"):
        return f"{head}{markdown(said.text or '')}\n"
    text = escape(visible(said.text or ""))
    return (
        f"<details><summary>{escape(label(said))}{_when(said.ts)}</summary><pre>{text}</pre></details>\n"
    )


def _html_call(call: Call, head: Header, wanted: Wanted) -> str:
    notes = ", ".join([call.status, *call_figures(call), bytes_(call.output_bytes)])
    shown = [part for part in parts(call, None) if wanted.output or part.form not in ("output", "prose")]
    line = f"<b>{escape(visible(call.name))}</b> <code>{escape(call_line(call, head.cwd))}</code>"
    inside = "".join(part.html for part in shown)
    return f"<details><summary>{line} {escape(notes)}</summary>{inside}</details>\n"
