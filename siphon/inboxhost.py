"""A machine's folder in an inbox on this machine as a host: the files that it pushed here."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from siphon.errors import SiphonError
from siphon.hosts import Found, Listing, Piece, Want
from siphon.layout import RAW, arranged, with_tools
from siphon.local import LocalHost
from siphon.wanted import Wanted


class InboxHost:
    """The files below <machine>/raw; those in a tool's folder are found where the tool has them."""

    wire = 0
    means = "inbox"

    def __init__(self, machine: Path) -> None:
        """Of a machine that is gone nothing is there. Raises SiphonError where a link is."""
        folder = machine / RAW
        if folder.resolve() != machine.parent.resolve() / machine.name / RAW:
            raise SiphonError(f"{folder}: it is a link; nothing is collected through it")
        self._files = LocalHost(folder) if folder.is_dir() else None
        self._moved: dict[str, str] = {}  # path of a log → where it lies, if that is elsewhere

    def find(self, wanted: Wanted) -> Listing:
        if self._files is None:
            return Listing({}, [])
        listing = self._files.find(with_tools(wanted))
        names, twice = arranged({path: path for path in listing.found}, wanted)
        self._moved = {path: name for path, name in names.items() if path != name}
        found = {path: listing.found[name]._replace(path=path) for path, name in names.items()}
        return Listing(found, [*listing.problems, *twice], listing.links)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        if self._files is None:
            return {}
        there = self._files.stat([self._moved.get(path, path) for path in paths])
        names = {self._moved.get(path, path): path for path in paths}
        return {names[path]: file._replace(path=names[path]) for path, file in there.items()}

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:
        if self._files is None:
            return
        back = {self._moved.get(want.path, want.path): want for want in wants}
        moved = [want._replace(path=path) for path, want in back.items()]
        for piece in self._files.fetch(moved, exact):
            yield piece._replace(want=back[piece.want.path])

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:  # noqa: ARG002
        return {}  # its folders are on another machine

    def root(self) -> None:
        return None

    def close(self) -> None:
        """Nothing to hang up."""
