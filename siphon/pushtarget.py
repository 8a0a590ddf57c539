"""Where a machine pushes its logs: a bucket, a folder, or a folder behind SSH."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from siphon.bucket import Bucket, parsed, with_options
from siphon.bucket import opened as opened_bucket
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.hostconfig import path_of
from siphon.hosts import Found
from siphon.wanted import Wanted

_SSH = re.compile(
    r"ssh://(?:(?P<user>[^@/]+)@)?(?P<host>\[[^\]]+\]|[^:/-][^:/]*)(?::(?P<port>\d+))?(?P<path>/.*)"
)
_SCP = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^:/@-][^:/@]*):(?P<path>.+)")


class Content(NamedTuple):
    """A log's bytes on their way, all of them; whoever puts them there closes `file`."""

    path: str
    file: IO[bytes]  # at its beginning
    size: int
    mtime: int  # ns
    sha256: str  # hex


class Target(Protocol):
    """One machine's place there. What cannot be had or put raises SiphonError."""

    name: str  # for people

    def sweep(self) -> None:
        """Drop what pushes of this machine that were killed left on its way."""

    def there(self, wanted: Wanted) -> Mapping[str, Found]:
        """The logs that lie there, by path."""

    def put(self, content: Content) -> str:
        """Put it there, at once or not at all; gives its mark, as `mark_of` does when it is listed."""

    def say(self, name: str, data: bytes) -> None:
        """Put a file beside the logs."""

    def close(self) -> None:
        """Hang up."""


class Named(NamedTuple):
    """A target as a command line names it."""

    bucket: Bucket | None = None
    folder: Path | None = None
    ssh: str | None = None  # host name or alias
    user: str | None = None
    port: int | None = None
    path: str = ""  # behind ssh; a relative one begins where the login lands

    @property
    def url(self) -> str:
        """It as one word, the same for the same place."""
        if self.bucket is not None:
            return self.bucket.url
        if self.folder is not None:
            return str(self.folder)
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"ssh://{user}{self.ssh}{port}{self.path if self.path[0] == '/' else '/~/' + self.path}"


def mark_of(found: Found) -> str:
    """Equal marks: the same bytes as when it was put there."""
    return found.etag or f"{found.size} {found.mtime // 10**9}"


def named(word: str, config: Config, here: Path, **options: str | None) -> Named:
    """What a word means: a bucket or inbox of siphon.yml, a URL, host:path or a folder.

    `options` are those of a bucket. Raises SiphonError saying what would be right.
    """
    found = _named(word, config, here)
    given = {key: value for key, value in options.items() if value is not None}
    if found.bucket is not None:
        return found._replace(bucket=with_options(found.bucket, **given))
    if given:
        raise SiphonError(f"{word}: --{next(iter(given))} goes with a bucket; drop it")
    return found


def opened(target: Named, machine: str, config: Config, environ: Mapping[str, str]) -> Target:
    """The target, ready. Raises SiphonError."""
    if target.bucket is not None:
        from siphon.pushbucket import BucketTarget

        store = opened_bucket(target.bucket, config.ssh.parent, environ)
        return BucketTarget(store, target.bucket, machine)
    if target.folder is not None:
        from siphon.pushfolder import FolderTarget

        return FolderTarget(target.folder, machine)
    from siphon.pushssh import SshTarget
    from siphon.ssh import Login, connect

    login = Login(target.ssh or "", target.ssh or "", target.user, target.port)
    return SshTarget(connect(login, config.ssh), target.url, target.path, machine)


def _named(word: str, config: Config, here: Path) -> Named:
    for host in config.hosts:
        if host.name == word and (host.bucket is not None or host.inbox is not None):
            return Named(bucket=host.bucket, folder=host.inbox)
    if re.match(r"(?:s3|gs|az)://", word):
        return Named(bucket=parsed(word))
    if word.startswith(("/", "./", "../", "~/")):
        return Named(folder=path_of(word, config.ssh.parent, here))
    found = (_SSH if "://" in word else _SCP).fullmatch(word)
    if found is None:
        raise SiphonError(
            f"{word!r} is no place to push to; right are a bucket (s3://BUCKET/FOLDER, gs://, az://), "
            "HOST:FOLDER, ssh://HOST/FOLDER, /FOLDER, or the name of a bucket in siphon.yml"
        )
    path = found["path"].removeprefix("/~/") if word.startswith("ssh://") else found["path"]
    port = found.groupdict().get("port")
    return Named(
        ssh=found["host"].strip("[]"),
        user=found["user"],
        port=int(port) if port else None,
        path=path.removeprefix("~/").rstrip("/") or "/",
    )
