"""Git remotes: one name for all forms of one remote, and the folders that logs speak of."""

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

_SCHEME = re.compile(r"(?:https?|git|ssh|git\+ssh|ssh\+git|git\+https?|ftps?)://", re.IGNORECASE)
_SCP = re.compile(r"(?:[^@/]*@)?(\[[^\]]+\]|[^:/]{2,}):(?!//)(.+)", re.DOTALL)
_KEYS = (b'"cwd":"', b'"cwd": "')
_BEGUN = tuple(_KEYS[1][:count] for count in range(1, len(_KEYS[1])))  # of a key: the rest may follow
_LONGEST = 4096  # bytes of a path


def normalise(url: str) -> str | None:
    """`host/owner/name` of a remote in any of its forms; None if it names no other machine.

    Credentials, port and `.git` go, the host is in lower case.
    """
    place = _place(url.strip())
    if place is None:
        return None
    host, path = place
    host = host.rpartition("@")[2].strip("[]").lower()
    parts = [part for part in unquote(path).split("/") if part]
    host, parts = _azure(host, parts)
    if parts:
        parts[-1] = parts[-1].removesuffix(".git")
    if not host or not parts or not all(parts):
        return None
    return "/".join([host, *parts])


def _place(url: str) -> tuple[str, str] | None:
    """Host and path, as written."""
    scheme = _SCHEME.match(url)
    if scheme:
        host, _, path = url[scheme.end() :].partition("/")
        return re.sub(r":\d*$", "", host), re.split("[?#]", path, maxsplit=1)[0]
    scp = None if "://" in url else _SCP.fullmatch(url)
    return (scp[1], scp[2]) if scp else None


def _azure(host: str, parts: list[str]) -> tuple[str, list[str]]:
    """Azure writes one repository as ssh.dev.azure.com:v3/o/p/r and as dev.azure.com/o/p/_git/r."""
    if host == "ssh.dev.azure.com" and parts[:1] == ["v3"]:
        return "dev.azure.com", parts[1:]
    if host == "dev.azure.com":
        return host, [part for part in parts if part != "_git"]
    return host, parts


class Folders:
    """Gathers the working directories that logs name, from their bytes as these pass by."""

    def __init__(self) -> None:
        self._raw: set[bytes] = set()
        self._rest = b""

    def feed(self, block: bytes) -> None:
        """Look through the next bytes of a log; a name may reach over two blocks."""
        data = self._rest + block
        for key in _KEYS:
            self._raw.update(_values(data, key))
        self._rest = data[-_LONGEST:] if _open(data) else b""

    def end(self) -> None:
        """The log is through."""
        self._rest = b""

    def found(self) -> list[str]:
        """The distinct absolute paths, sorted."""
        return sorted(path for raw in self._raw if (path := _decoded(raw)) is not None)


def _values(data: bytes, key: bytes) -> Iterator[bytes]:
    at = data.find(key)
    while at >= 0:
        start = at + len(key)
        end = data.find(b'"', start, start + _LONGEST)
        if end >= 0:
            yield data[start:end]
        at = data.find(key, start)


def _open(data: bytes) -> bool:
    """Whether the end may cut a name in two."""
    tail = data[-_LONGEST:]
    return b'"cwd"' in tail or tail.endswith(_BEGUN)


def _decoded(raw: bytes) -> str | None:
    try:
        path = json.loads(b'"' + raw + b'"')
    except (ValueError, UnicodeDecodeError):
        return None  # a quote within the name, or the name of something else
    return path if path.startswith("/") and "\0" not in path and path.isprintable() else None
