"""Long logs of tools of which no long real ones are at hand, grown from the tests' hand-written cases.

A case's records are told again and again, each time with ids of their own. Texts are made so long that a
MB holds about 400 messages, calls and requests; of the real logs at hand it holds 160 (OpenCode) to 750
(Pi). Records that stand once in a log (its header) stay as they are.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import msgspec

from benchmarks.chance import spread
from benchmarks.text import Text
from siphon.salvage import repaired

HOMES = Path(__file__).resolve().parent.parent / "tests" / "homes"
LONGEST = 20_000  # characters of a text
_ID = re.compile(r"(?:\A|[a-z_])(?:id|ID|Id|uuid|Uuid)\Z")
_PROSE = re.compile(r"\S \S")


class Grown(NamedTuple):
    """What is repeated of a case's log: a document's list, or the lines after its first ones."""

    case: str
    below: tuple[str, ...] = ()  # keys of a document that lead to the list
    heads: int = 1  # lines that stand once
    above: int = 3000  # bytes: smaller files stay
    median: int = 1000  # characters that a text grows by


class Ink(NamedTuple):
    text: Text
    rng: Random
    median: int
    grown: dict[tuple[int, str], str]  # by round and text: two files that tell one thing still agree


CASES: dict[str, Grown] = {
    "amp": Grown("amp/ordinary", ("messages",)),
    "cline": Grown("cline/task"),
    "factory_droid": Grown("factory_droid/ordinary", median=1500),
    "gemini_cli": Grown("gemini_cli/ordinary", median=800),
    "kimi": Grown("kimi/new_wire", heads=2),
    "qwen_code": Grown("qwen_code/ordinary"),
    "vscode_copilot": Grown("vscode_copilot/documents", ("requests",), above=1000, median=2500),
}


def grow(source: str, megabytes: float, folder: Path) -> Path:
    """Write the source's case, grown to about that size, below the folder; returns the folder."""
    grown = CASES[source]
    ink = Ink(Text(Random(7), 200_000), Random(8), grown.median, {})
    home = next(path for path in sorted((HOMES / grown.case).iterdir()) if path.is_dir())
    for file in (path for path in home.rglob("*") if path.is_file()):
        target = folder / file.relative_to(home)
        target.parent.mkdir(parents=True, exist_ok=True)
        large = file.suffix in (".json", ".jsonl") and file.stat().st_size > grown.above
        target.write_bytes(_grown(file, grown, megabytes, ink) if large else file.read_bytes())
    return folder


def _grown(file: Path, grown: Grown, megabytes: float, ink: Ink) -> bytes:
    data = file.read_bytes()
    if file.suffix == ".json":
        return _document(
            msgspec.json.decode(repaired(data)[0]), grown.below, megabytes, ink, file.as_posix()
        )
    lines = data.split(b"\n")
    rows = [msgspec.json.decode(line) for line in lines[grown.heads :] if line]
    told = map(msgspec.json.encode, _again(rows, megabytes, ink, file.as_posix()))
    return b"\n".join([*lines[: grown.heads], *told, b""])


def _document(value: Any, below: tuple[str, ...], megabytes: float, ink: Ink, path: str) -> bytes:
    if not below:
        return msgspec.json.encode(list(_again(value, megabytes, ink, path)))
    holder = value
    for key in below[:-1]:
        holder = holder[key]
    holder[below[-1]] = list(_again(holder[below[-1]], megabytes, ink, path))
    return msgspec.json.encode(value)


def _again(records: list[Any], megabytes: float, ink: Ink, path: str) -> Iterator[Any]:
    """The records as often as it takes; ids that the log's path names are the session's, and stay."""
    if not records:
        return
    ids = {value for record in records for value in _ids(record) if value not in path}
    size, times = 0, 0
    while size < megabytes * 1e6:
        times += 1
        names = {value: f"{value}{times:06x}" for value in ids}
        for record in records:
            made = _renewed(record, names, times, ink)
            size += len(msgspec.json.encode(made))
            yield made


def _ids(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _ids(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids(inner)
    elif isinstance(value, str) and len(value) > 3 and _ID.search(key):
        yield value


def _renewed(value: Any, names: Mapping[str, str], times: int, ink: Ink) -> Any:
    if isinstance(value, dict):
        return {key: _renewed(inner, names, times, ink) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renewed(inner, names, times, ink) for inner in value]
    if not isinstance(value, str):
        return value
    if value in names:
        return names[value]
    if value.startswith("{") or not _PROSE.search(value):
        return value
    if (times, value) not in ink.grown:
        ink.grown[times, value] = _longer(value, ink)
    return ink.grown[times, value]


def _longer(value: str, ink: Ink) -> str:
    """The text with more behind it."""
    fill = ink.rng.choice((ink.text.prose, ink.text.code, ink.text.output))
    return f"{value} {fill(spread(ink.rng, ink.median, 1.3, 20, LONGEST))}"
