"""The homes of many users behind one login: whose folders match a pattern, or who is named."""

import fnmatch
import pwd
import re
import shlex
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from siphon import windows
from siphon.errors import UnfitError
from siphon.line import Line
from siphon.sftp_wire import Sftp

_LEAST = 1000  # users of people have this number or a greater one
_LEAST_ON_MACOS = 501
_NAME = re.compile(r"[^A-Za-z0-9._-]")
_NOBODY = 65534


class UserHome(NamedTuple):
    """A home, and the user it belongs to."""

    name: str  # as archived: <host>/<name>
    folder: str
    owner: int | None  # None: the system does not say
    user: str  # the owner's name


class Homes(NamedTuple):
    """What was found of what was asked for."""

    homes: Sequence[UserHome]
    problems: Sequence[str] = ()


class Candidate(NamedTuple):
    """A folder that is a home, perhaps; `asked` is the pattern or the user that led there."""

    asked: str
    folder: str
    owner: int | None
    user: str = ""


_LIST = """
LC_ALL=C; export LC_ALL;
echo siphon-begin $(uname -s 2>/dev/null);
e() { [ -L "$2" ] && return 0; [ -d "$2" ] || return 0; d=$2; set -f;
set -- "$1" $(ls -ldn "$d" 2>/dev/null) x; n=$4; set -- "$1" $(ls -ld "$d" 2>/dev/null) x; set +f;
printf "%s\\000%s\\000%s\\000%s\\000" "$1" "$d" "$n" "$4"; };
for p do case $p in
*/*) s=$p; for d in $p; do e "$s" "$d"; done;;
*) d=$(eval echo "~$p"); case $d in /*) e "$p" "$d";; esac;;
esac; done;
printf "end\\000"
"""


def by_shell(line: Line, name: str, asked: Sequence[str]) -> Homes:
    """Ask a shell. Raises UnfitError where none answers."""
    words = " ".join(shlex.quote(word) for word in asked)
    with line.run(f"sh -c {shlex.quote(' '.join(_LIST.split()))} sh {words}") as command:
        system = command.out.after(b"siphon-begin")
        fields = [] if system is None else command.out.rest().split(b"\0")
        complaints = command.errors()
    if fields[-2:] != [b"end", b""]:
        why = f": {complaints[-1]}" if complaints else ""
        raise UnfitError(f"{name}: its shell does not tell the homes {', '.join(asked)}{why}")
    texts = [field.decode(errors="surrogateescape") for field in fields[:-2]]
    rows = zip(*[iter(texts)] * 4, strict=True)
    found = [Candidate(row[0], row[1], int(row[2]), row[3]) for row in rows if row[2].isdigit()]
    return chosen(asked, found, _LEAST_ON_MACOS if b"Darwin" in (system or b"") else _LEAST)


def by_sftp(sftp: Sftp, asked: Sequence[str]) -> Homes:
    """Ask by SFTP, which knows folders and no users."""
    on_windows = windows.is_windows(sftp.real(b"."))
    found = [
        Candidate(pattern, folder.decode(errors="surrogateescape"), None if on_windows else owner)
        for pattern in asked
        if "/" in pattern
        for folder, owner in _by_sftp(sftp, windows.sftp_path(pattern))
    ]
    return chosen(asked, found, _LEAST)


def sudo(home: UserHome) -> list[str]:
    """The command for a shell of that user: what he may not read, he cannot make us read."""
    return ["sudo", "-n", "-u", home.user, "sh"]


def here(asked: Sequence[str]) -> Homes:
    """Of this machine."""
    return chosen(asked, list(_here(asked)), _LEAST_ON_MACOS if sys.platform == "darwin" else _LEAST)


def chosen(asked: Sequence[str], found: Sequence[Candidate], least: int) -> Homes:
    """Of the candidates those that are homes of people, and those that were named."""
    homes: dict[str, UserHome] = {}
    problems = []
    for each in found:
        named = not re.search(r"[*?]", each.asked)
        if not named and not _is_person(each, least):
            continue
        name = each.asked if "/" not in each.asked else _called(each.folder)
        home = UserHome(name, each.folder, each.owner, each.user or f"#{each.owner}")
        other = homes.setdefault(name.lower(), home)
        if other.folder != home.folder:
            problems.append(f"{home.folder}: it is called as {other.folder} is; not collected")
    for word in set(asked) - {each.asked for each in found}:
        problems.append(f"homes: {word}: no such {'folder' if '/' in word else 'user'} there")
    return Homes(list(homes.values()), sorted(problems))


def _is_person(each: Candidate, least: int) -> bool:
    if each.owner is None:
        return windows.is_person(each.folder)
    return least <= each.owner < _NOBODY


def _called(folder: str) -> str:
    """The folder's name, which is the user's own wherever homes are called so."""
    return _NAME.sub("-", folder.rstrip("/").rpartition("/")[2]).lstrip(".") or "-"


def _by_sftp(sftp: Sftp, pattern: str) -> Iterator[tuple[bytes, int]]:
    """The folders that match, and whose they are."""
    folders = [b""]
    for step in pattern.strip("/").encode().split(b"/"):
        if not re.search(rb"[*?]", step):
            folders = [folder + b"/" + step for folder in folders]
            continue
        match = re.compile(fnmatch.translate(step.decode()).encode()).match
        listed = zip(folders, sftp.folders([folder or b"/" for folder in folders]), strict=True)
        folders = [
            folder + b"/" + name
            for folder, names in listed
            if not isinstance(names, OSError)
            for name, _ in sorted(names)
            if match(name) and not name.startswith(b".")
        ]
    for folder, attributes in zip(folders, sftp.lstats(folders), strict=True):
        if attributes is not None and stat.S_ISDIR(attributes.mode):
            yield folder, attributes.owner


def _here(asked: Sequence[str]) -> Iterator[Candidate]:
    for pattern in asked:
        for folder in _matching(pattern) if "/" in pattern else _named(pattern):
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode):
                yield Candidate(pattern, str(folder), status.st_uid, _user(status.st_uid))


def _user(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return ""


def _matching(pattern: str) -> list[Path]:
    return sorted(Path("/").glob(pattern.strip("/")))


def _named(user: str) -> list[Path]:
    try:
        folder = Path(pwd.getpwnam(user).pw_dir)
    except KeyError:
        return []
    return [folder] if folder.is_dir() else []
