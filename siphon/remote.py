"""A host behind SSH: through its shell where it has one with the right tools, else through SFTP."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from siphon.config import HostConfig
from siphon.hosts import Found, Host, Listing, Piece, Want
from siphon.sftp import SftpHost
from siphon.shellhost import ShellHost
from siphon.ssh import Login, connect
from siphon.wanted import Wanted


class SshHost:
    """One connection to a host. The first listing finds out which way it goes."""

    def __init__(self, config: HostConfig, folder: Path) -> None:
        """`folder` is the user's ~/.ssh. Raises SiphonError where the host cannot be reached."""
        self.name = config.name
        self.home = _from_login(config.remote_home)
        ssh = config.ssh or config.name
        self.connection = connect(
            Login(config.name, ssh, config.user, config.port, config.identity), folder
        )
        self._way: Host | None = None

    @property
    def wire(self) -> int:
        return self.connection.wire

    def find(self, wanted: Wanted) -> Listing:
        if self._way is None:
            by_shell = ShellHost(self.connection, self.name, self.home)
            listing = by_shell.try_find(wanted)
            if listing is not None:
                self._way = by_shell
                return listing
            self._way = SftpHost(self.connection, self.name, self.home)
        return self._way.find(wanted)

    def stat(self, paths: Sequence[str]) -> Mapping[str, Found]:
        return self._listed.stat(paths)

    def fetch(self, wants: Sequence[Want], exact: bool = False) -> Iterator[Piece]:
        return self._listed.fetch(wants, exact)

    def remotes(self, folders: Sequence[str]) -> Mapping[str, str | None]:
        return self._listed.remotes(folders)

    def close(self) -> None:
        self.connection.close()

    @property
    def _listed(self) -> Host:
        if self._way is None:
            raise ValueError("find first: it finds out what the host can do")
        return self._way


def _from_login(home: str | None) -> str:
    """The home as seen from where a login lands, "" being that itself."""
    if home is None or home in ("~", "~/"):
        return ""
    return home.removeprefix("~/")
