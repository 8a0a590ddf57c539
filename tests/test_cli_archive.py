"""`siphon archive`, `restore`, `verify` as a user runs them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import CHECKOUT
from siphon import audit
from siphon.cli import run
from siphon.cli_archive import moment

PROJECT = ".claude/projects/-p"
ODD = "new\nline \U0001f600.jsonl"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A host with a log of two generations, and one whose name has a line end."""
    folder = tmp_path / "home" / PROJECT
    folder.mkdir(parents=True)
    file = tmp_path / "siphon.yml"
    file.write_text("archive: archive\ndatabase: siphon.db\nhosts: {laptop: {home: home}}\n")
    for data in (b"first\n" * 1000, b"2nd\n" * 2000):
        (folder / "a.jsonl").write_bytes(data)
        (folder / ODD).write_bytes(b"odd\n")
        assert run(["--config", str(file), "collect"]) == 0
    return file


def told(config: Path, capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(["--config", str(config), *words]) == code
    said = capsys.readouterr()
    return said.out + said.err


def test_hosts_and_logs_are_listed_a_line_each(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "laptop: 2 logs, 14.0 kB in 14.0 kB, 1 older generation; " in told(
        config, capsys, "archive", "list"
    )
    lines = told(config, capsys, "archive", "list", "laptop").splitlines()
    assert len(lines) == 2
    assert lines[0].endswith(f"{PROJECT}/a.jsonl  (generation 2 of 2)")
    assert lines[1].endswith(f"{PROJECT}/new␊line \U0001f600.jsonl")
    rows = json.loads(told(config, capsys, "archive", "list", "laptop", "--json"))
    assert [row["path"] for row in rows] == [f"{PROJECT}/a.jsonl", f"{PROJECT}/{ODD}"]
    assert "known hosts: laptop" in told(config, capsys, "archive", "list", "nobody", code=1)


def test_each_generation_is_told_and_can_be_had(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = f"laptop/{PROJECT}/a.jsonl"
    lines = told(config, capsys, "archive", "generations", log).splitlines()
    assert lines[0].lstrip().startswith("1 6.00 kB, ") and "replaced by generation 2 at " in lines[0]
    assert lines[2].lstrip().startswith("2 8.00 kB, ") and lines[2].endswith("the current one")
    rows = json.loads(told(config, capsys, "archive", "generations", log, "--json"))
    assert [row["segments"][0]["size"] for row in rows] == [6000, 8000]
    for words, data in (([], b"2nd\n" * 2000), (["--generation", "1"], b"first\n" * 1000)):
        command = [sys.executable, "-m", "siphon", "--config", config, "archive", "cat", log, *words]
        done = subprocess.run(command, capture_output=True, cwd=CHECKOUT, check=True)
        assert done.stdout == data
    assert "there are 1, 2" in told(config, capsys, "archive", "cat", log, "--generation", "3", code=1)


def test_a_home_is_restored_and_that_is_noted(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    to = config.with_name("back")
    assert "would restore 2 logs" in told(
        config, capsys, "restore", "laptop", "--to", str(to), "--dry-run"
    )
    assert not to.exists()
    assert "restored 2 logs" in told(config, capsys, "restore", "laptop", "--to", str(to))
    assert (to / PROJECT / ODD).read_bytes() == b"odd\n"
    assert (to / PROJECT / "a.jsonl").stat().st_mtime_ns == (
        (config.with_name("home") / PROJECT / "a.jsonl").stat().st_mtime_ns
    )
    first = ["restore", f"laptop/{PROJECT}/a.jsonl", "--to", str(to), "--generation", "1"]
    assert "--overwrite replaces" in told(config, capsys, *first, code=1)
    assert "restored 1 log" in told(config, capsys, *first, "--overwrite")
    assert (to / PROJECT / "a.jsonl").read_bytes() == b"first\n" * 1000
    notes = [note for note in audit.notes(config.with_name("archive")) if note["what"] == "restore"]
    assert [(note["host"], note["logs"]) for note in notes] == [("laptop", 2), ("laptop", 1)]


def test_packing_is_announced_done_and_seen_by_nobody(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "would pack 1 log (8.00 kB)" in told(
        config, capsys, "archive", "pack", "--older-than", "0h", "--dry-run"
    )
    assert "packed 1 log: 8.00 kB in " in told(config, capsys, "archive", "pack", "--older-than", "0h")
    assert "1 packed" in told(config, capsys, "archive", "list")
    assert "as the ledger says" in told(config, capsys, "verify", "--read-data")
    assert run(["--config", str(config), "load"]) == 0
    assert "'soon' is no age" in told(config, capsys, "archive", "pack", "--older-than", "soon", code=1)
    lines = told(config, capsys, "archive", "audit").splitlines()
    assert [line.split()[2] for line in lines] == ["collect", "collect", "pack"]


def test_verify_reads_what_it_is_told_to(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = config.with_name("archive") / "laptop" / PROJECT / "a.jsonl"
    log.write_bytes(log.read_bytes()[:-1] + b"X")
    assert "3 generations, 0 B read: as the ledger says" in told(config, capsys, "verify")
    said = told(config, capsys, "verify", "--read-data", code=1)
    assert "3 generations, 14.0 kB read: 1 finding" in said
    assert f"siphon: laptop/{PROJECT}/a.jsonl (generation 2): changed: " in said
    found = [run(["--config", str(config), "verify", "--subset", f"{part}/2"]) for part in (1, 2)]
    assert sorted(found) == [0, 1]
    assert "'8/7' is no part" in told(config, capsys, "verify", "--subset", "8/7", code=1)
    told_ = json.loads(
        told(config, capsys, "verify", "--read-data", "--json", code=1).partition("\nsiphon")[0]
    )
    assert (told_["generations"], told_["read"]) == (3, 14_004)
    assert told_["findings"][0]["path"] == f"{PROJECT}/a.jsonl"


def test_no_archive_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "siphon.yml"
    file.write_text("archive: archive\ndatabase: siphon.db\nhosts: {laptop: {home: .}}\n")
    for words in (["archive", "list"], ["verify"], ["restore", "laptop", "--to", "x"]):
        assert "there is no archive yet; `siphon collect`" in told(file, capsys, *words, code=1)
    assert not (tmp_path / "archive").exists()


def test_a_day_means_its_end_and_a_time_itself() -> None:
    assert moment("2026-01-31T00:00:00Z") == 1_769_817_600_000
    assert moment("2026-01-31T01:00:00+01:00") == 1_769_817_600_000
    assert moment("2026-02-01") - moment("2026-01-31") == 24 * 3600 * 1000
    assert os.fsencode(str(moment("2026-01-31T18:30"))).isdigit()
