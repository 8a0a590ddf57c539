"""Which rows of each table a limited reader may see, as SQL over the table `x`; of others none.

The sessions in the limits are looked up once for each state of the database (auth_limits.py), and all
that belongs to a session is asked of these.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Limits(NamedTuple):
    """Whose sessions may be read; both must hold, and None means any."""

    hosts: tuple[str, ...] | None = None  # `gpu` also means `gpu/ada`
    projects: tuple[str, ...] | None = None  # names, or repositories as host/owner/name


# The limits themselves, in the connection that they hold for.
TABLES = """
create temp table limit_hosts (name text primary key) without rowid;
create temp table limit_projects (name text primary key) without rowid;
create temp table limit_sessions (id integer primary key);
"""
_HOST = (
    "({0} in (select name from temp.limit_hosts)"
    " or substr({0}, 1, instr({0}, '/') - 1) in (select name from temp.limit_hosts))"
)
_PROJECT = (
    "{0} in (select id from main.projects where name in (select name from temp.limit_projects)"
    " or key in (select name from temp.limit_projects)"
    " or repo in (select name from temp.limit_projects))"
)
_NOTHING = "false"
# What no session stands behind.
_OPEN = {"prices": "true", "meta": "x.key in ('layout', 'prices')"}


def rows(table: str, columns: Sequence[str], limits: Limits) -> str:
    """The condition on the table's rows."""
    own = {
        "sessions": _fits(limits, "x"),
        "projects": f"x.id in (select s.project_id from main.sessions s where {_fits(limits, 's')})",
        "hosts": _host(limits, "x.name"),
        "logs": _host(limits, "x.host") if limits.projects is None else _some(limits, "x.id"),
        "runs": _NOTHING if limits.projects is not None else _HOST.format("x.host"),
        "relations": f"{_session('x.session_id')}"
        f" and (x.target_id is null or {_session('x.target_id')})",
        **_OPEN,
    }
    return own[table] if table in own else _usual(columns, limits)


def _usual(columns: Sequence[str], limits: Limits) -> str:
    if "session_id" in columns:
        return _session("x.session_id")
    if "log_id" in columns:
        return whole_log(limits, "x.log_id")
    if (limits.hosts is None or "host" in columns) and (
        limits.projects is None or "project_id" in columns
    ):
        return _fits(limits, "x")
    return _NOTHING


def words(table: str, columns: Sequence[str]) -> str:
    """The condition on a full-text index, whose rows are those of `table`."""
    if "session_id" not in columns:
        return _NOTHING
    return _session(f"(select m.session_id from main.{table} m where m.id = x.rowid)")


def column(table: str, name: str, limits: Limits) -> str:
    """What the reader sees of a column: that of rows that tell of more than the limits, nothing."""
    if (table, name) == ("projects", "path"):
        of = f"s.project_id = x.id and s.project = x.path and {_fits(limits, 's')}"
        return f"case when exists (select 1 from main.sessions s where {of}) then x.path end"
    if limits.projects is None:
        return f"x.{name}"
    if (table, name) == ("hosts", "error"):
        return "null"
    if (table, name) in (("logs", "error"), ("logs", "reads")):
        return f"case when {whole_log(limits, 'x.id')} then x.{name} end"
    return f"x.{name}"


def whole_log(limits: Limits, log: str) -> str:
    """Whether every session of the log may be read; of a log without sessions: if its host may be."""
    others = (
        f"select 1 from main.sessions s where s.log_id = {log} and ({_fits(limits, 's')}) is not true"
    )
    some = _some(limits, log)
    if limits.projects is None:
        some = f"exists (select 1 from main.logs l where l.id = {log} and {_host(limits, 'l.host')})"
    return f"({some} and not exists ({others}))"


def _some(limits: Limits, log: str) -> str:
    return f"{log} in (select s.log_id from main.sessions s where {_fits(limits, 's')})"


def sessions(limits: Limits) -> str:
    """What fills temp.limit_sessions."""
    return f"insert into temp.limit_sessions select s.id from main.sessions s where {_fits(limits, 's')}"


def _session(id_: str) -> str:
    # The + keeps SQLite from reading session by session what is asked for by time.
    return f"+{id_} in (select id from temp.limit_sessions)"


def _host(limits: Limits, name: str) -> str:
    """Whether a host may be named."""
    if limits.projects is None:
        return _fits(limits, None, name)
    return f"exists (select 1 from main.sessions s where s.host = {name} and {_fits(limits, 's')})"


def _fits(limits: Limits, row: str | None, host: str | None = None) -> str:
    """Whether a row with a host and a project is in the limits; without `row`: the host alone."""
    terms = ["true"]
    if limits.hosts is not None:
        terms.append(_HOST.format(host or f"{row}.host"))
    if limits.projects is not None:
        terms.append(_PROJECT.format(f"{row}.project_id"))
    return " and ".join(terms)
