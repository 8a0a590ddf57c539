"""The command line: exit codes, errors as one line, JSON alone on stdout, fab tasks."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import CHECKOUT
from goldens import HOMES
from siphon.cli import run

CASE = HOMES / "claude_code" / "c10_subagent"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two hosts: one that is there, one where nothing listens."""
    file = tmp_path / "siphon.yml"
    file.write_text(
        f"archive: {tmp_path / 'archive'}\ndatabase: {tmp_path / 'siphon.db'}\nhosts:\n"
        f"  laptop: {{home: {CASE / 'laptop'}}}\n  gone: {{ssh: 127.0.0.1, port: 1}}\n"
    )
    return file


def test_a_dead_host_is_named_and_does_not_stop_the_rest(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--config", str(config), "collect"]) == 1
    said = capsys.readouterr()
    assert "siphon: gone: " in said.err
    assert "laptop: " in said.out
    assert run(["--config", str(config), "load"]) == 0
    assert run(["--config", str(config), "collect", "laptop"]) == 0


def test_json_is_all_that_stands_on_stdout(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["--config", str(config), "collect", "laptop", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["host"] == "laptop"
    for words in (["load"], ["status"], ["sessions"], ["sources"], ["verify"], ["search", "the"]):
        assert run(["--config", str(config), *words, "--json"]) == 0, words
        assert json.loads(capsys.readouterr().out) is not None


def test_a_dry_run_fetches_nothing(config: Path, tmp_path: Path) -> None:
    assert run(["--config", str(config), "collect", "laptop", "--dry-run"]) == 0
    assert not list(tmp_path.glob("archive/laptop/**/*.jsonl"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hots: {}", "hots"),
        ("interval: soon", "interval"),
        ("hosts: {a: {home: ~}, a: {home: ~}}", "a"),
    ],
)
def test_a_wrong_configuration_is_one_line_with_file_and_line(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "siphon.yml"
    file.write_text(text + "\n")
    assert run(["--config", str(file), "collect"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"{file}:1" in error
    assert said in error


def test_reading_a_database_that_is_not_there_says_how_to_make_it(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--config", str(config), "search", "x"]) == 1
    assert "siphon load" in capsys.readouterr().err


def test_wrong_usage_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["collect", "--no-such-option"]) == 2
    assert run(["no-such-command"]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_an_interrupted_reader_ends_quietly(config: Path) -> None:
    """`siphon sources | head -1` closes the pipe early."""
    done = subprocess.run(
        f"{sys.executable} -m siphon --config {config} sources | head -1",
        shell=True,
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_fab_lists_its_tasks_and_runs_them(config: Path) -> None:
    fab = Path(sys.executable).parent / "fab"
    listed = subprocess.run([fab, "--list"], cwd=CHECKOUT, capture_output=True, text=True)
    assert listed.returncode == 0, listed.stderr
    assert all(name in listed.stdout for name in ("collect", "load", "status", "serve"))
    env = {"PATH": "/usr/bin:/bin", "SIPHON_CONFIG": str(config), "HOME": str(config.parent)}
    done = subprocess.run(
        [fab, "collect", "--hosts", "laptop"], cwd=CHECKOUT, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    loaded = subprocess.run([fab, "load"], cwd=CHECKOUT, env=env, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr
    assert "logs read" in loaded.stdout
    failed = subprocess.run([fab, "collect"], cwd=CHECKOUT, env=env, capture_output=True, text=True)
    assert failed.returncode == 1
