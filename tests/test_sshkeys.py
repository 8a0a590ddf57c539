"""What a login shows: keys, certificates, and what an agent holds."""

import getpass
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from siphon.errors import SiphonError
from siphon.ssh import Login, connect
from sshd import Sshd, know, running_sshd


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keygen(tmp_path_factory.mktemp("authority") / "ca")


@pytest.fixture(scope="module")
def server(authority: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    """Knows no key, but whom the authority certifies."""
    options = [f"TrustedUserCAKeys {authority}.pub", "AuthorizedKeysFile none"]
    with running_sshd(tmp_path_factory.mktemp("server"), *options) as sshd:
        yield sshd


@pytest.fixture
def keys(server: Sshd, tmp_path: Path) -> Path:
    """A ~/.ssh that knows the server."""
    folder = tmp_path / "home" / ".ssh"
    folder.mkdir(parents=True)
    know(folder, server.port, server.host_key)
    return folder


def keygen(path: Path, *options: str) -> Path:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", *options, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def certify(authority: Path, key: Path, valid: str = "+1h") -> Path:
    """The certificate, which lies beside the key."""
    command = ["ssh-keygen", "-q", "-s", authority, "-I", "test", "-n", getpass.getuser(), "-V", valid]
    subprocess.run([*command, f"{key}.pub"], check=True)
    return Path(f"{key}-cert.pub")


@contextmanager
def agent(socket: Path, *held: Path) -> Iterator[None]:
    with subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL) as process:
        while not socket.exists():
            assert process.poll() is None
        for key in held:
            environ = {"SSH_AUTH_SOCK": str(socket)}
            subprocess.run(["ssh-add", "-q", key], env=environ, check=True, capture_output=True)
        yield
        process.kill()


def let_in(server: Sshd, keys: Path, **changes: object) -> bool:
    login = Login("web", "127.0.0.1", port=server.port)._replace(**changes)
    try:
        connect(login, keys).close()
    except SiphonError as error:
        assert "no key of ours is accepted" in str(error)
        return False
    return True


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_certificate_beside_its_key_lets_in(
    kind: str, server: Sshd, keys: Path, authority: Path
) -> None:
    key = keygen(keys / f"id_{kind}", "-t", kind)
    assert not let_in(server, keys)
    certify(authority, key)
    assert let_in(server, keys)


def test_a_certificate_that_ssh_config_names_lets_in(server: Sshd, keys: Path, authority: Path) -> None:
    key = keygen(keys / "id_ed25519")
    certify(authority, key).rename(keys / "elsewhere")
    assert not let_in(server, keys)
    (keys / "config").write_text("CertificateFile ~/.ssh/elsewhere\n")
    assert let_in(server, keys)
    other = keygen(keys / "other")
    assert not let_in(server, keys, identity=other)  # it certifies another key


def test_a_key_that_is_known_is_let_in_though_its_certificate_has_expired(
    authority: Path, keys: Path, tmp_path: Path
) -> None:
    with running_sshd(tmp_path / "sshd", f"TrustedUserCAKeys {authority}.pub") as sshd:
        key = shutil.copy(sshd.folder / "id_ed25519", keys / "id_ed25519")
        shutil.copy(sshd.folder / "id_ed25519.pub", keys)
        certify(authority, Path(key), "-2h:-1h")
        know(keys, sshd.port, sshd.host_key)
        assert let_in(sshd, keys)


def test_a_certificate_that_the_agent_holds_lets_in(
    server: Sshd, keys: Path, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keygen(tmp_path / "key")
    certify(authority, key)
    with agent(tmp_path / "agent", key):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        assert let_in(server, keys)


def test_a_key_of_the_agent_is_shown_with_the_certificate_on_disk(
    server: Sshd, keys: Path, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As hardware keys do it: the private half is in the agent alone."""
    key = keygen(tmp_path / "key")
    with agent(tmp_path / "agent", key):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        assert not let_in(server, keys)
        shutil.copy(tmp_path / "key.pub", keys / "hardware.pub")
        certify(authority, keys / "hardware")
        assert let_in(server, keys, identity=keys / "hardware")


def test_the_agent_that_ssh_config_names_is_asked_and_none_where_it_says_none(
    server: Sshd, keys: Path, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    key = keygen(tmp_path / "key")
    certify(authority, key)
    with agent(tmp_path / "agent", key):
        (keys / "config").write_text(f"IdentityAgent {tmp_path / 'agent'}\n")
        assert let_in(server, keys)
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        (keys / "config").write_text("IdentityAgent none\n")
        assert not let_in(server, keys)


def test_with_identities_only_the_agent_shows_no_other_key(
    server: Sshd, keys: Path, authority: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keygen(tmp_path / "key")
    certify(authority, key)
    with agent(tmp_path / "agent", key):
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
        (keys / "config").write_text("IdentitiesOnly yes\n")
        assert not let_in(server, keys)
        shutil.copy(tmp_path / "key.pub", keys / "id_ed25519.pub")
        shutil.copy(tmp_path / "key-cert.pub", keys / "id_ed25519-cert.pub")
        assert let_in(server, keys)
