"""Which local homes have changed: watchdog on the folders where logs lie, nothing else of the home."""

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from siphon.globs import compiled, fixed_folder

SETTLE = 0.3  # seconds without a further change: tools write a turn in several goes


class Changes:
    """Names of the hosts whose logs changed since they were last taken."""

    def __init__(self) -> None:
        self._names: set[str] = set()
        self._news = threading.Event()

    def note(self, name: str) -> None:
        self._names.add(name)
        self._news.set()

    def take(self, wait: float) -> set[str]:
        """Wait up to `wait` seconds for a change, let it settle, and take the names of all."""
        if not self._news.wait(max(0.0, wait)):
            return set()
        while self._settling():
            pass
        names, self._names = self._names, set()
        return names

    def _settling(self) -> bool:
        self._news.clear()
        return self._news.wait(SETTLE)


def watch(homes: Mapping[str, Path], globs: Iterable[str], changes: Changes) -> Any:
    """Watch homes (host name → folder); an observer to stop at the end. Raises OSError if it cannot."""
    from watchdog.events import FileSystemEvent, FileSystemEventHandler
    from watchdog.observers import Observer

    patterns = [compiled(glob).fullmatch for glob in globs]

    class Noting(FileSystemEventHandler):
        def __init__(self, name: str, home: Path) -> None:
            self.name = name
            self.home = home

        def on_any_event(self, event: FileSystemEvent) -> None:
            if event.event_type in ("opened", "closed_no_write"):
                return
            for place in filter(None, (event.src_path, event.dest_path)):
                path = Path(str(place)).relative_to(self.home).as_posix()
                if event.is_directory or any(match(path) for match in patterns):
                    changes.note(self.name)

    observer = Observer()
    for name, home in homes.items():
        for folder in _folders(home, globs):
            observer.schedule(Noting(name, home), str(folder), recursive=True)
    observer.start()
    return observer


def _folders(home: Path, globs: Iterable[str]) -> list[Path]:
    """Folders to watch; one inside another is watched with it. The home itself is too much to watch."""
    found = sorted({home / fixed_folder(glob) for glob in globs if fixed_folder(glob)})
    there = [folder for folder in found if folder.is_dir()]
    return [folder for folder in there if not any(other in folder.parents for other in there)]
