"""bench usage: `siphon usage` from rollups beside reading every log again for the same table."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load import configured
from benchmarks.measure import command, siphon
from benchmarks.reparse import CLASSES

_TIMES = 3  # each is run; the least counts
_TABLES = ("daily", "weekly", "monthly", "session", "blocks", "model", "project", "host", "source")


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (what, figure). Both ways must come to the same requests and tokens, day for day."""
    config = configured(corpus, folder)
    siphon("collect", config=config)
    siphon("load", config=config)
    ask = ("usage", "daily", "--source", "claude_code", "--timezone", "UTC")
    ours = min((siphon(*ask, config=config) for _ in range(_TIMES)), key=lambda one: one.cpu)
    words = [sys.executable, "-m", "benchmarks.reparse", str(corpus)]
    theirs = min((command(words) for _ in range(_TIMES)), key=lambda one: one.cpu)
    yield "siphon usage daily, Claude Code", f"{ours.cpu:.2f} CPU-s, {ours.wall:.2f} s"
    yield (
        "reading its logs again (orjson, each response once)",
        f"{theirs.cpu:.2f} CPU-s = {theirs.cpu / ours.cpu:.0f} x, {theirs.wall:.2f} s",
    )
    told = json.loads(siphon(*ask, "--json", config=config).output)["rows"]
    yield "days that differ", str(_differences(told, json.loads(theirs.output)))
    for by in (*_TABLES, "statusline"):
        spent = min(siphon("usage", by, config=config).cpu for _ in range(_TIMES))
        yield f"siphon usage {by}, all tools", f"{spent:.2f} CPU-s"


def _differences(told: list[dict[str, object]], reparsed: dict[str, dict[str, int]]) -> int:
    ours = {row["key"]: [row["requests"], *(row[f"{name}_tokens"] for name in CLASSES)] for row in told}
    theirs = {day: [row["requests"], *(row[name] for name in CLASSES)] for day, row in reparsed.items()}
    return sum(ours.get(day) != theirs.get(str(day)) for day in {*ours, *theirs})
