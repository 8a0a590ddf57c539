"""Known host keys: which keys the user has accepted for a host, and what to say about any other.

Reads OpenSSH's known_hosts: patterns, hashed names, ports and @revoked lines. Keys of certificate
authorities are passed over: a host that shows a certificate is asked for its plain key.
"""

import base64
import hashlib
import hmac
import shlex
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from siphon.errors import SiphonError


class KnownKey(NamedTuple):
    """One line of a known_hosts file."""

    file: Path
    line: int  # from 1
    revoked: bool
    names: str  # as it stands there: patterns, comma separated, or a hash
    kind: str
    key: str  # base64

    @property
    def fingerprint(self) -> str:
        """As ssh prints it."""
        return fingerprint(self.kind, self.key)


class HostName(NamedTuple):
    """What a host is called in known_hosts, and where its key is to be looked for."""

    name: str  # in siphon.yml
    known_as: str  # alias, host or [host]:port
    plain: str  # without the port: ssh accepts a key listed so
    files: tuple[Path, ...]  # the first is the one to add to


def known_keys(host: HostName) -> list[KnownKey]:
    """The lines about this host, under its full name, else under its name without the port."""
    lines = [key for file in host.files for key in _lines(file)]
    exact = [key for key in lines if _names(key.names, host.known_as)]
    return exact or [key for key in lines if _names(key.names, host.plain)]


class StrangerError(SiphonError):
    """A host, or a gateway, showed a key that is not known for it."""

    def __init__(self, host: HostName, kind: str, key: str, known: Sequence[KnownKey]) -> None:
        self.host = host
        self.kind = kind
        self.key = key
        self.known = known  # keys that are known for just this name: it is another now
        super().__init__(_changed(self) if known else _unknown(self))

    @property
    def fingerprint(self) -> str:
        """As ssh prints it."""
        return fingerprint(self.kind, self.key)


def check(host: HostName, kind: str, key: str) -> None:
    """Pass a key (base64) that is known. Raises StrangerError for any other, SiphonError if revoked."""
    known = known_keys(host)
    for line in known:
        if line.revoked and line.key == key:
            raise SiphonError(
                f"{host.name}: refused: its key {fingerprint(kind, key)} is revoked in {_at(line)}"
            )
    accepted = [line for line in known if not line.revoked]
    if any((line.kind, line.key) == (kind, key) for line in accepted):
        return
    exact = [line for line in accepted if _names(line.names, host.known_as)]
    raise StrangerError(host, kind, key, exact)


def fingerprint(kind: str, key: str) -> str:
    """As ssh prints it: kind and SHA256."""
    digest = hashlib.sha256(base64.b64decode(key)).digest()
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _unknown(stranger: StrangerError) -> str:
    host = stranger.host
    return (
        f"{host.name}: refused: the key of {host.known_as} is not known: {stranger.fingerprint}; "
        f"if that is the machine's own (ssh-keygen -lf there), accept it: {_accept(host)}"
    )


def _changed(stranger: StrangerError) -> str:
    host = stranger.host
    old = next((line for line in stranger.known if line.kind == stranger.kind), stranger.known[0])
    return (
        f"{host.name}: refused: the key of {host.known_as} has CHANGED: it is {stranger.fingerprint}, "
        f"known is {old.fingerprint} ({_at(old)}); someone may listen in between. If the "
        f"machine was set up anew, accept it: {_accept(host)}"
    )


def _accept(host: HostName) -> str:
    # A gateway is called NAME via GATEWAY.
    return f"siphon hosts trust {shlex.quote(host.name.partition(' via ')[0])}"


def _at(line: KnownKey) -> str:
    return f"{line.file}:{line.line}"


def _lines(file: Path) -> list[KnownKey]:
    try:
        text = file.read_text(errors="replace")
    except OSError:
        return []  # there is none, or not for us: its keys are not known
    found = (_parsed(file, number, line) for number, line in enumerate(text.split("\n"), 1))
    return [key for key in found if key is not None]


def _parsed(file: Path, number: int, line: str) -> KnownKey | None:
    words = line.split()
    marker = words.pop(0) if words and words[0].startswith("@") else ""
    if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked"):
        return None
    try:
        base64.b64decode(words[2], validate=True)
    except ValueError:
        return None
    return KnownKey(file, number, marker == "@revoked", words[0], words[1], words[2])


def _names(patterns: str, name: str) -> bool:
    """Whether a line's first column means this name; one that matches with `!` rules it out."""
    if patterns.startswith("|1|"):
        return _hashed(patterns, name)
    matched = False
    for pattern in patterns.lower().split(","):
        if _fits(pattern.removeprefix("!"), name):
            if pattern.startswith("!"):
                return False
            matched = True
    return matched


def _fits(pattern: str, name: str) -> bool:
    # Only * and ? are wild: the brackets of [host]:port stand for themselves.
    return fnmatchcase(name, pattern.replace("[", "[[]"))


def _hashed(column: str, name: str) -> bool:
    _, _, salt, digest = column.split("|", 3)
    try:
        wanted = hmac.digest(base64.b64decode(salt), name.encode(), "sha1")
        return hmac.compare_digest(wanted, base64.b64decode(digest))
    except ValueError:
        return False
