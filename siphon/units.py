"""What starts `siphon up` at login and again if it fails: a systemd user unit, or a launchd agent.

Each is a text and a place, with the commands of the system that take it up; nothing else knows of them.
"""

import os
import plistlib
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from siphon.errors import SiphonError

NAME = "siphon"
LABEL = "siphon.up"  # launchd's name for it
_PATIENCE_SECONDS = 60


class Unit(NamedTuple):
    """A service as one system knows it."""

    system: str  # systemd, launchd
    path: Path  # where its file belongs
    text: str
    start: Sequence[Sequence[str]]  # commands, in order
    stop: Sequence[Sequence[str]]  # so that it may be removed
    status: Sequence[str]
    logs: Sequence[str]  # takes the number of lines as its last word
    follow: Sequence[str]
    note: str  # what else one should know


class Command(NamedTuple):
    """What is to run."""

    words: Sequence[str]
    path: str  # PATH, as `command:` hosts may need it


def up_command(config: Path | None, host: str, port: int, environ: Mapping[str, str]) -> Command:
    """`siphon up` by this Python, with this configuration."""
    chosen = [] if config is None else ["--config", str(config)]
    words = [sys.executable, "-m", "siphon", *chosen, "up", "--host", host, "--port", str(port)]
    return Command(words, environ.get("PATH", os.defpath))


def unit(command: Command, home: Path, config_home: Path, platform: str = sys.platform) -> Unit:
    """The service of this system. Raises SiphonError where none is known."""
    if platform == "darwin":
        return _launchd(command, home)
    if platform.startswith("linux"):
        return _systemd(command, config_home)
    raise SiphonError(f"no way to install a service is known on {platform}; run `siphon up` by hand")


def _systemd(command: Command, config_home: Path) -> Unit:
    control = ["systemctl", "--user"]
    log = ["journalctl", "--user", "--unit", f"{NAME}.service", "--no-pager"]
    return Unit(
        system="systemd",
        path=config_home / "systemd" / "user" / f"{NAME}.service",
        text=_UNIT.format(
            words=" ".join(map(_quoted, _startable(command.words))), path=_quoted(f"PATH={command.path}")
        ),
        start=[[*control, "daemon-reload"], [*control, "enable", "--now", f"{NAME}.service"]],
        stop=[[*control, "disable", "--now", f"{NAME}.service"]],
        status=[*control, "--no-pager", "status", f"{NAME}.service"],
        logs=[*log, "--lines"],
        follow=[*log, "--follow"],
        note="It runs while you are logged in; `loginctl enable-linger` lets it run always.",
    )


# Only `up` itself is told to end: it ends its own processes in order, within TimeoutStopSec.
_UNIT = """\
[Unit]
Description=siphon: collects, loads and serves AI coding sessions

[Service]
ExecStart={words}
Environment={path}
Restart=on-failure
RestartSec=30
KillMode=mixed
TimeoutStopSec=60
UMask=0077
Nice=5

[Install]
WantedBy=default.target
"""


def _startable(words: Sequence[str]) -> Sequence[str]:
    """systemd takes no program with a quote, a backslash or a dollar in its path, but env does."""
    return ["/usr/bin/env", *words] if re.search(r"""["'\\$]""", words[0]) else words


def _quoted(word: str) -> str:
    """A word as systemd reads it back."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$"), ("\n", "\\n")):
        word = word.replace(plain, escaped)
    return f'"{word}"'


def _launchd(command: Command, home: Path) -> Unit:
    path = home / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    log = home / "Library" / "Logs" / "siphon.log"
    domain = f"gui/{os.getuid()}"
    agent = {
        "Label": LABEL,
        "ProgramArguments": list(command.words),
        "EnvironmentVariables": {"PATH": command.path},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ExitTimeOut": 60,
        "ProcessType": "Background",
        "Umask": 0o077,
        "StandardOutPath": str(log),
        "StandardErrorPath": str(log),
    }
    return Unit(
        system="launchd",
        path=path,
        text=plistlib.dumps(agent).decode(),
        start=[["launchctl", "bootstrap", domain, str(path)]],
        stop=[["launchctl", "bootout", f"{domain}/{LABEL}"]],
        status=["launchctl", "print", f"{domain}/{LABEL}"],
        logs=["tail", str(log), "-n"],
        follow=["tail", "-F", str(log)],
        note="It runs while you are logged in.",
    )


def install(one: Unit) -> None:
    """Write its file and start it, anew if it runs.

    Raises SiphonError, the file written, where nobody takes it up.
    """
    if one.path.exists():
        with suppress(SiphonError):  # it may not run, or not be known
            for words in one.stop:
                _run(one, words)
    one.path.parent.mkdir(parents=True, exist_ok=True)
    one.path.write_text(one.text, encoding="utf-8")
    for words in one.start:
        _run(one, words)


def uninstall(one: Unit) -> None:
    """Stop it and remove its file. Raises SiphonError where it is not installed."""
    if not one.path.exists():
        raise SiphonError(f"{one.path} is not there: no service is installed")
    try:
        for words in one.stop:
            _run(one, words)
    finally:
        one.path.unlink()


def _run(one: Unit, words: Sequence[str]) -> None:
    if shutil.which(words[0]) is None:
        raise SiphonError(f"{words[0]} is not on this machine; {_by_hand(one)}")
    done = subprocess.run(words, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        why = said[-1] if said else f"code {done.returncode}"
        raise SiphonError(f"`{' '.join(words)}` failed: {why}; {_by_hand(one)}")


def _by_hand(one: Unit) -> str:
    """What to do where the system does not take it up, as in a container."""
    commands = " && ".join(" ".join(words) for words in one.start)
    return (
        f"where {one.system} runs, start it with `{commands}`; elsewhere keep `siphon up` running"
        " yourself (nohup siphon up &, tmux, or your own supervisor)"
    )
