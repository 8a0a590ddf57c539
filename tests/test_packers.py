"""Hosts with other packers and hashes: what arrives is the same."""

import shutil
from pathlib import Path

import pytest

from fleet import LOG, PROJECT, Site, config_of, counts, noise
from siphon.config import HostConfig

_NEEDED = ("cat", "env", "find", "head", "id", "sh", "tail", "tar", "uname", "xargs")
_LARGE = noise(1_000_000) * 17  # beyond 16 MiB openssl hashes, if it can


def site_with(folder: Path, *tools: str) -> Site:
    """A home behind a shell that has these tools and no others."""
    programs = folder / "bin"
    programs.mkdir()
    for name in (*_NEEDED, *tools):
        program = shutil.which(name)
        if program is None:
            pytest.skip(f"this machine has no {name}; the other packers and hashes are tested")
        (programs / name).symlink_to(program)
    home = folder / "home"
    home.mkdir()
    command = ("env", "-i", f"PATH={programs}", f"HOME={home}", str(programs / "sh"))
    return Site(home, config_of(folder, folder, HostConfig("host", command=command)))


@pytest.mark.parametrize(
    "tools",
    [
        ("sha256sum", "zstd", "gzip"),
        ("sha256sum", "openssl", "gzip"),
        ("openssl", "zstd"),
        ("sha256sum",),
    ],
)
def test_every_packer_and_hash_brings_the_same_bytes(tmp_path: Path, tools: tuple[str, ...]) -> None:
    site = site_with(tmp_path, *tools)
    data = {LOG: _LARGE}
    data |= {f"{PROJECT}/{number}.jsonl": b"line %d\n" % number * 999 for number in range(20)}
    for path, content in data.items():
        site.write(path, content)
    report = site.collect()
    assert (counts(report), report.problems) == ({"new": 21}, ())
    assert all(tool in (report.tools or "") for tool in tools if tool != "openssl")
    assert {path: site.read(path) for path in data} == data
    site.append(LOG, b"more\n")
    report = site.collect()
    assert (counts(report), report.bytes) == ({"grown": 1}, 5)
    site.write(LOG, b"x" + _LARGE[1:] + b"more\nand more\n")
    assert counts(site.collect()) == {"rewritten": 1}
    assert site.sound()


def test_an_openssl_that_cannot_hash_leaves_it_to_the_other_tool(tmp_path: Path) -> None:
    site = site_with(tmp_path, "sha256sum")
    broken = tmp_path / "bin/openssl"
    broken.write_text(f"#!{shutil.which('sh')}\necho 'unknown option -r' >&2\nexit 1\n")
    broken.chmod(0o755)
    site.write(LOG, _LARGE)
    site.collect()
    site.append(LOG, b"more\n")
    report = site.collect()
    assert (counts(report), report.bytes) == ({"grown": 1}, 5)
    assert site.read(LOG) == _LARGE + b"more\n"
