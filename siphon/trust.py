"""Accepting a host's key: into known_hosts, as ssh itself would write it, for those it replaces."""

import base64
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from siphon.errors import SiphonError
from siphon.knownhosts import KnownKey, StrangerError
from siphon.ssh import Login, connect
from siphon.sshconfig import ssh_config

_SALT_BYTES = 20


def stranger(login: Login, folder: Path) -> StrangerError | None:
    """The first key on the way to a host, gateways included, that is not known; None: all are.

    Nothing is sent to a stranger: keys are looked at before the login. Raises SiphonError where no key
    is shown at all, or one that is revoked.
    """
    try:
        connect(login, folder).close()
    except StrangerError as error:
        return error
    return None


def accept(found: StrangerError, folder: Path) -> Path:
    """Write the key down, in place of those it replaces; the file. Raises SiphonError if that fails."""
    file = found.host.files[0]
    for other in {line.file for line in found.known}:
        _forget(other, [line for line in found.known if line.file == other], found)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = f"{_name(found, folder)} {found.kind} {found.key}\n"
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "rb+") as known:
            size = known.seek(0, os.SEEK_END)
            ended = size == 0 or os.pread(known.fileno(), 1, size - 1) == b"\n"
            known.write((line if ended else "\n" + line).encode())
    except OSError as error:
        raise SiphonError(f"{file}: cannot be written: {error.strerror}") from error
    return file


def _name(found: StrangerError, folder: Path) -> str:
    """How the host is to be called there: hashed, if ssh_config asks for it."""
    name = found.host.known_as
    if str(ssh_config(folder).lookup(name).get("hashknownhosts", "no")).lower() != "yes":
        return name
    salt = secrets.token_bytes(_SALT_BYTES)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def _forget(file: Path, lines: Sequence[KnownKey], found: StrangerError) -> None:
    """Take lines out of a file, or only this host's name out of them."""
    numbers = {line.line: _without(line, found.host.known_as) for line in lines}
    try:
        before = file.read_bytes().split(b"\n")
        after = [
            kept
            for number, line in enumerate(before, 1)
            if (kept := numbers.get(number, line)) is not None
        ]
        new = file.with_name(f"{file.name}.siphon-{os.getpid()}")
        new.write_bytes(b"\n".join(after))
        new.chmod(file.stat().st_mode & 0o777)
        new.replace(file)
    except OSError as error:
        raise SiphonError(f"{file}: cannot be written: {error.strerror}") from error


def _without(line: KnownKey, name: str) -> bytes | None:
    """The line for the other hosts it names; None: there are none. Raises SiphonError for patterns."""
    names = line.names.split(",")
    others = [each for each in names if each.lower() != name]
    if len(others) == len(names) and not line.names.startswith("|1|"):
        raise SiphonError(
            f"{line.file}:{line.line}: {line.names!r} is a pattern for several hosts; change it by hand"
        )
    if not others or line.names.startswith("|1|"):
        return None
    return f"{','.join(others)} {line.kind} {line.key}".encode()
