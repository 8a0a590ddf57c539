"""Loose files: whatever tool wrote them, wherever they lie, they are filed right or said not to be."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import goldens
from dump import dump
from goldens import Case
from road import Road, road
from siphon.cli import run
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.loose import Filed, file_loose

AMP = {"v": 1, "id": "T-0001", "created": 1_770_000_000_000, "messages": []}
UNKNOWN = "no tool is known that writes such a log; `siphon sources` lists those that are"


@pytest.fixture
def fleet(tmp_path: Path) -> Road:
    return road(tmp_path / "fleet", {})


def _amp(file: Path, id: str = "T-0001") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({**AMP, "id": id}))
    return file


def _held(fleet: Road, host: str) -> dict[str, bytes]:
    """What the archive holds of a host, by path."""
    home = fleet.archive.home(host)
    found = {}
    for one in fleet.archive.held(host):
        file = home.open(one.path)
        assert file is not None
        with file:
            found[one.path] = file.read()
    return found


def _one(filed: list[Filed]) -> Filed:
    (only,) = filed
    return only


# --- what is given, and how it is known ---


def test_a_file_is_known_by_its_content_and_the_host_made_from_its_name(
    fleet: Road, tmp_path: Path
) -> None:
    file = _amp(tmp_path / "from Ann's laptop.json")
    filed = file_loose(fleet.archive, [file])
    place = ".local/share/amp/threads/T-0001.json"
    assert filed == [Filed(str(file), "amp", "loose-from-Ann-s-laptop", place, True)]
    assert _held(fleet, "loose-from-Ann-s-laptop") == {place: file.read_bytes()}


def test_the_host_may_be_named(fleet: Road, tmp_path: Path) -> None:
    assert _one(file_loose(fleet.archive, [_amp(tmp_path / "x.json")], "annes-laptop")).host == (
        "annes-laptop"
    )


@pytest.mark.parametrize("host", ["../elsewhere", "", ".", "..", "a/b", ".hidden", "a\0b"])
def test_a_host_that_is_no_name_is_refused(fleet: Road, tmp_path: Path, host: str) -> None:
    with pytest.raises(SiphonError, match="a host's name is made of"):
        file_loose(fleet.archive, [_amp(tmp_path / "x.json")], host)


def test_the_same_bytes_are_filed_once(fleet: Road, tmp_path: Path) -> None:
    file = _amp(tmp_path / "x.json")
    twin = _amp(tmp_path / "twin" / "y.json")
    assert [one.new for one in file_loose(fleet.archive, [file, twin], "h")] == [True, False]
    assert [one.new for one in file_loose(fleet.archive, [file], "h")] == [False]
    assert len(fleet.archive.held()) == 1


def test_a_path_inside_what_is_given_tells(fleet: Road, tmp_path: Path) -> None:
    """Also where the content would not: a log's file may be empty."""
    log = tmp_path / "backup/ann/.claude/projects/-w/0a.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"")
    filed = file_loose(fleet.archive, [tmp_path / "backup"])
    assert filed == [
        Filed(str(log), "claude_code", "loose-backup", ".claude/projects/-w/0a.jsonl", True)
    ]


@pytest.mark.parametrize("given", [".claude", ".claude/projects", ".claude/projects/-w/0a.jsonl"])
def test_the_path_of_what_is_given_tells(fleet: Road, tmp_path: Path, given: str) -> None:
    log = tmp_path / ".claude/projects/-w/0a.jsonl"
    log.parent.mkdir(parents=True)
    log.write_bytes(b"")
    filed = file_loose(fleet.archive, [tmp_path / given], "h")
    assert filed == [Filed(str(log), "claude_code", "h", ".claude/projects/-w/0a.jsonl", True)]


def test_a_path_is_named_as_it_was_given(
    fleet: Road, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _amp(tmp_path / "x.json")
    monkeypatch.chdir(tmp_path)
    assert _one(file_loose(fleet.archive, [Path("x.json")])).file == "x.json"


def test_a_companion_is_known_by_the_log_beside_it(fleet: Road, tmp_path: Path) -> None:
    said = {"uuid": "u", "cwd": "/w", "sessionId": "0a", "timestamp": "2026-01-01T00:00:00Z"}
    talk = {**said, "type": "user", "message": {"role": "user", "content": "go"}}
    for name, text in {
        "0a.jsonl": json.dumps(talk),
        "0a/subagents/agent-1.jsonl": json.dumps({**talk, "isSidechain": True, "agentId": "1"}),
        "0a/subagents/agent-1.meta.json": "{}",
        "0a/tool-results/t1.txt": "long",
        "notes.txt": "mine",
    }.items():
        file = tmp_path / "given" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text + "\n")
    filed = file_loose(fleet.archive, [tmp_path / "given"], "h")
    assert {one.path for one in filed if one.path} == {
        f".claude/projects/-w/{name}"
        for name in (
            "0a.jsonl",
            "0a/subagents/agent-1.jsonl",
            "0a/subagents/agent-1.meta.json",
            "0a/tool-results/t1.txt",
        )
    }
    assert [(one.file, one.left_out, one.error) for one in filed if not one.path] == [
        (str(tmp_path / "given/notes.txt"), UNKNOWN, None)
    ]


def test_what_two_tools_claim_is_told_and_not_filed(fleet: Road, tmp_path: Path) -> None:
    both = {**AMP, "sessionId": "s", "projectHash": "h"}
    file = tmp_path / "both.json"
    file.write_text(json.dumps(both))
    assert _one(file_loose(fleet.archive, [file])).error == (
        "could be a log of amp or gemini_cli; put it under its path"
    )
    assert fleet.archive.held() == []


def test_what_no_tool_writes_is_told(fleet: Road, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()
    for name, data in {"a.json": b"{}", "b.jsonl": b'{"a": 1}\n', "c.db": b"\0", "d": b""}.items():
        (tmp_path / "given" / name).write_bytes(data)
    filed = file_loose(fleet.archive, [tmp_path / "given"])
    assert [one.error for one in filed] == [UNKNOWN] * 4
    assert fleet.archive.held() == []


@pytest.mark.parametrize("id", ["T-/../../../../x", "T-a/b", "T-a\0b"])
def test_an_id_that_leads_elsewhere_files_nothing(fleet: Road, tmp_path: Path, id: str) -> None:
    assert _one(file_loose(fleet.archive, [_amp(tmp_path / "x.json", id)])).error == UNKNOWN


def test_links_are_not_followed_out_of_the_folder(fleet: Road, tmp_path: Path) -> None:
    secret = _amp(tmp_path / "elsewhere.json")
    threads = tmp_path / "given/.local/share/amp/threads"
    threads.mkdir(parents=True)
    (threads / "T-1.json").symlink_to(secret)
    (threads / "T-2.json").symlink_to(tmp_path / "gone")
    os.mkfifo(threads / "T-3.json")
    filed = file_loose(fleet.archive, [tmp_path / "given"])
    assert [one.error for one in filed] == [
        "no regular file, or a link that leads out of its folder"
    ] * 3
    assert fleet.archive.held() == []


# --- states of one log ---


def _grown(file: Path, lines: int, mtime: int) -> Path:
    log = file / ".claude/projects/-w/0a.jsonl"
    log.parent.mkdir(parents=True)
    log.write_text("".join(f'{{"n": {n}}}\n' for n in range(lines)))
    os.utime(log, (mtime, mtime))
    return file


def test_of_two_states_the_newer_counts_and_the_older_is_kept(fleet: Road, tmp_path: Path) -> None:
    new = _grown(tmp_path / "given/a", 3, 1_700_000_002)
    old = _grown(tmp_path / "given/b", 2, 1_700_000_001)
    (old / ".claude/projects/-w/0a.jsonl").write_text('{"other": 1}\n')
    os.utime(old / ".claude/projects/-w/0a.jsonl", (1_700_000_001, 1_700_000_001))
    filed = file_loose(fleet.archive, [tmp_path / "given"], "h")
    assert [one.new for one in filed] == [True, True]
    (held,) = fleet.archive.held("h")
    assert held.generation == 2
    assert list(_held(fleet, "h").values()) == [(new / held.path).read_bytes()]
    assert list(fleet.archive.verify(read_data=True)) == []


def test_the_beginning_of_what_is_held_is_held(fleet: Road, tmp_path: Path) -> None:
    file_loose(fleet.archive, [_grown(tmp_path / "long", 9, 1_700_000_001)], "h")
    filed = file_loose(fleet.archive, [_grown(tmp_path / "short", 4, 1_700_000_009)], "h")
    assert [(one.new, one.error) for one in filed] == [(False, None)]
    assert fleet.archive.held("h")[0].generation == 1


def test_an_older_state_does_not_replace_a_newer_one(fleet: Road, tmp_path: Path) -> None:
    file_loose(fleet.archive, [_grown(tmp_path / "new", 2, 1_700_000_009)], "h")
    old = _grown(tmp_path / "old", 9, 1_700_000_001)
    before = _held(fleet, "h")
    assert _one(file_loose(fleet.archive, [old], "h")).error == (
        "the archive holds a newer h/.claude/projects/-w/0a.jsonl; give this one another --host"
    )
    assert _held(fleet, "h") == before


# --- stores ---


def test_a_store_is_filed_with_what_its_wal_holds(fleet: Road, tmp_path: Path) -> None:
    case = next(c for c in goldens.cases() if (c.source.name, c.name) == ("goose", "store"))
    (home,) = case.hosts
    path = next(path for path in goldens.logs(case.source, home) if path.endswith(".db"))
    given = tmp_path / "given"
    given.mkdir()
    shutil.copyfile(home / path, tmp_path / "live.db")
    with closing(sqlite3.connect(tmp_path / "live.db")) as live:
        live.execute("pragma journal_mode = wal")
        live.execute("pragma wal_autocheckpoint = 0")
        live.execute("update sessions set name = 'only in the wal'")
        live.commit()
        for end in ("", "-wal"):
            shutil.copyfile(tmp_path / f"live.db{end}", given / f"sessions.db{end}")
    filed = file_loose(fleet.archive, [given], "h")
    assert [(Path(one.file).name, one.source, one.error) for one in filed] == [
        ("sessions.db", "goose", None),
        ("sessions.db-wal", "goose", None),
    ]
    fleet.load()
    with closing(connect(fleet.database)) as connection:
        titles = {row[0] for row in connection.execute("select title from sessions")}
    assert titles == {"only in the wal"}
    assert sorted(path.name for path in (fleet.config.archive / ".parts").iterdir()) == []


# --- packed ---


def _packed_homes() -> list[Case]:
    """A case of each source."""
    return list({case.source.name: case for case in goldens.cases()}.values())


@pytest.mark.parametrize("case", _packed_homes(), ids=lambda case: case.source.name)
def test_a_packed_home_loads_as_the_home_itself(case: Case, tmp_path: Path) -> None:
    home = case.hosts[0]
    form = "zip" if len(case.source.name) % 2 else "gztar"
    whole = road(tmp_path / "home", {home.name: home}).go()
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), form, home))
    fleet = road(tmp_path / "loose", {})
    filed = file_loose(fleet.archive, [packed], home.name)
    assert [one for one in filed if one.source not in (None, case.source.name)] == []
    fleet.load()
    assert dump(fleet.database) == whole


def test_a_packed_file_is_named_inside_its_archive(fleet: Road, tmp_path: Path) -> None:
    _amp(tmp_path / "in/x.json")
    packed = Path(shutil.make_archive(str(tmp_path / "Logs 2026"), "gztar", tmp_path / "in"))
    filed = file_loose(fleet.archive, [packed])
    assert (_one(filed).file, _one(filed).host) == (f"{packed}/x.json", "loose-Logs-2026")


# --- the command ---


def _command(fleet: Road, tmp_path: Path, *words: str) -> int:
    config = tmp_path / "siphon.yml"
    config.write_text(f"archive: {fleet.config.archive}\ndatabase: {fleet.database}\n")
    return run(["--config", str(config), "load", *words])


def test_the_command_files_and_loads(
    fleet: Road, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _amp(tmp_path / "x.json")
    assert _command(fleet, tmp_path, str(file), "--host", "h") == 0
    told = capsys.readouterr()
    assert f"{file}: amp, filed as h/.local/share/amp/threads/T-0001.json\n1 of 1 logs read" in told.out
    assert _command(fleet, tmp_path, str(file), "--host", "h") == 0
    assert f"{file}: amp, already h/.local" in capsys.readouterr().out
    with closing(connect(fleet.database)) as connection:
        assert connection.execute("select uid from sessions").fetchall() == [("h/amp/T-0001",)]


def test_the_command_names_what_is_no_log_beside_others(
    fleet: Road, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = _amp(tmp_path / "given/good.json")
    for n in range(30):
        (tmp_path / f"given/{n:02}.txt").write_text("mine")
    assert _command(fleet, tmp_path, str(tmp_path / "given"), "--json") == 0
    told = capsys.readouterr()
    filed = json.loads(told.out)["filed"]
    assert [one["file"] for one in filed if one["left_out"] is None] == [str(good)]
    assert len(filed) == 31 and {one["error"] for one in filed} == {None}
    assert f"siphon: {tmp_path}/given/00.txt: left out: {UNKNOWN}" in told.err
    assert f"siphon: and 25 more files were left out (--json lists them): {UNKNOWN}" in told.err


def test_the_command_fails_where_nothing_is_a_log_or_one_may_be_of_two_tools(
    fleet: Road, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _amp(tmp_path / "good/x.json")
    for n in range(30):
        file = tmp_path / f"bad/{n:02}.txt"
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    assert _command(fleet, tmp_path, str(tmp_path / "good"), str(tmp_path / "bad")) == 1
    told = capsys.readouterr().err
    assert f"siphon: {tmp_path}/bad/00.txt: not filed: {UNKNOWN}" in told
    assert f"siphon: and 10 more files were not filed (--json lists them): {UNKNOWN}" in told
    (tmp_path / "none").mkdir()
    assert _command(fleet, tmp_path, str(tmp_path / "none")) == 1
    assert capsys.readouterr().err == f"siphon: {tmp_path}/none: not filed: there is no file in it\n"
    both = json.dumps({**AMP, "sessionId": "s", "projectHash": "h"})
    (tmp_path / "good/both.json").write_text(both)
    assert _command(fleet, tmp_path, str(tmp_path / "good")) == 1
    assert "both.json: not filed: could be a log of amp or gemini_cli" in capsys.readouterr().err


def test_the_command_names_a_path_that_is_not_there(
    fleet: Road, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _command(fleet, tmp_path, str(tmp_path / "gone")) == 1
    assert capsys.readouterr().err == f"siphon: {tmp_path}/gone: no such file or folder\n"
