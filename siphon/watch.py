"""Which local homes have changed: watchdog on the folders where logs lie, nothing else of the home."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from siphon.globs import compiled, fixed_folder

Note = Callable[[str], None]
"""Called, in a thread of its own, with the name of a host whose logs may have changed."""


class Watcher:
    """Watches homes (host name → folder) for files that match the globs, until it is closed.

    Raises OSError where the system does not let it.
    """

    def __init__(self, homes: Mapping[str, Path], globs: Iterable[str], note: Note) -> None:
        from watchdog.observers import Observer

        wanted = list(globs)
        self._note = note
        self._roots = [(name, home, _roots(home, wanted)) for name, home in homes.items()]
        self._match = [compiled(glob).fullmatch for glob in wanted]
        self._watches: dict[Path, tuple[int, Any]] = {}  # folder → inode, watch
        self._observer = Observer()
        self._observer.start()
        try:
            self.extend()
        except OSError:
            self.close()
            raise

    def extend(self) -> None:
        """Watch folders that have come up since; forget those that went. Cheap: call it every second.

        A host with a new folder is noted, as there may be logs in it already.
        """
        for name, home, folders in self._roots:
            there = [folder for folder in folders if folder.is_dir()]
            tops = [one for one in there if not any(other in one.parents for other in there)]
            for folder in tops:
                self._watch(name, home, folder)
            for folder in folders:
                if folder not in tops:
                    self._forget(folder)

    def close(self) -> None:
        self._observer.stop()
        self._observer.join(timeout=5)

    def _watch(self, name: str, home: Path, folder: Path) -> None:
        try:
            inode = folder.stat().st_ino
        except FileNotFoundError:
            return  # gone since it was looked for
        known = self._watches.get(folder)
        if known is not None and known[0] == inode:
            return
        self._forget(folder)
        handler = _handler(home, self._match, lambda: self._note(name))
        self._watches[folder] = (inode, self._observer.schedule(handler, str(folder), recursive=True))
        self._note(name)

    def _forget(self, folder: Path) -> None:
        known = self._watches.pop(folder, None)
        if known is not None:
            self._observer.unschedule(known[1])


def _roots(home: Path, globs: Iterable[str]) -> list[Path]:
    """Folders where logs may lie. The home itself is too much to watch."""
    return sorted({home / fixed_folder(glob) for glob in globs if fixed_folder(glob)})


def _handler(home: Path, match: Sequence[Callable[[str], object]], note: Callable[[], None]) -> Any:
    from watchdog.events import FileSystemEvent, FileSystemEventHandler

    class Noting(FileSystemEventHandler):
        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("opened", "closed_no_write"):
                return
            if event.is_directory:
                # There may be logs in it already. What changes in one tells of itself.
                if event.event_type in ("created", "moved"):
                    note()
                return
            for place in filter(None, (str(event.src_path), str(event.dest_path))):
                path = Path(place).relative_to(home).as_posix()
                if any(one(path) for one in match):
                    note()

    return Noting()
