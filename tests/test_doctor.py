"""The doctor finds what is wrong, with its way out; only permissions are ever put right."""

import json
import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from goldens import HOMES
from road import copied
from siphon.cli import run
from siphon.doctor import CHECKS

HOME = HOMES / "claude_code" / "c10_subagent" / "laptop"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An installation with everything in order."""
    copied(tmp_path / "home", HOME)
    file = tmp_path / "siphon.yml"
    file.write_text("archive: archive\ndatabase: siphon.db\nhosts: {laptop: {home: home}}\n")
    assert run(["--config", str(file), "collect"]) == 0
    assert run(["--config", str(file), "load"]) == 0
    return file


def told(
    config: Path, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, list[tuple[str, str]]]:
    """The exit code, and (check, what) of each finding that is not ok."""
    capsys.readouterr()
    code = run(["--config", str(config), "doctor", "--json", *words])
    found = json.loads(capsys.readouterr().out)["findings"]
    return code, [(one["check"], one["what"]) for one in found if one["level"] != "ok"]


def test_where_all_is_in_order_each_check_says_so(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert told(config, capsys) == (0, [])
    assert run(["--config", str(config), "doctor"]) == 0
    said = capsys.readouterr().out
    assert all(f"ok       {check.__name__}: " in said for check in CHECKS)


def test_permissions_are_found_and_put_right_and_nothing_else_is(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, database = config.with_name("archive"), config.with_name("siphon.db")
    (log, *_) = (archive / "laptop").rglob("*.jsonl")
    for path, mode in ((archive, 0o755), (log.parent, 0o750), (log, 0o644), (database, 0o640)):
        path.chmod(mode)
    stranger = archive / "laptop" / "stranger"
    stranger.write_bytes(b"")
    stranger.chmod(0o600)
    code, found = told(config, capsys)
    assert code == 5  # the stranger
    assert [check for check, _ in found] == ["permissions"] * 4 + ["archive"]
    assert all("siphon doctor --fix" in what for check, what in found if check == "permissions")
    code, found = told(config, capsys, "--fix")
    [done] = [what for check, what in found if check == "permissions"]
    assert done.startswith("permissions put right ")
    code, found = told(config, capsys)
    assert [check for check, _ in found] == ["archive"]
    assert stranger.exists()
    modes = {path.stat().st_mode & 0o777 for path in (archive, log.parent)}
    assert modes == {0o700} and log.stat().st_mode & 0o777 == database.stat().st_mode & 0o777 == 0o600


def test_lost_logs_are_told_with_the_way_to_get_them_back(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = sorted((config.with_name("archive") / "laptop").rglob("*.jsonl"))
    logs[0].unlink()
    code, found = told(config, capsys)
    assert code == 5
    [(check, what)] = found
    assert check == "archive" and what.startswith("missing: ") and "verify --read-data --mend" in what
    assert run(["--config", str(config), "verify", "--mend"]) == 1
    assert run(["--config", str(config), "collect"]) == 0
    assert told(config, capsys) == (0, [])


def test_the_database_is_compared_with_the_archive(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (log, *_) = config.with_name("home").rglob("*.jsonl")
    with log.open("ab") as file:
        file.write(b"\n")
    assert run(["--config", str(config), "collect"]) == 0
    code, found = told(config, capsys)
    assert (code, found) == (
        0,
        [("database", "1 log of the archive not loaded as archived; `siphon load` reads them")],
    )
    with closing(sqlite3.connect(config.with_name("siphon.db"))) as db:
        db.execute("update meta set value = 'another' where key = 'layout'")
        db.commit()
    code, [(check, what)] = told(config, capsys)
    assert (code, check) == (4, "database") and "another version" in what
    config.with_name("siphon.db").unlink()
    code, [(check, what)] = told(config, capsys)
    assert (code, check) == (4, "database") and "`siphon load` makes it" in what


def test_a_configuration_that_cannot_be_read_is_a_finding(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config.write_text("hots: {}\n")
    code, [(check, what)] = told(config, capsys)
    assert (code, check) == (5, "configuration") and "hots" in what
    config.write_text("group: nosuchgroup\narchive: archive\ndatabase: siphon.db\n")
    code, found = told(config, capsys)
    assert ("permissions", "'group: nosuchgroup' in siphon.yml: there is no such group here") in found
    key = config.with_name("key")
    config.write_text(
        f"archive: archive\ndatabase: siphon.db\nhosts: {{gpu: {{ssh: gpu, identity: {key}}}}}\n"
    )
    code, found = told(config, capsys)
    assert code == 5 and [what for _, what in found if f"{key} is not there" in what]
    key.write_bytes(b"")
    key.chmod(0o644)
    code, found = told(config, capsys)
    assert [what for _, what in found if f"others can read {key}: chmod 600" in what]


def test_before_anything_was_collected_nothing_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "siphon.yml"
    file.write_text("archive: archive\ndatabase: siphon.db\nhosts: {laptop: {home: .}}\n")
    code, found = told(file, capsys)
    assert (code, [check for check, _ in found]) == (0, ["archive", "database"])


@pytest.mark.skipif(shutil.which("mount") is None or os.geteuid() != 0, reason="mounts a small disk")
def test_a_disk_with_little_room_is_told(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = config.with_name("disk")
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=8m,mode=700 tmpfs {folder} 2>/dev/null"):
        pytest.skip("this root may not mount")
    try:
        config.write_text(f"archive: {folder}\ndatabase: siphon.db\nhosts: {{laptop: {{home: home}}}}\n")
        code, found = told(config, capsys)
    finally:
        os.system(f"umount --lazy {folder}")
    assert code == 5
    assert [what for check, what in found if check == "space" and "the next run may fail" in what]
