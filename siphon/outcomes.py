"""What came of sessions in git, where a host asks for it (`git: true`): commits, files and lines.

git is asked read-only on the host, over the connection that collects: no lock, no fetch, no hook, no
signature or diff program of the repository. What it said is kept in the archive's book.
"""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from siphon import db, shell
from siphon.archive import Archive
from siphon.hosts import Asks, Host

_DAY = 24 * 3600 * 1000
_AGAIN = 3600 * 1000  # ms: a repository is not asked more often
_FIRST = 400 * _DAY  # how far back a new one is asked
_OVERLAP = 30 * _DAY  # and one asked before: branches arrive late
_FOLDERS = 300  # asked in one run; the others have their turn in the next

_SCRIPT = """
for d do [ -d "$d" ] || continue;
g() { env -u GIT_DIR -u GIT_WORK_TREE GIT_ALLOW_PROTOCOL=none GIT_NO_LAZY_FETCH=1 LC_ALL=C git
--no-optional-locks -c core.fsmonitor=false -c log.showSignature=false -C "$d" "$@" 2>/dev/null; };
t=$(g rev-parse --show-toplevel) || continue;
case $s in *"[$t]"*) continue;; esac; s="$s[$t]";
printf "\\035%s\\037" "$t";
g log --branches --source --no-merges --no-ext-diff --no-textconv --no-color --shortstat -n 5000
--since=SINCE "--format=%x1e%H%x1f%at%x1f%S%x1f%an%x1f%s"; done
"""
_SHA = re.compile(r"[0-9a-f]{40,64}")
_STAT = {
    "files": re.compile(r" (\d+) files? changed"),
    "lines_added": re.compile(r" (\d+) insertions?\(\+\)"),
    "lines_removed": re.compile(r" (\d+) deletions?\(-\)"),
}

_BOOK = """
create table if not exists commits (
    host text not null,
    folder text not null,           -- the checkout's top
    sha text not null,
    authored_at integer not null,   -- ms
    branch text,
    author text not null,
    subject text not null,
    files integer not null,
    lines_added integer not null,
    lines_removed integer not null,
    primary key (host, folder, authored_at, author, subject)
) without rowid;
create table if not exists commit_folders (
    host text not null,
    folder text not null,           -- that a log names
    asked_at integer not null,      -- ms
    primary key (host, folder)
) without rowid;
"""


class Commit(NamedTuple):
    """A commit as a branch of a checkout shows it."""

    folder: str
    sha: str
    authored_at: int  # ms
    branch: str | None
    author: str
    subject: str
    files: int
    lines_added: int
    lines_removed: int


def look(archive: Archive, host: Host, name: str, at: int) -> None:
    """Note the commits in the folders that the host's logs name; `at` is ms. Raises what it raises."""
    if not isinstance(host, Asks):
        return
    asked = _asked(archive, name)
    due = sorted(
        (folder for folder in archive.asked_repos(name) if asked.get(folder, 0) <= at - _AGAIN),
        key=lambda folder: asked.get(folder, 0),
    )[:_FOLDERS]
    new = [folder for folder in due if folder not in asked]
    old = [folder for folder in due if folder in asked]
    for folders, since in (
        (new, at - _FIRST),
        (old, min(map(asked.__getitem__, old), default=at) - _OVERLAP),
    ):
        if folders:
            _note(archive, name, list(commits(host, folders, since)), folders, at)


def commits(host: Asks, folders: Sequence[str], since: int) -> Iterator[Commit]:
    """The commits on branches of the checkouts that these folders lie in, from a moment (ms) on."""
    day = datetime.fromtimestamp(since / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    output = host.ask(_SCRIPT.replace("SINCE", day), folders)
    for checkout in output.partition(shell.BEGIN + b"\n")[2].decode(errors="replace").split("\x1d")[1:]:
        folder, _, records = checkout.partition("\x1f")
        yield from (found for one in records.split("\x1e")[1:] if (found := _commit(folder, one)))


def _commit(folder: str, record: str) -> Commit | None:
    parts = record.split("\x1f")
    if len(parts) < 5 or not _SHA.fullmatch(parts[0]) or not parts[1].isdecimal():
        return None  # a subject that holds our separators
    subject, _, stat = "\x1f".join(parts[4:]).partition("\n")
    counts = {name: int(found[1]) if (found := form.search(stat)) else 0 for name, form in _STAT.items()}
    branch = parts[2].removeprefix("refs/heads/") or None
    return Commit(folder, parts[0], int(parts[1]) * 1000, branch, parts[3], subject, **counts)


def _asked(archive: Archive, name: str) -> dict[str, int]:
    with archive.ledger.write() as book:
        db.run(book, _BOOK)
        return dict(book.execute("select folder, asked_at from commit_folders where host = ?", [name]))


def _note(archive: Archive, name: str, found: list[Commit], folders: Sequence[str], at: int) -> None:
    """A commit that was rebased keeps its author, time and subject, and stays one."""
    marks = ", ".join("?" * (len(Commit._fields) + 1))
    with archive.ledger.write() as book:
        book.executemany(
            f"insert or replace into commits (host, {', '.join(Commit._fields)}) values ({marks})",
            [(name, *commit) for commit in found],
        )
        book.executemany(
            "insert or replace into commit_folders values (?, ?, ?)",
            [(name, folder, at) for folder in folders],
        )


def copy(archive: Archive, database: Path) -> None:
    """Bring the database's commits to those of the book."""
    if not archive.ledger.rows("select 1 from sqlite_master where name = 'commit_folders'"):
        return  # no host asks for it
    ((state,),) = archive.ledger.rows(
        "select (select count(*) from commits) || ' ' || coalesce(max(asked_at), 0) from commit_folders"
    )
    with closing(db.connect(database, write=True)) as connection:
        row = connection.execute("select value from meta where key = 'commits'").fetchone()
        if row is None or row[0] != state:
            _write(archive, connection, state)


def _write(archive: Archive, connection: sqlite3.Connection, state: str) -> None:
    names = ("host", *Commit._fields)
    rows = archive.ledger.rows(f"select {', '.join(names)} from commits")
    with db.transaction(connection):
        connection.execute("delete from commits")
        connection.executemany(
            f"insert into commits ({', '.join(names)}) values ({', '.join('?' * len(names))})", rows
        )
        connection.execute("insert or replace into meta values ('commits', ?)", [state])
