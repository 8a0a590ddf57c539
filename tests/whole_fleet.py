"""A fleet as people have it, of real logs: hosts behind SFTP alone, BusyBox and a gateway, a bucket that
a machine pushed to, and one login for two users.

`python tests/whole_fleet.py HOMES [PORT]` shows it by hand, as README does, and serves it; HOMES has the
home directories laptop, workstation and server.
"""

import getpass
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from moto.server import ThreadedMotoServer

import userlands
from bucketsite import KEYS, new_bucket
from fleet import only
from sshd import Sshd, know, running_sshd

HOMES = Path(__file__).parent / "homes"
PUSHED = HOMES / "gemini_cli" / "ordinary"  # the home of the machine that pushes lies in here
USERS = {"ada": HOMES / "codex" / "tools", "bob": HOMES / "claude_code" / "c10_subagent"}


class WholeFleet(NamedTuple):
    """What `siphon` is run with."""

    folder: Path
    environ: Mapping[str, str]
    bucket: str  # its URL

    def run(self, *words: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run siphon, with `home` as this machine's user."""
        environ = {**self.environ, **({} if home is None else {"HOME": str(home)})}
        command = [sys.executable, "-m", "siphon", *words]
        return subprocess.run(command, env=environ, cwd=self.folder, capture_output=True, text=True)


@contextmanager
def whole_fleet(folder: Path, homes: Path) -> Iterator[WholeFleet]:
    """`homes` has those of laptop, workstation and server."""
    with ExitStack() as stack:
        gate = stack.enter_context(running_sshd(folder / "gate"))

        def started(name: str, *options: str) -> Sshd:
            return stack.enter_context(running_sshd(folder / name, *options, keys=gate.folder))

        sshds = {
            "gate": gate,
            "laptop": started("sftp", "ForceCommand internal-sftp"),
            "workstation": started("busybox", only(userlands.busybox(folder / "busybox-bin"))),
            "server": started("inner"),
        }
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        stack.callback(server.stop)
        bucket = new_bucket(server)
        _users(folder / "lab")
        _ssh_config(gate, sshds)
        (folder / "siphon.yml").write_text(_config(homes, folder / "lab", bucket.url, bucket.name))
        (folder / "me").mkdir()
        (folder / "me" / ".ssh").symlink_to(gate.folder)
        yield WholeFleet(folder, _environ(folder), f"s3://{bucket.name}/logs")


def _users(lab: Path) -> None:
    for number, (name, case) in enumerate(USERS.items(), 3001):
        home = next(path for path in sorted(case.iterdir()) if path.is_dir())
        shutil.copytree(home, lab / name)
        for path in (lab / name, *(lab / name).rglob("*")) if os.geteuid() == 0 else ():
            os.chown(path, number, number)


def _ssh_config(gate: Sshd, sshds: Mapping[str, Sshd]) -> None:
    lines = []
    for name, sshd in sshds.items():
        lines += [f"Host {name}-box", "  HostName 127.0.0.1", f"  Port {sshd.port}"]
        lines += [f"  User {getpass.getuser()}", f"  IdentityFile {gate.folder / 'id_ed25519'}"]
        lines += ["  ProxyJump gate-box"] if name == "server" else []
        if name != "gate":
            know(gate.folder, sshd.port, sshd.host_key)
    (gate.folder / "config").write_text("\n".join(lines) + "\n")


def _config(homes: Path, lab: Path, url: str, bucket: str) -> str:
    return f"""
archive: archive
database: siphon.db
hosts:
  laptop: {{ssh: laptop-box, home: {homes / "laptop"}}}  # SFTP alone
  workstation: {{ssh: workstation-box, home: {homes / "workstation"}}}  # BusyBox
  server: {{ssh: server-box, home: {homes / "server"}}}  # behind a gateway
  lab: {{ssh: gate-box, homes: ["{lab}/*"]}}  # many users
  team: {{s3: "s3://{bucket}/logs", endpoint: "{url}", region: us-east-1}}  # machines that push
"""


def _environ(folder: Path) -> dict[str, str]:
    keys = {f"AWS_{name}".upper(): str(value) for name, value in KEYS.items()}
    paths = os.pathsep.join(path for path in sys.path if path)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIPHON", "XDG"))}
    return {**kept, **keys, "HOME": str(folder / "me"), "PYTHONPATH": paths}


def main() -> None:
    homes, *port = sys.argv[1:]
    with (
        tempfile.TemporaryDirectory() as folder,
        whole_fleet(Path(folder), Path(homes).resolve()) as fleet,
    ):
        show(fleet, "push", "team", "--machine", "ci-7", home=next(PUSHED.glob("*/")))
        for words in (["collect"], ["load"], ["collect"], ["status"]):
            show(fleet, *words)
        for given in port:
            command = [sys.executable, "-m", "siphon", "serve", "--port", given]
            subprocess.run(command, env=dict(fleet.environ), cwd=fleet.folder, check=False)


def show(fleet: WholeFleet, *words: str, home: Path | None = None) -> None:
    print("$ siphon", *words)
    done = fleet.run(*words, home=home)
    print(done.stdout + done.stderr, f"(exit code {done.returncode})\n", sep="")


if __name__ == "__main__":
    main()
