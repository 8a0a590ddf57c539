"""Reading a YAML document value by value, so that every complaint can name its line."""

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

import yaml

from siphon.errors import SiphonError

_TAG = "tag:yaml.org,2002:"
_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")
_SECONDS = {"": 1, "s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_BYTES = {"": 1, "b": 1} | {
    letter + ending: base**power
    for power, letter in enumerate("kmgt", 1)
    for ending, base in (("", 1000), ("b", 1000), ("ib", 1024))
}


class Place(NamedTuple):
    """A value of a document, and where it stands."""

    file: Path
    node: yaml.Node
    key: str = ""  # under which it stands
    line: int = 1  # where the key stands, from 1


def fail(place: Place, what: str) -> SiphonError:
    """The error to raise about a value."""
    return SiphonError(f"{place.file}:{place.line}: {what}")


def mapping(place: Place, known: Collection[str] | None = None) -> Mapping[str, Place]:
    """The values by key. A key twice, or one that is not known (None: all are), is an error."""
    if not isinstance(place.node, yaml.MappingNode):
        raise fail(place, f"{_named(place)} must be a map of key: value")
    values: dict[str, Place] = {}
    for key_node, node in place.node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise fail(place._replace(line=line), "a key must be plain text")
        key = str(key_node.value)
        value = Place(place.file, node, key, line)
        if known is not None and key not in known:
            raise fail(
                value, f"unknown key {key!r}{_closest(key, known)}; known keys: {', '.join(known)}"
            )
        if key in values:
            raise fail(value, f"{key!r} stands twice, first in line {values[key].line}; keep one")
        values[key] = value
    return values


def text(place: Place) -> str:
    """A text that is not empty. YAML reads a bare ~ as null; here it is the home directory."""
    if _is(place, "null") and place.node.value == "~":
        return "~"
    if not _is(place, "str", "int", "float") or not place.node.value:
        raise fail(place, f"{_named(place)} must be text")
    return str(place.node.value)


def integer(place: Place, least: int, most: int) -> int:
    """A whole number within bounds."""
    value = str(place.node.value) if _is(place, "int") else ""
    if not value.isdecimal() or not least <= int(value) <= most:
        raise fail(place, f"{_named(place)} must be a whole number from {least} to {most}")
    return int(value)


def duration(place: Place, least: int, most: int) -> int:
    """Seconds, as a number or with a unit (90s, 15 min, 6h, 1d), within bounds."""
    value = _amount(place, _SECONDS)
    if value is None or not least <= value <= most:
        raise fail(place, f"{_named(place)} must be a time from {least} s on, as 90s, 15m, 6h or 1d")
    return round(value)


def size(place: Place) -> int:
    """Bytes, as a number or with a unit: 500 MB, 2 GiB."""
    value = _amount(place, _BYTES)
    if value is None or value < 1:
        raise fail(place, f"{_named(place)} must be a size, as 500 MB or 2 GB")
    return round(value)


def _amount(place: Place, units: Mapping[str, int]) -> float | None:
    """A number and its unit; None if it is no such thing."""
    if not _is(place, "str", "int", "float"):
        return None
    found = _AMOUNT.fullmatch(str(place.node.value).strip())
    if found is None or found[2].lower() not in units:
        return None
    return float(found[1]) * units[found[2].lower()]


def items(place: Place, what: str) -> list[Place]:
    """The values of a list that is not empty."""
    if not isinstance(place.node, yaml.SequenceNode) or not place.node.value:
        raise fail(place, f"{_named(place)} must be a list of {what}")
    return [Place(place.file, node, place.key, node.start_mark.line + 1) for node in place.node.value]


def boolean(place: Place) -> bool:
    """true or false."""
    if not _is(place, "bool"):
        raise fail(place, f"{_named(place)} must be true or false")
    return str(place.node.value).lower() in ("true", "yes", "on")


def names(place: Place, known: Collection[str], what: str) -> tuple[str, ...]:
    """A list of known names."""
    if not isinstance(place.node, yaml.SequenceNode):
        raise fail(
            place, f"{_named(place)} must be a list of {what}s, as [{', '.join(list(known)[:2])}]"
        )
    found = []
    for node in place.node.value:
        here = Place(place.file, node, place.key, node.start_mark.line + 1)
        name = text(here)
        if name not in known:
            hint = _closest(name, known)
            raise fail(here, f"{place.key}: unknown {what} {name!r}{hint}; known: {', '.join(known)}")
        found.append(name)
    return tuple(found)


def _is(place: Place, *tags: str) -> bool:
    return isinstance(place.node, yaml.ScalarNode) and place.node.tag in {_TAG + tag for tag in tags}


def _named(place: Place) -> str:
    return repr(place.key) if place.key else "the file"


def _closest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f" (did you mean {near[0]!r}?)" if near else ""
