"""What a login shows to be let in: keys on disk with their certificates, then those of the agent."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import paramiko
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_ssh_private_key
from paramiko.pkey import PublicBlob


class Keys(NamedTuple):
    """What may be shown, in this order."""

    user: str
    identities: tuple[Path, ...]  # private keys; of one the agent holds, NAME.pub is enough
    certificates: tuple[Path, ...]  # besides NAME-cert.pub
    only: bool  # no keys of the agent but these
    agent: str | None  # its socket; None: as SSH_AUTH_SOCK says; "none": none is asked

    def authenticate(self, transport: paramiko.Transport) -> list[str]:
        """Log in, as paramiko asks for it. Raises what keeps the login out."""
        locked: list[Path] = []
        for key in self._all(locked):
            try:
                more = transport.auth_publickey(self.user, key)
            except paramiko.AuthenticationException:
                if not transport.is_active():
                    raise
                continue
            if not more:
                return []
        if locked:
            raise paramiko.PasswordRequiredException(str(locked[0]))
        raise paramiko.AuthenticationException("no key of ours is accepted")

    def _all(self, locked: list[Path]) -> Iterator[paramiko.PKey]:
        """The keys, each first with its certificates; those that need a passphrase are noted."""
        shown: set[bytes] = set()
        for path in self.identities:
            try:
                key = _plain(path)
            except (paramiko.PasswordRequiredException, TypeError):
                locked.append(path)
                continue
            except (paramiko.SSHException, ValueError, OSError):
                continue  # a public half alone, or of a kind that is not known
            shown.add(key.asbytes())
            yield from _certified(key, [Path(f"{path}-cert.pub"), *self.certificates])
            yield key
        named = {blob for path in self.identities if (blob := _public(path)) is not None}
        for held in self._of_agent():
            blob = held.asbytes()
            if blob in shown or (self.only and blob not in named):
                continue
            own = [Path(f"{path}-cert.pub") for path in self.identities if _public(path) == blob]
            yield from _certified(held, [*own, *self.certificates])
            yield held

    def _of_agent(self) -> Sequence[paramiko.PKey]:
        if self.agent == "none":
            return []
        with _socket(self.agent):
            return paramiko.Agent().get_keys()


def _plain(path: Path) -> paramiko.PKey:
    """The private key itself: paramiko would show it as its certificate only, where there is one."""
    try:
        key: paramiko.PKey = paramiko.PKey.from_path(path)
    except paramiko.PasswordRequiredException:
        raise
    except paramiko.SSHException:  # it cannot read some ECDSA keys that OpenSSH writes
        private = load_ssh_private_key(path.read_bytes(), None)
        if not isinstance(private, EllipticCurvePrivateKey):
            raise
        key = paramiko.ECDSAKey(vals=(private, private.public_key()))
    key.public_blob = None
    return key


def _certified(key: paramiko.PKey, files: Sequence[Path]) -> Iterator[paramiko.PKey]:
    """The key shown as each of the certificates that are for it, while the caller looks at it."""
    for file in files:
        blob = _certificate(file)
        if blob is None or key.asbytes()[_skip(key.asbytes()) :] not in blob.key_blob:
            continue
        key.public_blob = blob
        yield key
        key.public_blob = None


def _certificate(file: Path) -> PublicBlob | None:
    try:
        blob = PublicBlob.from_file(str(file))
    except (OSError, ValueError):
        return None
    return blob if "-cert-" in blob.key_type else None


def _skip(blob: bytes) -> int:
    """Where what is the key's own begins: after the name of its kind."""
    return 4 + int.from_bytes(blob[:4], "big")


def _public(path: Path) -> bytes | None:
    """The public half beside a private key."""
    try:
        blob: bytes = PublicBlob.from_file(f"{path}.pub").key_blob
    except (OSError, ValueError):
        return None
    return blob


@contextmanager
def _socket(path: str | None) -> Iterator[None]:
    """paramiko looks for the agent in the environment and nowhere else."""
    before = os.environ.get("SSH_AUTH_SOCK")
    if path is not None:
        os.environ["SSH_AUTH_SOCK"] = path
    try:
        yield
    finally:
        if path is not None:
            os.environ.pop("SSH_AUTH_SOCK")
        if path is not None and before is not None:
            os.environ["SSH_AUTH_SOCK"] = before
