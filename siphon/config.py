"""siphon.yml → Config. The only reader of environment variables and of the user's home directory."""

import re
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from siphon.budgetconfig import Budget, budgets
from siphon.errors import SiphonError
from siphon.hostconfig import HOST_NAME, Folders, HostConfig, hosts, known_sources, path_of
from siphon.yamlnodes import Place, duration, fail, integer, items, mapping, text

__all__ = ["HOST_NAME", "Config", "HostConfig", "load_config"]

FILE = "siphon.yml"
LEVELS = ("ok", "info", "unknown", "warning", "error")  # of what `siphon health` finds
_INTERVAL = 300


class HealthConfig(NamedTuple):
    """What `siphon health` calls late, stuck or hopeless."""

    lag: int | None = None  # seconds without a collect before it warns; None: twice the interval
    stuck_after: int | None = None  # seconds an archived log may stay unread; None: four times the lag
    stuck: str = "info"  # how bad that is: one of LEVELS
    tries: int = 5  # of a log that fails to parse, before it is left in quarantine


class Config(NamedTuple):
    """What to collect, and where it lies."""

    archive: Path
    database: Path
    interval: int  # seconds between two collects
    skip: tuple[str, ...]  # sources never collected
    hosts: tuple[HostConfig, ...]
    path: Path | None  # the file it was read from; None: there is none
    ssh: Path  # the user's .ssh folder
    health: HealthConfig = HealthConfig()
    names: tuple[str, ...] = ()  # that the pages are reached by, beside localhost
    budgets: tuple[Budget, ...] = ()
    group: str | None = None  # that may read the archive besides its owner


def load_config(path: Path | None, environ: Mapping[str, str], cwd: Path) -> Config:
    """Read `path`, else $SIPHON_CONFIG, else ./siphon.yml, else siphon.yml in the user's config folder.

    Raises SiphonError naming file, line and what would be right.
    """
    home = _home(environ)
    file = _file(path, environ, home, cwd)
    folders = Folders(home, _user_folder("data", environ, home), file.parent if file else cwd)
    node = None if file is None else _composed(file)
    if file is None or node is None:
        return _config(folders, file, {})
    return _config(
        folders,
        file,
        mapping(
            Place(file, node),
            ("archive", "database", "interval", "skip", "hosts", "health", "names", "budgets", "group"),
        ),
    )


def _file(path: Path | None, environ: Mapping[str, str], home: Path, cwd: Path) -> Path | None:
    if path is not None:
        return path_of(str(path), home, cwd)
    if environ.get("SIPHON_CONFIG"):
        return path_of(environ["SIPHON_CONFIG"], home, cwd)
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


def _config(folders: Folders, file: Path | None, values: Mapping[str, Place]) -> Config:
    archive = folders.data / "archive"
    if "archive" in values:
        archive = path_of(text(values["archive"]), folders.home, folders.here)
    database = archive.parent / "siphon.db"
    if "database" in values:
        database = path_of(text(values["database"]), folders.home, folders.here)
    return Config(
        archive=archive,
        database=database,
        interval=duration(values["interval"], 1, 10**7) if "interval" in values else _INTERVAL,
        skip=known_sources(values["skip"]) if "skip" in values else (),
        hosts=hosts(values["hosts"], folders) if "hosts" in values else (this_machine(folders.home),),
        path=file,
        ssh=folders.home / ".ssh",
        health=_health(values["health"]) if "health" in values else HealthConfig(),
        names=tuple(map(text, items(values["names"], "host names"))) if "names" in values else (),
        budgets=budgets(values["budgets"]) if "budgets" in values else (),
        group=text(values["group"]) if "group" in values else None,
    )


def _health(place: Place) -> HealthConfig:
    values = mapping(place, HealthConfig._fields)
    seconds = {key: integer(values[key], 1, 10**9) for key in ("lag", "stuck_after") if key in values}
    usual = HealthConfig()
    stuck = text(values["stuck"]) if "stuck" in values else usual.stuck
    if stuck not in LEVELS:
        raise fail(values["stuck"], f"'stuck: {stuck}' is no level; levels: {', '.join(LEVELS)}")
    tries = integer(values["tries"], 1, 1000) if "tries" in values else usual.tries
    return HealthConfig(**seconds, stuck=stuck, tries=tries)


def this_machine(home: Path) -> HostConfig:
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
