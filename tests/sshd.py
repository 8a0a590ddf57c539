"""A real sshd on a loopback port, with keys and a configuration of its own, logged into as this user."""

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from ports import free_port
from siphon.config import HostConfig

PROGRAM = Path("/usr/sbin/sshd")
_PATIENCE_SECONDS = 60


class Sshd(NamedTuple):
    """A running sshd, and a ~/.ssh that knows its key and can log in."""

    port: int
    folder: Path  # as ~/.ssh: known_hosts, id_ed25519, config
    host_key: Path  # public
    process: subprocess.Popen[bytes]
    log: Path
    address: str = "127.0.0.1"

    def host(self, name: str, home: Path | str | None, **changes: object) -> HostConfig:
        """As siphon.yml would name it."""
        remote_home = None if home is None else str(home)
        config = HostConfig(name, ssh=self.address, port=self.port, remote_home=remote_home)
        return config._replace(**changes)


@contextmanager
def running_sshd(
    folder: Path,
    *options: str,
    keys: Path | None = None,
    address: str = "127.0.0.1",
    within: Sequence[str] = (),
) -> Iterator[Sshd]:
    """Start one; `options` are lines of its sshd_config, `keys` the ~/.ssh of another to share.

    `within` is the command that enters a network namespace which has the `address`.
    """
    if not PROGRAM.exists():
        pytest.fail(f"{PROGRAM} is missing: install Debian's openssh-server (`make test` does)")
    folder.mkdir(parents=True, exist_ok=True)
    ours = keys or folder / "ssh"
    if keys is None:
        ours.mkdir(mode=0o700)
        _key(ours / "id_ed25519")
        shutil.copy(ours / "id_ed25519.pub", ours / "authorized_keys")
    _key(folder / "host_key")
    port = free_port()
    lines = (*options, f"Port {port}", f"ListenAddress {address}")
    process, log = _start(folder, ours, lines, within)
    try:
        _await(address, port, process, log)
        know(ours, port, folder / "host_key.pub", address)
        yield Sshd(port, ours, folder / "host_key.pub", process, log, address)
    finally:
        process.terminate()
        process.wait()


def mortal() -> list[str]:
    """Before a command: root may then no longer open what is closed to its owner."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps=-all"]


def know(folder: Path, port: int, public: Path, name: str = "127.0.0.1") -> None:
    """Accept a host's key in the known_hosts of a ~/.ssh."""
    kind, key = public.read_text().split()[:2]
    with (folder / "known_hosts").open("a") as known:
        known.write(f"[{name}]:{port} {kind} {key}\n")


def _start(
    folder: Path, keys: Path, options: Sequence[str], within: Sequence[str]
) -> tuple[subprocess.Popen[bytes], Path]:
    config = folder / "sshd_config"
    lines = [
        *(option for option in options if option != "Subsystem none"),  # the first value counts
        f"HostKey {folder / 'host_key'}",
        f"AuthorizedKeysFile {keys / 'authorized_keys'}",
        "PidFile none",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        *([] if "Subsystem none" in options else ["Subsystem sftp internal-sftp"]),
        "MaxStartups 100",
        "SetEnv SHLVL=1",  # spares each command this user's .bashrc
    ]
    config.write_text("\n".join(lines) + "\n")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # sshd as root insists on it
    log = folder / "sshd.log"
    process = subprocess.Popen([*within, *mortal(), PROGRAM, "-D", "-f", config, "-E", log])
    return process, log


def _await(address: str, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            if probe.connect_ex((address, port)) == 0:
                return
        time.sleep(0.01)
    pytest.fail(f"sshd did not start as {getpass.getuser()}: {log.read_text() if log.exists() else ''}")


def _key(path: Path) -> None:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "siphon test", "-f", str(path)]
    subprocess.run(command, check=True)
