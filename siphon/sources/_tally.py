"""What became of each type of record."""

from collections.abc import Container, Iterator, Mapping

from siphon.records import Fate, Tally

_LONGEST = 80  # characters of a type's name: damage can make any text a type


def tallies(types: Mapping[str, int], read: Container[str], skips: Mapping[str, str]) -> Iterator[Tally]:
    """A Tally for each counted type: read, skipped for a stated reason, or unknown."""
    cut: dict[str, int] = {}
    for name, n in types.items():
        cut[name[:_LONGEST]] = cut.get(name[:_LONGEST], 0) + n
    for name in sorted(cut):
        fate: Fate = "read" if name in read else "skipped" if name in skips else "unknown"
        yield Tally(name, fate, cut[name])
