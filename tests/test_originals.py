"""The logs of a session and its subagents in one ZIP file."""

import hashlib
import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from road import Road
from siphon.auth_limits import Limits, limited
from siphon.cli import siphon
from siphon.db import connect
from siphon.export import Wanted, export
from siphon.originals import Original, Originals, _names, originals, zipped
from siphon.sessions import find, header
from website import LONG, RICH, Site

pytest_plugins = ["website_fixtures"]

PARENT = "0000000a-0000-4000-8000-00000000000a"


@pytest.fixture(scope="module")
def db(road: Road) -> Iterator[sqlite3.Connection]:
    with closing(connect(road.database)) as connection:
        yield connection


def _saved(db: sqlite3.Connection, road: Road, name: str, wanted: Wanted) -> ZipFile:
    return _opened(b"".join(export(db, road.archive, find(db, name), "zip", wanted)))


def _opened(body: bytes) -> ZipFile:
    return ZipFile(io.BytesIO(body))


def _held(found: ZipFile) -> dict[str, bytes]:
    assert found.testzip() is None
    return {name: found.read(name) for name in found.namelist() if name != "manifest.json"}


def _at_home(road: Road, *sessions: str) -> dict[str, bytes]:
    home = road.config.hosts[0].home or Path()
    paths = (path for path in home.rglob("*.jsonl") if any(one in str(path) for one in sessions))
    return {f"laptop/{path.relative_to(home).as_posix()}": path.read_bytes() for path in paths}


def test_the_logs_of_a_session_and_its_subagents_are_their_hosts_bytes(
    db: sqlite3.Connection, road: Road
) -> None:
    found = _saved(db, road, PARENT, Wanted(subagents=True))
    logs = _held(found)
    assert len(logs) == 2
    assert logs == _at_home(road, PARENT)
    told = json.loads(found.read("manifest.json"))
    assert {row["name"]: (row["bytes"], row["sha256"]) for row in told["logs"]} == {
        name: (len(data), hashlib.sha256(data).hexdigest()) for name, data in logs.items()
    }
    assert told["logs"][0]["sessions"] == [told["session"]]
    assert told["left_out"] == []


def test_without_subagents_it_is_the_sessions_own_log(db: sqlite3.Connection, road: Road) -> None:
    whole = _at_home(road, PARENT)
    assert _held(_saved(db, road, PARENT, Wanted())) == {
        name: data for name, data in whole.items() if name.endswith(f"/{PARENT}.jsonl")
    }


def test_it_comes_in_pieces_and_needs_no_second_look(db: sqlite3.Connection, road: Road) -> None:
    """Of a log larger than memory no more than a block is held."""
    head = header(db, find(db, "00000003-aaaa"))
    pieces = list(zipped(road.archive, originals(db, road.archive, [head])))
    assert len(pieces) > 5
    (size,) = db.execute("select size from logs where path = ?", [head.path]).fetchone()
    assert size > 10 * max(map(len, pieces))


def test_a_log_that_was_pruned_in_between_is_told_as_left_out(road: Road) -> None:
    gone = Original("laptop", "no/such.jsonl", 1, None, None, ("laptop/x/1",))
    found = _opened(b"".join(zipped(road.archive, Originals("laptop/x/1", [gone], []))))
    told = json.loads(found.read("manifest.json"))
    assert (told["logs"], [one["session"] for one in told["left_out"]]) == ([], ["laptop/x/1"])


@pytest.mark.parametrize(
    ("host", "path", "name"),
    [
        ("lab/ada", ".codex/a.jsonl", "lab/ada/.codex/a.jsonl"),
        ("h", "../../etc/passwd", "h/_/_/etc/passwd"),
        ("h", "/etc/x", "h/_/etc/x"),
        ("h", "C:\\x\\..\\y", "h/C__x_.._y"),
        ("h", "a/con.jsonl", "h/a/_con.jsonl"),
        ("h", "a\n/b. ", "h/a_/b_"),
        ("..", "manifest.json", "_/manifest.json"),
    ],
)
def test_names_stay_below_the_folder_they_are_unpacked_in(host: str, path: str, name: str) -> None:
    logs = [Original(host, path, 1, None, None, ())]
    assert _names(logs) == [name]
    assert ".." not in PurePosixPath(name).parts


def test_no_two_names_are_the_same() -> None:
    logs: Sequence[Original] = [Original("h", path, 1, None, None, ()) for path in ("a:", "a*", "A?")]
    assert _names(logs) == ["h/a_", "h/a_~2", "h/A_~3"]


def _export(road: Road, *words: str) -> int:
    file = road.database.with_name("siphon.yml")
    file.write_text(f"archive: {road.config.archive}\ndatabase: {road.database}\n")
    return CliRunner().invoke(siphon, ["--config", str(file), "export", *words]).exit_code


def test_the_page_and_the_command_give_the_same(website: Site, road: Road, tmp_path: Path) -> None:
    answer = website.get(f"/-/session/laptop/claude_code/{PARENT}?export=zip&subagents=yes")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert "attachment" in answer.headers["content-disposition"]
    to = tmp_path / "out.zip"
    assert _export(road, PARENT, "--subagents", "--to", str(to)) == 0
    assert to.stat().st_mode & 0o777 == 0o600
    assert to.read_bytes() == answer.body
    assert list(tmp_path.iterdir()) == [to]


def test_the_command_goes_by_the_files_name(road: Road, tmp_path: Path) -> None:
    for ending, begin in (("md", "# Every"), ("html", "<!DOCTYPE"), ("json", "{"), ("jsonl", "{")):
        to = tmp_path / f"out.{ending}"
        assert _export(road, RICH, "--to", str(to)) == 0
        assert to.read_text().startswith(begin)


def test_a_limited_reader_gets_no_byte_that_is_not_loaded_yet(road: Road) -> None:
    """Nobody knows yet whose session the new lines tell of."""
    log = next((road.config.hosts[0].home or Path()).rglob(f"{LONG}.jsonl"))
    loaded = log.read_bytes()
    with log.open("a") as file:
        file.write('{"type": "user", "cwd": "/somebody/else"}\n')
    road.collect()
    with (
        closing(limited(road.database, Limits(("laptop",)))) as theirs,
        closing(connect(road.database)) as whole,
    ):
        for form in ("raw", "zip"):
            told = b"".join(export(theirs, road.archive, find(theirs, LONG), form, Wanted()))
            assert (told if form == "raw" else next(iter(_held(_opened(told)).values()))) == loaded
        assert (
            b"".join(export(whole, road.archive, find(whole, LONG), "raw", Wanted())) == log.read_bytes()
        )
