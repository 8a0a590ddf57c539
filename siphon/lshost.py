"""A host that has a shell, ls and cat, and nothing else that helps.

ls tells minutes, and of old files days: what was written just now is read again by the next collect. A
log that grew comes whole, as nothing there can tell whether what is held of it is unchanged.
"""

import re
import shlex
import time
from calendar import timegm
from collections.abc import Iterator, Mapping, Sequence

from siphon.errors import SiphonError, UnfitError
from siphon.hosts import Found, Listing, Piece, Proof, Want
from siphon.line import Line
from siphon.pathtext import inside, raw, text
from siphon.shellhost import no_home
from siphon.stream import Stream
from siphon.wanted import Root, Wanted

_DEEPEST = 6  # folders: all of a home is looked through by the shell itself
_COARSE_SECONDS = 120
_BILLION = 10**9
_WILD = re.compile(r"(\*+/?|\?|\[[^\]]+\])")
_ISO = re.compile(rb"\d{4}-\d\d-\d\d")

_BEGIN = """
cd "$home" 2>/dev/null || {
if [ -d "$home" ]; then echo siphon-closed; else echo siphon-nohome; fi; exit 3; }
h=$(pwd -P); [ "$h" = / ] && h=
LC_ALL=C; TZ=UTC0; export LC_ALL TZ
s() { set -f; set -- "$1" $(ls -ldin "$1" 2>/dev/null); set +f
printf "f %s %s %s %s %s %s %s %s\\000" "$2" "$3" "$5" "$7" "$8" "$9" "${10}" "$1"; }
"""
_LIST = """
for x in ls cat; do command -v $x >/dev/null 2>&1 || { echo siphon-lacks $x; exit 3; }; done
echo siphon-begin
printf "home %s\\000" "$h/"
w() { [ -r "$1" ] || { [ "$q" ] || echo "$d${1#.}: Permission denied" >&2; return 0; }
for f in "$1"/* "$1"/.[!.]* "$1"/..?*; do
if [ -L "$f" ]; then [ "$q" ] || printf "l %s\\000" "$f"
elif [ -d "$f" ]; then [ $2 -gt 1 ] && w "$f" $(($2-1))
elif [ -f "$f" ] && m "$f"; then s "$f"; fi; done; return 0; }
v() { p=$d; while case $p in */*) ;; *) false;; esac; do p=${p%/*}
if [ -d "$p" ]; then [ -x "$p" ] || case $c in *"[$p]"*) ;; *) c="$c[$p]"
echo "$p: Permission denied" >&2;; esac; return 0; fi; done; }
r() { [ -d "$d" ] || { v; return 0; }
( cd -P "$d" || exit 0
case $(pwd -P)/ in "$h"/*) ;; *) printf "out %s\\000" "$d"; exit 0;; esac
printf "in %s\\000" "$d"; w . $1 ); }
c=
"""
_READ = """
p=PATH
case $(cd -P "${p%/*}" 2>/dev/null && pwd -P)/ in "$h"/*) ;; *) exit 3;; esac
[ -L "$p" ] && exit 3; [ -f "$p" ] && [ -r "$p" ] || exit 3
echo siphon-begin; exec cat "$p"
"""


class LsHost:
    """The files below `home`, which is seen from where a login lands; "" is that itself."""

    means = "sh, ls, cat"

    def __init__(self, line: Line, name: str, home: str, owner: int | None = None) -> None:
        """`owner`: only files of the user with this number are seen. The line must take scripts."""
        self.line = line
        self.name = name
        self.home = home
        self.owner = owner
        self._real = home  # once it is listed: without links, from "/" on

    @property
    def wire(self) -> int:
        return self.line.wire

    def find(self, wanted: Wanted) -> Listing:
        """As of any host. Raises UnfitError where it has no shell, or one without ls and cat."""
        with self.line.run(self._script(_LIST, *_roots(wanted.roots), 'printf "end \\000"')) as command:
            answer = (command.out.after(b"siphon-") or b"none").decode(errors="replace")
            records = command.out.rest().split(b"\0")
            problems = command.errors()
        if answer in ("nohome", "closed"):
            raise SiphonError(f"{self.name}: {no_home(self.home, answer == 'closed')}")
        if answer.startswith("lacks"):
            raise UnfitError(f"its shell has not even {answer.removeprefix('lacks ')}")
        if answer != "begin":
            raise UnfitError("no shell")
        if records[-2:] != [b"end ", b""]:
            raise SiphonError(f"{self.name}: the listing broke off")
        self._real = records[0].removeprefix(b"home ").decode(errors="surrogateescape")
        return self._listing(wanted, records, problems)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        calls = [f"[ -L {path} ] || [ ! -f {path} ] || s {path}" for path in map(_quoted, paths)]
        with self.line.run(self._script(*calls)) as command:
            found = [self._found(record, b"") for record in command.out.rest().split(b"\0")]
        return {file.path: file for file in found if file is not None}

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:  # noqa: ARG002
        for want in wants:
            if want.start:
                continue  # left out: it will be asked for again, whole
            with self.line.run(self._script(_READ.replace("PATH", _quoted(want.path)))) as command:
                if command.out.after(b"siphon-begin") is not None:
                    yield Piece(want, _most(command.out, want.size), Proof)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}  # such a host has no git

    def root(self) -> "LsHost":
        return LsHost(self.line, self.name, "/")

    def close(self) -> None:
        """Whoever opened the line hangs up."""

    def _script(self, *parts: str) -> str:
        home = shlex.quote(self._real) if self._real else '"${HOME:-$(eval echo "~$(id -un)")}"'
        return "\n".join(["{", f"home={home}", _BEGIN, *parts, "}"])

    def _listing(self, wanted: Wanted, records: Sequence[bytes], problems: Sequence[str]) -> Listing:
        found, links, folder = {}, [], b""
        for record in records:
            kind, _, rest = record.partition(b" ")
            if kind == b"in":
                folder = rest + b"/" if rest != b"." else b""
            elif kind == b"out":
                links.append(text(rest))
            elif kind == b"l" and wanted.concerns(text(folder + rest[2:])):
                links.append(text(folder + rest[2:]))
            elif kind == b"f" and (file := self._found(record, folder)) and wanted.match(file.path):
                found[file.path] = file
        return Listing(found, problems, links)

    def _found(self, record: bytes, folder: bytes) -> Found | None:
        """The file of `f inode mode uid size month day time ./path`."""
        words = record.split(b" ", 8)
        if len(words) != 9 or not (words[1].isdigit() and words[3].isdigit() and words[4].isdigit()):
            return None
        path = folder + words[8].removeprefix(b"./")
        moment = _seconds(words[5:8], time.time())
        if not words[2].startswith(b"-") or not inside(path) or moment is None:
            return None
        if self.owner not in (None, int(words[3])):
            return None
        settled = moment < time.time() - _COARSE_SECONDS
        return Found(text(path), int(words[4]), moment * _BILLION, int(words[1]), settled)


def _seconds(words: Sequence[bytes], now: float) -> int | None:
    """The time that ls shows: `Nov 21 12:34`, `Nov 21 2025` or `2026-11-21 12:34`, all UTC."""
    iso = _ISO.fullmatch(words[0]) is not None
    shown = b" ".join(words[:2] if iso else words).decode(errors="replace")
    try:
        if iso:
            return timegm(time.strptime(shown, "%Y-%m-%d %H:%M"))
        if ":" not in shown:
            return timegm(time.strptime(shown, "%b %d %Y"))
        year = time.gmtime(now).tm_year
        this, last = (
            timegm(time.strptime(f"{shown} {each}", "%b %d %H:%M %Y")) for each in (year, year - 1)
        )
        return this if this < now + 86_400 else last  # a day's grace: its clock may be before ours
    except ValueError:
        return None


def _most(stream: Stream, size: int) -> Iterator[bytes]:
    """The first `size` bytes, or fewer where it ends before."""
    while size and (block := stream.read(min(size, 1 << 20))):
        size -= len(block)
        yield block


def _roots(roots: Sequence[Root]) -> Iterator[str]:
    """For each folder: what matches there, and the call that looks through it."""
    for root in roots:
        start = len(root.folder) + 1 if root.folder else 0
        either = "|".join(_pattern("./" + glob[start:]) for glob in root.globs)
        depth = _DEEPEST if root.depth is None else root.depth
        if root.folder and root.depth is None:
            depth = 99
        quiet = "" if root.folder else "1"  # all of the home is full of closed folders, not our business
        yield f"m() {{ case $1 in {either}) return 0;; esac; return 1; }}"
        yield f"q={quiet}; d={shlex.quote(root.folder or '.')}; r {depth}"


def _pattern(glob: str) -> str:
    """A glob for the shell's `case`, whose * crosses folders: it matches more, never less."""
    parts = _WILD.split(glob)
    return "".join(
        part.replace("**/", "*").replace("**", "*") if at % 2 else shlex.quote(part) if part else ""
        for at, part in enumerate(parts)
    )


def _quoted(path: str) -> str:
    return shlex.quote("./" + raw(path).decode(errors="surrogateescape"))
