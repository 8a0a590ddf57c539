"""A tar stream gives the regular files, as whoever writes tar writes them; what is none is refused."""

import io
import tarfile
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siphon.stream import Stream
from siphon.tarstream import BrokenTarError, Member, members

FILES = {
    "./short": b"one\n",
    "./empty": b"",
    "./block": b"b" * 512,
    "./" + "deep/" * 30 + "log.jsonl": b"a prefix in ustar" * 100,
    "./emoji 🦑 \n -- ..": b"named oddly",
    "./" + "n" * 255: b"one long part",
    "./last": b"z" * 70_000,
}
FORMATS = {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT}


def packed(files: dict[str, bytes], form: str, *others: tarfile.TarInfo) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=FORMATS[form]) as archive:
        for other in others:
            archive.addfile(other)
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def stream(data: bytes, step: int = 1000) -> Stream:
    file = io.BytesIO(data)
    return Stream(lambda: file.read(step))


def read(data: bytes) -> dict[str, bytes]:
    source = stream(data)
    return {member.name.decode(): b"".join(source.exactly(member.size)) for member in members(source)}


@pytest.mark.parametrize("form", FORMATS)
def test_files_come_whole_under_their_names(form: str) -> None:
    files = {name: data for name, data in FILES.items() if form != "ustar" or len(name) < 200}
    assert read(packed(files, form)) == files


def test_what_is_no_regular_file_is_left_out_whatever_size_it_states() -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)
    others = [tarfile.TarInfo(f"./other-{number}") for number in range(len(kinds))]
    for other, kind in zip(others, kinds, strict=True):
        other.type, other.size = kind, 700
    assert read(packed(FILES, "gnu", *others)) == FILES


def test_archives_follow_one_another() -> None:
    one, two = {"./a": b"1"}, {"./b": b"2" * 3000}
    assert read(packed(one, "gnu") + packed(two, "pax")) == one | two


def test_what_a_reader_leaves_is_skipped() -> None:
    source = stream(packed(FILES, "gnu"))
    found = []
    for member in members(source):
        found.append(member.name.decode())
        next(source.exactly(min(member.size, 3)), None)
    assert found == list(FILES)


def test_a_size_of_more_than_octal_digits_hold_is_read() -> None:
    info = tarfile.TarInfo("./huge")
    info.size = 9 << 33
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        (member,) = members(stream(info.tobuf(form)))
        assert member == Member(b"./huge", info.size)


def test_an_archive_that_is_cut_ends() -> None:
    data = packed({"./a": b"1" * 600, "./b": b"2"}, "gnu")
    for end in range(0, 2048, 100):
        names = [member.name for member in members(stream(data[:end]))]
        assert names == [b"./a", b"./b"][: (end >= 512) + (end >= 2048)]


def test_a_header_that_is_none_is_refused() -> None:
    good = packed({"./a": b"1"}, "gnu")
    wrong_sum = b"x" + good[1:]
    for data in (b"no tar at all\n" * 100, wrong_sum, b"\xff" * 1024):
        with pytest.raises(BrokenTarError):
            list(members(stream(data)))


def sealed(kind: bytes, size: int, data: bytes) -> bytes:
    """A header of this kind with its data, filled up to whole blocks."""
    info = tarfile.TarInfo("./x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.GNU_FORMAT) + data.ljust(-(-len(data) // 512) * 512, b"\0")


@pytest.mark.parametrize(
    "data", [b"no length", b"0 a=b\n", b"99 path=x\n", b"-5 a=b\n", b"14 size=many\n"]
)
def test_a_pax_header_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(BrokenTarError):
        list(members(stream(sealed(b"x", len(data), data) + packed({"./a": b"1"}, "gnu"))))


def test_a_name_that_never_ends_is_refused() -> None:
    with pytest.raises(BrokenTarError):
        list(members(stream(sealed(b"L", 1 << 30, b"n" * 4096))))


@given(st.lists(st.tuples(st.integers(0, 4000), st.binary(max_size=30)), max_size=5))
def test_nonsense_is_refused_or_read_but_never_worse(changes: Iterable[tuple[int, bytes]]) -> None:
    data = bytearray(packed({"./a": b"1" * 600, "./" + "n" * 200: b"2"}, "pax"))
    for at, other in changes:
        data[at : at + len(other)] = other
    try:
        found = list(members(stream(bytes(data))))
    except BrokenTarError:
        return
    assert all(isinstance(member, Member) for member in found)
