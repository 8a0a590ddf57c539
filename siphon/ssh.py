"""SSH through Fabric, made strict: a host, or a gateway to it, whose key is not known is refused.

Fabric alone accepts any key: it never reads known_hosts.
"""

import logging
import os
import re
import socket
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import fabric
import paramiko
from paramiko.config import SSHConfig

from siphon.config import HostConfig
from siphon.errors import SiphonError
from siphon.knownhosts import HostName, check, known_keys
from siphon.sshconfig import SYSTEM, ssh_config
from siphon.sshkeys import Keys

logging.getLogger("paramiko").addHandler(logging.NullHandler())  # else its tracebacks reach the user
CONNECT_SECONDS = 15
ALIVE_SECONDS = 15  # between signs of life
_DEAD_AFTER = 4  # of them without an answer
_MOST_HOPS = 8
_USUAL_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
_HOP = re.compile(r"(?:ssh://)?(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:]+)(?::(?P<port>\d+))?/?")


class Login(NamedTuple):
    """How to reach one machine, as siphon.yml or a ProxyJump names it."""

    name: str  # for messages
    host: str  # name, address or alias
    user: str | None = None
    port: int | None = None
    identity: Path | None = None
    timeout: int | None = None  # seconds to connect in
    keepalive: int | None = None  # seconds between signs of life


class StrictConnection(fabric.Connection):  # type: ignore[misc]  # fabric has no types
    """Fabric's connection, but to hosts whose keys are known, through gateways whose keys are known."""

    def __init__(
        self, login: Login, folder: Path, config: SSHConfig, jumps: tuple[str, ...] = ()
    ) -> None:
        """`folder` is the user's ~/.ssh; `jumps`, if any, are the gateways instead of ssh_config's."""
        self._set(login=login, folder=folder, jumps=jumps, sockets=[])
        super().__init__(
            login.host,
            user=login.user,
            port=login.port,
            config=fabric.Config(ssh_config=config, lazy=True),
        )
        self._set(host_name=self._host_name())
        self._set(connect_timeout=login.timeout or self.connect_timeout or CONNECT_SECONDS)
        self.connect_kwargs = self._arguments()
        self.client.set_missing_host_key_policy(_OnlyKnown(self.host_name))

    @property
    def wire(self) -> int:
        """Bytes sent and received so far."""
        return sum(each.count for each in self.sockets)

    def get_gateway(self) -> "StrictConnection | str | None":
        """The next hop: a strict connection, a ProxyCommand, or none."""
        hops = self.jumps or self._configured_jumps()
        if not hops:
            command = self.ssh_config.get("proxycommand")
            return str(command) if command else None
        login = _login(self.login.name, hops[-1])
        if login.host in (self.host, self.original_host):
            return None  # `Host *` gave the gateway itself as its gateway
        if self.login.name.count(" via ") >= _MOST_HOPS:
            raise SiphonError(f"{self.login.name}: ProxyJump leads in a circle; see ssh_config")
        login = login._replace(timeout=self.login.timeout, keepalive=self.login.keepalive)
        return StrictConnection(login, self.folder, self.config.base_ssh_config, hops[:-1])

    def close(self) -> None:
        """Hang up, also at the gateways."""
        super().close()
        if isinstance(self.gateway, StrictConnection):
            self.gateway.close()

    def _configured_jumps(self) -> tuple[str, ...]:
        jump = str(self.ssh_config.get("proxyjump", "none"))
        return () if jump.lower() == "none" else tuple(hop.strip() for hop in jump.split(","))

    def _host_name(self) -> HostName:
        host = str(self.host).lower()
        alias = self.ssh_config.get("hostkeyalias")
        known_as = alias or (host if self.port == 22 else f"[{host}]:{self.port}")
        usual = ("known_hosts", "known_hosts2")
        user = self._files("userknownhostsfile", (self.folder / name for name in usual))
        system = self._files("globalknownhostsfile", (SYSTEM / f"ssh_{name}" for name in usual))
        return HostName(self.login.name, known_as, alias or host, (*user, *system))

    def _files(self, option: str, usual: Iterable[Path]) -> list[Path]:
        if option not in self.ssh_config:
            return list(usual)
        return [self._path(word) for word in str(self.ssh_config[option]).split() if word != "none"]

    def _path(self, text: str) -> Path:
        home: Path = self.folder.parent
        return home / text[2:] if text.startswith("~/") else home / text

    def _arguments(self) -> dict[str, Any]:
        return {
            "auth_strategy": self._keys(),
            "banner_timeout": self.connect_timeout,
            "auth_timeout": 2 * self.connect_timeout,
            "channel_timeout": 2 * self.connect_timeout,
            "transport_factory": self._transport,
        }

    def _keys(self) -> Keys:
        agent = self.ssh_config.get("identityagent")
        if agent is not None and agent.lower() == "none":
            agent = "none"
        elif agent is not None:
            agent = None if agent == "SSH_AUTH_SOCK" else str(self._path(agent))
        return Keys(
            user=self.user,
            identities=tuple(self._identities()),
            certificates=tuple(self._files("certificatefile", ())),
            only=str(self.ssh_config.get("identitiesonly", "no")).lower() == "yes",
            agent=agent,
        )

    def _identities(self) -> list[Path]:
        key = self.login.identity
        if key is not None:
            if not key.is_file() and not Path(f"{key}.pub").is_file():
                raise SiphonError(f"{self.login.name}: identity {key}: no such file")
            return [key]
        configured = self.ssh_config.get("identityfile", [])
        return [self._path(text) for text in configured] or [self.folder / name for name in _USUAL_KEYS]

    @property
    def _alive_seconds(self) -> int:
        configured = str(self.ssh_config.get("serveraliveinterval", ""))
        said = int(configured) if configured.isdecimal() else 0
        return self.login.keepalive or said or ALIVE_SECONDS

    def _transport(self, sock: Any, **options: Any) -> paramiko.Transport:
        """Asks for the kind of key that is known, watches for a dead line, counts what passes."""
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                dead = _DEAD_AFTER * self._alive_seconds * 1000
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, dead)
        counted = _Counted(sock)
        self.sockets.append(counted)
        transport = paramiko.Transport(counted, **options)  # type: ignore[arg-type]  # any such object
        transport.set_keepalive(self._alive_seconds)
        kinds = {kind for line in known_keys(self.host_name) for kind in _algorithms(line.kind)}
        security = transport.get_security_options()
        security.key_types = sorted(security.key_types, key=lambda kind: kind not in kinds)
        return transport


class _OnlyKnown(paramiko.MissingHostKeyPolicy):
    """Asked about every key, as Fabric's client is given no known_hosts of its own."""

    def __init__(self, host_name: HostName) -> None:
        self.host_name = host_name

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002
        check(self.host_name, key.get_name(), key.get_base64())


class _Counted:
    """A socket, or what Fabric uses as one, that counts the bytes it moves."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.count = 0

    def send(self, data: bytes) -> int:
        sent = int(self._sock.send(data))
        self.count += sent
        return sent

    def recv(self, size: int) -> bytes:
        try:
            data = bytes(self._sock.recv(size))
        except TimeoutError:
            process = getattr(self._sock, "process", None)
            if process is None or process.poll() is None:
                raise
            return b""  # the ProxyCommand has ended, which paramiko does not notice
        self.count += len(data)
        return data

    def close(self) -> None:
        with suppress(ProcessLookupError):  # a ProxyCommand that has ended
            self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


def login_of(host: HostConfig) -> Login:
    """How siphon.yml says to reach a host."""
    where = host.ssh or host.name
    return Login(host.name, where, host.user, host.port, host.identity, host.timeout, host.keepalive)


def connect(login: Login, folder: Path) -> StrictConnection:
    """An open connection. Raises SiphonError saying what keeps it from opening; close it in the end."""
    connection = StrictConnection(login, folder, ssh_config(folder))
    try:
        connection.open()
    except (paramiko.SSHException, OSError, EOFError) as error:
        reason = _reason(connection, error)
        connection.close()
        raise SiphonError(reason) from error
    except BaseException:
        connection.close()
        raise
    return connection


def _reason(connection: StrictConnection, error: Exception) -> str:
    at = f"{connection.user}@{connection.host}, port {connection.port}"
    if connection.gateway:
        at += " (through a gateway)"
    name = connection.login.name
    if isinstance(error, paramiko.PasswordRequiredException):
        return f"{name}: {at}: the key needs a passphrase; add it to ssh-agent with ssh-add"
    transport = connection.client.get_transport()
    if transport is not None and transport.is_active() and not transport.is_authenticated():
        return f"{name}: {at}: no key of ours is accepted; name one with 'identity:', or see ssh-add -l"
    if isinstance(error, socket.gaierror):
        return f"{name}: {at}: no such host name: {error.strerror}"
    if isinstance(error, paramiko.ssh_exception.NoValidConnectionsError):
        tried = [each for each in error.errors.values() if isinstance(each, OSError) and each.errno]
        reasons = {os.strerror(each.errno or 0) for each in tried}
        return f"{name}: {at}: cannot connect: {', '.join(sorted(reasons)).lower()}"
    if isinstance(error, TimeoutError):
        return f"{name}: {at}: no answer within {connection.connect_timeout} seconds"
    return f"{name}: {at}: cannot connect: {error or type(error).__name__}"


def _login(name: str, hop: str) -> Login:
    """A hop of a ProxyJump: [user@]host[:port]."""
    match = _HOP.fullmatch(hop)
    if match is None:
        raise SiphonError(f"{name}: ProxyJump {hop!r}: [user@]host[:port] is right")
    port = match["port"]
    return Login(
        f"{name} via {hop}", match["host"].strip("[]"), match["user"], int(port) if port else None
    )


def _algorithms(kind: str) -> tuple[str, ...]:
    """The algorithms under which a host may show a key of this kind."""
    return ("rsa-sha2-512", "rsa-sha2-256", "ssh-rsa") if kind == "ssh-rsa" else (kind,)
