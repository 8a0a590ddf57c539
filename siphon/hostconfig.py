"""One host of siphon.yml: which way leads to it, and how much of it is collected, and when."""

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from siphon.bucket import KEYS as BUCKETS
from siphon.bucket import Bucket, bucket
from siphon.sources import sources
from siphon.yamlnodes import (
    Place,
    boolean,
    duration,
    fail,
    integer,
    items,
    mapping,
    names,
    size,
    text,
)

HOST_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\$?")
_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?\s*-\s*(\d{1,2})(?::(\d\d))?")
_YEAR = 366 * 24 * 3600


class HostConfig(NamedTuple):
    """A host: a home directory on this machine (`home`), or what `ssh` or a `command` leads to."""

    name: str
    home: Path | None = None  # on this machine
    ssh: str | None = None  # host name or ssh_config alias
    port: int | None = None
    user: str | None = None
    identity: Path | None = None  # private key
    remote_home: str | None = None  # None: where the login lands
    sources: tuple[str, ...] | None = None  # None: all
    enabled: bool = True
    command: tuple[str, ...] | None = None  # gives a shell, there if `ssh` is named, too, else here
    homes: tuple[str, ...] | None = None  # many homes: patterns of folders, and names of users
    sudo: bool = False  # read each of `homes` as the user it belongs to
    timeout: int | None = None  # seconds to connect in; None: as ssh_config says, else 15
    keepalive: int | None = None  # seconds between signs of life; None: as ssh_config says, else 15
    limit: int | None = None  # bytes a run
    paths: tuple[str, ...] = ()  # globs below the home: nothing else is collected; none: everything
    skip_paths: tuple[str, ...] = ()  # globs below the home: never collected
    every: int | None = None  # seconds between two collects; None: each time
    hours: tuple[tuple[int, int], ...] = ()  # from, to: minutes of the day, here; none: at any hour
    bucket: Bucket | None = None  # that machines push to
    git: bool = False  # note the commits in the folders that its logs name
    inbox: Path | None = None  # a folder on this machine that others push to

    @property
    def transport(self) -> str:
        """The way to it, as siphon/transports.py calls it."""
        ways = ("ssh", "command", "bucket", "inbox")
        return next((key for key in ways if getattr(self, key) is not None), "home")


class Folders(NamedTuple):
    """Where paths of the configuration begin."""

    home: Path  # the user's
    data: Path  # the user's, for siphon
    here: Path  # where relative paths begin


class _Reader(NamedTuple):
    """What a host's keys are read with."""

    name: str
    place: Place
    values: Mapping[str, Place]
    folders: Folders

    def get(self, key: str, read: Callable[..., Any], *bounds: Any) -> Any:
        """The value of a key; None if it is left out."""
        return read(self.values[key], *bounds) if key in self.values else None


# Keys of each way to a host, besides those of all. The first of these that is named is the way.
_WAYS = {
    "ssh": ("port", "user", "identity", "home", "homes", "sudo", "command", "timeout", "keepalive"),
    "command": ("home", "homes"),
    "home": (),
    "homes": ("sudo",),
    **BUCKETS,
    "inbox": (),
}
_OF_ALL = ("sources", "enabled", "limit", "paths", "skip_paths", "every", "hours", "git")


def hosts(place: Place, folders: Folders) -> tuple[HostConfig, ...]:
    """The hosts that `hosts:` names."""
    found: dict[str, HostConfig] = {}
    for name, value in mapping(place).items():
        if not HOST_NAME.fullmatch(name):
            raise fail(
                value, f"host {name!r}: a host's name is made of letters, digits, '.', '_' and '-'"
            )
        if name.lower() in found:
            other = found[name.lower()].name
            raise fail(value, f"host {name!r} differs from host {other!r} in case only; rename one")
        found[name.lower()] = _host(name, value, folders)
    if not found:
        raise fail(place, "no hosts; name one, or leave 'hosts' out to collect this machine")
    return tuple(found.values())


def path_of(text: str, home: Path, folder: Path) -> Path:
    """An absolute path; `~` is the user's home, a relative one begins in `folder`."""
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return folder / text


def _host(name: str, place: Place, folders: Folders) -> HostConfig:
    known = dict.fromkeys((*_WAYS, *(key for keys in _WAYS.values() for key in keys), *_OF_ALL))
    values = mapping(place, tuple(known))
    way = next((way for way in _WAYS if way in values), None)
    if way is None and not values.keys() - set(_OF_ALL):
        raise fail(
            place,
            f"host {name!r} needs 'home: PATH' (on this machine), 'ssh: [user@]HOST', "
            "'command: WORDS' or 'homes: /home/*'",
        )
    _check_keys(name, values, way)
    read = _Reader(name, place, values, folders)
    host = HostConfig(
        name,
        sources=read.get("sources", known_sources),
        enabled=read.get("enabled", boolean) is not False,
        limit=read.get("limit", size),
        paths=read.get("paths", _globs) or (),
        skip_paths=read.get("skip_paths", _globs) or (),
        every=read.get("every", duration, 1, _YEAR),
        hours=read.get("hours", _hours) or (),
        git=read.get("git", boolean) is True,
        homes=read.get("homes", _homes),
        sudo=read.get("sudo", boolean) is True,
    )
    return _READERS[way or "home"](host, read)


def _check_keys(name: str, values: Mapping[str, Place], way: str | None) -> None:
    for key, value in values.items():
        if key in _OF_ALL or key == way or key in _WAYS.get(way or "", ()):
            continue
        ways = [each for each, keys in _WAYS.items() if key in keys]
        if way is None or key not in _WAYS:
            first = f"add '{ways[0]}: …'" if ways[0] != "ssh" else "add 'ssh: HOST'"
            raise fail(value, f"host {name!r}: {key!r} goes with {_either(ways)}; {first} or drop it")
        raise fail(value, f"host {name!r} has both {way!r} and {key!r}; drop one")
    if "sudo" in values and "homes" not in values:
        raise fail(values["sudo"], f"host {name!r}: 'sudo' goes with 'homes'; add it or drop 'sudo'")
    if "sudo" in values and "command" in values:
        raise fail(values["sudo"], f"host {name!r}: a 'command' holds its own sudo; drop 'sudo'")
    if "home" in values and "homes" in values:
        raise fail(values["homes"], f"host {name!r} has both 'home' and 'homes'; drop one")


def _either(words: list[str]) -> str:
    return " or ".join(repr(word) for word in words)


def _by_ssh(host: HostConfig, read: _Reader) -> HostConfig:
    user, ssh = _target(read.values)
    key = read.get("identity", text)
    return host._replace(
        ssh=ssh,
        user=user,
        port=read.get("port", integer, 1, 65535),
        identity=key and path_of(key, read.folders.home, read.folders.here),
        remote_home=read.get("home", text),
        command=read.get("command", _words),
        timeout=read.get("timeout", duration, 1, 3600),
        keepalive=read.get("keepalive", duration, 1, 3600),
    )


def _by_command(host: HostConfig, read: _Reader) -> HostConfig:
    return host._replace(command=read.get("command", _words), remote_home=read.get("home", text))


def _local(host: HostConfig, read: _Reader) -> HostConfig:
    folder = path_of(text(read.values["home"]), read.folders.home, read.folders.here)
    return host._replace(home=folder)


def _local_homes(host: HostConfig, read: _Reader) -> HostConfig:  # noqa: ARG001
    return host


def _bucket(host: HostConfig, read: _Reader) -> HostConfig:
    kind = next(kind for kind in BUCKETS if kind in read.values)
    return host._replace(bucket=bucket(kind, read.values))


def _inbox(host: HostConfig, read: _Reader) -> HostConfig:
    folder = text(read.values["inbox"])
    return host._replace(inbox=path_of(folder, read.folders.home, read.folders.here))


_READERS: Mapping[str, Callable[[HostConfig, _Reader], HostConfig]] = {
    "ssh": _by_ssh,
    "command": _by_command,
    "home": _local,
    "homes": _local_homes,
    "inbox": _inbox,
    **dict.fromkeys(BUCKETS, _bucket),
}


def _target(values: Mapping[str, Place]) -> tuple[str | None, str]:
    """User and host of `ssh:` and `user:`."""
    place = values["ssh"]
    user, at, host = text(place).rpartition("@")
    if not host or host.startswith("-") or (at and not user) or re.search(r"\s", host):
        raise fail(place, f"'ssh: {text(place)}': must be a host name or ssh_config alias")
    if re.fullmatch(r"[^:]+:\d+", host):
        name, _, port = host.partition(":")
        raise fail(place, f"'ssh: {host}': write the port apart, as 'ssh: {name}' and 'port: {port}'")
    if user and "user" in values:
        raise fail(values["user"], f"the user stands in 'ssh: {text(place)}' already; drop one")
    return user or (text(values["user"]) if "user" in values else None), host


def known_sources(place: Place) -> tuple[str, ...]:
    """A list of tools."""
    return names(place, sources(), "source")


def _words(place: Place) -> tuple[str, ...]:
    """A command: a list of words, or a text that a shell would split into them."""
    if not isinstance(place.node.value, str):
        return tuple(text(each) for each in items(place, "words, as [docker, exec, -i, NAME, sh]"))
    try:
        return tuple(shlex.split(text(place)))
    except ValueError as error:
        raise fail(place, f"'command': {str(error).lower()}; write it as a list of words") from error


def _homes(place: Place) -> tuple[str, ...]:
    """Patterns of folders, and names of users."""
    one = isinstance(place.node.value, str)
    places = [place] if one else items(place, "folders and users, as [/home/*, root]")
    return tuple(_home(each) for each in places)


def _home(place: Place) -> str:
    word = text(place).replace("\\", "/")
    if not ("/" in word or _USER.fullmatch(word)):
        raise fail(place, f"homes: {word!r} is neither a folder, as /home/*, nor a user's name")
    if "/" in word and not re.match(r"/|[A-Za-z]:/", word):
        raise fail(place, f"homes: {word!r} must begin with '/', as /home/*")
    if re.search(r"[\"'`$\\\s;&|<>()]", word) or "**" in word:
        raise fail(place, f"homes: {word!r}: only * and ? may stand for something else")
    return word


def _globs(place: Place) -> tuple[str, ...]:
    """Globs below a home."""
    one = isinstance(place.node.value, str)
    places = [place] if one else items(place, "globs below the home, as ['.claude/**']")
    return tuple(_glob(each) for each in places)


def _glob(place: Place) -> str:
    glob = text(place).removeprefix("~/")
    if glob.startswith("/") or ".." in glob.split("/"):
        raise fail(place, f"{place.key}: {glob!r} must be a path below the home, as .claude/**")
    return glob


def _hours(place: Place) -> tuple[tuple[int, int], ...]:
    """Spans of the day in minutes: `22-6`, or a list of such."""
    one = isinstance(place.node.value, str)
    places = [place] if one else items(place, "hours, as [22-6, 12-13]")
    return tuple(_span(each) for each in places)


def _span(place: Place) -> tuple[int, int]:
    found = _HOURS.fullmatch(text(place))
    if found is not None:
        first, first_minute, last, last_minute = (int(part or 0) for part in found.groups())
        begin, end = first * 60 + first_minute, last * 60 + last_minute
        if begin < 24 * 60 and end <= 24 * 60 and max(first_minute, last_minute) < 60 and begin != end:
            return begin, end
    raise fail(place, f"'hours': {text(place)!r} must be from-to, as 22-6 or 12:30-13:30")
