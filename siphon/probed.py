"""A host that is read by the first of several means that it turns out to have."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from siphon.errors import SiphonError, UnfitError
from siphon.hosts import Asks, Found, Host, Listing, Piece, Want
from siphon.wanted import Wanted

Means = Callable[[], Host]


class ProbedHost:
    """The first listing finds out which of the means it is, and that one it stays."""

    def __init__(self, name: str, means: Sequence[Means]) -> None:
        """Each of `means`, or its `find`, raises UnfitError where the host does not have it."""
        self.name = name
        self._all = means
        self._host: Host | None = None

    @property
    def wire(self) -> int:
        return self._host.wire if self._host else 0

    @property
    def means(self) -> str:
        return self._listed.means

    def find(self, wanted: Wanted) -> Listing:
        if self._host is not None:
            return self._host.find(wanted)
        lacks = []
        for means in self._all:
            try:
                host = means()
                listing = host.find(wanted)
            except UnfitError as error:
                lacks.append(str(error))
                continue
            self._host = host
            return listing
        raise SiphonError(f"{self.name}: it cannot be read: {'; '.join(lacks)}")

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        return self._listed.stat(paths)

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:
        return self._listed.fetch(wants, exact)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:
        return self._listed.remotes(folders)

    def ask(self, script: str, arguments: Sequence[str]) -> bytes:
        """Nothing where it has no shell."""
        return self._listed.ask(script, arguments) if isinstance(self._listed, Asks) else b""

    def root(self) -> Host | None:
        return self._listed.root()

    def close(self) -> None:
        """Whoever opened the line hangs up: others may still use it."""

    @property
    def _listed(self) -> Host:
        if self._host is None:
            raise ValueError("find first: it finds out what the host can do")
        return self._host
