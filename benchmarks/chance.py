"""Draws that the invented logs share: sizes, ids and stamps, each from a seeded Random."""

import math
from datetime import UTC, datetime, timedelta
from random import Random

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spread(rng: Random, median: float, sigma: float, low: int, high: int) -> int:
    """A log-normal draw, cut to low..high: how sizes and waits are really distributed."""
    return int(min(high, max(low, median * math.exp(rng.gauss(0.0, sigma)))))


def iso(ts: int) -> str:
    """Milliseconds as both tools stamp them: 2026-03-01T10:00:00.000Z."""
    moment = _EPOCH + timedelta(milliseconds=ts)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{ts % 1000:03d}Z"


def uuid4(rng: Random) -> str:
    bits = f"{rng.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-a{bits[17:20]}-{bits[20:]}"


def uuid7(rng: Random, ts: int) -> str:
    """A uuid whose first 48 bits are the milliseconds of its making, as Codex names threads."""
    head, tail = f"{ts:012x}", f"{rng.getrandbits(80):020x}"
    return f"{head[:8]}-{head[8:]}-7{tail[1:4]}-a{tail[5:8]}-{tail[8:]}"


def token(rng: Random, prefix: str, letters: int) -> str:
    """An opaque id such as msg_01Hx… or call_…; `letters` random ones follow the prefix."""
    return prefix + "".join(rng.choices(_LETTERS, k=letters))
