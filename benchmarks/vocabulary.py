"""Several thousand words, identifiers and paths, grown from a few hundred roots.

Word lists differ from machine to machine, so the words are made here: common English ones as they
are, and the rest as root and affix, which gives the spread of lengths and endings that an index
meets. Ranks follow Zipf's law.
"""

from collections.abc import Iterator
from itertools import accumulate
from random import Random
from typing import NamedTuple

_FREQUENT = (
    "the to a and of is in it that for this not with be on as but we are so from or if was by "
    "which have should when will now can at has then an only all you they what there into its one "
    "more no each same before after here because does still where would first also two been how "
    "other than any new between every without while over under both might could since whether"
)
_LISTED = (
    "accept access account actor adapt address adjust agent align allow anchor apply archive array "
    "assert assign async attach audit author balance batch bench bind block board border bound "
    "branch bridge broker browse bucket budget buffer bundle cache call cancel capture cascade "
    "catalog chain channel chart check chunk claim clean client clock cluster collect column "
    "commit compact compare compile complete compute config connect consume contain context "
    "convert copy correct count cover crash create cursor cycle daemon debug decode default "
    "defer define delay delete deliver deploy depth derive design detail detect device digest "
    "direct display divide document domain draft drain drive effect element embed emit enable "
    "encode encrypt endpoint engine enforce entry error escape estimate evaluate event evolve "
    "example exception exclude execute expand expect expire explain export expose extend extract "
    "factor fail fetch field filter final fix flag flatten flow flush fold follow force format "
    "forward fragment frame function gather generate global graph group guard handle harness hash "
    "header heap history host ignore import improve include index infer inject inline inspect "
    "install integrate interface invoke issue iterate journal junction kernel label lambda latch "
    "launch layer layout lease level library limit link list listen load locate lock lookup "
    "manage map margin mask match measure memory merge message metric migrate mirror mock model "
    "module monitor mount move name network node normal notify number object observe offset open "
    "operate optimise option order output owner package page parallel parse partition patch path "
    "pattern pause payload permit persist pipeline pivot place plan plugin point policy pool port "
    "prefix prepare present preserve print process produce profile program project prompt protect "
    "provide proxy publish pull push query queue quota range rank read receive record reduce "
    "refactor reference refresh register reject relate release remote render repair repeat replace "
    "reply report request resolve resource respond restore result retry return review revise role "
    "rollback root rotate round route sample scale scan schedule schema scope score script search "
    "secure select send sequence serve session shard share shell shift signal sketch skip slice "
    "snapshot socket sort source span split stage start state station status store stream string "
    "structure submit subscribe suggest support switch symbol sync table target task template test "
    "thread throttle timeout token trace track transform transport traverse trigger trim tunnel "
    "type unit update upload validate value vector verify version view visit wait walk watch "
    "window worker wrap write yield zone"
)
_ROOTS = _LISTED.split()
_SUFFIXES = ("s", "ed", "ing", "er", "able", "ation", "ment", "less", "ful", "ively", "ness")
_PREFIXES = ("re", "un", "pre", "sub", "non", "multi", "over", "inter", "auto")
_SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu"


class Ranked(NamedTuple):
    """Items from the most to the least frequent, with what `Random.choices` wants beside them."""

    items: list[str]
    weights: list[float]

    def stream(self, rng: Random) -> Iterator[str]:
        while True:
            yield from rng.choices(self.items, cum_weights=self.weights, k=4096)


def ranked(items: list[str]) -> Ranked:
    """Zipf–Mandelbrot weights, summed up: rank 1 about 5 % of all, a tail of thousands."""
    return Ranked(items, list(accumulate(1.0 / (rank + 3.7) ** 1.02 for rank in range(len(items)))))


def words(rng: Random) -> Ranked:
    """Common words first, then roots, roots with endings, and the longest last, as in English."""
    ended = [_join(root, suffix) for root in _ROOTS for suffix in _SUFFIXES]
    longer = [prefix + word for prefix in _PREFIXES for word in ended]
    return ranked(
        _FREQUENT.split() + _mixed(_ROOTS, rng) + _mixed(ended, rng) + rng.sample(longer, 3500)
    )


def identifiers(rng: Random) -> Ranked:
    """snake_case and camelCase in equal shares; camelCase ones are words of their own to FTS."""
    pairs = [(a, b) for a in _ROOTS for b in _ROOTS if a != b]
    chosen = rng.sample(pairs, 8000)
    named = [f"{a}_{b}" if i % 2 else a + b.capitalize() for i, (a, b) in enumerate(chosen)]
    return ranked(_mixed(_ROOTS, rng)[:60] + named)


def types(rng: Random) -> Ranked:
    pairs = rng.sample([(a, b) for a in _ROOTS for b in _ROOTS if a != b], 900)
    return ranked(["int", "str", "bytes", "bool"] + [a.title() + b.title() for a, b in pairs])


def paths(rng: Random) -> Ranked:
    folders = ["src", "tests", "docs", "lib", "packages/core", "packages/web", "internal", "cmd"]
    ends = [".py", ".py", ".ts", ".ts", ".tsx", ".rs", ".go", ".md", ".json", ".sql", ".yml"]
    made = [
        f"{rng.choice(folders)}/{a}/{b}_{c}{rng.choice(ends)}"
        for a, b, c in (rng.sample(_ROOTS, 3) for _ in range(2500))
    ]
    return ranked(made)


def project_names(rng: Random, count: int) -> list[str]:
    pairs = rng.sample([(a, b) for a in _ROOTS for b in _ROOTS if a != b], count)
    return [f"{a}-{b}" for a, b in pairs]


def needle(rng: Random) -> str:
    """A word that no text above can hold: a mark, then eight random syllables (2 ** 34 of them)."""
    return "zyx" + "".join(rng.choices(_SYLLABLES.split(), k=8))


def _join(root: str, suffix: str) -> str:
    drops = root.endswith("e") and suffix[:1] in ("e", "i", "a")
    return (root[:-1] if drops else root) + suffix


def _mixed(items: list[str], rng: Random) -> list[str]:
    return rng.sample(items, len(items))
