"""Template homes → homes: each story told several times, at times of its own, never twice alike.

A template is a log as its tool writes it, with placeholders in text and path:

    {{id NAME}} {{id NAME 8}}   a UUID of this telling, or the first 8 of its hex digits
    {{t 12.5}} {{ms 12.5}}      12.5 seconds after the telling begins: ISO, or UTC milliseconds
    {{day %Y-%m-%d}}            when it begins, UTC
    {{n 1200}}                  1200 tokens by the telling's size; hundreds, so that sums stay sums
    {{this|that}}               this in the first telling, that in the second …

Files whose paths begin with the same id are one story, told as often as it has alternatives, the first
one first. A file without an id in its path is copied. All follows from the templates and `now`.
"""

import hashlib
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

WEEKS = 12
_DAY = 86_400_000
_HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 7, 10, 11, 9, 5, 8, 10, 10, 8, 6, 4, 4, 5, 4, 2, 1)  # weights, UTC
_PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}")
_MOMENT = re.compile(r"\{\{(?:t|ms) ([\d.]+)\}\}")
_NAME = re.compile(r"\{\{id ([^ }]+)(?: \d+)?\}\}")

Story = Mapping[str, str]
"""Template path → template text."""


class Telling(NamedTuple):
    """One time that a story is told."""

    key: str  # of its ids
    number: int  # from 0: which alternatives
    begin: int  # UTC ms
    pace: float  # its seconds to the template's
    size: int  # percent of the template's tokens


def retell(templates: Path, home: Path, now: int) -> None:
    """Write a home from its templates: the last 12 weeks up to `now` (UTC ms)."""
    for name, story in stories(templates).items():
        for telling in tellings(f"{templates.name}/{name}", story, now):
            for path, text in story.items():
                _write(home / told(path, telling), told(text, telling), _end(story, telling))


def stories(templates: Path) -> Mapping[str, Story]:
    """The stories by name; "" has the files that belong to none."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for file in sorted(templates.rglob("*")):
        if file.is_file():
            path = file.relative_to(templates).as_posix()
            name = _NAME.search(path)
            found[name[1] if name else ""][path] = file.read_text(encoding="utf-8")
    return found


def tellings(key: str, story: Story, now: int) -> Iterator[Telling]:
    """A story's tellings, the oldest first; none ends after `now`."""
    chance = Random(key)
    count = max(_alternatives(text) for text in story.values())
    paces = [chance.uniform(0.7, 1.8) for _ in range(count)]
    begins = sorted(_begin(chance, now, round(_length(story) * 1800)) for _ in range(count))
    for number, (begin, pace) in enumerate(zip(begins, paces, strict=True)):
        yield Telling(f"{key}/{number}", number, begin, pace, chance.randint(60, 260))


def _alternatives(text: str) -> int:
    return max((inside.count("|") + 1 for inside in _PLACEHOLDER.findall(text)), default=1)


def _length(story: Story) -> float:
    """The template's seconds from begin to end."""
    return max((float(at) for text in story.values() for at in _MOMENT.findall(text)), default=0.0)


def _begin(chance: Random, now: int, length: int) -> int:
    """A moment in working hours, more often of late and less often at weekends."""
    day = now // _DAY - int(WEEKS * 7 * chance.random() ** 1.4)
    if (day + 3) % 7 > 4 and chance.random() < 0.7:
        day -= 2
    hour = chance.choices(range(24), _HOURS)[0]
    begin = day * _DAY + hour * 3_600_000 + chance.randrange(3_600_000)
    while begin + length > now:
        begin -= _DAY
    return begin


def _end(story: Story, telling: Telling) -> int:
    return telling.begin + round(_length(story) * telling.pace * 1000)


def told(template: str, telling: Telling) -> str:
    """The template with its placeholders filled in. Raises ValueError at an unknown one."""
    return _PLACEHOLDER.sub(lambda found: _filled(found[1], telling), template)


def _filled(inside: str, telling: Telling) -> str:
    if "|" in inside:
        alternatives = inside.split("|")
        return alternatives[telling.number % len(alternatives)]
    word, _, rest = inside.partition(" ")
    match word:
        case "id":
            name, _, digits = rest.partition(" ")
            return _id(f"{telling.key}/{name}", digits)
        case "t":
            return _iso(_moment(rest, telling))
        case "ms":
            return str(_moment(rest, telling))
        case "day":
            return datetime.fromtimestamp(telling.begin / 1000, UTC).strftime(rest)
        case "n":
            return str(int(rest) // 100 * telling.size)
    raise ValueError(f"unknown placeholder {{{{{inside}}}}}")


def _id(key: str, digits: str) -> str:
    digest = hashlib.sha256(key.encode()).hexdigest()
    if digits:
        return digest[: int(digits)]
    return "-".join((digest[:8], digest[8:12], "4" + digest[13:16], "a" + digest[17:20], digest[20:32]))


def _moment(seconds: str, telling: Telling) -> int:
    return telling.begin + round(float(seconds) * telling.pace * 1000)


def _iso(ts: int) -> str:
    moment = datetime.fromtimestamp(ts / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _write(file: Path, text: str, mtime: int) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    os.utime(file, ns=(mtime * 1_000_000, mtime * 1_000_000))
