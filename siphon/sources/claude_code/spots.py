"""Where and when a line stands, and the ids of what it holds."""

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from siphon.times import millis

_RANDOM = ("toolu_", "srvtoolu_", "mcptoolu_", "call_")
LONG = 20  # characters from which an id is taken to be random
_MOMENT, _EPOCH = datetime.fromisoformat, datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST, _LATEST = 1_577_836_800_000, 4_102_444_800_000  # 2020 and 2100: other times are damage


class Spot(msgspec.Struct, frozen=True, gc=False):
    """`native_id` and `parent` are uuids; a fork's copy has those of the lines it copies."""

    native_id: str | None
    parent: str | None
    ts: int | None
    offset: int
    length: int
    number: int
    abandoned: bool


def part_id(spot: Spot, index: int) -> str | None:
    """The native id of a line's first message (its uuid) or of a later one."""
    if spot.native_id is None or index == 0:
        return spot.native_id
    return f"{spot.native_id}#{index}"


def is_random(call: str) -> bool:
    """Whether a call's id is unique as it stands; other vendors' models count upwards (`Bash:0`)."""
    return len(call) >= LONG or call.startswith(_RANDOM)


def call_id(line: str | None, call: str | None, index: int) -> str | None:
    """A call's native id: counted ids are made unique by their line's, as are calls without id."""
    if call and is_random(call):
        return call
    return None if line is None else f"{line}/{call or index}"


def times_of(stamps: Sequence[str | int | float | None]) -> tuple[list[int | None], list[int]]:
    """The lines' times, None too for what cannot be one; and those that are known."""
    try:
        # As `millis` reads nearly all of them, in less time.
        gaps = [None if stamp is None else _MOMENT(stamp) - _EPOCH for stamp in stamps]  # type: ignore[arg-type] # a number raises
    except (ValueError, TypeError):
        times = [millis(stamp) for stamp in stamps]
    else:
        times = [
            None
            if gap is None
            else gap.days * 86_400_000 + gap.seconds * 1000 + gap.microseconds // 1000
            for gap in gaps
        ]
    known = list(filter(None, times))
    if 0 in times or (known and (min(known) < _EARLIEST or max(known) >= _LATEST)):
        times = [ts if ts is not None and _EARLIEST <= ts < _LATEST else None for ts in times]
        known = list(filter(None, times))
    return times, known
