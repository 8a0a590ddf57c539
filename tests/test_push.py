"""The laws of pushing, on every kind of target; and what a collect makes of it on the other side."""

import getpass
import json
import logging
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from moto.server import ThreadedMotoServer

from bucketsite import KEYS, InBucket, InFolder, Machines, Shelf, machines_of, new_bucket, new_inbox
from fleet import counts, noise
from relay import relay
from siphon.cli import run
from siphon.config import load_config
from siphon.errors import SiphonError
from siphon.push import PushReport, push
from siphon.pushmemory import Memory
from siphon.pushtarget import named
from sshd import Sshd, know, running_sshd

LOG = ".claude/projects/-p/11111111-1111-4111-8111-111111111111.jsonl"
OTHER = (
    ".codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-22222222-2222-4222-8222-222222222222.jsonl"
)
STORE = ".local/share/opencode/opencode.db"


@pytest.fixture(scope="session")
def s3() -> Iterator[ThreadedMotoServer]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with running_sshd(tmp_path_factory.mktemp("inbox"), "ForceCommand internal-sftp") as found:
        yield found


class Pusher(NamedTuple):
    """A machine, and where it pushes to."""

    home: Path
    word: str  # of the target
    environ: Mapping[str, str]
    shelf: Shelf
    machines: Machines  # the other side

    def push(self, **options: bool) -> PushReport:
        ticks = count(1_800_000_000_000)
        config = load_config(None, self.environ, self.home)
        return push(
            config,
            self.word,
            "laptop",
            environ=self.environ,
            here=self.home,
            now=lambda: next(ticks),
            **options,
        )

    def write(self, path: str, data: bytes) -> Path:
        file = self.home / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        return file


def sent(report: PushReport) -> dict[str, str]:
    assert report.problems == ()
    return {one.path: one.kind for one in report.sent}


@pytest.fixture(params=["bucket", "ssh", "folder"])
def pusher(request: pytest.FixtureRequest, tmp_path: Path) -> Pusher:
    home = tmp_path / "home"
    home.mkdir()
    environ = {"HOME": str(home)}
    if request.param == "bucket":
        server: ThreadedMotoServer = request.getfixturevalue("s3")
        bucket = new_bucket(server)
        keys = "".join(f"{key}: {value}\n      " for key, value in KEYS.items())
        config = f"hosts:\n  here: {{home: ~}}\n  team:\n      s3: {bucket.bucket.url}\n      {keys}"
        (home / "siphon.yml").write_text(f"{config}endpoint: {bucket.url}\n")
        return Pusher(home, "team", environ, bucket, machines_of(bucket, tmp_path))
    inbox = new_inbox(tmp_path)
    word = str(inbox.folder)
    if request.param == "ssh":
        sshd: Sshd = request.getfixturevalue("sshd")
        (home / ".ssh").symlink_to(sshd.folder)
        word = f"ssh://{getpass.getuser()}@127.0.0.1:{sshd.port}{inbox.folder}"
    return Pusher(home, word, environ, inbox, machines_of(inbox, tmp_path))


def test_what_is_pushed_is_collected_byte_for_byte_and_nothing_else_is(pusher: Pusher) -> None:
    data = {LOG: noise(6_000_000), OTHER: b"no end of line", f"{LOG[:-8]}-0.jsonl": b""}
    for path, content in data.items():
        pusher.write(path, content)
    for secret in (".claude/.credentials.json", ".codex/auth.json", ".ssh-key", "notes.jsonl"):
        pusher.write(secret, b"secret")
    assert sent(pusher.push()) == dict.fromkeys(data, "new")
    assert set(pusher.shelf.keys()) == {"laptop/pushed.json", *(f"laptop/raw/{path}" for path in data)}
    assert counts(pusher.machines.report()) == {"new": 3}
    assert {path: pusher.machines.read(path) for path in data} == data
    assert pusher.machines.sound()


def test_pushed_twice_nothing_is_sent_and_after_growth_what_grew(pusher: Pusher) -> None:
    pusher.write(LOG, noise(50_000))
    pusher.write(OTHER, b"line\n")
    pusher.push()
    pusher.machines.report()
    assert sent(pusher.push()) == {}
    with pusher.write(OTHER, b"line\n").open("ab") as file:
        file.write(b"more\n")
    assert sent(pusher.push()) == {OTHER: "changed"}
    report = pusher.machines.report()
    assert (counts(report), report.bytes) == ({"grown": 1}, 5)
    pusher.write(OTHER, b"Line\nmore\n")
    (pusher.home / LOG).unlink()
    assert sent(pusher.push()) == {OTHER: "changed"}
    assert counts(pusher.machines.report()) == {"rewritten": 1}
    assert pusher.machines.read(LOG) == noise(50_000)  # what is gone here stays there
    assert sent(pusher.push()) == {}


def test_what_lies_there_otherwise_is_sent_again(pusher: Pusher) -> None:
    pusher.write(LOG, b"mine\n")
    pusher.write(OTHER, b"mine, too\n")
    pusher.push()
    pusher.shelf.delete(f"laptop/raw/{LOG}")
    pusher.shelf.put(f"laptop/raw/{OTHER}", b"somebody's\n")
    assert sent(pusher.push()) == {LOG: "new", OTHER: "changed"}
    pusher.machines.report()
    assert pusher.machines.read(OTHER) == b"mine, too\n"


def test_without_its_memory_a_push_to_a_bucket_compares(pusher: Pusher) -> None:
    pusher.write(LOG, noise(9_000_000))  # in parts
    pusher.write(OTHER, b"line\n")
    pusher.push()
    (memory,) = pusher.home.rglob("pushed.db")
    assert memory.stat().st_mode & 0o777 == 0o600
    memory.unlink()
    again = sent(pusher.push())
    assert again == ({} if isinstance(pusher.shelf, InBucket) else {LOG: "changed", OTHER: "changed"})
    assert sent(pusher.push()) == {}


def test_a_dry_run_tells_and_sends_nothing(pusher: Pusher) -> None:
    pusher.write(LOG, b"line\n")
    report = pusher.push(dry_run=True)
    assert (sent(report), report.said()) == ({LOG: "new"}, "1 logs, would send 1 new (5 B)")
    assert (pusher.shelf.keys(), list(pusher.home.rglob("pushed.db"))) == ([], [])


def test_what_is_not_to_be_collected_is_not_pushed(pusher: Pusher) -> None:
    other = LOG.replace("-p/", "-private/")
    for path in (LOG, other, OTHER):
        pusher.write(path, b"line\n")
    config = pusher.home / "siphon.yml"
    mine = (
        "hosts:\n  here: {home: ~, sources: [claude_code], skip_paths: ['.claude/projects/-private/**']}"
    )
    hosts = config.read_text().partition("here: {home: ~}")[2] if config.exists() else "\n"
    config.write_text(f"{mine}{hosts}")
    assert sent(pusher.push()) == {LOG: "new"}


def test_a_store_in_use_is_pushed_as_one_consistent_file(pusher: Pusher) -> None:
    file = pusher.write(STORE, b"")
    with closing(sqlite3.connect(file)) as db:
        db.execute("pragma journal_mode = wal")
        db.execute("create table t (a)")
        db.execute("insert into t values (1)")
        db.commit()
        assert (file.parent / f"{file.name}-wal").stat().st_size > 0
        assert sent(pusher.push()) == {STORE: "new"}
        assert sent(pusher.push()) == {}
        db.execute("insert into t values (2)")
        db.commit()
        assert sent(pusher.push()) == {STORE: "changed"}
    pusher.machines.report()
    with pusher.machines.archive.home("box/laptop").sqlite(STORE) as copy:
        assert copy.execute("select a from t").fetchall() == [(1,), (2,)]


def test_names_that_no_bucket_takes_come_back_as_they_were(pusher: Pusher) -> None:
    project = b".claude/projects/-p/"
    names = [b"new\nline", b"latin\xe9", b"\\x0a", "é 😀 %41 #? 'q'".encode(), b"-dash", b"a\\b"]
    for number, name in enumerate(names):
        file = os.fsencode(pusher.home) + b"/" + project + name + b".jsonl"
        pusher.write(os.fsdecode(file), b"%d\n" % number)
    assert set(sent(pusher.push()).values()) == {"new"}
    assert sent(pusher.push()) == {}
    pusher.machines.report()
    root = pusher.machines.archive.root / "box/laptop"
    there = {os.fsencode(file.relative_to(root)): file.read_bytes() for file in root.rglob("*.jsonl")}
    assert there == {project + name + b".jsonl": b"%d\n" % n for n, name in enumerate(names)}


def test_the_mark_says_when_a_machine_was_heard_of(pusher: Pusher) -> None:
    before = time.time() - 2  # a bucket's clock tells whole seconds
    pusher.push()
    assert pusher.shelf.keys() == ["laptop/pushed.json"]
    assert pusher.machines.report().seen == 0
    heard = pusher.machines.archive.heard()
    assert before * 1000 < heard["box/laptop"] < time.time() * 1000 + 2000
    if isinstance(pusher.shelf, InFolder):
        mark = json.loads((pusher.shelf.folder / "laptop/pushed.json").read_bytes())
        assert mark == {"at": 1_800_000_000_001, "logs": 0, "problems": 0}


@pytest.mark.parametrize("pusher", ["ssh", "folder"], indirect=True)  # a bucket has its own rules
def test_in_an_inbox_nobody_else_can_read(pusher: Pusher) -> None:
    assert isinstance(pusher.shelf, InFolder)
    pusher.write(LOG, b"line\n")
    pusher.push()
    below = list((pusher.shelf.folder / "laptop").rglob("*"))
    modes = {(file.is_dir(), file.stat().st_mode & 0o777) for file in below}
    assert modes == {(True, 0o700), (False, 0o600)}
    assert not list((pusher.shelf.folder / "laptop/.parts").iterdir())


# A bucket shows no half of an object, and a copy into a folder ends too soon to kill it.
@pytest.mark.parametrize("pusher", ["ssh"], indirect=True)
def test_a_push_that_was_killed_leaves_nothing_half(pusher: Pusher, sshd: Sshd) -> None:
    assert isinstance(pusher.shelf, InFolder)
    old, new = b"old\n", bytes(20_000_000)
    pusher.write(LOG, old)
    pusher.push()
    pusher.write(LOG, new)
    environ = {**os.environ, **pusher.environ}
    parts = pusher.shelf.folder / "laptop/.parts"
    with relay(sshd.port, dead_after=10_000_000) as port:
        know(sshd.folder, port, sshd.host_key)
        word = pusher.word.replace(f":{sshd.port}/", f":{port}/")
        words = [sys.executable, "-m", "siphon", "push", word, "--machine", "laptop"]
        with subprocess.Popen(words, cwd=pusher.home, env=environ) as process:
            while not (parts.is_dir() and any(file.stat().st_size for file in parts.iterdir())):
                assert process.poll() is None
                time.sleep(0.01)
            process.kill()
    assert any(parts.iterdir())
    assert (pusher.shelf.folder / "laptop/raw" / LOG).read_bytes() == old
    assert counts(pusher.machines.report()) == {"new": 1}
    assert sent(pusher.push()) == {LOG: "changed"}
    assert (counts(pusher.machines.report()), list(parts.iterdir())) == ({"rewritten": 1}, [])
    assert pusher.machines.read(LOG) == new


def test_two_pushes_do_not_run_at_once(pusher: Pusher) -> None:
    memory = Memory(pusher.home / ".local/share/siphon/pushed.db", "")
    with memory.lock(), pytest.raises(SiphonError, match="another push is at work"):
        pusher.push()
    pusher.push()


def test_a_target_that_cannot_be_had_is_told(pusher: Pusher) -> None:
    pusher.write(LOG, b"line\n")
    if isinstance(pusher.shelf, InBucket):
        pusher.shelf.client.delete_bucket(Bucket=pusher.shelf.name)
        said = "there is no such bucket"
    else:
        assert isinstance(pusher.shelf, InFolder)
        pusher.shelf.folder.rmdir()
        said = "no such folder; make it"
    with pytest.raises(SiphonError, match=said):
        pusher.push()


def test_a_log_that_cannot_be_put_is_told_and_the_others_are_sent(pusher: Pusher) -> None:
    pusher.write(OTHER, b"line\n")
    if isinstance(pusher.shelf, InBucket):
        # A bucket takes names of 1,024 bytes; a home may have longer ones.
        path = f".claude/projects/-p/{'s' * 200}/subagents/{'/'.join(['d' * 200] * 4)}/agent-1.jsonl"
    else:
        assert isinstance(pusher.shelf, InFolder)
        path = LOG
        pusher.shelf.put("laptop/raw/.claude", b"a file where a folder must be")
    pusher.write(path, b"line\n")
    report = pusher.push()
    assert [one.path for one in report.sent] == [OTHER]
    assert len(report.problems) == 1 and report.problems[0].startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("word", "url"),
    [
        ("s3://b/p/", "s3://b/p"),
        ("server:inbox", "ssh://server/~/inbox"),
        ("me@server:/srv/inbox/", "ssh://me@server/srv/inbox"),
        ("ssh://me@server:2222/srv/inbox", "ssh://me@server:2222/srv/inbox"),
        ("ssh://server/~/inbox", "ssh://server/~/inbox"),
        ("./inbox", "/here/inbox"),
        ("~/inbox", "/home/inbox"),
    ],
)
def test_targets(word: str, url: str) -> None:
    config = load_config(None, {"HOME": "/home"}, Path("/nowhere"))
    assert named(word, config, Path("/here")).url == url


@pytest.mark.parametrize(
    "word", ["inbox", "http://x/y", "-oProxyCommand=x:y", "C:", "ssh://server", "ssh://-o/x"]
)
def test_what_is_no_target_is_told(word: str) -> None:
    config = load_config(None, {"HOME": "/home"}, Path("/nowhere"))
    with pytest.raises(SiphonError, match="is no place to push to"):
        named(word, config, Path("/here"))


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = new_inbox(tmp_path)
    log = tmp_path / "home" / LOG
    log.parent.mkdir(parents=True)
    log.write_bytes(b"line\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.delenv("SIPHON_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    words = ["push", str(shelf.folder), "--machine", "laptop"]
    assert run([*words, "--dry-run"]) == 0
    assert run(words) == 0
    assert run(words) == 0
    out = capsys.readouterr().out.splitlines()
    assert out == [
        f"laptop → {shelf.folder}: 1 logs, {what}"
        for what in ("would send 1 new (5 B)", "1 new (5 B)", "nothing new")
    ]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["seen"] == 1
    assert run(["push", str(tmp_path / "nowhere")]) == 1
    assert run(["push", str(shelf.folder), "--machine", ".."]) == 1
    assert run(["push", str(shelf.folder), "--region", "x"]) == 1
    log.chmod(0)
    if os.geteuid() != 0:
        log.write_bytes(b"line\nmore\n")
        assert run(words) == 1
