"""The laws of collecting, each on every way to a host."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet import LOG, PROJECT, WAYS, Fleet, Site, config_of, counts, made, noise, site_of
from siphon import pathtext
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import HostConfig
from siphon.errors import SiphonError
from siphon.hostreport import Planned
from sshd import mortal

pytest_plugins = ["fleet_fixtures"]

CHECKOUT = Path(__file__).parent.parent
DAY = ".codex/sessions/2026/01/02"
OTHER = f"{DAY}/rollout-2026-01-02T03-04-05-22222222-2222-4222-8222-222222222222.jsonl"


def test_logs_arrive_byte_for_byte_and_nothing_else_does(site: Site) -> None:
    data = {LOG: noise(300_000), OTHER: b"no end of line", f"{PROJECT}/empty.jsonl": b""}
    for number in range(12):
        data[f"{PROJECT}/small-{number}.jsonl"] = b"line\r\n\0\xff" * number
    for path, content in data.items():
        site.write(path, content)
    for secret in (
        ".claude/.credentials.json",
        ".codex/auth.json",
        ".claude/settings.json",
        "notes.jsonl",
    ):
        site.write(secret, b'{"secret": 1}')
    report = site.collect()
    assert counts(report) == {"new": len(data)}
    assert (report.seen, report.problems) == (len(data), ())
    root = site.archive.root / "host"
    found = {
        str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()
    }
    assert found == data
    assert site.sound()


def test_what_has_not_changed_is_not_read_again(site: Site) -> None:
    site.write(LOG, b"one\n")
    site.write(OTHER, b"two\n")
    for path in (LOG, OTHER):  # an hour old: no clock is too coarse for that
        os.utime(site.home / path, (1.7e9, 1.7e9))
    site.collect()
    before = site.archive.ledger.rows("select * from logs")
    report = site.collect()
    assert (report.seen, counts(report), report.bytes) == (2, {}, 0)
    assert site.archive.ledger.rows("select * from logs") == before


def test_a_log_just_written_is_not_taken_to_be_settled(site: Site) -> None:
    site.write(LOG, b"first\n")
    site.collect()
    site.write(LOG, b"other\n")
    assert counts(site.collect()) == {"rewritten": 1}
    assert site.read(LOG) == b"other\n"


def test_of_a_log_that_grew_only_the_tail_travels(site: Site, way: str) -> None:
    whole = noise(4_000_000)
    site.write(LOG, whole)
    site.collect()
    site.append(LOG, noise(8000, seed=1))
    report = site.collect()
    assert counts(report) == {"grown": 1}
    if way != "ls":  # which cannot tell whether the rest is unchanged
        assert report.bytes == 8000
        assert report.wire < (300_000 if way == "sftp" else 100_000)
    assert site.read(LOG) == whole + noise(8000, seed=1)
    assert site.held() == {LOG: (1, 4_008_000)}
    assert site.sound()


@pytest.mark.parametrize(
    "rewrite",
    [
        pytest.param(lambda old: old[:0], id="truncated"),
        pytest.param(lambda old: old[:50_000], id="shrunk"),
        pytest.param(lambda old: b"x" + old[1:], id="same size"),
        pytest.param(lambda old: b"x" + old[1:] + b"and grown\n", id="grown with another beginning"),
        pytest.param(lambda old: old[:-1] + b"xand grown\n", id="grown with another end"),
    ],
)
def test_a_rewritten_log_is_a_new_generation(site: Site, rewrite: Callable[[bytes], bytes]) -> None:
    old = noise(100_000)
    new = rewrite(old)
    site.write(LOG, old)
    site.collect()
    file = site.write(LOG, new)
    os.utime(file, (1.8e9, 1.8e9))
    assert counts(site.collect()) == {"rewritten": 1}
    assert site.read(LOG) == new
    assert site.held() == {LOG: (2, len(new))}
    first = site.archive.open("host", LOG, 1)
    assert first is not None and first.read() == old
    assert site.sound()


def test_a_log_replaced_by_its_own_copy_stays_what_it_was(site: Site) -> None:
    """As after a restore: other inodes, other times, the same bytes."""
    site.write(LOG, b"one\n")
    site.collect()
    (site.home / LOG).unlink()
    os.utime(site.write(LOG, b"one\n"), (1.6e9, 1.6e9))
    assert counts(site.collect()) == {}
    assert site.held() == {LOG: (1, 4)}
    site.append(LOG, b"two\n")
    assert counts(site.collect()) == {"grown": 1}


def test_a_log_that_is_copied_and_truncated_keeps_what_it_held(site: Site) -> None:
    """As logrotate's copytruncate does it: the inode stays, the bytes begin anew."""
    site.write(LOG, noise(5000))
    site.collect()
    inode = (site.home / LOG).stat().st_ino
    site.write(LOG, noise(9000, seed=1))  # and it has grown beyond its old size since
    assert (site.home / LOG).stat().st_ino == inode
    assert counts(site.collect()) == {"rewritten": 1}
    site.append(LOG, b"more\n")
    assert counts(site.collect()) == {"grown": 1}
    assert site.read(LOG) == noise(9000, seed=1) + b"more\n"
    first = site.archive.open("host", LOG, 1)
    assert first is not None and first.read() == noise(5000)
    assert site.sound()


def test_a_renamed_log_is_kept_under_both_names(site: Site) -> None:
    site.write(LOG, b"one\n")
    site.collect()
    other = f"{PROJECT}/renamed.jsonl"
    (site.home / LOG).rename(site.home / other)
    assert counts(site.collect()) == {"new": 1, "gone": 1}
    assert (site.read(LOG), site.read(other)) == (b"one\n", b"one\n")


def test_clocks_that_are_wrong_lose_nothing(site: Site) -> None:
    data = {f"{PROJECT}/{at}.jsonl": at for at in (0, 86_400, 1_700_000_000, 4_000_000_000)}
    for path, at in data.items():
        os.utime(site.write(path, b"one\n"), (at, at))
    assert counts(site.collect()) == {"new": len(data)}
    assert counts(site.collect()) == {}
    for path, at in data.items():  # the clock is set back meanwhile: newer bytes, an older time
        site.append(path, b"two\n")
        os.utime(site.home / path, (max(0, at - 3600), max(0, at - 3600)))
    assert counts(site.collect()) == {"grown": len(data)}
    assert {site.read(path) for path in data} == {b"one\ntwo\n"}
    assert counts(site.collect()) == {}


def test_a_deletion_is_noted_and_never_mirrored(site: Site) -> None:
    site.write(LOG, b"one\n")
    site.write(OTHER, b"two\n")
    site.collect()
    shutil.rmtree(site.home / ".claude")
    assert counts(site.collect()) == {"gone": 1}
    assert counts(site.collect()) == {}
    assert site.read(LOG) == b"one\n"
    assert set(site.held()) == {LOG, OTHER}
    gone = {entry.path for entry in site.archive.entries("host").values() if entry.gone_at}
    assert gone == {LOG}
    site.write(LOG, b"another\n")
    assert counts(site.collect()) == {"rewritten": 1}
    assert site.held()[LOG] == (2, 8)
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())


def test_a_log_that_becomes_a_folder_and_a_folder_that_becomes_a_log(site: Site) -> None:
    nested = f"{DAY}/rollout-a.jsonl"
    site.write(nested, b"a file\n")
    site.collect()
    (site.home / nested).unlink()
    site.write(f"{nested}/rollout-b.jsonl", b"below it\n")
    site.collect()
    assert site.read(nested) == b"a file\n"
    assert site.read(f"{nested}/rollout-b.jsonl") == b"below it\n"
    assert site.sound()


NAMES = [
    b"new\nline",
    b'it\'s "quoted"',
    b"-rf *",
    b"$HOME `x` \\",
    b"\xff\xfe",
    b"\\xff",
    b"caf\xc3\xa9",
]
NAMES += ["\U0001f600".encode(), b"n" * 249, b" ", b"..x", b"a\tb", b"%s%n", b"1 2 .3"]


def test_any_name_is_collected(site: Site) -> None:
    project = site.home / PROJECT
    project.mkdir(parents=True)
    for name in NAMES:
        (project / os.fsdecode(name + b".jsonl")).write_bytes(name)
        folder = project / os.fsdecode(name) / "tool-results"
        folder.mkdir(parents=True)
        (folder / os.fsdecode(name)).write_bytes(name * 2)
    report = site.collect()
    assert (counts(report), report.problems) == ({"new": 2 * len(NAMES)}, ())
    for name in NAMES:
        text = pathtext.text(name)
        assert site.read(f"{PROJECT}/{text}.jsonl") == name
        assert site.read(f"{PROJECT}/{text}/tool-results/{text}") == name * 2
    for name in NAMES:
        with (project / os.fsdecode(name + b".jsonl")).open("ab") as file:
            file.write(b" grows")
    assert counts(site.collect()) == {"grown": len(NAMES)}
    assert site.sound()


def test_no_link_leads_out_of_the_home_and_no_device_is_read(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "-q").mkdir(parents=True)
    for path in ("secret.jsonl", "-q/secret.jsonl", "rollout-secret.jsonl"):
        (outside / path).write_bytes(b"not yours")
    site.write(LOG, b"yours\n")
    project = site.home / PROJECT
    (project / "file.jsonl").symlink_to(outside / "secret.jsonl")
    (project / "inside.jsonl").symlink_to(site.home / LOG)
    (project / "broken.jsonl").symlink_to("nowhere")
    (site.home / ".claude/projects/-q").symlink_to(outside / "-q")
    (site.home / ".codex").mkdir()
    (site.home / ".codex/sessions").symlink_to(outside)
    os.mkfifo(project / "fifo.jsonl")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(project)  # a socket's path must be short
        listener.bind("socket.jsonl")
        os.chdir(here)
        if os.geteuid() == 0:
            os.mknod(project / "null.jsonl", 0o666 | 0o020000, os.makedev(1, 3))
        report = site.collect()
    assert set(site.held()) == {LOG}
    assert ".codex/sessions" in report.links
    assert f"{PROJECT}/file.jsonl" in report.links or site.config.hosts[0].port


def test_a_folder_of_tools_may_be_a_link_within_the_home(site: Site) -> None:
    site.write("dotfiles/claude/projects/-p/log.jsonl", b"one\n")
    (site.home / ".claude").symlink_to("dotfiles/claude")
    assert counts(site.collect()) == {"new": 1}
    (site.home / PROJECT / "log.jsonl").write_bytes(b"one\ntwo\n")
    assert counts(site.collect()) == {"grown": 1}
    assert site.read(f"{PROJECT}/log.jsonl") == b"one\ntwo\n"


def test_a_home_may_itself_be_a_link(way: str, fleet: Fleet, tmp_path: Path) -> None:
    site = site_of(way, fleet, tmp_path)
    site.write(LOG, b"one\n")
    (tmp_path / "link").symlink_to(site.home)
    (host,) = site.config.hosts
    named = (
        host._replace(home=tmp_path / "link")
        if host.home
        else host._replace(remote_home=str(tmp_path / "link"))
    )
    assert counts(site._replace(config=site.config._replace(hosts=(named,))).collect()) == {"new": 1}


def test_a_log_grows_step_by_step_and_is_the_same_bytes(site: Site, shared: Path) -> None:
    steps = sorted((shared / "growth").glob("*.jsonl"))
    assert len(steps) > 2
    before = None
    for step in steps:
        site.write(LOG, step.read_bytes())
        report = site.collect()
        assert site.read(LOG) == step.read_bytes()
        assert report.changed == (step.read_bytes() != before)
        before = step.read_bytes()
    assert (site.archive.root / "host" / LOG).read_bytes() == steps[-1].read_bytes()
    assert site.sound()


@pytest.mark.parametrize("home", ["laptop", "server", "workstation"])
def test_every_way_to_a_host_finds_the_same_logs(
    home: str, fleet: Fleet, shared: Path, tmp_path: Path
) -> None:
    found = {}
    for way in WAYS:
        host = fleet.host(way, shared / "homes" / home)
        config = config_of(tmp_path, fleet.keys, host)
        (report,) = collect(config, Archive(config.archive), dry_run=True)
        found[way] = (report.seen, sorted(report.planned), report.problems, report.error)
    assert found["local"][0] > 10
    assert found == dict.fromkeys(WAYS, found["local"])


def tree(folder: Path) -> list[tuple[object, ...]]:
    """Everything about every file that writing would change."""
    files = [folder, *folder.rglob("*")]
    status = [(file, file.lstat()) for file in sorted(files)]
    return [(file, s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for file, s in status]


def test_nothing_is_written_on_a_host(site: Site) -> None:
    site.write(LOG, noise(100_000))
    for number in range(20):
        site.write(
            f"{PROJECT}/small-{number}.jsonl", b'{"cwd":"%s"}\n' % os.fsencode(site.home / "repo")
        )
    subprocess.run(["git", "init", "-q", site.home / "repo"], check=True)
    site.collect()
    site.append(LOG, b"more")
    site.write(f"{PROJECT}/small-1.jsonl", b"rewritten")
    before = tree(site.home)
    report = site.collect()
    assert counts(report) == {"grown": 1, "rewritten": 1}
    assert tree(site.home) == before


def test_a_dry_run_says_what_would_come_and_leaves_no_trace(site: Site) -> None:
    site.write(LOG, b"one\n")
    site.write(OTHER, b"two\n")
    report = site.collect(dry_run=True)
    assert set(report.planned) == {Planned(LOG, "new", 4), Planned(OTHER, "new", 4)}
    assert not site.archive.root.exists()
    site.collect()
    site.append(LOG, b"three\n")
    site.write(OTHER, b"")
    report = site.collect(dry_run=True)
    assert {Planned(LOG, "grown", 6), Planned(OTHER, "rewritten", 0)} == set(report.planned)
    assert site.read(LOG) == b"one\n"
    assert len(site.archive.runs()) == 1


def test_only_the_sources_asked_for_are_collected(way: str, fleet: Fleet, tmp_path: Path) -> None:
    site = site_of(way, fleet, tmp_path, sources=("claude_code",))
    site.write(LOG, b"one\n")
    site.write(OTHER, b"two\n")
    site.collect()
    assert set(site.held()) == {LOG}
    everything = site.config.hosts[0]._replace(sources=None)
    site._replace(config=site.config._replace(hosts=(everything,))).collect()
    assert set(site.held()) == {LOG, OTHER}
    less = site._replace(config=site.config._replace(hosts=(everything,), skip=("codex",)))
    assert counts(less.collect()) == {}  # what is no longer looked for has not gone


@pytest.mark.parametrize("way", ["local", "gnu", "busybox", "bsd"])
def test_the_git_remote_of_a_folder_named_in_a_log_is_asked_for(
    way: str, fleet: Fleet, tmp_path: Path
) -> None:
    site = site_of(way, fleet, tmp_path)
    repo = site.home / "code" / "it's a repo"
    subprocess.run(["git", "init", "-q", repo], check=True)
    url = "https://user:token@github.com/Owner/name.git"
    subprocess.run(["git", "-C", repo, "remote", "add", "origin", url], check=True)
    worktree = repo / "sub"
    worktree.mkdir()
    lines = [f'{{"cwd":"{path}"}}\n' for path in (repo, worktree, site.home, site.home / "gone")]
    site.write(LOG, "".join(lines).encode())
    assert site.collect().problems == ()
    assert site.archive.repos() == {
        ("host", str(repo)): "github.com/Owner/name",
        ("host", str(worktree)): "github.com/Owner/name",
    }
    asked = site.archive.asked_repos("host")
    assert set(asked) == {str(path) for path in (repo, worktree, site.home, site.home / "gone")}
    assert None not in asked.values()


def test_a_folder_is_asked_about_again_only_after_a_day(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    repo = site.home / "repo"
    day = 24 * 3600 * 1000

    def collect_at(at: int) -> str | None:
        site.write(f"{PROJECT}/{at}.jsonl", f'{{"cwd":"{repo}"}}\n'.encode())
        collect(site.config, site.archive, now=lambda: at)
        return site.archive.repos().get(("host", str(repo)))

    assert collect_at(day) is None
    subprocess.run(["git", "init", "-q", repo], check=True)
    subprocess.run(["git", "-C", repo, "remote", "add", "origin", "h.org:o/n"], check=True)
    assert collect_at(day + 5) is None
    assert collect_at(3 * day) == "h.org/o/n"
    shutil.rmtree(repo)
    assert collect_at(5 * day) == "h.org/o/n"


def test_a_host_with_a_shell_but_not_the_tools_is_collected_by_sftp(
    fleet: Fleet, tmp_path: Path
) -> None:
    site = site_of("bare", fleet, tmp_path)
    site.write(LOG, noise(10_000))
    assert counts(site.collect()) == {"new": 1}
    assert site.read(LOG) == noise(10_000)


def test_a_dead_host_is_told_and_never_stops_the_others(fleet: Fleet, tmp_path: Path) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        dead = HostConfig("dead", ssh="127.0.0.1", port=nobody.getsockname()[1])
        homeless = fleet.sshds["gnu"].host("homeless", tmp_path / "nowhere")
        lost = HostConfig("lost", home=tmp_path / "lost")
        good = {way: site_of(way, fleet, made(tmp_path / way)) for way in WAYS}
        for site in good.values():
            site.write(LOG, b"one\n")
        hosts = [site.config.hosts[0]._replace(name=way) for way, site in good.items()]
        config = config_of(tmp_path, fleet.keys, dead, *hosts, homeless, lost)
        archive = Archive(config.archive)
        said: set[str] = set()
        reports = collect(config, archive, progress=lambda host, _: said.add(host))
    assert [report.host for report in reports] == [host.name for host in config.hosts]
    errors = {report.host: report.error for report in reports if report.error is not None}
    assert errors.keys() == {"dead", "homeless", "lost"}
    assert "cannot connect" in str(errors["dead"])
    assert errors["homeless"] == f"no folder {tmp_path / 'nowhere'} there; 'home:' must name its home"
    assert str(errors["lost"]).startswith(f"{tmp_path / 'lost'}: no such folder; ")
    assert [held[:4] for held in archive.held()] == [(way, LOG, 1, 4) for way in sorted(WAYS)]
    states = {state.name: state for state in archive.host_states()}
    assert states["dead"].collected_at is None and states["dead"].error == errors["dead"]
    assert all(states[way].collected_at and states[way].error is None for way in WAYS)
    runs = {
        run.host: (run.outcome, run.logs_seen, run.logs_changed, run.error) for run in archive.runs()
    }
    assert runs["dead"] == ("error", None, 0, errors["dead"])
    assert runs["gnu"] == ("ok", 1, 1, None)
    assert said == {host.name for host in config.hosts}


def test_a_host_whose_key_is_not_known_is_refused(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("gnu", fleet, tmp_path)
    stranger = site.config._replace(ssh=made(tmp_path / "ssh"))
    shutil.copy(fleet.keys / "id_ed25519", stranger.ssh)
    (report,) = collect(stranger, site.archive)
    assert str(report.error).startswith("refused: the key of [127.0.0.1]:")
    assert report.said() == "failed"


def test_an_unknown_host_is_told_with_the_known_ones(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path)
    with pytest.raises(SiphonError, match="unknown host 'hots'; known hosts: host"):
        collect(site.config, site.archive, ["hots"])


def test_a_disabled_host_is_collected_only_by_name(fleet: Fleet, tmp_path: Path) -> None:
    site = site_of("local", fleet, tmp_path, enabled=False)
    assert collect(site.config, site.archive) == []
    assert [report.host for report in collect(site.config, site.archive, ["host"])] == ["host"]


CLOSED = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
home, archive = Path(sys.argv[2]), Path(sys.argv[3])
config = Config(archive, archive, 300, (), (HostConfig("host", home=home),), None, home / ".ssh")
(report,) = collect(config, Archive(archive))
assert report.error is None, report.error
print(*report.problems, sep="\\n")
"""


def problems_of(site: Site, way: str) -> list[str]:
    """Of a collect by somebody who is not almighty; see sshd.mortal."""
    if way != "local":
        return list(site.collect().problems)
    script = [sys.executable, "-c", CLOSED, CHECKOUT, site.home, site.archive.root]
    done = subprocess.run([*mortal(), *script], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def test_behind_a_closed_folder_nothing_is_taken_to_be_gone(site: Site, way: str) -> None:
    site.write(LOG, b"one\n")
    site.write(OTHER, b"two\n")
    site.collect()
    (site.home / ".claude").chmod(0)
    site.append(OTHER, b"more\n")
    problems = problems_of(site, way)
    (site.home / ".claude").chmod(0o700)
    assert problems and all(".claude" in each and "ermission denied" in each for each in problems)
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())
    assert site.read(OTHER) == b"two\nmore\n"


def test_what_cannot_be_read_is_told_and_nothing_in_it_is_taken_to_be_gone(site: Site, way: str) -> None:
    for path in (LOG, f"{PROJECT}/shut.jsonl", f"{PROJECT}-closed/log.jsonl"):
        site.write(path, b"one\n")
    site.collect()
    site.append(f"{PROJECT}/shut.jsonl", b"more")
    (site.home / f"{PROJECT}/shut.jsonl").chmod(0)
    (site.home / f"{PROJECT}-closed").chmod(0)
    problems = problems_of(site, way)
    (site.home / f"{PROJECT}-closed").chmod(0o700)
    assert len(problems) == 2
    assert f"{PROJECT}-closed" in problems[0] and "ermission denied" in problems[0]
    assert problems[1].startswith(f"{PROJECT}/shut.jsonl: it ")
    assert not any(entry.gone_at for entry in site.archive.entries("host").values())
    assert site.read(f"{PROJECT}/shut.jsonl") == b"one\n"
