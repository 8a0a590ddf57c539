"""Windows seen through SFTP: paths with a drive, and names in which case makes no difference."""

import re
from functools import cache

from siphon.globs import pieces
from siphon.wanted import Root

_DRIVE = re.compile(r"/?([A-Za-z]):(?=[\\/]|$)")
_NOT_PEOPLE = ("all users", "default", "default user", "public", "defaultapppool", "wsiaccount")


def is_windows(home: bytes) -> bool:
    """Whether a login that lands here is on Windows, whose SFTP calls C:\\ `/C:`."""
    return _DRIVE.match(home.decode(errors="replace")) is not None


def sftp_path(path: str) -> str:
    """`C:\\Users\\me` as SFTP calls it; any other path as it is."""
    drive = _DRIVE.match(path)
    return f"/{drive[1]}:{path[drive.end() :]}".replace("\\", "/") if drive else path


def is_person(folder: str) -> bool:
    """Whether a folder of C:\\Users may be somebody's home."""
    return folder.rpartition("/")[2].lower() not in _NOT_PEOPLE


def leads(root: Root, path: str) -> bool:
    """Whether what is looked for may lie in this folder."""
    return _any_case(root.leads.pattern).fullmatch(path) is not None


def spelled(root: Root, path: str) -> str | None:
    """A file's path, what its tool has named spelled as the tool does; None: it is not looked for."""
    for glob in root.globs:
        parts = pieces(glob)
        found = _any_case("".join(regex for _, regex in parts)).fullmatch(path)
        if found is not None:
            own = iter(found.groups())
            return "".join(next(own) if fixed is None else fixed for fixed, _ in parts)
    return None


@cache
def _any_case(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.DOTALL | re.IGNORECASE)
