"""bench unchanged: what it costs to see that nothing has changed, with 1,500 and 10,000 logs."""

from collections.abc import Iterator
from pathlib import Path

from benchmarks.generate import generate
from benchmarks.load import configured
from benchmarks.measure import siphon


def bench(_corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    for count in (1500, 10_000):
        homes = folder / f"homes{count}"
        generate(homes, 0, sessions=count)
        work = folder / f"work{count}"
        work.mkdir()
        config = configured(homes, work)
        first = siphon("collect", config=config)
        siphon("load", config=config)
        collected = siphon("collect", config=config)
        loaded = siphon("load", config=config)
        yield f"{count} logs: first collect", f"{first.cpu:.2f} CPU-s"
        yield f"{count} logs, nothing changed: collect", f"{collected.cpu:.2f} CPU-s"
        yield f"{count} logs, nothing changed: load", f"{loaded.cpu:.2f} CPU-s"
