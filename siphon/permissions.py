"""Who may read an archive: its owner alone (folders 0700, files 0600), or a group, too (0750, 0640)."""

import grp
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from siphon import private
from siphon.audit import FILE
from siphon.errors import SiphonError


class Wrong(NamedTuple):
    """A file or folder that others may read, or that its readers may not."""

    path: Path
    mode: int
    wanted: int
    gid: int | None  # that it should have; None: no matter
    owner: bool  # whether it is ours, so that it can be put right


def permit(root: Path, group: str | None) -> None:
    """Give the archive to its owner and the group, all of it if that is not so yet.

    Costs nothing where the archive's own folder has the mode already. Raises SiphonError for a group
    that is not known, or that we are not in.
    """
    if group is None and not root.exists():
        return  # it is made for its owner alone
    gid = None if group is None else _gid(group)
    private.folder(root)
    found = root.stat()
    if stat.S_IMODE(found.st_mode) == _folder_mode(gid) and gid in (None, found.st_gid):
        return
    for one in wrong(root, gid):
        put_right(one)


def wrong(root: Path, gid: int | None) -> Iterator[Wrong]:
    """Yield what below the folder, and of itself, has not the mode it should have."""
    yield from _wrong(root, _folder_mode(gid), gid)
    for folder, folders, files in os.walk(root):
        for name in folders:
            yield from _wrong(Path(folder, name), _folder_mode(gid), gid)
        for name in files:
            path = Path(folder, name)
            yield from _wrong(path, _file_mode(root, path, gid), gid)


def put_right(one: Wrong) -> None:
    """Give it the mode, and the group. Raises SiphonError where we may not."""
    try:
        if one.gid is not None:
            os.chown(one.path, -1, one.gid, follow_symlinks=False)
        one.path.chmod(one.wanted)
    except FileNotFoundError:
        return  # SQLite's own files come and go
    except OSError as error:
        raise SiphonError(f"{one.path}: its permissions cannot be changed: {error.strerror}") from error


def gid_of(group: str | None) -> int | None:
    """The group's number; raises SiphonError for one that is not known."""
    return None if group is None else _gid(group)


def _gid(group: str) -> int:
    try:
        found = grp.getgrnam(group)
    except KeyError:
        raise SiphonError(f"'group: {group}' in siphon.yml: there is no such group here") from None
    if os.geteuid() != 0 and found.gr_gid not in {os.getegid(), *os.getgroups()}:
        raise SiphonError(f"'group: {group}' in siphon.yml: you are not in that group")
    return found.gr_gid


def _wrong(path: Path, wanted: int, gid: int | None) -> Iterator[Wrong]:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return  # it is on its way
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISLNK(found.st_mode):
        return
    ours = os.geteuid() in (0, found.st_uid)
    if mode != wanted or (gid is not None and found.st_gid != gid):
        yield Wrong(path, mode, wanted, gid, ours)


def _folder_mode(gid: int | None) -> int:
    return 0o700 if gid is None else private.SHARED


def _file_mode(root: Path, path: Path, gid: int | None) -> int:
    """The audit log and the locks are nobody else's business."""
    own = path.parent == root and path.name in (FILE, ".lock")
    if gid is None or own or path.parent == root / ".locks":
        return 0o600
    return private.SHARED_FILE
