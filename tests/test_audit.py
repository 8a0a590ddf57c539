"""The laws of the audit log."""

import os
import resource
import signal
import stat
import threading
from pathlib import Path

import pytest

from siphon import audit
from siphon.errors import SiphonError


def test_each_act_is_a_line_told_by_whom_and_when(tmp_path: Path) -> None:
    audit.note(tmp_path, "prune", at=5, hosts=["h"], logs=2, bytes=10)
    audit.note(tmp_path, "login", at=6, by="ed", token="t-1")
    process = os.getpid()
    assert list(audit.notes(tmp_path)) == [
        {"at": 5, "what": "prune", "by": f"uid {os.getuid()}", "process": process}
        | {"hosts": ["h"], "logs": 2, "bytes": 10},
        {"at": 6, "what": "login", "by": "ed", "process": process, "token": "t-1"},
    ]


def test_an_archive_without_an_audit_log_has_no_notes(tmp_path: Path) -> None:
    assert list(audit.notes(tmp_path / "none")) == []


@pytest.mark.parametrize("mask", [0, 0o777])
def test_only_its_owner_can_read_it_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        audit.note(tmp_path / "archive", "collect", at=1)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "archive").glob("**/*")]
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "archive").stat().st_mode) == 0o700


def test_notes_made_at_once_never_mix(tmp_path: Path) -> None:
    def many(number: int) -> None:
        for _ in range(20):
            audit.note(tmp_path, "collect", at=number, host="h" * 5000)

    threads = [threading.Thread(target=many, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(note["at"] for note in audit.notes(tmp_path)) == sorted([0, 1, 2, 3] * 20)


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    audit.note(tmp_path, "collect", at=1)
    with (tmp_path / audit.FILE).open("ab") as file:
        file.write(b'{"at": 2, "wh')
    audit.note(tmp_path, "collect", at=3)
    assert [note.get("at") for note in audit.notes(tmp_path)] == [1, None, 3]


def test_each_changed_bit_is_told_with_its_line(tmp_path: Path) -> None:
    for number in range(3):
        audit.note(tmp_path, "collect", at=number, host="h", error='say "no", {"check":"x"}')
    assert list(audit.altered(tmp_path)) == []
    file = tmp_path / audit.FILE
    good = file.read_bytes()
    for at in range(0, len(good), 7):
        file.write_bytes(good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :])
        assert list(audit.altered(tmp_path)), at
    file.write_bytes(good[:-1])
    assert list(audit.altered(tmp_path)) == [3]


def test_where_it_cannot_be_written_nothing_is_left_and_it_is_told(tmp_path: Path) -> None:
    """A full disk, by a limit on this process's files."""
    audit.note(tmp_path, "collect", at=1)
    size = (tmp_path / audit.FILE).stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, limits[1]))
    try:
        with pytest.raises(SiphonError, match="the audit log cannot be written"):
            audit.note(tmp_path, "collect", at=2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert [note["at"] for note in audit.notes(tmp_path)] == [1]
