"""What many tests only read, made once for all workers: tests/made_once_fixtures.py.

Whoever writes to one of these takes a copy: `copy_of`.
"""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

from road import Road, road
from siphon.demo import fleet

NOW = 1_795_000_000_000  # 2026-11-18, a Wednesday: the made-up fleet's


def once(top: Path, name: str, make: Callable[[Path], object]) -> Path:
    """A folder below `top` that `make` filled; the other workers wait until the first has done so."""
    folder, done = top / name, top / f"{name}.done"
    with (top / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # another worker may have failed half-way
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def homes_in(folder: Path) -> dict[str, Path]:
    """Host → home, for the homes that lie in a folder."""
    return {home.name: home for home in sorted(folder.iterdir()) if home.is_dir()}


def real(top: Path, homes: dict[str, Path]) -> Road:
    """The three shared homes, collected and loaded."""
    folder = once(top, "real", lambda folder: road(folder, homes).go())
    return road(folder, homes)


def demo(top: Path) -> Road:
    """The made-up fleet, collected and loaded. Beside its database: homes, siphon.yml."""

    def make(folder: Path) -> None:
        fleet(folder, NOW)
        road(folder, homes_in(folder / "homes")).go()

    folder = once(top, "demo", make)
    return road(folder, homes_in(folder / "homes"))


def copy_of(made: Road, folder: Path) -> Road:
    """A road of one's own: archive and database (and siphon.yml) below `folder`, the homes in place."""
    copy = made._replace(
        config=made.config._replace(archive=folder / "archive", database=folder / "siphon.db")
    )
    shutil.copytree(made.config.archive, copy.config.archive)
    shutil.copy(made.database, copy.database)
    for file in made.database.parent.glob("siphon.yml"):
        shutil.copy(file, folder)
        (folder / "homes").symlink_to(file.with_name("homes"))
    return copy
