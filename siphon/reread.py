"""siphon.yml while `siphon up` runs: read again when it has changed."""

from collections.abc import Callable
from pathlib import Path

from siphon.config import Config
from siphon.errors import SiphonError

_Stamp = tuple[int, int, int] | None


class Reread:
    """Looks whether the file has changed; `read` reads it, and `config` is what it said."""

    def __init__(self, read: Callable[[], Config], config: Config) -> None:
        self._again = read
        self._config = config
        self._read = self._seen = _stamp(config.path)
        self._told = ""

    def changed(self, complain: Callable[[str], None]) -> Config | None:
        """The new configuration, once; None: the old one stays in force.

        What is wrong with the file is told once. While it is being written it waits for the next look.
        """
        stamp = _stamp(self._config.path)
        settled, self._seen = stamp == self._seen, stamp
        if not settled or (stamp == self._read and self._config.path is not None):
            return None
        self._read = stamp
        try:
            config = self._fit()
        except SiphonError as error:
            if str(error) != self._told:
                complain(f"{error}; what siphon.yml said before stays in force")
            self._told = str(error)
            return None
        self._told = ""
        if config == self._config:
            return None
        self._config = config
        self._read = self._seen = _stamp(config.path)
        return config

    def _fit(self) -> Config:
        """What it says now. Raises SiphonError where that cannot be taken up."""
        old = self._config
        if old.path is not None and self._read is None:
            raise SiphonError(f"{old.path}: it is gone")
        config = self._again()
        if (config.archive, config.database) != (old.archive, old.database):
            raise SiphonError(f"{config.path}: for another archive or database start `siphon up` anew")
        return config


def _stamp(file: Path | None) -> _Stamp:
    try:
        found = None if file is None else file.stat()
    except OSError:
        return None
    return None if found is None else (found.st_mtime_ns, found.st_size, found.st_ino)
