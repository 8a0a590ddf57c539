"""Packed logs: nothing in an archive is trusted, and one that cannot be unpacked harms no other."""

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from road import Road, road
from siphon.errors import SiphonError
from siphon.loose import file_loose
from siphon.unpack import SMALL, packed, unpack

THREAD = b'{"v": 1, "id": "T-0001", "created": 1770000000000, "messages": []}'
MB = b"\0" * (1 << 20)

Write = Callable[[Path], None]


@pytest.fixture
def fleet(tmp_path: Path) -> Road:
    return road(tmp_path / "fleet", {})


def _tar(*members: tarfile.TarInfo, mode: str = "w:gz") -> Write:
    def write(path: Path) -> None:
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # mode is a literal
            for info in (_info("good.json"), *members):
                data = THREAD if info.isreg() else b""
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))

    return write


def _info(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mtime = kind, target, 1_770_000_000
    return info


def _zip(*members: tuple[str, int]) -> Write:
    """Members as (name, Unix mode)."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, mode in (("good.json", stat.S_IFREG | 0o644), *members):
                info = zipfile.ZipInfo("x", (2026, 2, 2, 2, 2, 2))
                info.filename, info.external_attr = name, mode << 16
                archive.writestr(info, THREAD)

    return write


FILE = stat.S_IFREG | 0o644
HOSTILE = {
    "tar ..": (_tar(_info("../out.json")), "'../out.json' leads out of the archive"),
    "tar a/../..": (_tar(_info("a/../../out.json")), "'a/../../out.json' leads out"),
    "tar folder": (_tar(_info("../out/", tarfile.DIRTYPE)), "'../out' leads out"),
    "tar absolute": (_tar(_info("/tmp-out.json")), "'/tmp-out.json' leads out"),
    "tar symlink": (_tar(_info("ln", tarfile.SYMTYPE, "/etc")), "'ln' is a link or a device"),
    "tar through a link": (
        _tar(_info("ln", tarfile.SYMTYPE, ".."), _info("ln/out.json")),
        "'ln' is a link or a device",
    ),
    "tar hard link": (_tar(_info("hl", tarfile.LNKTYPE, "../x")), "'hl' is a link or a device"),
    "tar device": (_tar(_info("dev", tarfile.CHRTYPE)), "'dev' is a link or a device"),
    "tar fifo": (_tar(_info("pipe", tarfile.FIFOTYPE)), "'pipe' is a link or a device"),
    "plain tar": (_tar(_info("../out.json"), mode="w"), "'../out.json' leads out"),
    "xz tar": (_tar(_info("../out.json"), mode="w:xz"), "'../out.json' leads out"),
    "zip ..": (_zip(("../out.json", FILE)), "'../out.json' leads out"),
    "zip backslash": (_zip(("..\\out.json", FILE)), "out.json' leads out"),
    "zip absolute": (_zip(("/out.json", FILE)), "'/out.json' leads out"),
    "zip drive": (_zip(("C:\\out.json", FILE)), "out.json' leads out"),
    "zip symlink": (_zip(("ln", stat.S_IFLNK | 0o777)), "'ln' is a link or a device"),
    "zip device": (_zip(("dev", stat.S_IFCHR | 0o600)), "'dev' is a link or a device"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_archive_is_refused_with_the_member_s_name(
    name: str, fleet: Road, tmp_path: Path
) -> None:
    """Nothing of it is filed or left lying, and what is given with it is filed."""
    write, why = HOSTILE[name]
    (tmp_path / "given").mkdir()
    bad, good = tmp_path / "given/bad", tmp_path / "given/good.json"
    write(bad)
    good.write_bytes(THREAD)
    before = sorted(path for path in tmp_path.rglob("*") if "fleet" not in path.parts)

    refused, filed = file_loose(fleet.archive, [bad, good], "h")
    assert (refused.file, refused.path) == (str(bad), None)
    assert why in str(refused.error)
    assert str(refused.error).endswith("; refused")
    assert (filed.path, filed.error) == (".local/share/amp/threads/T-0001.json", None)
    assert [one.path for one in fleet.archive.held()] == [filed.path]
    assert sorted(path for path in tmp_path.rglob("*") if "fleet" not in path.parts) == before
    assert list((fleet.config.archive / ".parts").iterdir()) == []


def _bomb_tar(path: Path, mode: str) -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]  # mode is a literal
        for name in ("small.json", "bomb.json"):
            info = _info(name)
            info.size = len(MB) * (90 if name.startswith("bomb") else 1)
            archive.addfile(info, _Zeros(info.size))


class _Zeros(io.RawIOBase):
    """As many zeros as asked for."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        block = MB[: min(size if size >= 0 else len(MB), self.left)]
        self.left -= len(block)
        return block


@pytest.mark.parametrize("form", ["w:gz", "w:xz", "zip"])
def test_a_bomb_is_refused_by_what_it_unpacks_to(form: str, fleet: Road, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb"
    if form == "zip":
        with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("small.json", MB)
            with archive.open("bomb.json", "w") as member:
                for _ in range(90):
                    member.write(MB)
    else:
        _bomb_tar(bomb, form)
    assert bomb.stat().st_size < SMALL / 100
    (refused,) = file_loose(fleet.archive, [bomb])
    assert refused.error == f"'bomb.json' makes it larger than {SMALL} bytes unpacked; refused"
    assert fleet.archive.held() == []


def test_a_folder_that_names_itself_is_no_attack(fleet: Road, tmp_path: Path) -> None:
    """As `tar czf x.tgz .` writes it."""
    _tar(_info("./", tarfile.DIRTYPE), _info("./in/T.json"))(tmp_path / "x.tgz")
    filed = file_loose(fleet.archive, [tmp_path / "x.tgz"])
    assert [Path(one.file).name for one in filed if one.error is None] == ["good.json", "T.json"]


def test_times_in_the_archive_are_the_files(tmp_path: Path) -> None:
    _tar()(tmp_path / "x.tar.gz")
    unpack(tmp_path / "x.tar.gz", tmp_path / "tar")
    assert (tmp_path / "tar/good.json").stat().st_mtime == 1_770_000_000
    _zip()(tmp_path / "x.zip")
    unpack(tmp_path / "x.zip", tmp_path / "zip")
    assert (tmp_path / "zip/good.json").stat().st_mtime == 1_769_997_722


def test_a_zip_with_a_password_is_told(fleet: Road, tmp_path: Path) -> None:
    _zip()(tmp_path / "x.zip")
    data = bytearray((tmp_path / "x.zip").read_bytes())
    for header, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(header) + flags] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    (refused,) = file_loose(fleet.archive, [tmp_path / "x.zip"])
    assert "is encrypted, password required" in str(refused.error)


def test_a_log_that_ends_as_a_zip_does_is_no_zip(tmp_path: Path) -> None:
    _zip()(tmp_path / "x.zip")
    log = tmp_path / "log.jsonl"
    log.write_bytes(b'{"line": 1}\n' + (tmp_path / "x.zip").read_bytes())
    assert not packed(log)


@settings(max_examples=60)
@given(
    form=st.sampled_from(["w", "w:gz", "w:xz", "w:bz2", "zip"]),
    cut=st.floats(0, 1),
    flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4),
)
def test_a_damaged_archive_is_told_and_never_raises_otherwise(
    form: str, cut: float, flips: list[tuple[float, int]], tmp_path: Path
) -> None:
    file = tmp_path / "x"
    (_zip() if form == "zip" else _tar(mode=form))(file)
    data = bytearray(file.read_bytes())
    for at, bits in flips:
        data[int(at * len(data))] ^= bits
    file.write_bytes(data[: int(len(data) * (0.5 + cut))])
    try:
        if packed(file):
            unpack(file, tmp_path / "out")
    except SiphonError as error:
        assert str(error).startswith(f"{file}: ")
