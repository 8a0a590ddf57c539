"""The laws of collecting what machines pushed, from a bucket and from an inbox."""

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from moto.core import set_initial_no_auth_action_count
from moto.server import ThreadedMotoServer

from bucketsite import InBucket, InFolder, Machines, Shelf, machines_of, new_bucket, new_inbox
from fleet import counts, noise
from siphon.buckethost import BucketHost
from siphon.collect import collect
from siphon.config import HostConfig

RAW = "laptop/raw"
LOG = ".claude/projects/-p/11111111-1111-4111-8111-111111111111.jsonl"
OTHER = (
    ".codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-22222222-2222-4222-8222-222222222222.jsonl"
)


@pytest.fixture(scope="session")
def s3() -> Iterator[ThreadedMotoServer]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def bucket(s3: ThreadedMotoServer) -> InBucket:
    return new_bucket(s3)


@pytest.fixture(params=["bucket", "inbox"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path) -> Shelf:
    if request.param == "inbox":
        return new_inbox(tmp_path)
    server: ThreadedMotoServer = request.getfixturevalue("s3")
    return new_bucket(server)


def test_each_machine_is_a_host_and_its_logs_arrive_byte_for_byte(shelf: Shelf, tmp_path: Path) -> None:
    data = {LOG: noise(300_000), OTHER: b"no end of line", f"{LOG}x": b"not wanted"}
    for path, content in data.items():
        shelf.put(f"{RAW}/{path}", content)
    shelf.put(f"gpu-2/raw/{LOG}", b"line\r\n\0\xff")
    for secret in (".claude/.credentials.json", ".codex/auth.json", ".claude/settings.json"):
        shelf.put(f"{RAW}/{secret}", b"secret")
    shelf.put("readme/of/this/bucket.txt", b"no machine")
    machines = machines_of(shelf, tmp_path)
    own, *reports = machines.collect()
    assert (own.host, own.error, own.problems) == ("box", None, ())
    assert {report.host: counts(report) for report in reports} == {
        "box/gpu-2": {"new": 1},
        "box/laptop": {"new": 2},
    }
    root = machines.archive.root / "box"
    found = {
        str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }
    assert found == {
        f"laptop/{LOG}": data[LOG],
        f"laptop/{OTHER}": data[OTHER],
        f"gpu-2/{LOG}": b"line\r\n\0\xff",
    }
    assert machines.sound()


def test_what_has_not_changed_is_not_read_again(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(f"{RAW}/{LOG}", b"one\n")
    shelf.put(f"{RAW}/{OTHER}", b"")
    machines = machines_of(shelf, tmp_path)
    machines.report()
    assert machines.held() == {LOG: (1, 4), OTHER: (1, 0)}
    before = machines.archive.ledger.rows("select * from logs")
    report = machines.report()
    assert (report.seen, counts(report), report.bytes) == (2, {}, 0)
    assert machines.archive.ledger.rows("select * from logs") == before


def test_of_a_log_that_grew_only_the_tail_travels(shelf: Shelf, tmp_path: Path) -> None:
    whole = noise(3_000_000)
    shelf.put(f"{RAW}/{LOG}", whole)
    machines = machines_of(shelf, tmp_path)
    machines.report()
    shelf.put(f"{RAW}/{LOG}", whole + noise(8000, seed=1))
    report = machines.report()
    assert counts(report) == {"grown": 1}
    assert (report.bytes, report.wire in (0, 8000)) == (8000, True)
    assert machines.read(LOG) == whole + noise(8000, seed=1)
    assert machines.held() == {LOG: (1, 3_008_000)}
    assert machines.sound()


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda old: old[:0], id="truncated"),
        pytest.param(lambda old: old[:50_000], id="shrunk"),
        pytest.param(lambda old: b"x" + old[1:], id="same size"),
        pytest.param(lambda old: b"x" + old[1:] + b"and grown\n", id="grown with another beginning"),
    ],
)
def test_a_rewritten_log_is_a_new_generation(
    shelf: Shelf, tmp_path: Path, rewrite: Callable[[bytes], bytes]
) -> None:
    old = noise(100_000)
    shelf.put(f"{RAW}/{LOG}", old)
    machines = machines_of(shelf, tmp_path)
    machines.report()
    shelf.put(f"{RAW}/{LOG}", rewrite(old))
    assert counts(machines.report()) == {"rewritten": 1}
    assert machines.read(LOG) == rewrite(old)
    first = machines.archive.open("box/laptop", LOG, 1)
    assert first is not None and first.read() == old
    assert machines.sound()


def test_what_is_deleted_there_stays_here(shelf: Shelf, tmp_path: Path) -> None:
    for key in (f"{RAW}/{LOG}", f"{RAW}/{OTHER}", f"gpu/raw/{LOG}"):
        shelf.put(key, b"line\n")
    machines = machines_of(shelf, tmp_path)
    machines.report()
    shelf.delete(f"{RAW}/{LOG}")
    assert counts(machines.report()) == {"gone": 1}
    assert machines.read(LOG) == b"line\n"
    shelf.put(f"{RAW}/{LOG}", b"line\n")
    assert (counts(machines.report()), machines.gone()) == ({}, [])
    shelf.delete(f"gpu/raw/{LOG}")  # all that this machine had
    assert counts(machines.report("gpu")) == {"gone": 1}
    assert machines.read(LOG, "gpu") == b"line\n"
    assert machines.sound()


def test_a_dry_run_tells_and_takes_nothing(shelf: Shelf, tmp_path: Path) -> None:
    shelf.put(f"{RAW}/{LOG}", b"line\n")
    machines = machines_of(shelf, tmp_path)
    _, report = machines.collect(dry_run=True)
    assert [(planned.path, planned.kind, planned.bytes) for planned in report.planned] == [
        (LOG, "new", 5)
    ]
    assert not machines.archive.root.exists()


def test_logs_in_a_tools_folder_belong_where_the_tool_has_them(shelf: Shelf, tmp_path: Path) -> None:
    name = LOG.removeprefix(".claude/projects/")
    shelf.put(f"{RAW}/claude/{name}", b"by its first word\n")
    shelf.put(f"{RAW}/codex/2026/01/02/rollout-1.jsonl", b"by its name\n")
    shelf.put(f"{RAW}/claude/settings.json", b"secret")
    shelf.put(f"{RAW}/who-knows/{name}", b"of no tool\n")
    machines = machines_of(shelf, tmp_path)
    assert counts(machines.report()) == {"new": 2}
    assert set(machines.held()) == {LOG, ".codex/sessions/2026/01/02/rollout-1.jsonl"}
    shelf.put(f"{RAW}/claude/{name}", b"by its first word\nand grown\n")
    assert counts(machines.report()) == {"grown": 1}
    shelf.put(f"{RAW}/{LOG}", b"where it belongs\n")
    report = machines.report()
    assert counts(report) == {"rewritten": 1}
    assert report.problems == (f"claude/{name}: not collected: {LOG} is the same log; drop one",)
    assert machines.read(LOG) == b"where it belongs\n"


def test_logs_beyond_the_first_page_of_a_listing_arrive(bucket: InBucket, tmp_path: Path) -> None:
    names = [f".claude/projects/-p/{number:036}.jsonl" for number in range(20)]
    for number in range(1000):  # a whole page, which comes first and is not wanted
        bucket.put_as_it_is(f"logs/{RAW}/.cache/{number:05}", b"")
    for name in names:
        bucket.put_as_it_is(f"logs/{RAW}/{name}", name.encode())
    machines = machines_of(bucket, tmp_path)
    assert counts(machines.report()) == {"new": 20}
    assert all(machines.read(name) == name.encode() for name in names)
    assert (machines.report().seen, machines.report().wire) == (20, 0)


def test_a_large_log_comes_in_pieces_and_its_parts_prove_its_beginning(
    bucket: InBucket, tmp_path: Path
) -> None:
    whole = noise(9_000_000)
    bucket.put_parts(f"{RAW}/{LOG}", whole, 5 << 20)
    machines = machines_of(bucket, tmp_path)
    assert (counts(machines.report()), machines.read(LOG) == whole) == ({"new": 1}, True)
    bucket.put_parts(f"{RAW}/{LOG}", whole + noise(2_000_000, seed=1), 5 << 20)
    report = machines.report()
    assert (counts(report), report.wire) == ({"grown": 1}, 2_000_000)
    assert machines.read(LOG) == whole + noise(2_000_000, seed=1)


@pytest.mark.parametrize("stated", [True, False])
def test_where_an_etag_is_no_hash_the_beginning_is_proved_otherwise(
    bucket: InBucket, tmp_path: Path, stated: bool
) -> None:
    """As with keys of KMS, and on Azure: by the hash that a push states, else by samples."""
    import hashlib

    whole, tail = noise(2_000_000), noise(5000, seed=1)

    def put(data: bytes, etag: str) -> None:
        kept = bucket.put_as_it_is(f"logs/{RAW}/{LOG}", data)
        kept._etag = etag
        if stated:
            kept.set_metadata({"x-amz-meta-siphon-sha256": hashlib.sha256(data).hexdigest()})

    put(whole, "first")
    machines = machines_of(bucket, tmp_path)
    machines.report()
    put(whole + tail, "second")
    report = machines.report()
    assert (counts(report), report.bytes) == ({"grown": 1}, 5000)
    assert report.wire == 5000 if stated else report.wire < 150_000
    put(b"x" + whole[1:] + tail + b"more\n", "third")
    assert counts(machines.report()) == {"rewritten": 1}
    put(b"x" + whole[1:] + tail + b"more\n", "fourth")  # the same again
    assert counts(machines.report()) == {}
    assert machines.sound()


def test_an_object_replaced_between_listing_and_reading_waits_for_the_next_collect(
    bucket: InBucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = BucketHost.find
    bucket.put(f"{RAW}/{LOG}", b"listed\n")
    bucket.put(f"{RAW}/{OTHER}", b"left alone\n")

    def find_then_replace(host: BucketHost, wanted: object) -> object:
        found = listing(host, wanted)  # type: ignore[arg-type]  # handed on
        bucket.put(f"{RAW}/{LOG}", b"changed\n")  # of another length, or the same: who knows
        return found

    machines = machines_of(bucket, tmp_path)
    monkeypatch.setattr(BucketHost, "find", find_then_replace)
    report = machines.report()
    assert (counts(report), len(report.problems)) == ({"new": 1}, 1)
    assert "changed while it was read" in report.problems[0]
    assert (machines.read(LOG), machines.read(OTHER)) == (None, b"left alone\n")
    monkeypatch.undo()
    assert counts(machines.report()) == {"new": 1}
    assert machines.read(LOG) == b"changed\n"
    assert machines.sound()


def failing(machines: Machines, **options: str) -> tuple[str, str]:
    """Collect with other options of the bucket: its error, and that of the machine that was there."""
    (host,) = machines.config.hosts
    assert host.bucket is not None
    changed = host.bucket._replace(options=tuple({**dict(host.bucket.options), **options}.items()))
    name = options.pop("bucket", host.bucket.name)
    changed = changed._replace(name=name, options=tuple(dict(changed.options).items()))
    config = machines.config._replace(hosts=(host._replace(bucket=changed),))
    (own,) = collect(config, machines.archive)
    states = {state.name: state.error for state in machines.archive.host_states()}
    return str(own.error), str(states["box/laptop"])


def test_what_cannot_be_listed_is_an_error_and_no_log_is_taken_to_be_gone(
    bucket: InBucket, tmp_path: Path
) -> None:
    bucket.put(f"{RAW}/{LOG}", b"line\n")
    machines = machines_of(bucket, tmp_path)
    machines.report()
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        down = failing(machines, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
    (host,) = machines.config.hosts
    missing = machines.config._replace(
        hosts=(host._replace(bucket=bucket.bucket._replace(name="no-such-bucket")),)
    )
    (report,) = collect(missing, machines.archive)
    wrong = set_initial_no_auth_action_count(0)(failing)(machines)
    assert [*down, report.error, *wrong] == [
        *[f"{bucket.bucket.url}: cannot be listed: nobody answers there: connection refused"] * 2,
        "s3://no-such-bucket/logs: cannot be listed: there is no such bucket (NoSuchBucket)",
        *[
            f"{bucket.bucket.url}: cannot be listed: the access key is not known there; credentials: "
            "the usual variables, a profile, or keys in siphon.yml (docs/buckets.md) "
            "(InvalidAccessKeyId)"
        ]
        * 2,
    ]
    assert machines.gone() == []
    assert counts(machines.report()) == {}


def test_a_bucket_in_which_nobody_pushed_says_so(shelf: Shelf, tmp_path: Path) -> None:
    (own,) = machines_of(shelf, tmp_path).collect()
    assert (own.error, own.problems) == (
        None,
        ("no machine has pushed here yet; see `siphon push --help`",),
    )


def test_an_inbox_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    (own,) = machines_of(InFolder(tmp_path / "inbox"), tmp_path).collect()
    assert own.error is not None and "make that folder" in own.error


HOSTILE = [
    f"{RAW}/.claude/projects/../../../../etc/passwd.jsonl",
    f"{RAW}/.claude/projects//absolute.jsonl",
    f"{RAW}/.claude/projects/-p/./dot.jsonl",
    f"{RAW}/.claude/projects/-p/line\nfeed.jsonl",
    f"{RAW}/.claude/projects/-p/bell\x07.jsonl",
    f"{RAW}//etc/passwd",
]


@pytest.mark.parametrize("key", HOSTILE)
def test_a_hostile_name_is_told_and_hides_no_more_than_its_folder(
    bucket: InBucket, tmp_path: Path, key: str
) -> None:
    bucket.put(f"{RAW}/{OTHER}", b"line\n")
    bucket.put(f"gpu/raw/{LOG}", b"line\n")
    machines = machines_of(bucket, tmp_path)
    machines.report()
    bucket.put_as_it_is(f"logs/{key}", b"hostile\n")
    bucket.put(f"{RAW}/{OTHER}", b"line\nmore\n")
    report = machines.report()
    assert (counts(report), machines.read(OTHER)) == ({"grown": 1}, b"line\nmore\n")
    assert len(report.problems) == 1 and "is no path" in report.problems[0]
    assert report.problems[0].isprintable()
    assert machines.gone() == []  # what is hidden may be there
    assert set(machines.held()) == {OTHER}
    assert machines.report("gpu").problems == ()


def test_names_that_are_odd_but_paths_arrive_under_their_own(bucket: InBucket, tmp_path: Path) -> None:
    project = ".claude/projects/-p"
    escapes = {
        rf"{project}/\x2e\x2e/up.jsonl": None,
        rf"{project}/a\x2fb.jsonl": None,  # = a/b.jsonl, no path that is wanted
        rf"{project}/nul\x00.jsonl": None,
        rf"{project}/new\x0aline.jsonl": f"{project}/new\nline.jsonl",
        rf"{project}/latin\xe9.jsonl": rf"{project}/latin\xe9.jsonl",
        f"{project}/é 😀 %41 #? [x] 'q' \"d\" \\.jsonl": f"{project}/é 😀 %41 #? [x] 'q' \"d\" \\.jsonl",
        f"{project}/{'long' * 230}.jsonl": f"{project}/{'long' * 230}.jsonl",
    }
    for number, key in enumerate(escapes):
        bucket.put_as_it_is(f"logs/{RAW}/{key}", b"line %d\n" % number)
    bucket.put_as_it_is("logs/bad name/raw/x", b"")
    bucket.put_as_it_is(f"logs/{'m' * 101}/raw/x", b"")
    machines = machines_of(bucket, tmp_path)
    own, report = machines.collect()
    assert len(own.problems) == 2
    assert {path for path in escapes.values() if path} == set(machines.held())
    for number, path in enumerate(escapes.values()):
        assert path is None or machines.read(path) == b"line %d\n" % number
    assert len(report.problems) == 2 and report.error is None
    assert machines.sound()


def test_a_link_in_an_inbox_leads_nowhere(tmp_path: Path) -> None:
    shelf = new_inbox(tmp_path)
    secret = tmp_path / "elsewhere" / "raw"
    (secret / LOG).parent.mkdir(parents=True)
    (secret / LOG).write_bytes(b"not pushed\n")
    shelf.put(f"{RAW}/{OTHER}", b"line\n")
    (shelf.folder / "other").symlink_to(secret.parent)  # a whole machine
    (shelf.folder / RAW / ".claude").symlink_to(secret / ".claude")  # a folder of one
    (shelf.folder / "gpu").mkdir()
    (shelf.folder / "gpu" / "raw").symlink_to(secret)
    machines = machines_of(shelf, tmp_path)
    own, gpu, laptop = machines.collect()
    assert (own.error, gpu.error) == (
        None,
        f"{shelf.folder}/gpu/raw: it is a link; nothing is collected through it",
    )
    assert (counts(laptop), laptop.links) == ({"new": 1}, (".claude/projects",))
    assert [held.path for held in machines.archive.held()] == [OTHER]


def test_one_bucket_beside_other_hosts(bucket: InBucket, tmp_path: Path) -> None:
    """In a process of its own, as what a network may delay."""
    bucket.put(f"{RAW}/{LOG}", b"line\n")
    machines = machines_of(bucket, tmp_path)
    (tmp_path / "home").mkdir()
    mine = HostConfig("here", home=tmp_path / "home")
    config = machines.config._replace(hosts=(mine, *machines.config.hosts))
    reports = collect(config, machines.archive)
    assert [(report.host, report.error, counts(report)) for report in reports] == [
        ("here", None, {}),
        ("box", None, {}),
        ("box/laptop", None, {"new": 1}),
    ]
