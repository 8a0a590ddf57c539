"""What is asked of a remote shell: one command each, harmless to any login shell, writing nothing.

Each command is words, pipes and scripts in single quotes; no script holds a single quote. Bytes go in
through stdin, separated by NUL, and `xargs -0` makes them arguments, so any name can be asked for.
"""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from siphon.wanted import Root

_COMPLAINT = re.compile(r"(?:\S*find: )?['`\u2018]?\./(.*?)['\u2019]?: (.*)")
BEGIN = b"siphon-begin"  # what a login shell prints of its own comes before it
HASHES = {
    "sha256sum": "sha256sum",
    "shasum": "shasum -a 256",
    "openssl": "openssl dgst -sha256 -r",
    "sha256": "sha256 -q",
}  # tool → command; all print the hex digest first
PACKERS = {"zstd": "zstd -q -1 -T1 -c", "gzip": "gzip -1"}  # tool → command, the cheapest first
TOOLS = (*PACKERS, "tar", "git")  # good to have
_LARGE = 16 << 20  # bytes: from here on openssl, several times faster, is worth its start

_LIST = """
d=${1:-${HOME:-$(eval echo "~$(id -un)")}};
cd "$d" 2>/dev/null || { if [ -d "$d" ]; then echo siphon-closed; else echo siphon-nohome; fi; exit 3; };
h=$(pwd -P); [ "$h" = / ] && h=;
LC_ALL=C; export LC_ALL;
t=; for x in TOOLS; do command -v $x >/dev/null 2>&1 && t="$t $x"; done;
if find . -maxdepth 0 -printf "" >/dev/null 2>&1; then k=printf;
elif stat -c %s . >/dev/null 2>&1; then k=c;
elif stat -f %z . >/dev/null 2>&1; then k=f;
else k=none; fi;
echo siphon-begin $k$t;
v() { p=$d; while case $p in */*) ;; *) false;; esac; do p=${p%/*};
if [ -d "$p" ]; then [ -x "$p" ] || case $c in *"[$p]"*) ;; *) c="$c[$p]";
echo "find: ./$p: Permission denied" >&2; echo "in ." >&2;; esac; return 0; fi; done; };
l() {
[ -d "$d" ] || { v; return 0; }; (
cd -P "$d" || exit 0;
case $(pwd -P)/ in "$h"/*) ;; *) printf "out %s\\000" "$d"; exit 0;; esac;
printf "in %s\\000" "$d";
if [ $k = printf ]; then find . "$@" -printf "%y %s %T@ %i %p\\000";
else find . "$@" -print0; fi || echo "in $d" >&2 ); };
a() {
printf "home %s\\000" "$h/"; c=;
[ $k = none ] || { CALLS; };
printf "end \\000"; };
case $t in *gzip*) a | gzip -1;; *) a;; esac
"""

_FRAMES = """
cd "$1" || exit 3; h=$(pwd -P); [ "$h" = / ] && h=; shift;
e() { [ "$(find "$p" -size "${z}c" 2>/dev/null)" ]; };
while [ $# -gt 0 ]; do
n=${1%% *}; p=${1#* }; z=${p%% *}; p=./${p#* }; shift;
m=$((z-n)); o=;
case $(cd -P "${p%/*}" 2>/dev/null && pwd -P)/ in
"$h"/*) [ -f "$p" ] && { [ -L "$p" ] || o=1; };; esac;
{
if [ "$o" ]; then if [ $n = 0 ]; then head -c $m "$p"; else tail -c +$((n+1)) "$p" | head -c $m; fi; fi;
head -c $m /dev/zero; } 2>/dev/null | head -c $m;
x=gone; if [ "$o" ]; then x=;
[ $z -lt LARGE ] || { e && x=$(FAST <"$p"); e || x=$(head -c $z "$p" | FAST); };
[ ${#x} -ge 64 ] || x=$(head -c $z "$p" | HASH); fi;
printf "%-64.64s" "$x";
done
"""

_TAR = 'cd "$1" || exit 3; shift; exec tar -cf - "$@"'
_FIND_STAT = (
    'cd "$1" || exit 3; shift; exec find "$@" -maxdepth 0 -type f OWNED-printf "f %s %T@ %i %p\\000"'
)
_STAT = 'cd "$1" || exit 3; shift; LC_ALL=C exec stat FORMAT "$@"'
_STAT_FORMATS = {"c": '-c "%f %s %Y %i %u %n"', "f": '-f "%p %z %Fm %i %u %N"'}

_GIT = """
for d do u=;
[ -d "$d" ] && u=$(env -u GIT_DIR -u GIT_WORK_TREE git --no-optional-locks -c core.fsmonitor=false
-C "$d" config --get remote.origin.url 2>/dev/null);
printf "%s\\000" "$u"; done
"""


def listing(home: str, roots: Sequence[Root], owner: int | None = None) -> str:
    """Lists the roots' files (of one user): BEGIN, way of listing and tools in a line, then records.

    `in ROOT` comes before what is in it, `out ROOT` stands for a root outside the home, `end ` is last.
    In stderr `in ROOT` comes after the complaints about it. Without `home` it is where a login lands.
    """
    tools = " ".join((*HASHES, *TOOLS, "xargs"))
    calls = "; ".join(_calls(roots, owner)) or ":"
    script = _LIST.replace("TOOLS", tools).replace("CALLS", calls)
    return f"sh -c {_single(script)} sh {shlex.quote(home)}"


def frames(home: str, hash_tool: str, fast_tool: str, packer: str) -> str:
    """For each `start size path` in stdin: size-start bytes, then the hash of the first size bytes.

    Where the file has fewer the bytes are made up with zeros, and the hash tells. `fast_tool` hashes
    large files; if it fails the other one does. One that has grown no further is hashed without a pipe.
    """
    script = _FRAMES.replace("HASH", HASHES[hash_tool]).replace("FAST", HASHES[fast_tool])
    script = script.replace("LARGE", str(_LARGE))
    return _begun(f"xargs -0 -n 200 sh -c {_single(script)} sh {shlex.quote(home)}", packer)


def tar(home: str, packer: str) -> str:
    """One or more tar archives of the `./path`s in stdin."""
    return _begun(f"xargs -0 -n 1000 sh -c {_single(_TAR)} sh {shlex.quote(home)}", packer)


def stat(home: str, kind: str, owner: int | None = None) -> str:
    """Lists the `./path`s in stdin again: the records of `listing`, or lines of `stat`."""
    found = _FIND_STAT.replace("OWNED", _owned(owner))
    script = found if kind == "printf" else _STAT.replace("FORMAT", _STAT_FORMATS[kind])
    return _begun(f"xargs -0 -n 500 sh -c {_single(script)} sh {shlex.quote(home)}")


def remotes() -> str:
    """For each folder in stdin the URL of git's `origin`, or nothing, and a NUL."""
    return _begun(f"xargs -0 -n 200 sh -c {_single(_GIT)} sh")


def asking(script: str) -> str:
    """Runs a script of sh with the values in stdin as its arguments."""
    return _begun(f"xargs -0 -n 200 sh -c {_single(script)} sh")


def complaints(lines: Iterable[str]) -> list[str]:
    """What a listing could not look into: `path: why`."""
    told: list[str] = []
    since = 0
    for line in lines:
        if line.startswith("in "):
            folder = "" if line == "in ." else f"{_plain(line[3:])}/"
            told[since:] = [_COMPLAINT.sub(rf"{folder}\1: \2", each) for each in told[since:]]
            since = len(told)
        else:
            told.append(line)
    return told


def words(values: Iterable[bytes]) -> bytes:
    """Values for stdin."""
    return b"".join(value + b"\0" for value in values)


def _plain(text: str) -> str:
    """A text for a pattern's replacement."""
    return text.replace("\\", r"\\")


def _begun(command: str, packer: str = "") -> str:
    return f"echo {BEGIN.decode()}; {command}" + (f" | {PACKERS[packer]}" if packer else "")


def _owned(owner: int | None) -> str:
    return "" if owner is None else f"-user {owner} "


def _calls(roots: Sequence[Root], owner: int | None) -> Iterator[str]:
    """For all folders in which the same is looked for: `for d in FOLDERS; do l TESTS; done`.

    The globs as find understands them match more, never less.
    """
    alike: dict[str, list[str]] = defaultdict(list)
    for root in roots:
        alike[_tests(root, owner)].append(_double(root.folder or "."))
    for tests, folders in alike.items():
        yield f"for d in {' '.join(folders)}; do l {tests}; done"


def _tests(root: Root, owner: int | None) -> str:
    """What find is to look for in a root."""
    start = len(root.folder) + 1 if root.folder else 0
    either = " -o ".join(f"-path {_double('./' + _loose(glob[start:]))}" for glob in root.globs)
    depth = "" if root.depth is None else f"-maxdepth {root.depth} "
    if not root.folder:  # all of the home: full of links and closed folders that are not our business
        return f'{depth}-type f {_owned(owner)}"(" {either} ")" 2>/dev/null'
    return f'{depth}"(" -type l -o -type f {_owned(owner)}"(" {either} ")" ")"'


def _loose(glob: str) -> str:
    return glob.replace("**/", "*").replace("**", "*")


def _double(text: str) -> str:
    if any(char in text for char in "\"'`$\\\n"):
        raise ValueError(f"{text!r}: a glob may hold no quote, dollar or backslash")
    return f'"{text}"'


def _single(script: str) -> str:
    """The script on one line, as csh takes no other, in single quotes."""
    text = " ".join(script.split("\n")).strip()
    if "'" in text:
        raise ValueError("a script may hold no single quote")
    return f"'{text}'"


def answers(folders: Sequence[str], output: bytes) -> dict[str, str | None]:
    """What `remotes` found in each folder."""
    found = output.partition(BEGIN + b"\n")[2].split(b"\0")
    return {
        folder: url.decode(errors="replace") or None for folder, url in zip(folders, found, strict=False)
    }
