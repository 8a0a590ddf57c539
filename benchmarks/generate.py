"""A corpus of realistic Claude Code and Codex homes from a seed, and the truth about it.

Same seed and size: same bytes. `DIR/<host>/` is a home, `DIR/truth.json` what all of them hold.
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

if not __package__:
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import msgspec

from benchmarks import claude_home, codex_home, vocabulary
from benchmarks.text import Text
from benchmarks.truth import CLAUDE, CODEX, Tally, Truth
from benchmarks.world import HOSTS, Place, World

PROJECTS = 40
CLAUDE_SHARE = 0.75
HUGE = 20_000_000
FEATURED = 3
"""Sessions of each source that hold a needle of every kind."""


class Quota(NamedTuple):
    """How much of a source is wanted: bytes, or logs where many small ones are wanted."""

    source: str
    limit: int
    tally: Tally
    small: bool

    def spent(self) -> int:
        return self.tally.logs(self.source) if self.small else self.tally.bytes(self.source)

    def left(self) -> int:
        return self.limit - self.spent()

    def holds(self, size: int) -> bool:
        """Is there room for a copy of a log of this size, and a little more?"""
        return self.left() > (12 if self.small else size * 1.1 + 20_000)

    def next_size(self, world: World) -> int:
        """No log takes so much that the featured ones and their copies find no room."""
        size = world.size()
        return size if self.small else min(size, self.left(), self.limit // 8)

    def own(self, world: World) -> int:
        """Bytes that a copied session goes on with."""
        return min(world.size() // 4, 4000 if self.small else self.left() // 8)


def generate(
    folder: Path, megabytes: float, hosts: int = 3, seed: int = 1, sessions: int | None = None
) -> Truth:
    """Write the homes of `hosts` machines below the folder; `sessions`: so many small logs instead."""
    rng = Random(f"siphon {seed}")
    text = Text(rng, int(min(4e6, max(3e5, megabytes * 2e4))))
    names = [HOSTS[i] if i < len(HOSTS) else f"host{i + 1}" for i in range(hosts)]
    tally = Tally()
    world = World(folder, rng, text, tally, _places(rng, names), small=sessions is not None)
    whole = sessions if sessions is not None else int(megabytes * 1e6)
    wanted = Quota(CLAUDE, int(whole * CLAUDE_SHARE), tally, world.small)
    _fill(world, wanted, _claude)
    _fill(world, Quota(CODEX, _codex_limit(wanted, whole), tally, world.small), _codex)
    common = [text.words.items[rank] for rank in (0, 60, 150, 300)]
    truth = tally.truth(seed, names, common)
    (folder / "truth.json").write_bytes(msgspec.json.format(msgspec.json.encode(truth)))
    return truth


def _codex_limit(claude: Quota, whole: int) -> int:
    """The rest; as the last Claude session runs over its quota, the share is kept instead."""
    spent = claude.spent()
    return (whole if claude.small else int(spent / CLAUDE_SHARE)) - spent


def _places(rng: Random, hosts: list[str]) -> list[Place]:
    """Each project on each host, under another home."""
    names = vocabulary.project_names(rng, PROJECTS)
    homes = {host: f"/Users/{host}" if host == "laptop" else f"/home/{host}" for host in hosts}
    return [
        Place(host, home, f"{home}/src/{name}", f"https://git.example.org/acme/{name}.git", branch)
        for name in names
        for branch in (rng.choice(("main", "main", "dev", "feature/" + name)),)
        for host, home in homes.items()
    ]


Make = Callable[[World, Quota, int, int | None], None]


def _fill(world: World, quota: Quota, make: Make) -> None:
    """Sessions until the quota is spent; featured ones early, huge ones at even distances."""
    features, huge = 0, 0
    while quota.left() > 0:
        if features < FEATURED and quota.spent() >= features * quota.limit / 8:
            make(world, quota, 0, features)
            features += 1
        elif not quota.small and quota.spent() > (huge + 0.5) * 7 * HUGE and quota.left() > 1.2 * HUGE:
            make(world, quota, HUGE, None)
            huge += 1
        else:
            make(world, quota, quota.next_size(world), None)


def _claude(world: World, quota: Quota, size: int, feature: int | None) -> None:
    """A session, and now and then what copies it; the featured ones are copied in turn."""
    log = claude_home.session(world, size, feature is not None)
    lot = math.inf if feature is not None else world.rng.random()
    if (feature == 0 or lot < 0.05) and quota.holds(log.size):
        claude_home.resume(log, quota.own(world))
    elif (feature == 1 or lot < 0.09) and quota.holds(log.size):
        claude_home.fork(log, quota.own(world))
    elif (feature == 2 or lot < 0.11) and quota.holds(log.spent):
        claude_home.twin(log)


def _codex(world: World, quota: Quota, size: int, feature: int | None) -> None:
    log = codex_home.session(world, size, feature is not None)
    lot = math.inf if feature is not None else world.rng.random()
    modern = log.header.release.modern
    if (feature in (0, 1) or lot < 0.08) and modern and quota.holds(log.size):
        codex_home.fork(log, quota.own(world))
    elif (feature == 2 or lot < 0.11) and quota.holds(log.size):
        codex_home.twin(log)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--megabytes", type=float, default=400.0, help="of decompressed logs")
    parser.add_argument("--hosts", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--sessions", type=int, help="so many small logs, whatever their size")
    parser.add_argument("--json", action="store_true", help="print the truth")
    asked = parser.parse_args()
    truth = generate(asked.folder, asked.megabytes, asked.hosts, asked.seed, asked.sessions)
    print(msgspec.json.encode(truth).decode() if asked.json else _told(truth))


def _told(truth: Truth) -> str:
    size = sum(truth.bytes.values()) / 1e6
    logs = sum(sorts["all"] for sorts in truth.sessions.values())
    requests, needles = sum(truth.requests.values()), len(truth.needles)
    return f"{size:.1f} MB, {logs} logs, {requests} requests, {needles} needles"


if __name__ == "__main__":
    main()
