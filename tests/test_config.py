"""siphon.yml: what it may say, where it is looked for, and what is said about mistakes."""

from pathlib import Path

import pytest

from siphon.config import Config, HostConfig, load_config
from siphon.errors import SiphonError


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def load(text: str, home: Path, here: Path) -> Config:
    (here / "siphon.yml").write_text(text)
    return load_config(None, {"HOME": str(home)}, here)


def complaint(text: str, home: Path, here: Path) -> str:
    with pytest.raises(SiphonError) as caught:
        load(text, home, here)
    return str(caught.value).removeprefix(f"{here}/")


def test_without_a_file_this_machine_is_the_only_host(home: Path, here: Path) -> None:
    config = load_config(None, {"HOME": str(home)}, here)
    (host,) = config.hosts
    assert host == HostConfig(host.name, home=home)
    assert host.name and "." not in host.name
    data = home / ".local/share/siphon"
    assert config == Config(data / "archive", data / "siphon.db", 300, (), (host,), None, home / ".ssh")


def test_the_users_data_folder_is_where_the_user_says(home: Path, here: Path) -> None:
    config = load_config(None, {"HOME": str(home), "XDG_DATA_HOME": "/srv/data"}, here)
    assert config.archive == Path("/srv/data/siphon/archive")


def test_everything_that_may_be_said(home: Path, here: Path) -> None:
    text = """
        archive: keep/archive
        database: ~/siphon.db
        interval: 60
        skip: [codex]
        hosts:
          laptop: {home: ~/, sources: [claude_code, codex]}
          me: {home: ~}
          server:
            ssh: deploy@build.example.org
            port: 2222
            identity: ~/.ssh/build
            home: /srv/deploy
          alias: {ssh: build, user: me, enabled: false}
          17: {ssh: v6}
    """
    assert load(text, home, here) == Config(
        archive=here / "keep/archive",
        database=home / "siphon.db",
        interval=60,
        skip=("codex",),
        hosts=(
            HostConfig("laptop", home=home, sources=("claude_code", "codex")),
            HostConfig("me", home=home),
            HostConfig(
                "server",
                ssh="build.example.org",
                user="deploy",
                port=2222,
                identity=home / ".ssh/build",
                remote_home="/srv/deploy",
            ),
            HostConfig("alias", ssh="build", user="me", enabled=False),
            HostConfig("17", ssh="v6"),
        ),
        path=here / "siphon.yml",
        ssh=home / ".ssh",
    )


def test_every_kind_of_host_and_what_each_may_be_told(home: Path, here: Path) -> None:
    text = """
        interval: 5 min
        hosts:
          lab: {ssh: lab, homes: /home/*, sudo: true, timeout: 30, keepalive: 5s}
          some: {ssh: lab, homes: [/home/*, root, "C:\\\\Users\\\\*"]}
          box: {command: docker exec -i "my box" sh, home: /root}
          pod: {command: [kubectl, exec, -i, pod, --, sh]}
          far: {ssh: lab, command: podman exec -i box sh, homes: /home/*}
          here: {homes: /home/*}
          big: {home: /x, limit: 1.5 GB, every: 6h, hours: 22-6, paths: .claude, skip_paths: ["**/x", y]}
          two: {home: /x, limit: 100, hours: ["22:30-6:15", 12-13]}
    """
    config = load(text, home, here)
    assert config.interval == 300
    assert config.hosts == (
        HostConfig("lab", ssh="lab", homes=("/home/*",), sudo=True, timeout=30, keepalive=5),
        HostConfig("some", ssh="lab", homes=("/home/*", "root", "C:/Users/*")),
        HostConfig("box", command=("docker", "exec", "-i", "my box", "sh"), remote_home="/root"),
        HostConfig("pod", command=("kubectl", "exec", "-i", "pod", "--", "sh")),
        HostConfig("far", ssh="lab", command=("podman", "exec", "-i", "box", "sh"), homes=("/home/*",)),
        HostConfig("here", homes=("/home/*",)),
        HostConfig(
            "big",
            home=Path("/x"),
            limit=1_500_000_000,
            every=21_600,
            hours=((1320, 360),),
            paths=(".claude",),
            skip_paths=("**/x", "y"),
        ),
        HostConfig("two", home=Path("/x"), limit=100, hours=((1350, 375), (720, 780))),
    )
    ways = ["ssh", "ssh", "command", "command", "ssh", "home", "home", "home"]
    assert [host.transport for host in config.hosts] == ways


def test_the_database_lies_beside_the_archive_unless_said_otherwise(home: Path, here: Path) -> None:
    assert load("archive: /big/disk/archive", home, here).database == Path("/big/disk/siphon.db")


@pytest.mark.parametrize("text", ["", "# nothing\n", "{}"])
def test_an_empty_file_says_nothing(text: str, home: Path, here: Path) -> None:
    config = load(text, home, here)
    assert config.path == here / "siphon.yml"
    assert config._replace(path=None) == load_config(None, {"HOME": str(home)}, home)


def test_the_file_is_looked_for_in_this_order(home: Path, here: Path, tmp_path: Path) -> None:
    environ = {"HOME": str(home)}
    places = {
        "user": home / ".config/siphon/siphon.yml",
        "here": here / "siphon.yml",
        "environ": tmp_path / "environ.yml",
        "named": here / "named.yml",
    }
    found = []
    for name, path in places.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("interval: 9")
        if name == "environ":
            environ["SIPHON_CONFIG"] = str(path)
        found.append(load_config(Path("named.yml") if name == "named" else None, environ, here).path)
    assert found == list(places.values())


def test_a_file_that_was_named_must_be_there(home: Path, here: Path) -> None:
    with pytest.raises(SiphonError, match=r"no\.yml: No such file or directory; name another file"):
        load_config(Path("no.yml"), {"HOME": str(home)}, here)
    with pytest.raises(SiphonError, match=r"gone\.yml: No such file"):
        load_config(None, {"HOME": str(home), "SIPHON_CONFIG": "gone.yml"}, here)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "hosts:\n  a: {home: /}\n  a: {home: /x}",
            "siphon.yml:3: 'a' stands twice, first in line 2; keep one",
        ),
        (
            "hosts:\n  a: {home: /}\n  A: {home: /x}",
            "siphon.yml:3: host 'A' differs from host 'a' in case only; rename one",
        ),
        (
            "hosts:\n  a/b: {home: /}",
            "siphon.yml:2: host 'a/b': a host's name is made of letters, digits, '.', '_' and '-'",
        ),
        (
            "hosts:\n  ..: {home: /}",
            "siphon.yml:2: host '..': a host's name is made of letters, digits, '.', '_' and '-'",
        ),
        (
            "hosts:\n  a: {}",
            "siphon.yml:2: host 'a' needs 'home: PATH' (on this machine), 'ssh: [user@]HOST', "
            "'command: WORDS' or 'homes: /home/*'",
        ),
        (
            "hosts:\n  a:",
            "siphon.yml:2: 'a' must be a map of key: value",
        ),
        (
            "hosts: {}",
            "siphon.yml:1: no hosts; name one, or leave 'hosts' out to collect this machine",
        ),
        (
            "hosts:\n  a: {home: /, port: 22}",
            "siphon.yml:2: host 'a': 'port' goes with 'ssh'; add 'ssh: HOST' or drop it",
        ),
        (
            "hosts:\n  a: {ssh: 'h:22'}",
            "siphon.yml:2: 'ssh: h:22': write the port apart, as 'ssh: h' and 'port: 22'",
        ),
        (
            "hosts:\n  a: {ssh: -oProxyCommand=x}",
            "siphon.yml:2: 'ssh: -oProxyCommand=x': must be a host name or ssh_config alias",
        ),
        (
            "hosts:\n  a:\n    ssh: me@h\n    user: you",
            "siphon.yml:4: the user stands in 'ssh: me@h' already; drop one",
        ),
        (
            "hosts:\n  a: {ssh: h, port: 70000}",
            "siphon.yml:2: 'port' must be a whole number from 1 to 65535",
        ),
        (
            "hosts:\n  a: {ssh: h, enabled: maybe}",
            "siphon.yml:2: 'enabled' must be true or false",
        ),
        (
            "hosts:\n  a: {home: /, ssh: h, homes: /home/*}",
            "siphon.yml:2: host 'a' has both 'home' and 'homes'; drop one",
        ),
        (
            "hosts:\n  a: {ssh: h, sudo: true}",
            "siphon.yml:2: host 'a': 'sudo' goes with 'homes'; add it or drop 'sudo'",
        ),
        (
            "hosts:\n  a: {ssh: h, homes: /home/*, command: x, sudo: true}",
            "siphon.yml:2: host 'a': a 'command' holds its own sudo; drop 'sudo'",
        ),
        (
            "hosts:\n  a: {ssh: h, homes: [home/*]}",
            "siphon.yml:2: homes: 'home/*' must begin with '/', as /home/*",
        ),
        (
            "hosts:\n  a: {ssh: h, homes: '/home/$(id)'}",
            "siphon.yml:2: homes: '/home/$(id)': only * and ? may stand for something else",
        ),
        (
            "hosts:\n  a: {ssh: h, homes: [ada, 'b b']}",
            "siphon.yml:2: homes: 'b b' is neither a folder, as /home/*, nor a user's name",
        ),
        (
            "hosts:\n  a: {command: ''}",
            "siphon.yml:2: 'command' must be text",
        ),
        (
            'hosts:\n  a: {command: "sh \'x"}',
            "siphon.yml:2: 'command': no closing quotation; write it as a list of words",
        ),
        (
            "hosts:\n  a: {command: sh, identity: x}",
            "siphon.yml:2: host 'a': 'identity' goes with 'ssh'; add 'ssh: HOST' or drop it",
        ),
        (
            "hosts:\n  a:\n    home: /\n    limit: much",
            "siphon.yml:4: 'limit' must be a size, as 500 MB or 2 GB",
        ),
        (
            "hosts:\n  a: {home: /, limit: 0}",
            "siphon.yml:2: 'limit' must be a size, as 500 MB or 2 GB",
        ),
        (
            "hosts:\n  a: {home: /, every: 6 moons}",
            "siphon.yml:2: 'every' must be a time from 1 s on, as 90s, 15m, 6h or 1d",
        ),
        (
            "hosts:\n  a: {home: /, hours: 22-26}",
            "siphon.yml:2: 'hours': '22-26' must be from-to, as 22-6 or 12:30-13:30",
        ),
        (
            "hosts:\n  a: {home: /, paths: /etc}",
            "siphon.yml:2: paths: '/etc' must be a path below the home, as .claude/**",
        ),
        (
            "hosts:\n  a: {home: /, skip_paths: [a/../b]}",
            "siphon.yml:2: skip_paths: 'a/../b' must be a path below the home, as .claude/**",
        ),
        (
            "hosts:\n  a: {home: /, paths: []}",
            "siphon.yml:2: 'paths' must be a list of globs below the home, as ['.claude/**']",
        ),
        (
            "interval: often",
            "siphon.yml:1: 'interval' must be a time from 1 s on, as 90s, 15m, 6h or 1d",
        ),
        ("interval: 0", "siphon.yml:1: 'interval' must be a time from 1 s on, as 90s, 15m, 6h or 1d"),
        ("archive: [a]", "siphon.yml:1: 'archive' must be text"),
        ("archive:", "siphon.yml:1: 'archive' must be text"),
        ("- a", "siphon.yml:1: the file must be a map of key: value"),
        ("a: b: c", "siphon.yml:1: not YAML: mapping values are not allowed here"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_what_would_be_right(
    text: str, said: str, home: Path, here: Path
) -> None:
    assert complaint(text, home, here) == said


def test_an_unknown_key_is_told_with_the_known_ones(home: Path, here: Path) -> None:
    said = complaint("\nhost: {}", home, here)
    assert said.startswith(
        "siphon.yml:2: unknown key 'host' (did you mean 'hosts'?); known keys: archive, "
    )
    said = complaint("hosts:\n  a: {home: /}\n  b: {hme: /}", home, here)
    assert said.startswith("siphon.yml:3: unknown key 'hme' (did you mean 'home'?); known keys: ssh, ")


def test_an_unknown_source_is_told_with_the_known_ones(home: Path, here: Path) -> None:
    said = complaint("skip:\n  - codex\n  - claude_cod", home, here)
    assert said.startswith(
        "siphon.yml:3: skip: unknown source 'claude_cod' (did you mean 'claude_code'?); known: "
    )
    assert complaint("skip: codex", home, here).startswith(
        "siphon.yml:1: 'skip' must be a list of sources"
    )


def test_a_file_that_is_no_text_is_told(home: Path, here: Path) -> None:
    (here / "siphon.yml").write_bytes(b"archive: \xff")
    with pytest.raises(SiphonError, match=r"siphon\.yml: not UTF-8"):
        load_config(None, {"HOME": str(home)}, here)


def test_the_examples_of_the_documentation_are_right(home: Path, here: Path) -> None:
    page = (Path(__file__).parent.parent / "docs" / "fleet.md").read_text()
    example = page.partition("    archive: ")[2].partition("\n\nBuckets")[0]
    more = page.partition("\n      slow:\n")[2].partition("\n\nWith")[0]
    config = load(f"    archive: {example}\n      slow:\n{more}\n", home, here)
    assert [host.name for host in config.hosts] == [
        *("laptop", "gpu", "cloud", "lab", "box", "pod", "linux", "far-box", "windows", "winlab"),
        "slow",
    ]
    assert config.hosts[-1].limit == 500_000_000
