"""The laws of the archive: nothing lost, nothing half, nothing readable by others."""

import os
import pickle
import random
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import noise
from siphon import audit, pathtext, private
from siphon.archive import Archive, Held
from siphon.deposit import Arrival
from siphon.errors import SiphonError
from siphon.hashing import digest
from siphon.ledger import HostState, Run
from siphon.verify import Finding

LOG = ".claude/projects/-p/log.jsonl"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def arrival(archive: Archive, path: str, whole: bytes, held: int | None = None) -> Arrival:
    """A log on its way in; `held`: the bytes that the archive has already."""
    archive.held()  # so that its folders are there
    part = archive.part()
    with private.create(part) as file:
        file.write(whole[held or 0 :])
    size = len(whole) - (held or 0)
    scratch = archive.part()
    scratch.write_bytes(whole)
    sha256 = digest(scratch, len(whole))
    scratch.unlink()
    return Arrival(path, part, held is not None, len(whole), 7, "stamp", sha256, digest(part, size))


def put(archive: Archive, path: str, whole: bytes, held: int | None = None, host: str = "h") -> None:
    archive.add(host, [arrival(archive, path, whole, held)], at=1000)


def read(archive: Archive, path: str, host: str = "h") -> bytes | None:
    file = archive.home(host).open(path)
    if file is None:
        return None
    with file:
        return file.read()


def file_of(archive: Archive, path: str) -> Path:
    return archive.root / "h" / path


def test_a_log_lies_byte_for_byte_under_its_own_path(archive: Archive) -> None:
    put(archive, LOG, b"one\ntwo\n")
    assert file_of(archive, LOG).read_bytes() == b"one\ntwo\n"
    assert read(archive, LOG) == b"one\ntwo\n"
    assert archive.held() == [Held("h", LOG, 1, 8, 7)] == archive.held("h")
    assert archive.held("another") == []
    assert list(archive.verify(read_data=True)) == []


def test_an_archive_that_is_not_there_yet_is_empty(archive: Archive) -> None:
    assert archive.entries("h") == {}
    assert not archive.root.exists()
    assert archive.held() == []
    assert archive.home("h").open(LOG) is None


def test_a_tail_is_appended(archive: Archive) -> None:
    put(archive, LOG, b"one\n")
    put(archive, LOG, b"one\ntwo\n", held=4)
    assert archive.held() == [Held("h", LOG, 1, 8, 7)]
    assert file_of(archive, LOG).read_bytes() == b"one\ntwo\n"
    segments = archive.ledger.rows("select start, size from segments order by start")
    assert segments == [(0, 4), (4, 4)]
    assert list(archive.verify(read_data=True)) == []


def test_what_an_interrupted_append_left_is_never_seen_and_then_replaced(archive: Archive) -> None:
    put(archive, LOG, b"one\n")
    with file_of(archive, LOG).open("ab") as file:
        file.write(b"torn and longer than what comes")
    assert read(archive, LOG) == b"one\n"
    assert list(archive.verify(read_data=True)) == []
    put(archive, LOG, b"one\ntwo\n", held=4)
    assert file_of(archive, LOG).read_bytes() == b"one\ntwo\n"


def test_a_rewritten_log_is_a_new_generation_and_the_old_one_stays(archive: Archive) -> None:
    put(archive, LOG, b"first")
    put(archive, LOG, b"2nd")
    put(archive, LOG, b"the third")
    assert archive.held() == [Held("h", LOG, 3, 9, 7)]
    assert file_of(archive, LOG).read_bytes() == b"the third"
    kept = archive.root / ".generations" / "h"
    assert (kept / "1" / LOG).read_bytes() == b"first"
    assert (kept / "2" / LOG).read_bytes() == b"2nd"
    assert list(archive.verify(read_data=True)) == []


def test_a_generation_is_not_touched_when_the_next_one_grows(archive: Archive) -> None:
    put(archive, LOG, b"first")
    put(archive, LOG, b"second ")
    put(archive, LOG, b"second grows", held=7)
    assert (archive.root / ".generations" / "h" / "1" / LOG).read_bytes() == b"first"
    assert read(archive, LOG) == b"second grows"


def test_replaced_generations_are_kept_without_what_they_repeat(archive: Archive) -> None:
    chance = random.Random(3)
    versions = [bytearray(chance.randbytes(1_000_000))]
    for _ in range(9):
        version = bytearray(versions[-1])
        at = chance.randrange(900_000)
        version[at : at + 5000] = chance.randbytes(5000)
        versions.append(version)
    for version in versions:
        put(archive, "s.db", bytes(version))
        archive.pack("h", 0)
    assert [held.generation for held in archive.generations("h", "s.db")] == list(range(1, 11))
    for number, version in enumerate(versions, 1):
        file = archive.open("h", "s.db", number)
        assert file is not None and file.read() == version
        assert file.seek(70_000) == 70_000
        assert file.read(100_000) == version[70_000:170_000]
    packed = sum(file.stat().st_size for file in (archive.root / ".packed").rglob("*") if file.is_file())
    assert packed < 1_000_000 + 9 * 2 * 70_000
    assert not [file for file in (archive.root / ".generations").rglob("*") if file.is_file()]
    assert archive.open("h", "s.db", 11) is None
    assert list(archive.verify(read_data=True)) == []


SOAK = "SIPHON_SOAK" in os.environ  # `make soak`


def test_every_flipped_bit_is_found(archive: Archive) -> None:
    """In a log, a packed one, replaced generations packed and plain, the ledger and its seal."""
    chance = random.Random(4)
    put(archive, "at rest", noise(1_500_000))
    put(archive, "at rest, small", noise(5000))
    with archive.lock("test", 1):
        assert archive.pack_all(2000).logs == 2
    for size in (200_000, 150_000, 3000):
        put(archive, LOG, chance.randbytes(size))
        archive.pack("h", 0)
    for data in (b"one", b"other"):
        put(archive, "small", data)
    with archive.lock("test", 1):  # its end seals the ledger
        pass
    audit.note(archive.root, "pack", 1, logs=2)
    archive.ledger.db.close()  # as when a command ends
    archive = Archive(archive.root)
    files = [file for file in archive.root.rglob("*") if file.is_file() and "lock" not in str(file)]
    assert {file.relative_to(archive.root).parts[0] for file in files} == {
        ".zst", ".packed", ".generations", "h", ".ledger.db", ".ledger.db.seal", ".audit.jsonl"
    }  # fmt: skip
    for turn in range(1000 if SOAK else 40):
        file = files[turn % len(files)]
        at, bit = _bit(chance, file, turn)
        assert _found(archive, file, at, bit), (file, at, bit)
    assert list(archive.verify(read_data=True)) == []


def test_a_ledger_found_changed_stays_so_until_that_is_accepted(archive: Archive) -> None:
    """A collect in between seals the ledger anew, but does not hide what was found."""
    put(archive, LOG, b"one")
    with archive.lock("test", 1):
        pass
    assert list(archive.verify()) == []
    with closing(sqlite3.connect(archive.root / ".ledger.db")) as db:
        db.execute("update logs set first_seen = 5")  # which nothing else would show
        db.commit()
    with archive.lock("test", 2):
        put(archive, LOG, b"one more", held=3)
    (finding,) = archive.verify(read_data=True)
    assert finding.path == ".ledger.db" and "not those that siphon wrote" in finding.what
    archive.refetch([])
    assert list(archive.verify(read_data=True)) == []


def test_whoever_writes_takes_the_seal_off_and_puts_it_on(archive: Archive) -> None:
    put(archive, LOG, b"one")
    seal = archive.root / ".ledger.db.seal"
    assert not seal.exists()
    with archive.lock("test", 1):
        assert not seal.exists()
    assert seal.exists()
    archive.record_run(Run(kind="load", started_at=4, ended_at=5, outcome="ok"))
    first = seal.read_text()
    archive.record_run(Run(kind="verify", started_at=6, ended_at=7, outcome="ok"))
    assert seal.read_text() != first
    assert list(archive.verify()) == []


def _bit(chance: random.Random, file: Path, turn: int) -> tuple[int, int]:
    """Any bit; every third time one near an end of the file, where formats keep their books."""
    size = file.stat().st_size
    edge = chance.choice([*range(min(size, 40)), *range(max(0, size - 40), size)])
    return edge if turn % 3 == 0 else chance.randrange(size), 1 << chance.randrange(8)


def _found(archive: Archive, file: Path, at: int, bit: int) -> bool:
    """Whether `verify --read-data` tells that this bit was flipped; it is put back."""
    good = file.read_bytes()
    file.write_bytes(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
    try:
        return bool(list(Archive(archive.root).verify(read_data=True)))
    except SiphonError:  # a ledger that cannot even be opened
        return True
    finally:
        file.write_bytes(good)


def test_a_reader_keeps_what_it_opened(archive: Archive) -> None:
    put(archive, LOG, b"one\n")
    file = archive.home("h").open(LOG)
    assert file is not None
    put(archive, LOG, b"one\ntwo\n", held=4)
    put(archive, LOG, b"something else")
    with file:
        assert file.read() == b"one\n"
        assert file.seek(-2, os.SEEK_END) == 2
        assert file.read(9) == b"e\n"


@pytest.mark.parametrize("mask", [0, 0o777])
def test_nobody_else_can_read_it_whatever_the_umask(archive: Archive, mask: int) -> None:
    before = os.umask(mask)
    try:
        put(archive, LOG, b"one")
        put(archive, LOG, b"two")
        put(archive, LOG, b"two and", held=3)
    finally:
        os.umask(before)
    modes = {
        path: stat.S_IMODE(path.stat().st_mode) for path in [archive.root, *archive.root.rglob("*")]
    }
    wrong = {path for path, mode in modes.items() if mode != (0o700 if path.is_dir() else 0o600)}
    assert wrong == set()


def test_a_file_that_no_ledger_knows_is_kept_not_overwritten(archive: Archive) -> None:
    """As when the ledger was lost, or restored from an older copy."""
    private.folder(file_of(archive, LOG).parent)
    file_of(archive, LOG).write_bytes(b"nobody knows me")
    put(archive, LOG, b"the log")
    assert archive.held() == [Held("h", LOG, 2, 7, 7)]
    assert (archive.root / ".generations" / "h" / "1" / LOG).read_bytes() == b"nobody knows me"


def test_a_commit_killed_before_its_ledger_entry_is_simply_done_again(archive: Archive) -> None:
    private.folder(file_of(archive, LOG).parent)
    file_of(archive, LOG).write_bytes(b"the log")
    put(archive, LOG, b"the log")
    assert archive.held() == [Held("h", LOG, 1, 7, 7)]
    assert list(archive.verify(read_data=True)) == []


def test_a_rewrite_killed_half_way_still_shows_the_old_generation(archive: Archive) -> None:
    put(archive, LOG, b"old bytes")
    aside = f".generations/h/1/{LOG}"
    private.folder((archive.root / aside).parent)
    (archive.root / aside).hardlink_to(file_of(archive, LOG))
    with archive.ledger.write() as db:
        db.execute("update logs set place = ?", (aside,))
    fresh = archive.part()
    fresh.write_bytes(b"new bytes, not committed")
    fresh.replace(file_of(archive, LOG))
    assert read(archive, LOG) == b"old bytes"
    with archive.lock("test", 1):  # whoever works next mends it
        pass
    assert file_of(archive, LOG).read_bytes() == b"old bytes"
    assert archive.held() == [Held("h", LOG, 1, 9, 7)]
    put(archive, LOG, b"new bytes")
    assert read(archive, LOG) == b"new bytes"
    assert (archive.root / aside).read_bytes() == b"old bytes"
    assert list(archive.verify(read_data=True)) == []


def test_a_log_whose_path_is_now_a_folder_finds_another_place(archive: Archive) -> None:
    put(archive, "a", b"a file first")
    put(archive, "a/b", b"then a folder")
    put(archive, "c/d", b"a folder first")
    put(archive, "c", b"then a file")
    put(archive, "a/b", b"rewritten")
    held = {path: read(archive, path) for path in ("a", "a/b", "c/d", "c")}
    assert held == {
        "a": b"a file first",
        "a/b": b"rewritten",
        "c/d": b"a folder first",
        "c": b"then a file",
    }
    assert list(archive.verify(read_data=True)) == []


def test_names_may_be_as_long_as_a_file_system_takes(archive: Archive) -> None:
    path = f"{'d' * 255}/{'f' * 255}"
    put(archive, path, b"one")
    put(archive, path, b"two")
    assert read(archive, path) == b"two"
    assert list(archive.verify(read_data=True)) == []


def test_a_path_too_long_for_this_machine_is_still_kept(archive: Archive) -> None:
    path = "/".join(["d" * 200] * 25)
    put(archive, path, b"deep")
    assert read(archive, path) == b"deep"


@given(st.binary(max_size=40))
def test_every_name_has_a_text_and_leads_back(raw: bytes) -> None:
    assert pathtext.raw(pathtext.text(raw)) == raw
    pathtext.text(raw).encode()  # can be stored


@given(st.text(alphabet="\\x5c0fé", max_size=12), st.text(alphabet="\\x5c0fé", max_size=12))
def test_no_two_names_share_a_text(one: str, other: str) -> None:
    same = pathtext.text(one.encode()) == pathtext.text(other.encode())
    assert same == (one == other)


def test_names_of_any_bytes_are_held_and_found(archive: Archive) -> None:
    names = [
        b"line\nend",
        b"quote'\"",
        b"-rf",
        b"caf\xc3\xa9",
        b"\xff\xfe",
        b"\\xff",
        "\U0001f600".encode(),
    ]
    paths = [pathtext.text(b".claude/" + name) for name in names]
    for path, name in zip(paths, names, strict=True):
        put(archive, path, name)
    assert [read(archive, path) for path in paths] == names
    assert sorted(archive.home("h").glob(".claude/*")) == sorted(paths)
    files = {os.fsencode(path.name) for path in (archive.root / "h" / ".claude").iterdir()}
    assert files == set(names)


def test_globs_are_answered_from_the_ledger(archive: Archive) -> None:
    for path in ("x/a.jsonl", "x/y/b.jsonl", "x/y/c.txt", "xa/b.jsonl", "z.jsonl"):
        put(archive, path, b"")
    home = archive.home("h")
    assert home.glob("x/**/*.jsonl") == ["x/a.jsonl", "x/y/b.jsonl"]
    assert home.glob("*.jsonl") == ["z.jsonl"]
    assert home.glob("x/*") == ["x/a.jsonl"]
    assert home.glob("**/b.{jsonl,txt}") == ["x/y/b.jsonl", "xa/b.jsonl"]


def test_a_home_can_be_handed_to_another_process(archive: Archive) -> None:
    put(archive, LOG, b"one")
    home = pickle.loads(pickle.dumps(archive.home("h")))
    file = home.open(LOG)
    assert file.read() == b"one"


def test_a_store_is_read_as_sqlite(archive: Archive, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "store")) as db:
        db.execute("create table t (x)")
        db.execute("insert into t values (42)")
        db.commit()
    put(archive, "s.db", (tmp_path / "store").read_bytes())
    with archive.home("h").sqlite("s.db") as db:
        assert db.execute("select x from t").fetchall() == [(42,)]


def test_repos_are_learned_and_never_unlearned(archive: Archive) -> None:
    archive.add_repos("h", {"/a": "github.com/o/a", "/b": None, "/c": None}, at=5)
    archive.add_repos("h", {"/a": None, "/b": "github.com/o/b"}, at=9)
    archive.add_repos("h", {"/c": None, "/d": None}, at=None)
    assert archive.repos() == {("h", "/a"): "github.com/o/a", ("h", "/b"): "github.com/o/b"}
    assert archive.asked_repos("h") == {"/a": 9, "/b": 9, "/c": 5, "/d": None}


def test_runs_and_hosts_are_remembered(archive: Archive) -> None:
    run = archive.record_run(Run(kind="collect", host="h", started_at=1))
    done = archive.record_run(run._replace(ended_at=2, outcome="ok", bytes=3))
    other = archive.record_run(Run(kind="load", started_at=4, ended_at=5, outcome="ok"))
    assert archive.runs() == [done, other]
    archive.ledger.record_host("h", 2, None)
    archive.ledger.record_host("h", 6, "it is down")
    assert archive.host_states() == [HostState("h", 2, 6, "it is down")]


def test_a_killed_collect_is_told_by_the_next_one(archive: Archive) -> None:
    run = archive.record_run(Run(kind="collect", host="h", started_at=1))
    with archive.lock("collect", 9):
        pass
    assert archive.runs() == [run._replace(ended_at=9, outcome="error", error="interrupted")]


HOLDER = """
import sys
from pathlib import Path
from siphon.archive import Archive
with Archive(Path(sys.argv[1])).lock("collect", 1):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(archive: Archive) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", HOLDER, str(archive.root)]
    checkout = Path(__file__).parent.parent
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=checkout
    ) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_two_collectors_never_work_at_once_and_the_second_is_told_who(
    archive: Archive, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(SiphonError, match=rf"in use by collect, process {holder.pid} on \S+ since 20"):
        archive.lock("collect", 2).__enter__()
    holder.kill()
    holder.wait()
    with archive.lock("collect", 3):
        assert list((archive.root / ".parts").iterdir()) == []


def test_verify_finds_what_is_missing_short_changed_or_unknown(archive: Archive) -> None:
    for name in "abcd":
        put(archive, name, b"12345678")
    put(archive, "d", b"new")
    file_of(archive, "a").unlink()
    os.truncate(file_of(archive, "b"), 5)
    with file_of(archive, "c").open("r+b") as file:
        file.write(b"1\x003")
    (archive.root / ".generations" / "h" / "1" / "d").write_bytes(b"12345679")
    file_of(archive, "stranger").write_bytes(b"")
    shallow = [
        Finding("h", "a", 1, "missing: No such file or directory"),
        Finding("h", "b", 1, "too short: 5 of 8 bytes"),
        Finding(None, "h/stranger", None, "in no ledger: left by a kill, or put there by hand"),
    ]
    assert list(archive.verify()) == shallow
    deep = [finding for finding in archive.verify(read_data=True) if finding not in shallow]
    assert [(finding.path, finding.generation) for finding in deep] == [("c", 1), ("d", 1)]
    assert all(finding.what.startswith("changed: ") for finding in deep)


def test_a_ledger_of_a_later_siphon_is_left_alone(archive: Archive) -> None:
    archive.held()
    with closing(sqlite3.connect(archive.root / ".ledger.db")) as db:
        db.execute("pragma user_version = 99")
    with pytest.raises(SiphonError, match="written by a newer siphon"):
        Archive(archive.root).held()


def test_importing_the_archive_loads_no_ssh() -> None:
    code = (
        "import sys, siphon.archive, siphon.collect; print({'fabric', 'paramiko'} & sys.modules.keys())"
    )
    checkout = Path(__file__).parent.parent
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=checkout)
    assert answer.stdout == "set()\n", answer.stderr


def test_a_host_below_another_shares_no_place_with_it(archive: Archive) -> None:
    for host in ("gpu", "gpu/ada", "gpu/1"):
        archive.ledger.record_host(host, 1, None)
    logs = {("gpu", "ada/x"): b"one", ("gpu/ada", "x"): b"two", ("gpu/1", "x"): b"three"}
    for turn in (b" first", b" second"):  # so that each has a generation set aside
        for (host, path), data in logs.items():
            put(archive, path, data + turn, host=host)
    put(archive, "1/x", b"of gpu itself", host="gpu")
    for (host, path), data in logs.items():
        assert read(archive, path, host) == data + b" second"
        old = archive.open(host, path, 1)
        assert old is not None and old.read() == data + b" first"
    with archive.host_lock("gpu/ada"), archive.host_lock("gpu"):
        pass
    with archive.lock("test", 1):
        pass
    assert list(archive.verify(read_data=True)) == []
