"""`siphon hosts`: what is configured, what a host can do, and accepting its key."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import LOG, made
from siphon.cli import run
from sshd import Sshd, know, running_sshd


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("server")) as sshd:
        yield sshd


@pytest.fixture(scope="module")
def gateway(server: Sshd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("gateway"), keys=server.folder) as sshd:
        yield sshd


@pytest.fixture
def keys(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's ~/.ssh: it can log in, but knows no host yet."""
    folder = tmp_path / "home" / ".ssh"
    shutil.copytree(server.folder, folder)
    (folder / "known_hosts").unlink()
    monkeypatch.setenv("HOME", str(folder.parent))
    return folder


@pytest.fixture
def config(server: Sshd, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A siphon.yml with one host of each kind, read by a user with these keys."""
    assert keys.parent == tmp_path / "home"
    far = made(tmp_path / "far")
    (far / LOG).parent.mkdir(parents=True)
    (far / LOG).write_bytes(b"one\n")
    (tmp_path / "siphon.yml").write_text(
        f"archive: archive\nhosts:\n  web: {{ssh: 127.0.0.1, port: {server.port}, home: {far}}}\n"
        f"  box: {{command: env -i sh, home: {far}, limit: 2 MB, every: 6h, hours: [22-6]}}\n"
        f"  me: {{home: {far}, enabled: false, skip_paths: [.codex]}}\n"
    )
    monkeypatch.setenv("SIPHON_CONFIG", str(tmp_path / "siphon.yml"))
    return tmp_path / "siphon.yml"


def siphon(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["hosts", *words])
    out, err = capsys.readouterr()
    return code, out, err


def printed(public: Path) -> str:
    """A key's fingerprint as OpenSSH prints it."""
    answer = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True)
    return answer.stdout.split()[1]


def reached(capsys: pytest.CaptureFixture[str]) -> bool:
    return siphon(capsys, "check", "web")[0] == 0


@pytest.mark.usefixtures("config")
def test_the_list_says_the_way_to_each_host(
    server: Sshd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = siphon(capsys, "list")
    assert code == 0
    assert out.splitlines() == [
        f"web  ssh 127.0.0.1 port {server.port}",
        "box  here through env -i sh; limit 2.00 MB a run; every 6 h 00 min; hours 22:00-06:00",
        f"me   here, {tmp_path / 'far'}; not enabled; skip_paths .codex",
    ]
    rows = json.loads((siphon(capsys, "list", "--json"))[1])
    assert [(row["name"], row["transport"]) for row in rows] == [
        ("web", "ssh"),
        ("box", "command"),
        ("me", "home"),
    ]
    assert rows[1]["settings"] == {"limit": 2_000_000, "every": 21_600, "hours": ["22:00-06:00"]}


def test_a_check_says_what_would_be_collected_and_collects_nothing(
    config: Path, server: Sshd, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = siphon(capsys, "check")
    assert code == 1
    assert "web: refused: the key of" in err
    zstd = "zstd, " if shutil.which("zstd") else ""
    assert out.splitlines()[0] == f"box: reached, read with GNU find, sha256sum, {zstd}gzip, tar, git"
    assert out.splitlines()[1].split()[:5] == ["claude_code", "1", "log,", "4", "B,"]
    know(keys, server.port, server.host_key)
    code, out, err = siphon(capsys, "check", "--json", "web")
    (web,) = json.loads(out)
    assert (code, err, web["host"], web["found"][0]["bytes"]) == (0, "", "web", 4)
    assert not (config.parent / "archive").exists()
    assert siphon(capsys, "check", "wbe")[2].startswith("siphon: unknown host 'wbe'; known hosts: web, ")


@pytest.mark.usefixtures("config")
def test_trust_writes_the_key_that_was_shown(
    server: Sshd, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not reached(capsys)
    code, out, err = siphon(capsys, "trust", "web")
    assert (code, err.count("nobody to ask here; give --fingerprint or --yes")) == (1, 1)
    assert not (keys / "known_hosts").exists()
    wrong = printed(keys / "id_ed25519.pub")
    code, _, err = siphon(capsys, "trust", "web", "--fingerprint", wrong)
    assert (code, "has none of the fingerprints given; nothing was written" in err) == (1, True)
    code, out, _ = siphon(capsys, "trust", "web", "--fingerprint", printed(server.host_key))
    assert code == 0
    assert printed(server.host_key) in out and str(keys / "known_hosts") in out
    assert (keys / "known_hosts").stat().st_mode & 0o777 == 0o600
    assert reached(capsys)
    assert "known already; nothing to do" in siphon(capsys, "trust", "web", "--yes")[1]


@pytest.mark.usefixtures("config")
def test_a_changed_key_is_never_trusted_by_a_mere_yes(
    server: Sshd, gateway: Sshd, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = keys / "known_hosts"
    old = " ".join(gateway.host_key.read_text().split()[:2])
    (keys / "config").write_text("HashKnownHosts no\n")
    known.write_text(f"# mine\nother,[127.0.0.1]:{server.port} {old}\nlast {old}")
    code, out, err = siphon(capsys, "trust", "web", "--yes")
    assert (code, "accept it with --fingerprint, not with --yes" in err) == (1, True)
    assert f"it has CHANGED: known is ssh-ed25519 {printed(gateway.host_key)} ({known}:2)" in out
    assert siphon(capsys, "trust", "web", "--fingerprint", printed(server.host_key))[0] == 0
    new = " ".join(server.host_key.read_text().split()[:2])
    assert known.read_text() == (f"# mine\nother {old}\nlast {old}\n[127.0.0.1]:{server.port} {new}\n")
    assert reached(capsys)
    known.write_text(f"[127.0.0.*]:* {old}\n")
    code, _, err = siphon(capsys, "trust", "web", "--fingerprint", printed(server.host_key))
    assert (code, "is a pattern for several hosts; change it by hand" in err) == (1, True)
    assert known.read_text() == f"[127.0.0.*]:* {old}\n"


@pytest.mark.usefixtures("config")
def test_a_key_that_no_file_keeps_is_told(
    server: Sshd, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (keys / "config").write_text("UserKnownHostsFile /dev/null\n")
    code, _, err = siphon(capsys, "trust", "web", "--fingerprint", printed(server.host_key))
    assert (code, err) == (
        1,
        "siphon: /dev/null: a key written there is not kept; see UserKnownHostsFile\n",
    )


def test_the_keys_of_gateways_are_shown_and_trusted_before_the_hosts(
    config: Path, server: Sshd, gateway: Sshd, keys: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (keys / "config").write_text(
        f"Host localhost\n  ProxyJump outer\nHost outer\n  HostName 127.0.0.1\n  Port {gateway.port}\n"
        "  HostKeyAlias outer\nHost *\n  HashKnownHosts yes\n"
    )
    far = config.parent / "far"
    config.write_text(
        f"archive: archive\nhosts:\n  web: {{ssh: localhost, port: {server.port}, home: {far}}}\n"
    )
    given = [word for key in (gateway, server) for word in ("--fingerprint", printed(key.host_key))]
    code, out, _ = siphon(capsys, "trust", "web", *given[:2])
    assert code == 1  # the gateway is known now, the host still is not
    assert out.startswith(f"web via outer: the key of outer: ssh-ed25519 {printed(gateway.host_key)}\n")
    code, out, _ = siphon(capsys, "trust", "web", *given)
    assert code == 0
    assert out.startswith(f"web: the key of [localhost]:{server.port}: ssh-ed25519 ")
    assert "localhost" not in (keys / "known_hosts").read_text()  # hashed, as ssh_config asks
    assert reached(capsys)


@pytest.mark.usefixtures("config")
def test_a_host_without_ssh_has_no_key_to_trust(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = siphon(capsys, "trust", "box")
    assert (code, err) == (
        1,
        "siphon: box: it is not reached over SSH; there is no key to trust\n",
    )
