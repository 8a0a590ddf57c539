"""Hosts that are not GNU's: folders of tools as BusyBox or BSD have them, to be a login's whole PATH."""

import shutil
import subprocess
import sys
from pathlib import Path

_NO_PRINTF = """#!/bin/sh
case "$*" in *-printf*) echo "find: unknown primary -printf" >&2; exit 1;; esac
exec {find} "$@"
"""

# BSD's stat knows -f FORMAT and no -c.
_BSD_STAT = """#!{python}
import os, sys
if sys.argv[1] != "-f":
    sys.exit("stat: illegal option")
out = open(1, "wb")
for name in sys.argv[3:]:
    try:
        status = os.lstat(name)
    except FileNotFoundError:
        print(f"stat: {{name}}: no such file", file=sys.stderr)
        continue
    seconds, fraction = divmod(status.st_mtime_ns, 10**9)
    words = {{
        "%p": f"{{status.st_mode:o}}",
        "%z": str(status.st_size),
        "%Fm": f"{{seconds}}.{{fraction:09d}}",
        "%i": str(status.st_ino),
        "%u": str(status.st_uid),
    }}
    line = sys.argv[2]
    for word, value in words.items():
        line = line.replace(word, value)
    before, _, after = line.partition("%N")
    out.write(before.encode() + os.fsencode(name) + after.encode() + b"\\n")
"""

_SUDO = """#!/bin/sh
[ "$1 $2 $4 $#" = "-n -u sh 4" ] || { echo "sudo: a password is required" >&2; exit 1; }
exec setpriv --reuid="${3#\\#}" --regid="${3#\\#}" --clear-groups --inh-caps=-all sh
"""

_TOOLS = ("sh", "env", "git", "head", "id", "ls", "tail", "uname", "xargs")


def busybox(folder: Path) -> Path:
    """No find -printf, and a clock of whole seconds in stat: the real one, if this machine has it."""
    real = shutil.which("busybox")
    if real is not None:
        folder.mkdir(parents=True)
        subprocess.run([real, "--install", "-s", folder], check=True)
        (folder / "git").symlink_to(_program("git"))
        return folder
    _tools(folder, *_TOOLS, "stat", "sha256sum", "tar", "gzip")
    _script(folder / "find", _NO_PRINTF.format(find=_program("find")))
    return folder


def bsd(folder: Path) -> Path:
    """Neither find -printf nor stat -c, no sha256sum; here without tar and gzip, too."""
    _tools(folder, *_TOOLS, "openssl")
    _script(folder / "find", _NO_PRINTF.format(find=_program("find")))
    _script(folder / "stat", _BSD_STAT.format(python=sys.executable))
    return folder


def bare(folder: Path) -> Path:
    """A shell and next to nothing else."""
    _tools(folder, "sh", "env", "head", "tail")
    return folder


def sudo(folder: Path) -> Path:
    """What sudo does for users that this machine does not know: a shell of theirs, and no more."""
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    _script(folder / "sudo", _SUDO)
    return folder


def least(folder: Path) -> Path:
    """A shell, ls and cat."""
    _tools(folder, "sh", "ls", "cat")
    return folder


def _tools(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).symlink_to(_program(name))


def _program(name: str) -> str:
    program = shutil.which(name)
    assert program is not None, f"{name} is missing on this machine"
    return program


def _script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
