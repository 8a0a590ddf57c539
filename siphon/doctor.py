"""What is wrong with this installation, and the way out: permissions, room, archive, database, config.

`siphon health` tells whether hosts are collected in time; the doctor looks at what lies here.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

from siphon import db, stale
from siphon.archive import Archive
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.figures import bytes_, plural
from siphon.fleet import fleet
from siphon.health import Finding
from siphon.health import retention as clean_up
from siphon.permissions import Wrong, gid_of, put_right, wrong
from siphon.sources import sources

Check = Callable[[Config, int], Iterator[Finding]]
"""Looks at one thing; is given the time (ms). Yields an "ok" finding where nothing is wrong."""

MOST = 20  # findings of one check that are told one by one
_SCARCE = 2 << 30  # bytes free: a warning
_GONE = 200 << 20  # bytes free: the next collect may fail


def doctor(config: Config, now: int) -> list[Finding]:
    """All findings, in the order of the checks. A check that cannot be made is "unknown"."""
    return [finding for check in CHECKS for finding in _checked(check, config, now)]


def _checked(check: Check, config: Config, now: int) -> Iterator[Finding]:
    try:
        yield from check(config, now)
    except (SiphonError, OSError, sqlite3.Error) as error:
        yield Finding("unknown", check.__name__, str(error))


def configuration(config: Config, _now: int) -> Iterator[Finding]:
    """Keys that are missing, hosts that nobody collects any more."""
    if config.path is None:
        what = f"no siphon.yml: this machine is the only host, and data lies in {config.archive.parent}"
        yield Finding("info", "configuration", what)
    for host in config.hosts:
        if host.identity is not None and not host.identity.is_file():
            what = f"{host.identity} is not there: correct 'identity' in siphon.yml"
            yield Finding("error", "configuration", what, host=host.name)
        elif host.identity is not None and host.identity.stat().st_mode & 0o077:
            what = f"others can read {host.identity}: chmod 600 it, else ssh refuses it, too"
            yield Finding("warning", "configuration", what, host=host.name)
        if host.bucket is not None and host.bucket.exposed is not None:
            what = (
                f"{host.bucket.exposed} holds a key of the bucket and others can read it: chmod 600 it"
            )
            yield Finding("warning", "configuration", what, host=host.name)
        if host.inbox is not None and not host.inbox.is_dir():
            what = f"{host.inbox} is not there: make that folder, or nobody can push into it"
            yield Finding("error", "configuration", what, host=host.name)
    if config.path is not None:
        yield Finding("ok", "configuration", f"{config.path} names {plural(len(config.hosts), 'host')}")


def permissions(config: Config, _now: int) -> Iterator[Finding]:
    """Whether only those read archive and database who may."""
    bad = list(misplaced(config))
    for one in bad[:MOST]:
        way = "`siphon doctor --fix` puts it right" if one.owner else "another user owns it: chown it"
        what = f"mode {one.mode:04o}, not {one.wanted:04o}, or another group; {way}"
        yield Finding("warning" if one.owner else "error", "permissions", what, path=str(one.path))
    if len(bad) > MOST:
        more = f"and {len(bad) - MOST:,} more; `siphon doctor --fix` puts all right that are yours"
        yield Finding("warning", "permissions", more)
    if not bad:
        who = "you alone" if config.group is None else f"you and the group {config.group}"
        yield Finding("ok", "permissions", f"{who} can read the archive")


def misplaced(config: Config) -> Iterator[Wrong]:
    """What has not the permissions it should have."""
    if config.archive.exists():
        yield from wrong(config.archive, gid_of(config.group))
    for end in ("", "-wal", "-shm"):
        file = config.database.with_name(config.database.name + end)
        if file.exists() and (mode := file.stat().st_mode & 0o7777) != 0o600:
            yield Wrong(file, mode, 0o600, None, True)


def fix(config: Config) -> int:
    """Put permissions right; how many were wrong. Raises SiphonError where we may not."""
    count = 0
    for one in misplaced(config):  # one by one: what lies in a closed folder shows once it is open
        put_right(one)
        count += 1
    return count


def space(config: Config, _now: int) -> Iterator[Finding]:
    """Whether the next collect and a rebuild of the database have room."""
    for name, place, need in (
        ("archive", config.archive, 0),
        ("database", config.database, _size(config.database)),
    ):
        folder = next(above for above in (place, *place.parents) if above.is_dir())
        free = shutil.disk_usage(folder).free
        what = f"{bytes_(free)} free for the {name}"
        way = "make room, or `siphon archive pack --older-than 1d`, or `siphon prune --older-than 2y`"
        if free < _GONE:
            yield Finding("error", "space", f"{what}: the next run may fail; {way}", path=str(folder))
        elif free < _SCARCE:
            yield Finding("warning", "space", f"{what}; {way}", path=str(folder))
        elif free < need:
            rebuild = f"to build it anew takes {bytes_(need)} more"
            yield Finding("warning", "space", f"{what}, but {rebuild}; make room", path=str(folder))
        else:
            yield Finding("ok", "space", what, path=str(folder))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def archive(config: Config, _now: int) -> Iterator[Finding]:
    """Whether the archive's files are there, as long as the ledger says, and no others."""
    if not config.archive.exists():
        what = f"{config.archive} is not there yet; `siphon collect` makes it"
        yield Finding("info", "archive", what)
        return
    held = Archive(config.archive)
    found = held.verify()
    count = 0
    for count, one in enumerate(islice(found, MOST), 1):  # noqa: B007  # counted after the loop
        way = (
            "`siphon verify --read-data --mend` has the next collect fetch it again, else a backup helps"
        )
        if one.host is None:
            way = "move it out of the archive, or `siphon load` it"
        yield Finding("error", "archive", f"{one.what}; {way}", one.host, path=one.path)
    if more := sum(1 for _ in found):
        yield Finding("error", "archive", f"and {more:,} more findings; `siphon verify` lists all")
    if not count:
        logs = held.extent(None)[0]
        yield Finding("ok", "archive", f"{plural(logs, 'generation')} of logs lie as the ledger says")


def database(config: Config, _now: int) -> Iterator[Finding]:
    """Whether the database is of this siphon's layout and knows all that is archived."""
    if not config.database.exists():
        what = f"{config.database} is not there; `siphon load` makes it from the archive"
        yield Finding("warning" if config.archive.exists() else "info", "database", what)
        return
    if not db.current(config.database):
        what = "it was made by another version of siphon; `siphon load` builds it anew"
        yield Finding("warning", "database", what, path=str(config.database))
        return
    waiting = _not_loaded(config)
    if waiting:
        what = (
            f"{plural(waiting, 'log')} of the archive not loaded as archived; `siphon load` reads them"
        )
        yield Finding("info", "database", what)
    else:
        yield Finding("ok", "database", "all archived logs are loaded")


def _not_loaded(config: Config) -> int:
    held = Archive(config.archive)
    wanted = stale.jobs(stale.Stock(held.held(), held.home), sources(), config.skip)
    with closing(db.connect(config.database)) as connection:
        loaded = set(connection.execute("select host, path, generation, size from logs"))
    known = {(job.held.host, job.held.path, job.held.generation, job.held.size) for job in wanted}
    return len(known - loaded) + len({one[:2] for one in loaded} - {one[:2] for one in known})


def retention(config: Config, now: int) -> Iterator[Finding]:
    """What the tools' own clean-up will delete on the hosts."""
    held = Archive(config.archive)
    found = list(clean_up(fleet(None, held, config, now), held, config, now))
    yield from found
    if not found:
        yield Finding("ok", "retention", "no tool that deletes its own logs has any on the hosts")


CHECKS: tuple[Check, ...] = (configuration, permissions, space, archive, database, retention)
