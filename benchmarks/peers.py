"""bench peers: the strongest peer on the same corpus in the same run, against our cold load.

agentsview is a binary wheel on PyPI: `uv pip install agentsview` puts it beside our Python.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import configured
from benchmarks.measure import command, siphon


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    config = configured(corpus, folder)
    siphon("collect", config=config)
    ours = siphon("load", config=config)
    yield (
        "siphon load",
        f"{ours.cpu:.1f} CPU-s, {ours.wall:.1f} s, largest process {ours.memory / 1e6:.0f} MB",
    )
    peer = shutil.which("agentsview", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if peer is None:
        yield "agentsview sync", "not installed: uv pip install agentsview"
        return
    home = one_home(corpus, folder / "home")
    env = {
        **os.environ,
        "HOME": str(home),
        "AGENTSVIEW_NO_DAEMON": "1",
        "AGENTSVIEW_TELEMETRY_ENABLED": "0",
    }
    theirs = command([peer, "sync"], env=env)
    yield (
        "agentsview sync",
        (
            f"{theirs.cpu:.1f} CPU-s = {theirs.cpu / ours.cpu:.1f} x ours, {theirs.wall:.1f} s,"
            f" largest process {theirs.memory / 1e6:.0f} MB"
        ),
    )


def one_home(corpus: Path, home: Path) -> Path:
    """All hosts' logs in one home: the peer knows no other machines."""
    for host in sorted(path for path in corpus.iterdir() if path.is_dir()):
        shutil.copytree(host, home, dirs_exist_ok=True)
    return home
