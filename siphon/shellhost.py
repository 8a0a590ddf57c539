"""A host asked through commands of its own shell; what they are is in siphon/shell.py."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from siphon import shell
from siphon.errors import SiphonError, UnfitError
from siphon.hosts import Found, Listing, Piece, Proof, Want
from siphon.line import Line
from siphon.pathtext import inside, raw, text
from siphon.stream import Stream, unpacked
from siphon.tarstream import BrokenTarError, members
from siphon.wanted import Wanted

_COARSE_SECONDS = 2  # a clock of whole seconds cannot tell what happened within them
_SMALL = 8 << 20  # bytes; larger logs travel with their hash
_FEW = 8  # logs; fewer are not worth a tar stream
_DIGITS = 64  # of a sha256
_BILLION = 10**9


class Tools(NamedTuple):
    """What a host's shell has to offer."""

    kind: str = "none"  # how it lists: printf (GNU find), c (BusyBox stat), f (BSD stat)
    names: frozenset[str] = frozenset()

    @property
    def hash(self) -> str:
        """The first tool at hand that computes sha256; "" if there is none."""
        return next((name for name in shell.HASHES if name in self.names), "")

    @property
    def fast_hash(self) -> str:
        """The one for large files."""
        return "openssl" if "openssl" in self.names else self.hash

    @property
    def packer(self) -> str:
        """The tool that packs what is sent; "" if there is none."""
        return next((name for name in shell.PACKERS if name in self.names), "")

    @property
    def enough(self) -> bool:
        """Whether nothing else is needed."""
        return self.kind in ("printf", "c", "f") and "xargs" in self.names and self.hash != ""


class ShellHost:
    """The files below `home`, which is seen from where a login lands; "" is that itself."""

    def __init__(self, line: Line, name: str, home: str, owner: int | None = None) -> None:
        """`owner`: only files of the user with this number are seen."""
        self.line = line
        self.name = name
        self.home = home
        self.owner = owner
        self.tools = Tools()
        self._real = home  # once it is listed: without links, from "/" on

    @property
    def wire(self) -> int:
        return self.line.wire

    @property
    def means(self) -> str:
        kind = {"printf": "GNU find", "c": "stat -c", "f": "BSD stat"}[self.tools.kind]
        rest = [name for name in shell.TOOLS if name in self.tools.names]
        return ", ".join([kind, self.tools.hash, *rest])

    def find(self, wanted: Wanted) -> Listing:
        """As of any host. Raises UnfitError if it has no shell, or one without the tools it takes."""
        with self.line.run(shell.listing(self.home, wanted.roots, self.owner)) as command:
            answer = command.out.after(b"siphon-") or b""
            self.tools = self._tools(answer.decode(errors="replace"))
            if not self.tools.enough:
                raise UnfitError(_unfit(answer, command.errors()))
            # Which tool packs is not known when this is asked: gzip, which most have.
            packer = "gzip" if "gzip" in self.tools.names else ""
            records = unpacked(command.out, packer).rest().split(b"\0")
            problems = shell.complaints(command.errors())
        if records[-2:] != [b"end ", b""]:
            raise SiphonError(f"{self.name}: the listing broke off{_because(problems)}")
        self._real = records[0].removeprefix(b"home ").decode(errors="surrogateescape")
        return self._listing(wanted, records, problems)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        return {found.path: found for found in self._stats([raw(path) for path in paths])}

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:
        small = {want for want in wants if want.start == 0 and want.size <= _SMALL}
        if exact or len(small) < _FEW or "tar" not in self.tools.names:
            small = set()
        yield from self._tar([want for want in wants if want in small])
        yield from self._frames([want for want in wants if want not in small])

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:
        if "git" not in self.tools.names:
            return {}
        asked = shell.words(folder.encode(errors="surrogateescape") for folder in folders)
        with self.line.run(shell.remotes(), asked) as command:
            return shell.answers(folders, command.out.rest())

    def ask(self, script: str, arguments: Sequence[str]) -> bytes:
        if "git" not in self.tools.names:
            return b""
        asked = shell.words(argument.encode(errors="surrogateescape") for argument in arguments)
        with self.line.run(shell.asking(script), asked) as command:
            return command.out.rest()

    def root(self) -> "ShellHost":
        host = ShellHost(self.line, self.name, "/")
        host.tools = self.tools  # one host has the same everywhere
        return host

    def close(self) -> None:
        self.line.close()

    def _tools(self, answer: str) -> Tools:
        """What it has to offer. Raises SiphonError where there is no such home."""
        word, *rest = answer.split() or [""]
        if word in ("nohome", "closed"):
            raise SiphonError(f"{self.name}: {no_home(self.home, word == 'closed')}")
        return Tools(rest[0], frozenset(rest[1:])) if word == "begin" and rest else Tools()

    def _listing(self, wanted: Wanted, records: Sequence[bytes], problems: Sequence[str]) -> Listing:
        links = [text(record[4:]) for record in records if record.startswith(b"out ")]
        if self.tools.kind == "printf":
            entries = [
                entry for folder, record in _by_root(records) if (entry := _entry(record, folder))
            ]
            links += [
                found.path for kind, found in entries if kind == b"l" and wanted.concerns(found.path)
            ]
            files = [found for kind, found in entries if kind == b"f"]
        else:
            names = [folder + record[2:] for folder, record in _by_root(records)]
            files = self._stats([name for name in names if inside(name) and wanted.match(text(name))])
        return Listing({f.path: f for f in files if wanted.match(f.path)}, problems, links)

    def _stats(self, names: Sequence[bytes]) -> list[Found]:
        if not names:
            return []
        asked = shell.words(b"./" + name for name in names)
        with self.line.run(shell.stat(self._real, self.tools.kind, self.owner), asked) as command:
            command.out.after(shell.BEGIN)
            output = command.out.rest()
        if self.tools.kind == "printf":
            return [entry[1] for record in output.split(b"\0") if (entry := _entry(record))]
        return list(_stat_lines(output, names, self.tools.kind, self.owner))

    def _frames(self, wants: Sequence[Want]) -> Iterator[Piece]:
        if not wants:
            return
        asked = shell.words(f"{want.start} {want.size} ".encode() + raw(want.path) for want in wants)
        tools = self.tools
        line = shell.frames(self._real, tools.hash, tools.fast_hash, tools.packer)
        with self.line.run(line, asked) as command:
            command.out.after(shell.BEGIN)
            stream = unpacked(command.out, tools.packer)

            def proof() -> Proof:
                return Proof(b"".join(stream.exactly(_DIGITS)).decode(errors="replace"))

            for want in wants:
                yield Piece(want, stream.exactly(want.size - want.start), proof)

    def _tar(self, wants: Sequence[Want]) -> Iterator[Piece]:
        """What does not come whole is left out: the collector asks again, with proof."""
        if not wants:
            return
        missing = {b"./" + raw(want.path): want for want in wants}
        line = shell.tar(self._real, self.tools.packer)
        with self.line.run(line, shell.words(missing)) as command:
            command.out.after(shell.BEGIN)
            try:
                yield from _members(unpacked(command.out, self.tools.packer), missing)
            except BrokenTarError:
                return


def no_home(home: str, closed: bool = False) -> str:
    """Why a home cannot be listed."""
    if closed:
        return f"its home {home} may not be entered: permission denied"
    return f"no folder {home} there; 'home:' must name its home"


def _unfit(answer: bytes, complaints: Sequence[str]) -> str:
    if not answer:
        return f"no shell answers{_because(complaints)}"
    return "its shell lacks find, stat, xargs, or a tool for sha256"


def _members(stream: Stream, missing: dict[bytes, Want]) -> Iterator[Piece]:
    for member in members(stream):
        want = missing.pop(member.name, None)
        if want and member.size >= want.size:
            yield Piece(want, stream.exactly(want.size), Proof)


def _by_root(records: Sequence[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """The records about files, each with the folder, below the home, that its path begins in."""
    folder = b""
    for record in records:
        if record.startswith(b"in "):
            folder = b"" if record == b"in ." else record[3:] + b"/"
        elif b"./" in record:
            yield folder, record


def _entry(record: bytes, folder: bytes = b"") -> tuple[bytes, Found] | None:
    """Kind (f, l) and file of `kind size seconds.fraction inode ./path`."""
    words = record.split(b" ", 4)
    if len(words) != 5 or not words[4].startswith(b"./"):
        return None
    kind, size, mtime, inode, below = words
    path = folder + below[2:]
    if not (size.isdigit() and inode.isdigit() and inside(path)):
        return None
    return kind, Found(text(path), int(size), _nanoseconds(mtime), int(inode))


def _nanoseconds(stamp: bytes) -> int:
    seconds, _, fraction = stamp.partition(b".")
    return int(seconds) * _BILLION + int(fraction[:9].ljust(9, b"0") or b"0")


def _stat_lines(output: bytes, names: Sequence[bytes], kind: str, owner: int | None) -> Iterator[Found]:
    """The answers of stat, in the order asked; names that are gone, or another's, have none.

    A line is `mode size mtime inode uid name`, and a name may hold line ends, so each is looked for.
    """
    now, at = time.time_ns(), 0
    for name in names:
        end = output.find(b" ./" + name + b"\n", at)
        words = output[at:end].split(b" ") if end >= 0 else []
        if len(words) != 5:
            continue
        at = end + len(name) + 4
        mode, size, mtime, inode, uid = words
        regular = int(mode, 8 if kind == "f" else 16) & 0o170000 == 0o100000
        if regular and owner in (None, int(uid)):
            stamp = _nanoseconds(mtime)
            settled = kind == "f" or stamp < now - _COARSE_SECONDS * _BILLION
            yield Found(text(name), int(size), stamp, int(inode), settled)


def _because(complaints: Sequence[str]) -> str:
    return f": {complaints[-1]}" if complaints else ""
