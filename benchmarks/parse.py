"""bench parse: MB of logs per CPU second that each source's parser reads, on the shared real homes."""

import time
from collections.abc import Iterator
from pathlib import Path

from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Log
from siphon.sources import sources


def bench(corpus: Path, _folder: Path) -> Iterator[tuple[str, str]]:
    shared = Path(__file__).resolve().parent.parent.parent / "shared" / "homes"
    homes = [path for root in (corpus, shared) if root.is_dir() for path in sorted(root.iterdir())]
    for source in sources().values():
        size, spent = 0, 0.0
        for home in filter(Path.is_dir, homes):
            folder = Folder(home)
            for path in folder.files():
                if any(compiled(glob).fullmatch(path) for glob in source.globs):
                    size += (home / path).stat().st_size
                    start = time.process_time()
                    for _ in source.parse(Log(folder, home.name, path)):
                        pass
                    spent += time.process_time() - start
        if size > 100_000:
            yield source.title, f"{size / 1e6 / spent:.0f} MB per CPU-s on {size / 1e6:.1f} MB"
