"""Commits of the checkouts that logs name: asked for read-only, on every way with a shell, once."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from fleet import LOG, Fleet, Site, site_of
from siphon.collect import collect
from siphon.load import load

pytest_plugins = ["fleet_fixtures"]

HOUR = 3_600_000
NOON = round(datetime(2026, 11, 10, 12, tzinfo=UTC).timestamp() * 1000)
SESSION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


def git(repo: Path, *words: str, at: int = NOON) -> str:
    stamp = f"{at // 1000} +0000"
    env = {
        **os.environ, "GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp, "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org", "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }  # fmt: skip
    done = subprocess.run(
        ["git", "-C", repo, *words], env=env, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def commit(repo: Path, name: str, lines: int, at: int, subject: str = "Work") -> str:
    (repo / name).write_text("line\n" * lines)
    git(repo, "add", name)
    git(repo, "commit", "-q", "-m", subject, at=at)
    return git(repo, "rev-parse", "HEAD")


def session(native: str, cwd: Path, branch: str, first: int, last: int) -> bytes:
    """A log of one prompt and one answer."""

    def line(kind: str, ts: int, **more: Any) -> str:
        stamp = datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        facts = {
            "type": kind,
            "sessionId": native,
            "timestamp": stamp,
            "cwd": str(cwd),
            "gitBranch": branch,
        }
        return json.dumps(
            {**facts, "uuid": f"{native}-{ts}", "parentUuid": None, **more}, separators=(",", ":")
        )

    said = {
        "role": "assistant",
        "id": f"m{native}",
        "model": "claude-opus-4-5",
        "content": [{"type": "text", "text": "yes"}],
    }
    return "\n".join(
        [
            line("user", first, message={"role": "user", "content": "please"}),
            line("assistant", last, message={**said, "usage": {"input_tokens": 1, "output_tokens": 1}}),
            "",
        ]
    ).encode()


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    return folder


def asking(site: Site) -> Site:
    (host,) = site.config.hosts
    return site._replace(config=site.config._replace(hosts=(host._replace(git=True),)))


def outcomes(site: Site) -> list[tuple[Any, ...]]:
    load(site.archive, site.config.database)
    with closing(sqlite3.connect(site.config.database)) as connection:
        return connection.execute(
            "select session_uid, branch, commits, files, lines_added, lines_removed from git_outcomes"
            " order by session_uid is null, session_uid, branch"
        ).fetchall()


@pytest.mark.parametrize("way", ["local", "gnu", "busybox", "bsd"])
def test_commits_belong_to_the_session_that_ran_in_their_checkout(
    way: str, fleet: Fleet, tmp_path: Path
) -> None:
    site = asking(site_of(way, fleet, tmp_path))
    repo = repository(site.home / "code" / "it's a repo")
    commit(repo, "a.py", 10, NOON - 5 * HOUR, "Before any session")
    commit(repo, "a.py", 12, NOON + HOUR // 2, "In the session")
    commit(repo, "b.py", 3, NOON + HOUR + HOUR // 4, "Soon after it")
    git(repo, "checkout", "-q", "-b", "later")
    commit(repo, "c.py", 1, NOON + 9 * HOUR, "Long after")
    site.write(LOG, session(SESSION, repo / "src", "main", NOON, NOON + HOUR))
    (repo / "src").mkdir()
    before = sorted(path.relative_to(repo) for path in repo.rglob("*"))
    assert site.collect().problems == ()
    assert sorted(path.relative_to(repo) for path in repo.rglob("*")) == before, "nothing was written"
    assert outcomes(site) == [
        (f"host/claude_code/{SESSION}", "main", 2, 2, 5, 0),
        (None, "later", 1, 1, 1, 0),
        (None, "main", 1, 1, 10, 0),
    ]


def test_without_git_on_nothing_is_asked(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    repo = repository(site.home / "repo")
    commit(repo, "a.py", 1, NOON)
    site.write(LOG, session(SESSION, repo, "main", NOON - 60_000, NOON + 60_000))
    site.collect()
    assert outcomes(site) == []


def test_of_two_sessions_at_once_the_one_on_the_branch_has_the_commit(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = asking(site_of("local", fleet, tmp_path))
    repo = repository(site.home / "repo")
    commit(repo, "a.py", 4, NOON)
    site.write(LOG, session(SESSION, repo, "main", NOON - HOUR, NOON + HOUR))
    site.write(LOG.replace(SESSION, OTHER), session(OTHER, repo, "else", NOON - HOUR // 2, NOON + HOUR))
    site.collect()
    assert outcomes(site) == [(f"host/claude_code/{SESSION}", "main", 1, 1, 4, 0)]


def test_a_rebased_commit_and_two_checkouts_of_one_stay_one(fleet: Fleet, tmp_path: Path) -> None:
    site = asking(site_of("local", fleet, tmp_path))
    repo = repository(site.home / "repo")
    commit(repo, "base.py", 1, NOON - 9 * HOUR, "Base")
    commit(repo, "a.py", 2, NOON, "Feature")
    other = site.home / "worktree"
    git(repo, "worktree", "add", "-q", "-b", "side", str(other))
    site.write(LOG, session(SESSION, repo, "main", NOON - HOUR, NOON + HOUR))
    site.write(
        LOG.replace(SESSION, OTHER), session(OTHER, other, "side", NOON - 3 * HOUR, NOON - 2 * HOUR)
    )
    site.collect()
    first = outcomes(site)
    assert [row[2] for row in first] == [1, 1], first
    assert first[0][0] == f"host/claude_code/{SESSION}"
    git(
        repo,
        "commit",
        "-q",
        "--amend",
        "--no-edit",
        "--date",
        f"{NOON // 1000} +0000",
        at=NOON + 4 * HOUR,
    )
    git(other, "reset", "-q", "--hard", "main")
    collect(
        site.config, site.archive, now=lambda: round(datetime.now(UTC).timestamp() * 1000) + 2 * HOUR
    )
    assert [row[2] for row in outcomes(site)] == [1, 1]


def test_a_folder_is_asked_again_only_after_an_hour(fleet: Fleet, tmp_path: Path) -> None:
    site = asking(site_of("local", fleet, tmp_path))
    repo = repository(site.home / "repo")
    commit(repo, "a.py", 1, NOON)
    site.write(LOG, session(SESSION, repo, "main", NOON - HOUR, NOON + HOUR))
    at = [NOON + 2 * HOUR]

    def collected() -> int:
        collect(site.config, site.archive, now=lambda: at[0])
        return sum(row[2] for row in outcomes(site))

    assert collected() == 1
    commit(repo, "b.py", 1, NOON + 1000, "More")
    at[0] += HOUR - 1000
    assert collected() == 1
    at[0] += 2000
    assert collected() == 2
