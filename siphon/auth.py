"""Who may log in: users with passwords, tokens for scripts, their roles and limits.

All stands in one JSON file of mode 0600 beside the database: passwords as scrypt hashes, tokens as
SHA-256 of what only their owner has, and the key that logins are signed with. Who is taken out, or gets
another password, is out at their next request.
"""

import base64
import fcntl
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from siphon import private
from siphon.auth_rules import Limits
from siphon.errors import SiphonError

ROLES = ("reader", "admin")
LOGIN_MS = 30 * 86_400_000  # how long a login lasts
SHORTEST = 8  # characters of a password
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
# 32 MiB and about 0.1 s a guess.
_COST = {"n": 2**15, "r": 8, "p": 1}


class Account(msgspec.Struct, frozen=True, omit_defaults=True):
    """A user, or a token if it has an `id`. Times are UTC ms."""

    name: str
    role: str
    secret: str  # scrypt hash of the password; of a token, its SHA-256
    created_at: int
    hosts: tuple[str, ...] | None = None  # None: all
    projects: tuple[str, ...] | None = None
    id: str | None = None
    expires_at: int | None = None

    @property
    def limits(self) -> Limits | None:
        """None: may read everything."""
        if self.hosts is None and self.projects is None:
            return None
        return Limits(self.hosts, self.projects)


class Accounts(msgspec.Struct, frozen=True):
    """All of the file. `key`: hex, what logins are signed with."""

    key: str = ""
    users: tuple[Account, ...] = ()
    tokens: tuple[Account, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.users or self.tokens)


class Actor(NamedTuple):
    """Who asks. `name` is empty where nobody has to log in."""

    name: str
    role: str
    limits: Limits | None


def file_of(database: Path) -> Path:
    """Where the accounts of a database stand."""
    return database.with_name(f"{database.stem}.auth.json")


def load(file: Path) -> Accounts:
    """The accounts; none if there is no file. Raises SiphonError if others can read it, or none can."""
    try:
        with file.open("rb") as opened:
            if os.fstat(opened.fileno()).st_mode & 0o077:
                raise SiphonError(f"{file}: other users of this machine can read it; chmod 600 {file}")
            return msgspec.json.decode(opened.read(), type=Accounts)
    except FileNotFoundError:
        return Accounts()
    except OSError as error:
        raise SiphonError(f"{file}: {error.strerror}; nobody can log in") from None
    except msgspec.DecodeError as error:
        raise SiphonError(
            f"{file}: cannot be read: {error}; restore it, or delete it to begin anew"
        ) from None


def change(file: Path, how: Callable[[Accounts], Accounts]) -> None:
    """Replace the file by what `how` makes of it; two who change it at once wait for each other."""
    private.folder(file.parent)
    lock = private.book(file.with_name(f"{file.name}.lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = load(file)
        after = how(before if before.key else msgspec.structs.replace(before, key=secrets.token_hex(32)))
        part = file.with_name(f"{file.name}.part")
        part.unlink(missing_ok=True)
        with private.create(part) as writing:
            writing.write(msgspec.json.format(msgspec.json.encode(after)) + b"\n")
        private.sync([part])
        part.replace(file)
        private.sync([file.parent])
    finally:
        os.close(lock)


def check_name(name: str) -> str:
    """The name; raises SiphonError if it is none."""
    if not _NAME.fullmatch(name):
        raise SiphonError(f"{name!r} is no name; use up to 64 letters, digits, '.', '_', '-', '@'")
    return name


def add_user(file: Path, user: Account, password: str) -> None:
    """Raises SiphonError if the name is taken or the password too short."""
    check_name(user.name)
    if len(password) < SHORTEST:
        raise SiphonError(f"the password is too short; take {SHORTEST} characters or more")
    made = msgspec.structs.replace(user, secret=scrambled(password))

    def added(now: Accounts) -> Accounts:
        if any(one.name == made.name for one in now.users):
            raise SiphonError(f"{made.name!r} is there already; `siphon auth remove {made.name}` first")
        return msgspec.structs.replace(now, users=(*now.users, made))

    change(file, added)


def add_token(file: Path, token: Account) -> str:
    """The token's text, which is nowhere kept."""
    check_name(token.name)
    id_, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
    made = msgspec.structs.replace(token, id=id_, secret=_digest(secret))
    change(file, lambda now: msgspec.structs.replace(now, tokens=(*now.tokens, made)))
    return f"siphon_{id_}_{secret}"


def remove(file: Path, name: str) -> list[Account]:
    """Take out the user of that name, or tokens of that name or id. Raises SiphonError for none."""
    gone: list[Account] = []

    def without(now: Accounts) -> Accounts:
        gone.extend(one for one in (*now.users, *now.tokens) if name in (one.name, one.id))
        if not gone:
            raise SiphonError(f"no user and no token {name!r}; `siphon auth list` shows them")
        users = tuple(one for one in now.users if one not in gone)
        tokens = tuple(one for one in now.tokens if one not in gone)
        return msgspec.structs.replace(now, users=users, tokens=tokens)

    change(file, without)
    return gone


def scrambled(password: str) -> str:
    """The password's hash, with its salt."""
    salt = secrets.token_bytes(16)
    return f"scrypt${_encoded(salt)}${_encoded(_scrypt(password, salt))}"


def matches(password: str, secret: str) -> bool:
    """Whether the password has this hash; takes 0.1 s."""
    _, salt, wanted = secret.split("$")
    return hmac.compare_digest(_scrypt(password, _decoded(salt)), _decoded(wanted))


def _scrypt(password: str, salt: bytes) -> bytes:
    data = password.encode(errors="surrogatepass")
    return hashlib.scrypt(data, salt=salt, maxmem=2**26, dklen=32, **_COST)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# A user who does not exist takes as long to refuse as one who does.
_NOBODY = scrambled(secrets.token_hex(16))


def by_password(accounts: Accounts, name: str, password: str) -> Account | None:
    """The user, if that is their password; takes 0.1 s either way."""
    user = next((one for one in accounts.users if one.name == name), None)
    right = matches(password, user.secret if user else _NOBODY)
    return user if right else None


def by_token(accounts: Accounts, text: str, now: int) -> Account | None:
    """Whose token it is, if it holds at `now`."""
    start, _, rest = text.partition("_")
    id_, _, secret = rest.partition("_")
    for one in accounts.tokens if start == "siphon" else ():
        if one.id == id_ and hmac.compare_digest(one.secret, _digest(secret)):
            return one if one.expires_at is None or now < one.expires_at else None
    return None


def login(accounts: Accounts, user: Account, now: int) -> str:
    """The cookie of a login: its text holds a name and an end, signed."""
    said = f"{_encoded(user.name.encode())}.{now + LOGIN_MS}"
    return f"{said}.{_signature(accounts, user, said)}"


def by_login(accounts: Accounts, cookie: str, now: int) -> Account | None:
    """Whose login it is, if it holds at `now`."""
    said, _, signature = cookie.rpartition(".")
    name, _, end = said.partition(".")
    for user in accounts.users:
        if _encoded(user.name.encode()) == name and end.isdecimal() and now < int(end[:18]):
            return user if hmac.compare_digest(signature, _signature(accounts, user, said)) else None
    return None


def _signature(accounts: Accounts, user: Account, said: str) -> str:
    # Of the password's hash too: another password ends every login.
    key = f"{accounts.key}{user.secret}".encode()
    return hmac.digest(key, said.encode(), "sha256").hex()


def actor(account: Account) -> Actor:
    return Actor(account.name, account.role, account.limits)


def as_json(account: Account) -> Mapping[str, object]:
    """What may be shown of it."""
    return {
        "kind": "user" if account.id is None else "token",
        "name": account.name,
        "id": account.id,
        "role": account.role,
        "hosts": account.hosts,
        "projects": account.projects,
        "created_at": account.created_at,
        "expires_at": account.expires_at,
    }
