"""Datasette's own pages: our bar above them, cells that read well, and links to our pages."""

from datasette import hookimpl
from markupsafe import Markup

from siphon import figures
from siphon.pages import STATIC
from siphon.urls import session_url
from siphon.web import NAME

UIDS = ("uid", "session_uid", "target_uid")
SESSIONS = ("session_id", "target_id")
TITLES = {"title": "uid", "target_title": "target_uid"}
# Tables whose seq is a record of a transcript.
RECORDS = ("messages", "tool_calls", "requests", "billed_requests")


@hookimpl
def extra_css_urls(datasette):
    return [datasette.static(name, mount=STATIC) for name in ("siphon.css", "datasette.css")]


@hookimpl
def extra_js_urls(datasette):
    return [datasette.static(name, mount=STATIC) for name in ("theme.js", "datasette.js")]


@hookimpl
def render_cell(row, value, column, table, database, datasette):
    if database != NAME or value is None:
        return None
    if column in UIDS:
        return _link(session_url(value), value)
    if (uid := TITLES.get(column)) in set(row.keys()) and row[uid]:
        return _link(session_url(row[uid]), value)
    if column in SESSIONS or (column == "seq" and table in RECORDS):
        return _linked(datasette, row, value, column)
    return _figure(column, value)


def _link(url, text):
    return Markup('<a href="{}">{}</a>').format(url, text)


async def _linked(datasette, row, value, column):
    """A session by its title, and a record by its place, both linked to the transcript."""
    key = row["session_id"] if column == "seq" else value
    label = value
    if isinstance(key, dict):
        label = value if column == "seq" else key["label"] or key["value"]
        key = key["value"]
    found = await datasette.get_database(NAME).execute("select uid from sessions where id = ?", [key])
    if not found.rows:
        return None
    uid = found.rows[0]["uid"]
    if column != "seq":
        return _link(session_url(uid), figures.one_line(str(label), 60))
    return _link(session_url(uid, value), f"#{value}")


def _figure(column, value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if column.endswith("_at") or column in ("ts", "first_ts", "last_ts", "mtime", "valid_from", "hour"):
        return _titled(figures.stamp(value, "%Y-%m-%d %H:%M:%S"), value) if value > 0 else None
    if column.endswith("_usd"):
        return _titled(figures.usd(value), value)
    if column.endswith("_nanousd"):
        return _titled(figures.usd(value / 1e9), value)
    if column.endswith("_ms"):
        return _titled(figures.duration(value), value)
    if column in ("bytes", "size", "output_bytes"):
        return _titled(figures.bytes_(value), value)
    if column.endswith("_tokens"):
        return Markup('<span class="num">{:,}</span>').format(value)
    return None


def _titled(text, value):
    return Markup('<span class="num" title="{}">{}</span>').format(value, text)
