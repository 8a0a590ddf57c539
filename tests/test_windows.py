"""Windows hosts: reached by OpenSSH, read by SFTP, each tool's logs where it keeps them there."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import Site, config_of, counts, noise
from siphon.archive import Archive
from siphon.collect import collect
from siphon.config import HostConfig
from siphon.globs import compiled
from siphon.sources import sources
from winserver import WindowsHost, windows_host

LOG = ".claude/projects/C--Users-Me-app/11111111-1111-4111-8111-111111111111.jsonl"
# Where tools keep their logs on Windows (formats' pages), as that machine spells it.
LOGS = {
    LOG: "claude_code",
    ".codex/sessions/2026/01/02/rollout-2026-01-02T03-04-05-2222.jsonl": "codex",
    "AppData/Roaming/Code/User/workspaceStorage/0a1b/chatSessions/3.json": "vscode_copilot",
    "AppData/Roaming/Code/User/globalStorage/saoudrizwan.claude-dev/tasks/17/ui_messages.json": "cline",
    "AppData/Roaming/Block/goose/data/sessions/20250102_030405.jsonl": "goose",
    "AppData/Local/Zed/conversations/a - 1.zed.json": "zed",
    ".gemini/tmp/0a1b/chats/session-2026-01-02T03-04-0a1b.json": "gemini_cli",
    ".copilot/session-state/1/events.jsonl": "copilot_cli",
    ".factory/sessions/-C-Users-Me-app/1.jsonl": "factory_droid",
    ".local/share/amp/threads/T-1.json": "amp",
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("user") / ".ssh"
    folder.mkdir()
    key = folder / "id_ed25519"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    return folder


@pytest.fixture
def machine(tmp_path: Path, keys: Path) -> Iterator[WindowsHost]:
    with windows_host(tmp_path) as host:
        line = f"[127.0.0.1]:{host.port} {host.key.get_name()} {host.key.get_base64()}\n"
        (keys / "known_hosts").write_text(line)
        yield host


def site_on(machine: WindowsHost, keys: Path, folder: Path, **changes: object) -> Site:
    host = HostConfig("host", ssh="127.0.0.1", port=machine.port)._replace(**changes)
    return Site(machine.home, config_of(folder, keys, host))


@pytest.fixture
def site(machine: WindowsHost, keys: Path, tmp_path: Path) -> Site:
    return site_on(machine, keys, tmp_path)


def test_each_tools_logs_are_found_where_it_keeps_them_on_windows(
    site: Site, machine: WindowsHost
) -> None:
    for path in LOGS:
        site.write(path, path.encode())
    report = site.collect()
    assert (counts(report), report.problems, report.tools) == ({"new": len(LOGS)}, (), "SFTP")
    assert {path: site.read(path) for path in LOGS} == {path: path.encode() for path in LOGS}
    for path, source in LOGS.items():
        assert any(compiled(glob).fullmatch(path) for glob in sources()[source].globs), path
    site.append(LOG, b" and more")
    assert counts(site.collect()) == {"grown": 1}
    assert machine.written == []
    assert site.sound()


def test_names_in_any_case_are_archived_as_the_tool_spells_them(
    site: Site, machine: WindowsHost
) -> None:
    odd = ".Claude/PROJECTS/C--Users-Me-App/ABC.JSONL"
    site.write(odd, b"one\n")
    site.write("appdata/roaming/code/user/WorkspaceStorage/0A1b/ChatSessions/3.Json", b"{}")
    assert counts(site.collect()) == {"new": 2}
    known = ".claude/projects/C--Users-Me-App/ABC.jsonl"
    assert set(site.held()) == {
        known,
        "AppData/Roaming/Code/User/workspaceStorage/0A1b/chatSessions/3.json",
    }
    site.append(odd, noise(50_000))
    assert counts(site.collect()) == {"grown": 1}
    assert site.read(known) == b"one\n" + noise(50_000)
    assert machine.written == []


@pytest.mark.parametrize("home", ["C:\\Users\\ME", "c:/users/me", "/C:/Users/Me", None])
def test_a_home_may_be_written_as_windows_does(
    home: str | None, machine: WindowsHost, keys: Path, tmp_path: Path
) -> None:
    site = site_on(machine, keys, tmp_path, remote_home=home)
    site.write(LOG, b"one\n")
    assert counts(site.collect()) == {"new": 1}


def test_the_users_of_a_windows_machine_are_hosts_of_their_own(
    machine: WindowsHost, keys: Path, tmp_path: Path
) -> None:
    for user in ("Me", "Ada", "Public", "Default"):
        file = machine.home.parent / user / LOG
        file.parent.mkdir(parents=True)
        file.write_bytes(user.encode())
    site = site_on(machine, keys, tmp_path, homes=("C:/Users/*",))
    archive = Archive(site.config.archive)
    assert [report.error for report in collect(site.config, archive)] == [None, None, None]
    assert [(held.host, held.path) for held in archive.held()] == [
        ("host/Ada", LOG),
        ("host/Me", LOG),
    ]


def test_a_junction_is_not_followed(site: Site, machine: WindowsHost) -> None:
    site.write(LOG, b"one\n")
    other = machine.drive / "C:" / "other"
    other.mkdir()
    (other / "secret.jsonl").write_bytes(b"not his")
    (site.home / ".claude/projects/-q").symlink_to(other)
    (site.home / ".codex").mkdir()
    (site.home / ".codex/sessions").symlink_to(other)
    report = site.collect()
    assert set(site.held()) == {LOG}
    assert ".claude/projects/-q" in report.links


def test_a_server_that_names_files_outside_the_home_is_not_believed(
    site: Site, machine: WindowsHost, tmp_path: Path
) -> None:
    site.write(LOG, b"one\n")
    machine.lies += ["../../../evil.jsonl", "..", ".", "", "a/../../evil.jsonl"]
    site.collect()
    assert set(site.held()) == {LOG}
    assert not list(tmp_path.rglob("evil*"))
    assert site.sound()
