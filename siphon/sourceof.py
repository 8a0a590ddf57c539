"""Which tool's log a path is, by the globs of the sources."""

from collections.abc import Callable
from functools import cache

from siphon.globs import compiled
from siphon.sources import sources


@cache
def source_of(path: str) -> str | None:
    """The source that reads the log at a path below a home; None: none does, or it is a companion."""
    return next((name for name, globs in _globs() if any(glob(path) for glob in globs)), None)


@cache
def _globs() -> list[tuple[str, list[Callable[[str], object]]]]:
    return [
        (name, [compiled(glob).fullmatch for glob in source.globs]) for name, source in sources().items()
    ]
