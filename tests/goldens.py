"""Cases: tests/homes/<source>/<case>/<host>/… mirrored homes, and beside them expected.jsonl.

expected.jsonl holds every record of every log of the case, in order, fields that are not None only.
`pytest tests/test_sources.py --accept` writes it; read it before you commit it.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Log
from siphon.records import Record
from siphon.source import Source
from siphon.sources import sources

HOMES = Path(__file__).resolve().parent / "homes"


class Case(NamedTuple):
    source: Source
    name: str
    folder: Path

    @property
    def hosts(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_dir())


def cases() -> list[Case]:
    """All cases, by source and name."""
    return [
        Case(sources()[folder.parent.name], folder.name, folder)
        for folder in sorted(HOMES.glob("*/*"))
        if folder.is_dir()
    ]


def logs(source: Source, home: Path) -> list[str]:
    """Paths of the home that are logs of the source."""
    matches = [compiled(glob).fullmatch for glob in source.globs]
    return sorted(path for path in Folder(home).files() if any(match(path) for match in matches))


def parsed(source: Source, home: Path, host: str, path: str) -> list[Record]:
    """All records of one log, its problems last."""
    log = Log(Folder(home), host, path)
    return [*source.parse(log), *log.problems]


def rows(case: Case) -> Iterator[dict[str, Any]]:
    """What expected.jsonl should hold."""
    for home in case.hosts:
        for path in logs(case.source, home):
            for record in parsed(case.source, home, home.name, path):
                fields = {k: v for k, v in record._asdict().items() if v is not None}
                yield {"log": f"{home.name}/{path}", "record": type(record).__name__, **fields}


def text(case: Case) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows(case))
