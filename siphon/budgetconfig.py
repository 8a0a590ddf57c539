"""`budgets:` of siphon.yml: what may be spent a day, a week or a month, by whom and with what."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from siphon.sources import sources
from siphon.yamlnodes import Place, fail, items, mapping, names, text

PERIODS = ("daily", "weekly", "monthly")
_WHOM = ("hosts", "projects", "sources")
_SOFT = 80  # percent of a cap from which it warns, where nobody says
_USD = re.compile(r"\$?\s*(\d{1,9}(?:\.\d{1,9})?)")
_PERCENT = re.compile(r"(\d{1,3})\s*%")


class Budget(NamedTuple):
    """Caps on what the requests of some hosts, projects and tools cost; empty: of all."""

    name: str
    caps: tuple[tuple[str, int], ...]  # (one of PERIODS, nano-USD)
    soft: int = _SOFT  # percent of a cap
    hosts: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


def budgets(place: Place) -> tuple[Budget, ...]:
    """All budgets by name; raises SiphonError naming the line."""
    return tuple(_budget(name, value) for name, value in mapping(place).items())


def _budget(name: str, place: Place) -> Budget:
    values = mapping(place, (*PERIODS, "soft", *_WHOM))
    caps = tuple((period, _cap(values[period])) for period in PERIODS if period in values)
    if not caps:
        raise fail(place, f"budget {name!r} caps nothing; add daily, weekly or monthly: USD")
    return Budget(
        name=name,
        caps=caps,
        soft=_soft(values["soft"]) if "soft" in values else _SOFT,
        hosts=_named(values, "hosts"),
        projects=_named(values, "projects"),
        sources=names(values["sources"], sources(), "source") if "sources" in values else (),
    )


def _named(values: Mapping[str, Place], key: str) -> tuple[str, ...]:
    return tuple(map(text, items(values[key], key))) if key in values else ()


def _cap(place: Place) -> int:
    found = _USD.fullmatch(text(place).strip())
    if found is None or not float(found[1]):
        raise fail(place, f"{place.key!r} must be an amount in USD above 0, as 50 or 12.50")
    whole, _, part = found[1].partition(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def _soft(place: Place) -> int:
    found = _PERCENT.fullmatch(text(place).strip())
    if found is None or not 1 <= int(found[1]) <= 100:
        raise fail(place, "'soft' must be a share of the cap from 1% to 100%, as 80%")
    return int(found[1])
