"""Real sshds: whose key is known is let in, whose key is not is refused, gateways too."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from siphon.errors import SiphonError
from siphon.knownhosts import HostName, check
from siphon.ssh import Login, StrictConnection, connect
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
def keys(server: Sshd, tmp_path: Path) -> Path:
    """A ~/.ssh of its own that can log in but knows no host yet."""
    folder = tmp_path / "home" / ".ssh"
    shutil.copytree(server.folder, folder)
    (folder / "known_hosts").unlink()
    return folder


def login(sshd: Sshd) -> Login:
    return Login("web", "127.0.0.1", port=sshd.port)


def answers(connection: StrictConnection) -> bool:
    """Whether the connection is good for a command."""
    with connection:
        channel = connection.create_session()
        channel.exec_command("echo it works")
        return bool(channel.recv(100) == b"it works\n")


def refusal(login: Login, keys: Path) -> str:
    with pytest.raises(SiphonError) as caught:
        connect(login, keys)
    return str(caught.value)


def printed(public: Path) -> str:
    """A key's fingerprint as OpenSSH prints it."""
    answer = subprocess.run(["ssh-keygen", "-lf", public], capture_output=True, text=True, check=True)
    return answer.stdout.split()[1]


def test_a_host_whose_key_is_known_is_let_in(server: Sshd, keys: Path) -> None:
    know(keys, server.port, server.host_key)
    assert answers(connect(login(server), keys))


def test_an_unknown_key_is_refused_with_its_fingerprint_and_the_command_that_accepts_it(
    server: Sshd, keys: Path
) -> None:
    said = refusal(login(server), keys)
    assert said.startswith(
        f"web: refused: the key of [127.0.0.1]:{server.port} is not known: ssh-ed25519 "
    )
    assert printed(server.host_key) in said
    assert not (keys / "known_hosts").exists()
    assert said.endswith("accept it: siphon hosts trust web")


def test_a_changed_key_is_refused_with_both_fingerprints_and_the_command_that_replaces_it(
    server: Sshd, gateway: Sshd, keys: Path
) -> None:
    know(keys, server.port, gateway.host_key)
    said = refusal(login(server), keys)
    assert f"the key of [127.0.0.1]:{server.port} has CHANGED" in said
    assert printed(server.host_key) in said and printed(gateway.host_key) in said
    assert f"({keys / 'known_hosts'}:1)" in said
    assert said.endswith("If the machine was set up anew, accept it: siphon hosts trust web")


def test_a_revoked_key_is_refused_even_if_it_is_also_known(server: Sshd, keys: Path) -> None:
    know(keys, server.port, server.host_key)
    with (keys / "known_hosts").open("a") as known:
        known.write(f"@revoked * {server.host_key.read_text()}")
    assert "is revoked in" in refusal(login(server), keys)


def test_hashed_names_and_patterns_are_understood(server: Sshd, keys: Path) -> None:
    know(keys, server.port, server.host_key)
    subprocess.run(
        ["ssh-keygen", "-q", "-H", "-f", keys / "known_hosts"], check=True, capture_output=True
    )
    assert "127.0.0.1" not in (keys / "known_hosts").read_text()
    assert answers(connect(login(server), keys))
    key = " ".join(server.host_key.read_text().split()[:2])
    (keys / "known_hosts").write_text(f"# comment\n\nbroken line\n[127.0.0.?]:* {key}\n")
    assert answers(connect(login(server), keys))
    (keys / "known_hosts").write_text(f"[127.0.0.*]:*,![127.0.0.1]:* {key}\n")
    assert "is not known" in refusal(login(server), keys)
    (keys / "known_hosts").write_text(f"127.0.0.1 {key}\n")  # ssh takes it for any port
    assert answers(connect(login(server), keys))


def test_the_kind_of_key_that_is_known_is_asked_for(tmp_path: Path, server: Sshd) -> None:
    """The host would rather show its ed25519 key; known is its RSA key."""
    rsa = tmp_path / "rsa"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", rsa], check=True)
    with running_sshd(tmp_path / "sshd", f"HostKey {rsa}", keys=server.folder) as sshd:
        keys = tmp_path / "keys"
        shutil.copytree(server.folder, keys)
        (keys / "known_hosts").unlink()
        know(keys, sshd.port, rsa.with_suffix(".pub"))
        assert answers(connect(login(sshd), keys))


def test_aliases_includes_and_key_aliases_of_ssh_config(server: Sshd, keys: Path) -> None:
    key = " ".join(server.host_key.read_text().split()[:2])
    (keys / "other_known").write_text(f"the-machine {key}\n")
    (keys / "config").write_text("Include conf.d/*\nUser nobody-of-that-name\n")
    (keys / "conf.d").mkdir()
    (keys / "conf.d" / "10-build").write_text(
        f"Host build\n  HostName 127.0.0.1\n  Port {server.port}\n  HostKeyAlias the-machine\n"
        f"  User {os.environ.get('USER', 'root')}\n"
        f"  UserKnownHostsFile ~/.ssh/none ~/.ssh/other_known\n  IdentityFile ~/.ssh/id_ed25519\n"
    )
    assert answers(connect(Login("web", "build"), keys))
    assert "nobody-of-that-name@127.0.0.1" in refusal(Login("web", "127.0.0.1", port=1), keys)


def jump(keys: Path, server: Sshd, gateway: Sshd) -> Login:
    """By ssh_config: through the gateway twice, then to the server."""
    (keys / "config").write_text(
        f"Host inner\n  HostName 127.0.0.1\n  Port {server.port}\n  ProxyJump outer,second\n"
        f"Host outer second\n  HostName 127.0.0.1\n  Port {gateway.port}\n"
        f"Host second\n  HostKeyAlias second\n"
    )
    know(keys, server.port, server.host_key)
    return Login("web", "inner")


def test_a_host_behind_two_gateways_is_reached(server: Sshd, gateway: Sshd, keys: Path) -> None:
    target = jump(keys, server, gateway)
    know(keys, gateway.port, gateway.host_key)
    (keys / "known_hosts").open("a").write(f"second {gateway.host_key.read_text()}")
    assert answers(connect(target, keys))


def test_an_unknown_gateway_is_refused_whichever_it_is(server: Sshd, gateway: Sshd, keys: Path) -> None:
    target = jump(keys, server, gateway)
    said = refusal(target, keys)
    assert said.startswith("web via second via outer: refused: the key of [127.0.0.1]:")
    know(keys, gateway.port, gateway.host_key)
    assert refusal(target, keys).startswith("web via second: refused: the key of second is not known")


def test_a_gateway_with_another_key_is_refused(server: Sshd, gateway: Sshd, keys: Path) -> None:
    target = jump(keys, server, gateway)
    know(keys, gateway.port, server.host_key)
    assert "has CHANGED" in refusal(target, keys)


def test_gateways_that_lead_in_a_circle_are_told(keys: Path) -> None:
    (keys / "config").write_text("Host a\n  ProxyJump b\nHost b\n  ProxyJump a\n")
    assert "ProxyJump leads in a circle" in refusal(Login("web", "a"), keys)


RELAY = """
import os, socket, sys, threading
to_host = socket.create_connection((sys.argv[1], int(sys.argv[2])))
def up():
    while data := os.read(0, 65536):
        to_host.sendall(data)
threading.Thread(target=up, daemon=True).start()
while data := to_host.recv(65536):
    os.write(1, data)
"""


def test_a_proxy_command_is_used_and_the_key_still_checked(server: Sshd, keys: Path) -> None:
    (keys / "relay.py").write_text(RELAY)
    (keys / "config").write_text(
        f"Host inner\n  HostName 127.0.0.1\n  Port {server.port}\n"
        f"  ProxyCommand {shutil.which('python3')} {keys / 'relay.py'} %h %p\n"
    )
    assert "is not known" in refusal(Login("web", "inner"), keys)
    know(keys, server.port, server.host_key)
    assert answers(connect(Login("web", "inner"), keys))


def test_a_proxy_command_that_fails_is_told_at_once(keys: Path) -> None:
    (keys / "config").write_text("Host inner\n  ProxyCommand false\n")
    assert refusal(Login("web", "inner"), keys).startswith("web: ")


def test_a_key_from_the_agent_logs_in(
    server: Sshd, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know(keys, server.port, server.host_key)
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", tmp_path / "agent"], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        while not (tmp_path / "agent").exists():
            assert agent.poll() is None
        subprocess.run(["ssh-add", "-q", keys / "id_ed25519"], check=True)
        (keys / "id_ed25519").unlink()
        assert answers(connect(login(server), keys))
    finally:
        agent.kill()
        agent.wait()


def test_what_keeps_a_login_out_is_told(
    server: Sshd, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    know(keys, server.port, server.host_key)
    other = tmp_path / "other"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", other], check=True)
    assert "no key of ours is accepted" in refusal(login(server)._replace(identity=other), keys)
    subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", keys / "id_ed25519"], check=True)
    assert "the key needs a passphrase; add it to ssh-agent" in refusal(login(server), keys)
    gone = login(server)._replace(identity=tmp_path / "gone")
    assert refusal(gone, keys) == f"web: identity {tmp_path / 'gone'}: no such file"
    (keys / "id_ed25519").unlink()
    assert "no key of ours is accepted" in refusal(login(server), keys)


def test_a_host_that_does_not_answer_is_told(keys: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        said = refusal(Login("web", "127.0.0.1", port=port), keys)
        assert re.match(rf"web: \w+@127\.0\.0\.1, port {port}: cannot connect: ", said)
    assert "no such host name" in refusal(Login("web", "no-such-host.invalid"), keys)


def test_a_line_that_says_nothing_is_given_up(keys: Path) -> None:
    (keys / "config").write_text("ConnectTimeout 1\n")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        said = refusal(Login("web", "127.0.0.1", port=silent.getsockname()[1]), keys)
    assert said.startswith("web: ")


def test_the_default_port_has_no_brackets(tmp_path: Path, server: Sshd) -> None:
    kind, key = server.host_key.read_text().split()[:2]
    (tmp_path / "known").write_text(f"other,example.org {kind} {key}\n")
    check(HostName("web", "example.org", "example.org", (tmp_path / "known",)), kind, key)
