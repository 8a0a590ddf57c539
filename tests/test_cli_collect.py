"""`siphon collect`: what it prints, for people and for scripts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fleet import LOG, PROJECT
from siphon.cli import run

STORE = ".codex/sessions/2026/01/02/rollout-1.jsonl"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "far"
    for path in (LOG, f"{PROJECT}/two.jsonl", STORE):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(b"a line\n" * 1000)
    (tmp_path / "siphon.yml").write_text(
        f"archive: archive\nhosts:\n  me: {{home: {home}}}\n  lost: {{home: {tmp_path / 'lost'}}}\n"
    )
    monkeypatch.setenv("SIPHON_CONFIG", str(tmp_path / "siphon.yml"))
    return home


def siphon(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["collect", *words])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_dry_run_says_how_much_of_each_tool_would_come(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = siphon(capsys, "--dry-run", "me")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "me: 3 logs, would fetch 3 (21.0 kB)",
        "  claude_code      2 logs new, 14.0 kB",
        "  codex            1 log new, 7.00 kB",
    ]
    assert not (tmp_path / "archive").exists()
    siphon(capsys, "me")
    with (home / LOG).open("ab") as log:
        log.write(b"more\n")
    lines = siphon(capsys, "--dry-run", "me")[1].splitlines()
    assert lines[1:] == ["  claude_code      1 log grown, 5 B"]


@pytest.mark.usefixtures("home")
def test_a_script_is_told_everything(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = siphon(capsys, "--json")
    me, lost = json.loads(out)
    assert code == 1
    assert (me["host"], me["seen"], me["new"], me["changed"], me["bytes"]) == ("me", 3, 3, 3, 21_000)
    assert (me["reachable"], me["transport"], me["tools"], me["error"]) == (True, "home", "files", None)
    assert (lost["reachable"], lost["seen"]) == (False, None)
    assert lost["error"] in err
    (me,) = json.loads(siphon(capsys, "--json", "--dry-run", "me")[1])
    assert me["planned"] == []


@pytest.mark.usefixtures("home")
def test_people_are_told_a_line_for_each_host(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = siphon(capsys)
    assert code == 1
    assert out.splitlines() == ["me: 3 logs, 3 new (21.0 kB)", "lost: failed"]
    assert err.startswith("siphon: lost: ") and "no such folder" in err
    assert siphon(capsys, "me")[1] == "me: 3 logs, nothing new\n"


def collected(folder: Path, hosts: str, *before: str) -> tuple[int, list[str]]:
    """`siphon collect` in a process; its code, and what it and its own processes wrote to stderr."""
    (folder / "siphon.yml").write_text(f"archive: archive\nhosts:\n{hosts}")
    words = [*before, sys.executable, "-m", "siphon", "--config", str(folder / "siphon.yml"), "collect"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.splitlines()


def test_a_ledger_that_breaks_while_hosts_are_collected_is_told_in_a_line(
    home: Path, tmp_path: Path
) -> None:
    one, two = (f"  {name}: {{command: [sh], home: {home}}}\n" for name in ("one", "two"))
    assert collected(tmp_path, one + two) == (0, [])
    ledger = tmp_path / "archive/.ledger.db"
    breaks = f"""[sh, -c, 'sqlite3 {ledger} "drop table runs"; exec sh']"""
    code, told = collected(tmp_path, one.replace("[sh]", breaks) + two)
    broken = f"{ledger}: the archive's ledger cannot be written: no such table: runs"
    assert code == 1 and len(told) == 1
    assert told[0] in (f"siphon: one: {broken}", f"siphon: one, two: {broken}")


def test_a_ledger_that_cannot_be_written_at_all_is_told_in_a_line(home: Path, tmp_path: Path) -> None:
    hosts = f"  one: {{home: {home}}}\n  two: {{command: [sh], home: {home}}}\n"
    assert collected(tmp_path, hosts) == (0, [])
    ledger = tmp_path / "archive/.ledger.db"
    full = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")  # no file may grow, as on a full disk
    code, told = collected(tmp_path, hosts, *full)
    assert (code, len(told)) == (1, 1)
    assert told[0].endswith(": cannot be written: File too large")
    ledger.write_bytes(b"no ledger at all" * 1000)
    code, told = collected(tmp_path, hosts)
    assert (code, told) == (
        1,
        [f"siphon: {ledger}: the archive's ledger cannot be opened: file is not a database"],
    )


def test_an_archive_that_cannot_be_made_is_told_in_a_line(home: Path, tmp_path: Path) -> None:
    (tmp_path / "archive").write_bytes(b"a file where the archive is to be")
    code, told = collected(tmp_path, f"  one: {{home: {home}}}\n")
    assert (code, len(told)) == (1, 1)
    assert told[0].startswith(f"siphon: {tmp_path}/archive: the archive cannot be made: ")
