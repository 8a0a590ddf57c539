"""siphon.yml → Config. The only reader of environment variables and of the user's home directory."""

import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from siphon.errors import SiphonError
from siphon.sources import sources
from siphon.yamlnodes import Place, boolean, fail, integer, mapping, names, text

FILE = "siphon.yml"
HOST_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
_INTERVAL = 300


class HostConfig(NamedTuple):
    """A host: a home directory on this machine (`home`), or one behind `ssh`."""

    name: str
    home: Path | None = None  # on this machine
    ssh: str | None = None  # host name or ssh_config alias
    port: int | None = None
    user: str | None = None
    identity: Path | None = None  # private key
    remote_home: str | None = None  # None: where the login lands
    sources: tuple[str, ...] | None = None  # None: all
    enabled: bool = True


class Config(NamedTuple):
    """What to collect, and where it lies."""

    archive: Path
    database: Path
    interval: int  # seconds between two collects
    skip: tuple[str, ...]  # sources never collected
    hosts: tuple[HostConfig, ...]
    path: Path | None  # the file it was read from; None: there is none
    ssh: Path  # the user's .ssh folder


class _Folders(NamedTuple):
    home: Path
    data: Path
    here: Path  # where relative paths begin


def load_config(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Config:
    """Read `path`, else $SIPHON_CONFIG, else ./siphon.yml, else siphon.yml in the user's config folder.

    Raises SiphonError naming file, line and what would be right.
    """
    home = _home(environ)
    file = _file(path, environ, home, cwd)
    folders = _Folders(home, _user_folder("data", environ, home), file.parent if file else cwd)
    node = None if file is None else _composed(file)
    if file is None or node is None:
        return _config(folders, file, {})
    return _config(
        folders, file, mapping(Place(file, node), ("archive", "database", "interval", "skip", "hosts"))
    )


def _file(path: Path | None, environ: Mapping[str, str], home: Path, cwd: Path) -> Path | None:
    if path is not None:
        return _path(str(path), home, cwd)
    if environ.get("SIPHON_CONFIG"):
        return _path(environ["SIPHON_CONFIG"], home, cwd)
    usual = (cwd / FILE, _user_folder("config", environ, home) / FILE)
    return next((candidate for candidate in usual if candidate.is_file()), None)


def _composed(file: Path) -> yaml.Node | None:
    try:
        with file.open(encoding="utf-8") as lines:
            return yaml.compose(lines, Loader=yaml.SafeLoader)
    except OSError as error:
        raise SiphonError(f"{file}: {error.strerror}; name another file with --config") from error
    except UnicodeDecodeError as error:
        raise SiphonError(f"{file}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SiphonError(f"{file}:{line}: not YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise SiphonError(f"{file}: not YAML: {error}") from error


def _config(folders: _Folders, file: Path | None, values: Mapping[str, Place]) -> Config:
    archive = folders.data / "archive"
    if "archive" in values:
        archive = _path(text(values["archive"]), folders.home, folders.here)
    database = archive.parent / "siphon.db"
    if "database" in values:
        database = _path(text(values["database"]), folders.home, folders.here)
    return Config(
        archive=archive,
        database=database,
        interval=integer(values["interval"], 1, 10**7) if "interval" in values else _INTERVAL,
        skip=_sources(values["skip"]) if "skip" in values else (),
        hosts=_hosts(values["hosts"], folders) if "hosts" in values else (_this_machine(folders.home),),
        path=file,
        ssh=folders.home / ".ssh",
    )


def _hosts(place: Place, folders: _Folders) -> tuple[HostConfig, ...]:
    hosts: dict[str, HostConfig] = {}
    for name, value in mapping(place).items():
        if not HOST_NAME.fullmatch(name):
            raise fail(
                value, f"host {name!r}: a host's name is made of letters, digits, '.', '_' and '-'"
            )
        if name.lower() in hosts:
            other = hosts[name.lower()].name
            raise fail(value, f"host {name!r} differs from host {other!r} in case only; rename one")
        hosts[name.lower()] = _host(name, value, folders)
    if not hosts:
        raise fail(place, "no hosts; name one, or leave 'hosts' out to collect this machine")
    return tuple(hosts.values())


def _host(name: str, place: Place, folders: _Folders) -> HostConfig:
    keys = ("home", "ssh", "port", "user", "identity", "sources", "enabled")
    values = mapping(place, keys)
    chosen = _sources(values["sources"]) if "sources" in values else None
    enabled = boolean(values["enabled"]) if "enabled" in values else True
    if "ssh" not in values:
        return HostConfig(
            name, home=_home_of(name, place, values, folders), sources=chosen, enabled=enabled
        )
    user, ssh = _target(values)
    return HostConfig(
        name=name,
        ssh=ssh,
        port=integer(values["port"], 1, 65535) if "port" in values else None,
        user=user,
        identity=_path(text(values["identity"]), folders.home, folders.here)
        if "identity" in values
        else None,
        remote_home=text(values["home"]) if "home" in values else None,
        sources=chosen,
        enabled=enabled,
    )


def _home_of(name: str, place: Place, values: Mapping[str, Place], folders: _Folders) -> Path:
    for key in ("port", "user", "identity"):
        if key in values:
            raise fail(
                values[key], f"host {name!r}: {key!r} goes with 'ssh'; add 'ssh: HOST' or drop it"
            )
    if "home" not in values:
        raise fail(place, f"host {name!r} needs 'home: PATH' (on this machine) or 'ssh: [user@]HOST'")
    return _path(text(values["home"]), folders.home, folders.here)


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


def _sources(place: Place) -> tuple[str, ...]:
    return names(place, sources(), "source")


def _this_machine(home: Path) -> HostConfig:
    short = socket.gethostname().partition(".")[0]
    return HostConfig(name=re.sub(r"[^A-Za-z0-9_-]", "-", short) or "localhost", home=home)


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else Path.home()


def _user_folder(kind: str, environ: Mapping[str, str], home: Path) -> Path:
    """The user's folder for siphon's data or config."""
    if not sys.platform.startswith("linux"):
        import platformdirs

        find = {"config": platformdirs.user_config_path, "data": platformdirs.user_data_path}[kind]
        return find("siphon", appauthor=False)
    variable, usual = {
        "config": ("XDG_CONFIG_HOME", ".config"),
        "data": ("XDG_DATA_HOME", ".local/share"),
    }[kind]
    return Path(environ.get(variable) or home / usual) / "siphon"


def _path(text: str, home: Path, folder: Path) -> Path:
    """An absolute path; `~` is the user's home, a relative one begins in `folder`."""
    if text == "~" or text.startswith("~/"):
        return home / text[2:]
    return folder / text
