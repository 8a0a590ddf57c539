"""`siphon service`: what it hands to systemd and launchd, and what it says where neither runs."""

import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from siphon import cli
from siphon.errors import SiphonError
from siphon.units import Command, unit, up_command

ODD = 'odd "quoted" 100% $HOME \\ é'


class Done(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """The command with a home of its own, in which no system looks for services."""
    config = tmp_path / "siphon.yml"
    config.write_text("archive: archive\ndatabase: siphon.db\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)

    def run(*words: str) -> Done:
        code = cli.run(["--config", str(config), "service", *words])
        return Done(code, *capfd.readouterr())

    return run


def _unit_file(tmp_path: Path) -> Path:
    return tmp_path / ".config/systemd/user/siphon.service"


def test_print_shows_the_file_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    done = run("install", "--print", "--port", "8123")
    assert done.code == 0
    line = next(line for line in done.out.splitlines() if line.startswith("ExecStart="))
    words = [sys.executable, "-m", "siphon", "--config", str(tmp_path / "siphon.yml"), "up"]
    words += ["--host", "127.0.0.1", "--port", "8123"]
    assert line == "ExecStart=" + " ".join(f'"{word}"' for word in words)
    assert done.err.strip() == str(_unit_file(tmp_path))
    assert not _unit_file(tmp_path).exists()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not here")
@pytest.mark.parametrize("folder", ["plain", "odd 100% é", ODD])
def test_systemd_takes_the_unit_whatever_its_paths_hold(tmp_path: Path, folder: str) -> None:
    """systemd reads it, and finds the program where it lies: it tells if it is not there."""
    program = tmp_path / folder / "python"
    program.parent.mkdir()
    program.symlink_to(sys.executable)
    command = Command([str(program), "-m", "siphon", "--config", str(tmp_path / f"{ODD}.yml")], "/bin")
    assert _verified(tmp_path, command) == ""
    program.unlink()
    assert ("not executable" in _verified(tmp_path, command)) == (folder != ODD)  # env tells later


def _verified(folder: Path, command: Command) -> str:
    """What systemd has to say against the unit."""
    one = unit(command, folder, folder, "linux")
    file = folder / one.path.name
    file.write_text(one.text)
    words = ["systemd-analyze", "--user", "verify", str(file)]
    home = {"HOME": str(folder), "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": str(folder)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=home)
    return "\n".join(line for line in done.stderr.splitlines() if "siphon.service" in line)


def test_launchd_reads_back_what_is_to_run(tmp_path: Path) -> None:
    command = up_command(
        tmp_path / 'odd & "quoted" <a>.yml', "127.0.0.1", 8001, {"PATH": "/opt/bin:/bin"}
    )
    one = unit(command, tmp_path, tmp_path, "darwin")
    agent = plistlib.loads(one.text.encode())
    assert one.path == tmp_path / "Library/LaunchAgents/siphon.up.plist"
    assert agent["ProgramArguments"] == list(command.words)
    assert agent["EnvironmentVariables"] == {"PATH": "/opt/bin:/bin"}
    assert agent["KeepAlive"] == {"SuccessfulExit": False} and agent["RunAtLoad"] is True
    assert one.start == [["launchctl", "bootstrap", f"gui/{os.getuid()}", str(one.path)]]


def test_a_system_that_is_not_known_is_told(tmp_path: Path) -> None:
    with pytest.raises(SiphonError, match="by hand"):
        unit(Command(["siphon"], ""), tmp_path, tmp_path, "win32")


def test_where_systemd_does_not_run_the_file_is_written_and_the_way_out_told(
    run: Run, tmp_path: Path
) -> None:
    """As in a container: this home has no session bus."""
    done = run("install")
    assert done.code == 1
    assert "ExecStart=" in _unit_file(tmp_path).read_text()
    assert "systemctl --user enable --now siphon.service" in done.err
    assert "keep `siphon up` running yourself" in done.err
    assert run("status").code != 0
    gone = run("uninstall")
    assert gone.code == 1 and not _unit_file(tmp_path).exists()
    assert f"{_unit_file(tmp_path)} is not there any more" in gone.out


@pytest.mark.parametrize("word", ["status", "logs", "uninstall"])
def test_what_is_not_installed_is_told(run: Run, word: str) -> None:
    done = run(word)
    assert done.code == 1 and "siphon.service is not there" in done.err


def test_the_printed_command_is_one_that_siphon_understands(run: Run, tmp_path: Path) -> None:
    """Run as systemd would, with --help in place of a fleet."""
    line = next(one for one in run("install", "--print").out.splitlines() if one.startswith("ExecStart"))
    words = [word.strip('"') for word in line.removeprefix("ExecStart=").split(" ")]
    done = subprocess.run([*words, "--help"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "keep collecting" in done.stdout
