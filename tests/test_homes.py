"""The homes of many users behind one login: each is a host of its own, and holds nobody else's logs."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

import userlands
from fleet import LOG, PROJECT, config_of, only
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import Config, HostConfig
from siphon.errors import SiphonError
from siphon.hostreport import HostReport
from sshd import Sshd, running_sshd

ADA, BOB, SERVICE = 12_001, 12_002, 501
WAYS = ("local", "gnu", "busybox", "bsd", "sftp", "command")

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of other users")


@pytest.fixture(scope="module")
def sshds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Sshd]]:
    folder = tmp_path_factory.mktemp("homes")
    sudo = userlands.sudo(folder / "sudo-bin")
    path = f"{sudo}:{os.environ['PATH']}"
    with (
        running_sshd(folder / "gnu", f"SetEnv SHLVL=1 PATH={path}") as gnu,
        running_sshd(
            folder / "busybox", only(userlands.busybox(folder / "b")), keys=gnu.folder
        ) as busybox,
        running_sshd(folder / "bsd", only(userlands.bsd(folder / "c")), keys=gnu.folder) as bsd,
        running_sshd(folder / "sftp", "ForceCommand internal-sftp", keys=gnu.folder) as sftp,
    ):
        yield {"gnu": gnu, "busybox": busybox, "bsd": bsd, "sftp": sftp}


@pytest.fixture
def homes(tmp_path: Path) -> Path:
    """A /home of two people, a service and a link, which others may enter."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and not folder.stat().st_mode & stat.S_IXOTH:
            folder.chmod(folder.stat().st_mode | 0o011)
    root = tmp_path / "home"
    for name, owner in (("ada", ADA), ("bob", BOB), ("service", SERVICE)):
        write(root / name / LOG, f"of {name}\n", owner)
    (root / "link").symlink_to("ada")
    root.chmod(0o755)
    return root


def write(path: Path, text: str, owner: int) -> Path:
    """A file of this user, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    for each in (path, *path.parents):
        if each.name == "home":
            break
        os.chown(each, owner, owner)
    return path


def host_of(way: str, sshds: dict[str, Sshd], root: Path, **changes: object) -> HostConfig:
    if way == "local":
        host = HostConfig("lab")
    elif way == "command":
        host = HostConfig("lab", command=("sh",))
    else:
        host = sshds[way].host("lab", None)
    return host._replace(homes=(f"{root}/*",))._replace(**changes)


def config(sshds: dict[str, Sshd], folder: Path, host: HostConfig) -> Config:
    return config_of(folder, sshds["gnu"].folder, host)


def collected(made: Config) -> dict[str, HostReport]:
    return {report.host: report for report in collect(made, Archive(made.archive))}


def held(made: Config) -> dict[str, set[str]]:
    archive = Archive(made.archive)
    found: dict[str, set[str]] = {}
    for each in archive.held():
        found.setdefault(each.host, set()).add(each.path)
    return found


@pytest.mark.parametrize("way", WAYS)
def test_each_users_home_is_a_host_of_its_own(
    way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    made = config(sshds, tmp_path, host_of(way, sshds, homes))
    reports = collected(made)
    assert {name: report.error for name, report in reports.items()} == {
        "lab": None,
        "lab/ada": None,
        "lab/bob": None,
    }
    assert (reports["lab"].seen, reports["lab/ada"].seen) == (None, 1)
    assert held(made) == {"lab/ada": {LOG}, "lab/bob": {LOG}}
    archive = Archive(made.archive)
    file = archive.home("lab/bob").open(LOG)
    assert file is not None and file.read() == b"of bob\n"
    with (homes / "ada" / LOG).open("a") as log:
        log.write("more\n")
    again = collected(made)
    assert (again["lab/ada"].grown, again["lab/bob"].changed) == (1, 0)
    runs = {run.host: (run.outcome, run.reachable, run.logs_seen) for run in archive.runs()}
    assert runs == {"lab": ("ok", True, None), "lab/ada": ("ok", True, 1), "lab/bob": ("ok", True, 1)}
    assert list(archive.verify(read_data=True)) == []


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_a_log_of_the_user_himself_is_never_read(
    way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    secret = write(homes / "bob/.claude/projects/-p/secret.jsonl", "of bob\n", BOB)
    project = homes / "ada" / PROJECT
    os.link(secret, project / "hard.jsonl")
    (project / "soft.jsonl").symlink_to(secret)
    write(project / "given.jsonl", "of bob, in the folder of ada\n", ADA)
    os.chown(project / "given.jsonl", BOB, BOB)
    (homes / "ada/.codex").mkdir()
    (homes / "ada/.codex/sessions").symlink_to(homes / "bob/.claude")
    (project.parent / "-q").symlink_to(homes / "bob" / PROJECT)
    os.mkfifo(project / "fifo.jsonl")
    os.mknod(project / "null.jsonl", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    for odd in ("fifo.jsonl", "null.jsonl"):
        os.chown(project / odd, ADA, ADA)
    made = config(sshds, tmp_path, host_of(way, sshds, homes))
    reports = collected(made)
    assert {name: report.error for name, report in reports.items() if report.error} == {}
    assert held(made)["lab/ada"] == {LOG}
    assert reports["lab/ada"].seen == 1


@pytest.mark.parametrize("way", ["gnu", "busybox", "bsd", "sftp"])
def test_a_home_that_may_not_be_read_is_told_and_the_others_are_collected(
    way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    (homes / "bob").chmod(0o700)  # and the login is not almighty: see sshd.mortal
    made = config(sshds, tmp_path, host_of(way, sshds, homes))
    reports = collected(made)
    assert held(made) == {"lab/ada": {LOG}}
    assert reports["lab"].error is None and reports["lab/ada"].error is None
    assert "ermission denied" in str(reports["lab/bob"].error)
    states = {state.name: state.error for state in Archive(made.archive).host_states()}
    assert states["lab/ada"] is None and "ermission denied" in str(states["lab/bob"])


def tree(folder: Path) -> list[tuple[object, ...]]:
    """Everything about every file that writing would change."""
    status = [(file, file.lstat()) for file in sorted([folder, *folder.rglob("*")])]
    return [(file, s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for file, s in status]


@pytest.mark.parametrize("way", [*WAYS, "sudo"])
def test_nothing_is_written_in_anybodys_home(
    way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    host = host_of("gnu" if way == "sudo" else way, sshds, homes, sudo=way == "sudo")
    made = config(sshds, tmp_path, host)
    before = tree(homes)
    assert collected(made)["lab/ada"].new == 1
    assert tree(homes) == before
    (homes / "ada" / LOG).write_text("rewritten, and by far longer than it was\n")
    before = tree(homes)
    assert collected(made)["lab/ada"].rewritten == 1
    assert tree(homes) == before


@pytest.mark.parametrize("way", ["local", "gnu"])
def test_through_sudo_each_home_is_read_as_the_user_it_belongs_to(
    way: str,
    sshds: dict[str, Sshd],
    homes: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if way == "local":
        sudo = userlands.sudo(tmp_path / "sudo-bin")
        monkeypatch.setenv("PATH", f"{sudo}:{os.environ['PATH']}")
    (homes / "bob").chmod(0o700)
    root_only = write(homes / "ada" / PROJECT / "root.jsonl", "of ada, closed to her\n", ADA)
    root_only.chmod(0)
    made = config(sshds, tmp_path, host_of(way, sshds, homes, sudo=True))
    reports = collected(made)
    assert {name: report.error for name, report in reports.items() if report.error} == {}
    assert held(made) == {"lab/ada": {LOG}, "lab/bob": {LOG}}
    assert reports["lab/ada"].problems == (f"{PROJECT}/root.jsonl: it changed while it was read; "
                                           "the next collect takes it",)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_a_folder_that_is_named_is_collected_whoever_it_belongs_to(
    way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    asked = (f"{homes}/service", f"{homes}/b*", f"{homes}/nowhere")
    made = config(sshds, tmp_path, host_of(way, sshds, homes, homes=asked))
    reports = collected(made)
    assert held(made) == {"lab/service": {LOG}, "lab/bob": {LOG}}
    assert reports["lab"].problems == (f"homes: {homes}/nowhere: no such folder there",)


@pytest.mark.parametrize("way", ["local", "gnu", "bsd", "command"])
def test_a_user_is_found_by_name(way: str, sshds: dict[str, Sshd], homes: Path, tmp_path: Path) -> None:
    asked = ("root", "no-such-user")
    host = host_of(way, sshds, homes, homes=asked, sources=("codex",))
    made = config(sshds, tmp_path, host)
    reports = {report.host: report for report in collect(made, Archive(made.archive), dry_run=True)}
    assert set(reports) == {"lab", "lab/root"}
    assert reports["lab"].problems == ("homes: no-such-user: no such user there",)


def test_by_sftp_alone_users_have_no_names(sshds: dict[str, Sshd], homes: Path, tmp_path: Path) -> None:
    made = config(sshds, tmp_path, host_of("sftp", sshds, homes, homes=("ada",)))
    (report,) = collected(made).values()
    assert report.error == "homes: ada: without a shell there name the folder, as /home/ada"


def test_when_the_machine_is_not_reached_its_users_share_the_error(
    sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    host = host_of("gnu", sshds, homes)
    made = config(sshds, tmp_path, host)
    collected(made)
    lost = made._replace(hosts=(host._replace(port=1),))
    (report,) = collected(lost).values()
    assert "cannot connect" in str(report.error)
    states = {state.name: state.error for state in Archive(made.archive).host_states()}
    assert states == dict.fromkeys(("lab", "lab/ada", "lab/bob"), report.error)


def test_one_of_the_users_can_be_collected_alone(
    sshds: dict[str, Sshd], homes: Path, tmp_path: Path
) -> None:
    made = config(sshds, tmp_path, host_of("gnu", sshds, homes))
    archive = Archive(made.archive)
    assert [report.host for report in collect(made, archive, ["lab/ada"])] == ["lab", "lab/ada"]
    assert set(held(made)) == {"lab/ada"}
    (report,) = collect(made, archive, ["lab/eve"])
    assert report.error == "it leads to no 'lab/eve', but to lab/ada, lab/bob"
    with pytest.raises(SiphonError, match="unknown host 'bla/ada'; known hosts: lab"):
        collect(made, archive, ["bla/ada"])
