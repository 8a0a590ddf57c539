"""A host as the collector sees it: files to list and read, folders to ask git about; none to write."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from siphon.wanted import Wanted

BLOCK = 1 << 20


class Found(NamedTuple):
    """A regular file as its host lists it."""

    path: str  # POSIX, below the home, as text (siphon/pathtext.py)
    size: int
    mtime: int  # ns
    inode: int | None  # None: the host does not say
    settled: bool = True  # False: its clock is too coarse to tell this state from one just before
    etag: str | None = None  # of an object in a bucket

    @property
    def stamp(self) -> str | None:
        """Equal stamps: not changed. None: cannot be told from the listing."""
        inode = "-" if self.inode is None else self.inode
        etag = "" if self.etag is None else f" {self.etag}"
        return f"{self.size} {self.mtime} {inode}{etag}" if self.settled else None


class Listing(NamedTuple):
    """What is there."""

    found: Mapping[str, Found]
    problems: Sequence[str]  # each: something that may be there could not be seen
    links: Sequence[str] = ()  # not followed


class Want(NamedTuple):
    """Bytes of a file to fetch: from `start` (what is held already) up to `size`."""

    path: str
    start: int
    size: int


class Proof(NamedTuple):
    """What shows that bytes held and fetched are those on the host.

    Neither: the piece is good if the file's stamp is afterwards what it was when listed.
    """

    sha256: str | None = None  # of the file's first `size` bytes, computed there
    samples: Sequence[tuple[int, bytes]] = ()  # (offset, bytes) read there, of the part already held


class Piece(NamedTuple):
    """A file on its way: read all its blocks, then ask for the proof, then take the next."""

    want: Want
    blocks: Iterator[bytes]
    proof: Callable[[], Proof]


class Host(Protocol):
    """One host."""

    @property
    def wire(self) -> int:
        """Bytes that went over the network so far, both ways."""

    @property
    def means(self) -> str:
        """What it is read with, once it is listed: as `SFTP`, or the tools of its shell."""

    def find(self, wanted: Wanted) -> Listing:
        """Find the wanted files. A link is followed only from a root, and only within the home."""

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        """List these files again; those that are gone are left out."""

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:
        """Yield pieces in any order; a file that cannot be read is left out. `exact`: with proof."""

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:
        """Ask git for the URL of `origin` in these folders (absolute paths); None: it has none."""

    def root(self) -> "Host | None":
        """The same host from "/" down, once its home is listed; None: there is no such thing."""

    def close(self) -> None:
        """Hang up."""


@runtime_checkable
class Asks(Protocol):
    """A host whose shell can be asked."""

    def ask(self, script: str, arguments: Sequence[str]) -> bytes:
        """What a script of sh prints that gets these arguments; it holds no single quote."""
