"""Buckets and inboxes as ways to hosts: each machine that pushed there is a host of the archive.

It is called <host of siphon.yml>/<machine>, always: a shorter name would depend on what else is
configured, and when that changes all its logs would be filed anew under another one.
"""

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from siphon.bucket import Bucket, opened
from siphon.errors import SiphonError
from siphon.hosts import Host
from siphon.inboxhost import InboxHost
from siphon.layout import MARK, RAW, is_machine
from siphon.reach import Asked, Part, Reached


def reach_bucket(asked: Asked) -> Reached:
    """The machines of a bucket. Raises SiphonError where it cannot be listed."""
    from siphon.buckethost import BucketHost
    from siphon.bucketlist import pushed

    bucket = asked.host.bucket
    assert bucket is not None
    # Of the environment this reads which profile of AWS's own tools is chosen, as those tools do.
    store = opened(bucket, asked.config.ssh.parent, os.environ)

    def host(machine: str) -> Host:
        held = asked.archive.home(f"{asked.host.name}/{machine}").open
        return BucketHost(store, bucket.url, machine, held)

    return _reached(asked, pushed(store, bucket.url), host, _warnings(bucket))


def reach_inbox(asked: Asked) -> Reached:
    """The machines of a folder. Raises SiphonError where there is no such folder."""
    inbox = asked.host.inbox
    assert inbox is not None
    try:
        # A link is no machine: it would give one machine's logs, or this one's, as another's.
        folders = [entry.name for entry in os.scandir(inbox) if entry.is_dir(follow_symlinks=False)]
    except OSError as error:
        raise SiphonError(f"inbox {inbox}: {error.strerror}; make that folder") from error
    heard = {name: _heard(inbox / name) for name in folders if _pushed(inbox / name)}
    return _reached(asked, heard, lambda machine: InboxHost(Path(inbox, machine)), [])


def _reached(
    asked: Asked,
    heard: Mapping[str, int | None],
    host: Callable[[str], Host],
    problems: list[str],
) -> Reached:
    """A part for each machine that is there, or was: all its logs are gone then, and said to be.

    `heard`: the machines that are there, and when they last pushed, if they tell.
    """
    there = [name for name in heard if not name.startswith(".")]
    for name in there:
        if not is_machine(name):
            what = "letters, digits, '.', '_' and '-' make the name of a machine"
            problems.append(f"{ascii(name)[1:-1]}: not collected: {what}")
    machines = sorted({*filter(is_machine, there), *_known(asked)})
    if not machines:
        problems.append("no machine has pushed here yet; see `siphon push --help`")
    parts = [
        Part(f"{asked.host.name}/{each}", partial(host, each), heard.get(each)) for each in machines
    ]
    return Reached(parts, _nothing_to_close, problems)


def _known(asked: Asked) -> list[str]:
    """The machines that the archive has from here."""
    if not asked.archive.root.exists():
        return []
    before = f"{asked.host.name}/"
    names = [state.name for state in asked.archive.host_states()]
    return [name.removeprefix(before) for name in names if name.startswith(before)]


def _pushed(folder: Path) -> bool:
    """Whether a machine pushed into this folder."""
    return any(os.path.lexists(folder / name) for name in (RAW, MARK))


def _heard(machine: Path) -> int | None:
    """By the clock of this machine, not of that one."""
    try:
        return (machine / MARK).lstat().st_mtime_ns // 10**6
    except OSError:
        return None


def _warnings(bucket: Bucket) -> list[str]:
    if bucket.exposed is None:
        return []
    return [f"{bucket.exposed} holds a secret and others can read it: chmod 600 {bucket.exposed}"]


def _nothing_to_close() -> None:
    """Stores and folders need no hanging up."""
