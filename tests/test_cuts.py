"""Lines that break, hosts that are slow, names that lie: nothing is lost, and nobody else waits."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

import userlands
from fleet import LOG, PROJECT, Fleet, Site, config_of, counts, made, noise, only, site_of
from relay import relay
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import HostConfig
from sshd import know, running_sshd

pytest_plugins = ["fleet_fixtures"]


@pytest.mark.parametrize("way", ["gnu", "sftp"])
def test_a_line_cut_in_the_middle_of_a_log_loses_nothing(way: str, fleet: Fleet, tmp_path: Path) -> None:
    site = site_of(way, fleet, tmp_path)
    logs = {f"{PROJECT}/log-{number}.jsonl": noise(300_000, seed=number) for number in range(10)}
    for path, data in logs.items():
        site.write(path, data)
    (host,) = site.config.hosts
    for cut_after in (2_000, 60_000, 900_000):
        with relay(fleet.sshds[way].port, cut_after=cut_after) as port:
            know(fleet.keys, port, fleet.sshds[way].host_key)
            through = site.config._replace(hosts=(host._replace(port=port),))
            (report,) = collect(through, site.archive)
        assert report.error is not None
        for held in site.archive.held():
            assert site.read(held.path) == logs[held.path]
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())
    assert site.collect().error is None
    assert {path: site.read(path) for path in site.held()} == logs
    assert site.sound()
    outcomes = [(run.outcome, run.reachable) for run in site.archive.runs()]
    assert outcomes[-1] == ("ok", True) and all(outcome == "error" for outcome, _ in outcomes[:-1])


def test_a_host_that_does_not_answer_never_delays_another(fleet: Fleet, tmp_path: Path) -> None:
    good = site_of("gnu", fleet, made(tmp_path / "good"))
    good.write(LOG, b"one\n")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        slow = HostConfig("slow", ssh="127.0.0.1", port=silent.getsockname()[1], timeout=600)
        config = config_of(tmp_path, fleet.keys, slow, good.config.hosts[0])
        archive = Archive(config.archive)
        reports = []
        thread = threading.Thread(target=lambda: reports.extend(collect(config, archive)))
        thread.start()
        line, _ = silent.accept()  # and no word is said on it
        end = time.monotonic() + 60
        while not (config.archive / "host" / LOG).exists() or not done(archive, "host"):
            assert time.monotonic() < end and thread.is_alive()
            time.sleep(0.02)
        line.close()
        thread.join()
    assert [(report.host, report.error is None) for report in reports] == [
        ("slow", False),
        ("host", True),
    ]


def done(archive: Archive, host: str) -> bool:
    return any(state.name == host and state.collected_at for state in archive.host_states())


WICKED = r"""
import os, sys
script = sys.stdin.buffer.read()
out = sys.stdout.buffer
if b"siphon-begin $k" in script:
    names = [b"./../../evil.jsonl", b"././x.jsonl", b"./a/../../evil.jsonl", b"./ok.jsonl"]
    records = [b"home /home/x/", b"in .claude/projects/-p"]
    records += [b"f 4 1.0 7 " + name for name in names] + [b"end ", b""]
    out.write(b"siphon-begin printf sha256sum xargs\n" + b"\0".join(records))
else:
    out.write(b"siphon-begin\n" + b"evil" + b"0" * 64 + b"\xff" * 100)
"""


def test_a_shell_that_lies_spoils_no_more_than_its_own_logs(fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "wicked.py").write_text(WICKED)
    host = HostConfig("host", command=("python3", str(tmp_path / "wicked.py")), remote_home="/home/x")
    site = Site(tmp_path, config_of(tmp_path, fleet.keys, host))
    collect(site.config, site.archive)
    assert site.held() == {}
    assert not list(tmp_path.rglob("*evil*"))
    assert list(site.archive.verify(read_data=True)) == []


def test_a_command_that_cannot_be_run_or_gives_no_shell_is_told(fleet: Fleet, tmp_path: Path) -> None:
    told = {}
    for name, command in {
        "missing": ("no-such-command-here", "sh"),
        "no shell": ("cat",),
        "fails": ("sh", "-c", "echo 'Error: No such container: box' >&2; exit 1"),
    }.items():
        config = config_of(tmp_path, fleet.keys, HostConfig("host", command=command))
        (report,) = collect(config, Archive(config.archive))
        told[name] = report.error
    assert told["missing"] == "no-such-command-here: cannot be run: No such file or directory"
    assert str(told["no shell"]).startswith("it cannot be read: no shell answers")
    assert "Error: No such container: box" in str(told["fails"])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root folder")
def test_a_container_is_collected_through_a_command_that_enters_it(fleet: Fleet, tmp_path: Path) -> None:
    """No docker here: a root folder and namespaces of its own, with BusyBox in it, are what one is."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("no BusyBox on this machine (Debian: apt-get install busybox)")
    root = made(tmp_path / "root", "bin")
    shutil.copy(busybox, root / "busybox")
    linked = subprocess.run(["ldd", busybox], capture_output=True, text=True, check=False).stdout
    for library in re.findall(r"/\S+", linked):
        (root.parent / library.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library, root.parent / library.lstrip("/"))
    for folder in ("root", "dev"):
        (root.parent / folder).mkdir()
    os.mknod(root.parent / "dev/null", 0o666 | 0o020000, os.makedev(1, 3))
    os.mknod(root.parent / "dev/zero", 0o666 | 0o020000, os.makedev(1, 5))
    for applet in ("sh", "find", "stat", "sha256sum", "xargs", "head", "tail", "gzip", "tar", "id"):
        (root / applet).symlink_to("busybox")
    enter = ("unshare", "--mount", "--pid", "--fork", "chroot", str(root.parent))
    command = (*enter, "/bin/busybox", "env", "-i", "PATH=/bin", "HOME=/root", "/bin/sh")
    site = Site(
        root.parent / "root", config_of(tmp_path, fleet.keys, HostConfig("host", command=command))
    )
    site.write(LOG, noise(200_000))
    report = site.collect()
    assert (counts(report), report.problems) == ({"new": 1}, ())
    assert report.tools == "stat -c, sha256sum, gzip, tar"
    site.append(LOG, b"more\n")
    report = site.collect()
    assert (counts(report), report.bytes) == ({"grown": 1}, 5)
    assert site.read(LOG) == noise(200_000) + b"more\n"


def test_a_host_with_neither_tools_nor_sftp_is_read_by_ls(fleet: Fleet, tmp_path: Path) -> None:
    path = only(userlands.least(tmp_path / "bin"))
    with running_sshd(tmp_path / "sshd", path, "Subsystem none", keys=fleet.keys) as sshd:
        home = made(tmp_path / "home")
        site = Site(home, config_of(tmp_path, fleet.keys, sshd.host("host", home)))
        site.write(LOG, noise(50_000))
        report = site.collect()
        assert (counts(report), report.tools) == ({"new": 1}, "sh, ls, cat")
        site.append(LOG, b"more\n")
        assert counts(site.collect()) == {"grown": 1}
        assert site.read(LOG) == noise(50_000) + b"more\n"


def test_a_container_of_another_machine_is_reached_through_both(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("gnu", fleet, tmp_path, command=("env", "-i", "sh"))
    site.write(LOG, noise(50_000))
    report = site.collect()
    assert (counts(report), report.transport) == ({"new": 1}, "ssh")
    site.append(LOG, b'it\'s "more" $HOME\n')
    report = site.collect()
    assert (counts(report), report.bytes) == ({"grown": 1}, 18)
    (host,) = site.config.hosts
    broken = site.config._replace(hosts=(host._replace(command=("docker-is-not-here", "sh")),))
    (report,) = collect(broken, site.archive)
    assert str(report.error).startswith("it cannot be read: no shell answers")
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())


def test_a_connection_is_given_up_after_the_hosts_own_timeout(fleet: Fleet, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = HostConfig("host", ssh="127.0.0.1", port=silent.getsockname()[1], timeout=1)
        config = config_of(tmp_path, fleet.keys, host)
        (report,) = collect(config, Archive(config.archive))
    assert report.error is not None
    assert report.ended_at - report.started_at < 14_000  # the usual patience is longer
