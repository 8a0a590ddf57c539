"""What is counted from the rows: sessions' totals, projects, and the hourly rollups (design §4, §5)."""

import sqlite3
from collections.abc import Mapping

from siphon.db import run, script


def refresh(connection: sqlite3.Connection, repos: Mapping[tuple[str, str], str]) -> None:
    """Bring the sessions in temp.touched_sessions up to date.

    `repos`: (host, folder) → repository, as read from checkouts there; a log's own word goes first.
    """
    _checkouts(connection, repos)
    # Else SQLite takes them for a million, and to sum one session up it reads every request there is.
    connection.execute("analyze temp.touched_sessions")
    run(connection, script("rollups.sql"))
    _projects(connection)


def _checkouts(connection: sqlite3.Connection, repos: Mapping[tuple[str, str], str]) -> None:
    """Sessions whose repository the hosts' checkouts tell, also if only that has changed."""
    connection.execute("drop table if exists temp.repos")
    connection.execute(
        "create temp table repos (host text, folder text, repo text, primary key (host, folder))"
    )
    connection.executemany(
        "insert into temp.repos values (?, ?, ?)",
        [(host, folder, repo) for (host, folder), repo in repos.items()],
    )
    run(connection, script("checkouts.sql"))


def _projects(connection: sqlite3.Connection) -> None:
    """Each touched session's project: one per repository, else one per folder."""
    rows = connection.execute(
        "select id, coalesce(git_repo, project, cwd), git_repo, coalesce(project, cwd), project_id"
        " from sessions where id in temp.touched_sessions"
    )
    for session, key, repo, path, old in rows.fetchall():
        new = None if key is None else _project(connection, key, repo, path)
        if new != old:
            connection.execute("update sessions set project_id = ? where id = ?", [new, session])
    connection.execute(
        "delete from projects where not exists (select 1 from sessions where project_id = projects.id)"
    )


def _project(connection: sqlite3.Connection, key: str, repo: str | None, path: str | None) -> int:
    row = connection.execute("select id from projects where key = ?", [key]).fetchone()
    if row is not None:
        connection.execute(
            "update projects set path = ? where id = ? and (path is null or path > ?)",
            [path, row[0], path],
        )
        return int(row[0])
    name = key.replace("\\", "/").rstrip("/").rpartition("/")[2] or key
    cursor = connection.execute(
        "insert into projects (key, name, path, repo) values (?, ?, ?, ?)", [key, name, path, repo]
    )
    return int(cursor.lastrowid or 0)
