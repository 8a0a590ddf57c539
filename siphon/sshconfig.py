"""The user's and the system's ssh_config, `Include` and all, for Fabric."""

import re
import shlex
from pathlib import Path

from paramiko.config import SSHConfig
from paramiko.ssh_exception import ConfigParseError

from siphon.errors import SiphonError

SYSTEM = Path("/etc/ssh")
_INCLUDE = re.compile(r"\s*include(?:\s*=\s*|\s+)(.+)", re.IGNORECASE)
_BLOCK = re.compile(r"\s*(?:host|match)[\s=]", re.IGNORECASE)
_FILES = re.compile(
    r"\s*(?:identityfile|userknownhostsfile|certificatefile|identityagent)[\s=]", re.IGNORECASE
)
_HOME = re.compile(r"(?<=[\s=\"])(?:~|%d)/")
_DEEPEST = 16


def ssh_config(folder: Path) -> SSHConfig:
    """What applies to connections from here: the user's folder (~/.ssh) first, then the system's."""
    lines = [*_read(folder / "config", folder, 0), "Host *", *_read(SYSTEM / "ssh_config", SYSTEM, 0)]
    home = f"{folder.parent}/"  # paramiko has its own idea of it
    text = "\n".join(_HOME.sub(lambda _: home, line) if _FILES.match(line) else line for line in lines)
    try:
        return SSHConfig.from_text(text)
    except ConfigParseError as error:
        raise SiphonError(f"{folder / 'config'}: {error}") from error


def _read(file: Path, folder: Path, depth: int) -> list[str]:
    """The file's lines, included ones in their place; paramiko knows no Include."""
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return []
    read: list[str] = []
    block = "Host *"
    for line in lines:
        include = _INCLUDE.match(line)
        if include and depth < _DEEPEST:
            for path in _included(include[1], folder):
                read += _read(path, folder, depth + 1)
            read.append(block)  # where the included file opened a block of its own
            continue
        if _BLOCK.match(line):
            block = line
        read.append(line)
    return read


def _included(words: str, folder: Path) -> list[Path]:
    paths = []
    for word in shlex.split(words):
        pattern = folder.parent / word[2:] if word.startswith("~/") else folder / word
        paths += sorted(Path("/").glob(str(pattern.relative_to("/"))))
    return paths
