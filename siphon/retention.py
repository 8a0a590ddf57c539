"""The tools' own clean-up: how long each host's logs last there, and what would be lost with them.

While a host is collected its tools' settings are looked at, and the days alone are noted in the ledger:
such files hold secrets and are never archived. What follows from it is told from the ledger.
"""

import math
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from siphon import figures
from siphon.archive import Archive
from siphon.config import Config
from siphon.fleet import HostStatus, configured, grace, interval
from siphon.globs import compiled, fixed_folder
from siphon.hosts import Found, Host, Want
from siphon.ledger import Entry
from siphon.source import Retention, Source
from siphon.sources import sources

_DAY = 24 * 3600 * 1000  # ms
_AGAIN = _DAY // 4  # settings are not looked at more often
_PROJECTS = 300  # folders whose settings are looked at
_LARGEST = 1 << 18  # bytes of a settings file
SOON = 7 * _DAY


class Period(NamedTuple):
    """How long a tool keeps its logs."""

    days: float  # inf: for good
    setting: str  # the file that says so, or "default"


class Keeping(NamedTuple):
    """A host's tool and its logs there. Times are UTC ms."""

    host: str
    source: str
    days: float | None  # None: for good
    setting: str
    read_at: int  # when the settings were looked at
    logs: int  # there
    oldest: int | None  # last change of the log that will go first
    soon: int  # logs that go within a week; all of them are archived
    waiting: int  # logs there that the last collect left behind
    waiting_until: int | None  # when the first of those goes

    @property
    def until(self) -> int | None:
        """When the first log goes."""
        return _until(self.oldest, self.days)


def look(
    archive: Archive,
    host: Host,
    name: str,
    found: Mapping[str, Found],
    chosen: Iterable[Source],
    at: int,
) -> list[str]:
    """Note how long the host's tools keep their logs, and what of them was left behind.

    `found` is what the host listed, at the end of a collect; `at` is ms. Returns what could not be
    read. Raises what the host raises.
    """
    entries = archive.entries(name)
    noted = dict(_noted(archive, name))
    problems: list[str] = []
    folders = None
    for source in chosen:
        if source.retention is None or not _has_logs(source, found):
            continue
        left = _left(source, found, entries)
        if noted.get(source.name, 0) > at - _AGAIN:
            _note_left(archive, name, source.name, left)
            continue
        if folders is None:
            folders = _projects(archive, name)
        period = _period(host, source.retention, folders, problems)
        _note(archive, (name, source.name, period, at), left)
    return problems


def keepings(book: sqlite3.Connection, now: int) -> list[Keeping]:
    """What is noted in the ledger, by host and tool."""
    sql = (
        "select host, source, days, setting, read_at, waiting, waiting_oldest from retention"
        " order by host, source"
    )
    rows = book.execute(sql).fetchall()
    return [_keeping(book, row, now) for row in rows if row[1] in sources()]


class Judgement(NamedTuple):
    """How bad, and what; siphon/health.py makes a finding of it."""

    level: str
    what: str
    until: int | None


def judged(config: Config, one: Keeping, status: HostStatus | None, now: int) -> Judgement:
    """What is to be said of a tool's clean-up on a host."""
    title = sources()[one.source].title
    if one.days is None:
        return Judgement("ok", f"{title} deletes no logs ({one.setting})", None)
    rule = f"{title} deletes logs {_days(one.days)} after their last change ({one.setting})"
    if one.waiting:
        return _loss(
            f"{rule}: {figures.plural(one.waiting, 'log')} will be deleted there from"
            f" {figures.day(one.waiting_until)} on unless collected",
            one.waiting_until,
            now,
        )
    host = configured(config, one.host)
    if status is not None and status.lag is not None and status.lag > grace(config, host):
        until = _until(status.collected_at, one.days)
        what = f"{rule}; what was written since {figures.stamp(status.collected_at)} will be deleted"
        return _loss(f"{what} there from {figures.day(until)} on unless collected", until, now)
    if one.days * _DAY < 2000 * interval(config, host):
        what = f"{rule}, but it is collected every {figures.duration(1000 * interval(config, host))}"
        return Judgement("warning", f"{what}: logs may go before they are collected", one.until)
    return Judgement("info" if one.soon else "ok", f"{rule}; {_there(one)}", one.until)


def _loss(what: str, until: int | None, now: int) -> Judgement:
    """The nearer the loss, the worse."""
    if until is not None and until <= now:
        return Judgement("error", f"{what}; this is going on now", until)
    return Judgement("warning" if until is None or until < now + SOON else "info", what, until)


def _there(one: Keeping) -> str:
    if one.oldest is None:
        return "none is there now"
    oldest = f"{figures.plural(one.logs, 'log')} there, the oldest of {figures.day(one.oldest)}"
    soon = f", {one.soon} go within a week" if one.soon else f", which goes on {figures.day(one.until)}"
    return f"{oldest}{soon}; all are archived"


def _days(days: float) -> str:
    return f"{days:g} day{'' if days == 1 else 's'}" if days >= 1 else f"{days * 24:g} hours"


def _until(changed: int | None, days: float | None) -> int | None:
    return None if changed is None or days is None else changed + int(days * _DAY)


# Looking


def _has_logs(source: Source, found: Mapping[str, Found]) -> bool:
    return next(_logs(source, found), None) is not None


def _logs(source: Source, paths: Iterable[str]) -> Iterator[str]:
    """Those of the paths that are logs of the tool."""
    matchers = [(fixed_folder(glob) + "/", compiled(glob).fullmatch) for glob in source.globs]
    for path in paths:
        if any(path.startswith(folder) and match(path) for folder, match in matchers):
            yield path


class _Left(NamedTuple):
    """Logs that a collect left behind, in whole or in part."""

    logs: int
    oldest: int | None  # ms


def _left(source: Source, found: Mapping[str, Found], entries: Mapping[str, Entry]) -> _Left:
    behind = [path for path, one in found.items() if _behind(one, entries.get(path))]
    times = [found[path].mtime // 1_000_000 for path in _logs(source, behind)]
    return _Left(len(times), min(times, default=None))


def _behind(found: Found, entry: Entry | None) -> bool:
    return entry is None or entry.size < found.size


def _projects(archive: Archive, name: str) -> list[str]:
    """Folders that the host's logs name as their working directory."""
    known = archive.asked_repos(name)
    return sorted(folder.rstrip("/") for folder in known if folder.startswith("/"))[:_PROJECTS]


def _period(host: Host, retention: Retention, folders: Sequence[str], problems: list[str]) -> Period:
    """The period that holds for all logs of the tool: the shortest where several do."""
    root = host.root()
    below = _said(host, retention, retention.user, "~/", problems)
    above = [] if root is None else _said(root, retention, retention.managed, "/", problems)
    if above:
        return above[-1]
    usual = [] if root is None else _said(root, retention, retention.usual, "/", problems)
    unseen = "" if root is not None else ", as its settings cannot be seen"
    user = [*usual, *below] or [Period(retention.days, f"its default{unseen}")]
    projects = [f"{folder}/{path}" for folder in folders for path in retention.project]
    local = [] if root is None else _said(root, retention, projects, "/", problems)
    return min([user[-1], *local], key=lambda period: period.days)


def _said(
    host: Host, retention: Retention, paths: Sequence[str], top: str, problems: list[str]
) -> list[Period]:
    """What those of the settings say that are there and say anything, in the order given."""
    said = []
    for path, data in _contents(host, [path.lstrip("/") for path in paths]).items():
        try:
            days = retention.read(data)
        except ValueError as error:
            problems.append(f"{top}{path}: how long logs are kept cannot be read: {error}")
            continue
        if days is not None:
            said.append(Period(days, top + path))
    return said


def _contents(host: Host, paths: Sequence[str]) -> dict[str, bytes]:
    """The files that are there, none of them large, in the order given."""
    listed = host.stat(paths) if paths else {}
    wants = [Want(path, 0, one.size) for path, one in listed.items() if one.size <= _LARGEST]
    data = {}
    for piece in host.fetch(wants) if wants else ():
        data[piece.want.path] = b"".join(piece.blocks)
        piece.proof()  # a piece is over when it was asked for
    return {path: data[path] for path in paths if path in data}


# The ledger


def _noted(archive: Archive, name: str) -> list[tuple[str, int]]:
    return archive.ledger.rows("select source, read_at from retention where host = ?", name)


def _note(archive: Archive, what: tuple[str, str, Period, int], left: _Left) -> None:
    host, source, period, at = what
    days = None if math.isinf(period.days) else period.days
    with archive.ledger.write() as db:
        db.execute(
            "insert or replace into retention"
            " (host, source, days, setting, read_at, waiting, waiting_oldest) values (?,?,?,?,?,?,?)",
            (host, source, days, period.setting, at, *left),
        )


def _note_left(archive: Archive, host: str, source: str, left: _Left) -> None:
    """Only where that is news: an unchanged host costs no writing."""
    sql = "select waiting, waiting_oldest from retention where host = ? and source = ?"
    if archive.ledger.rows(sql, host, source) != [tuple(left)]:
        with archive.ledger.write() as db:
            db.execute(
                "update retention set waiting = ?, waiting_oldest = ? where host = ? and source = ?",
                (*left, host, source),
            )


def _keeping(
    book: sqlite3.Connection, row: tuple[str, str, float, str, int, int, int], now: int
) -> Keeping:
    host, source, days, setting, read_at, waiting, waiting_oldest = row
    changed = [at for at in _changes(book, host, sources()[source]) if at is not None]
    soon = 0 if days is None else sum(at + days * _DAY < now + SOON for at in changed)
    return Keeping(
        host=host,
        source=source,
        days=days,
        setting=setting,
        read_at=read_at,
        logs=len(changed),
        oldest=min(changed, default=None),
        soon=soon,
        waiting=waiting or 0,
        waiting_until=_until(waiting_oldest, days),
    )


def _changes(book: sqlite3.Connection, host: str, source: Source) -> Iterator[int | None]:
    """When each log of the tool that is on the host was last changed there (ms)."""
    for folder in {fixed_folder(glob) for glob in source.globs}:
        rows = book.execute(
            "select path, mtime from logs where host = ? and path > ? and path < ?"
            " and gone_at is null and pruned_at is null",
            (host, folder + "/", folder + "0"),  # "0" follows "/"
        ).fetchall()
        logs = set(_logs(source, (path for path, _ in rows)))
        yield from (mtime for path, mtime in rows if path in logs)
