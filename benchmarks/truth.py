"""What a corpus truly holds, added up while it is invented and never read back from it."""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

CLAUDE, CODEX = "claude_code", "codex"


class Usage(NamedTuple):
    """Tokens of one request, in classes that do not overlap; cache_write is the 5-minute kind."""

    input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output: int


class Needle(msgspec.Struct, frozen=True):
    """A word that stands nowhere else in the corpus.

    `session` is a native id; a subagent's is `<parent>/agent-<id>`. `also` names sessions where the
    same text stands as their own (a subagent's reply in its parent's tool result), `copies` sessions
    that repeat it as a copy (resumed, forked, replayed).
    """

    word: str
    kind: str
    source: str
    host: str
    session: str
    also: list[str]
    copies: list[str]


class Truth(msgspec.Struct, frozen=True):
    """True totals; all but `logs`, `lines` and `bytes` count each thing once.

    `sessions`: by source, how many logs of each sort there are: all, main, subagent, resumed, forked,
    twin (the same log on a second host), zst. `bytes` are of decompressed logs, `disk_bytes` as they
    lie. `prompts` are what a person typed or queued, slash commands and subagents' tasks left out.
    `common` holds frequent words, for searches that hit much.
    """

    seed: int
    hosts: list[str]
    sessions: dict[str, dict[str, int]]
    lines: dict[str, int]
    bytes: dict[str, int]
    disk_bytes: dict[str, int]
    requests: dict[str, int]
    tokens: dict[str, int]
    models: dict[str, dict[str, int]]
    prompts: dict[str, int]
    tool_calls: dict[str, int]
    compactions: dict[str, int]
    needles: list[Needle]
    common: list[str]


class Tally:
    """The sums so far; `truth` closes them."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[str, str]] = Counter()
        self._sorts: Counter[tuple[str, str]] = Counter()
        self._models: dict[str, Counter[str]] = {}
        self._needles: list[Needle] = []

    def add(self, what: str, source: str, count: int = 1) -> None:
        self._sums[what, source] += count

    def log(self, source: str, sorts: Iterable[str]) -> None:
        self._sorts.update((source, sort) for sort in ("all", *sorts))

    def logs(self, source: str) -> int:
        return self._sorts[source, "all"]

    def bytes(self, source: str) -> int:
        return self._sums["bytes", source]

    def request(self, source: str, model: str, usage: Usage) -> None:
        self.add("requests", source)
        self._models.setdefault(model, Counter()).update({"requests": 1} | usage._asdict())

    def needle(self, needle: Needle) -> None:
        self._needles.append(needle)

    def copied(self, session: str, copy: str) -> None:
        """All that stands in `session` stands in `copy` too."""
        for needle in self._needles:
            if session in (needle.session, *needle.also, *needle.copies):
                needle.copies.append(copy)

    def truth(self, seed: int, hosts: list[str], common: list[str]) -> Truth:
        return Truth(
            seed=seed,
            hosts=hosts,
            sessions={source: self._of_source(source) for source in (CLAUDE, CODEX)},
            lines=self._by_source("lines"),
            bytes=self._by_source("bytes"),
            disk_bytes=self._by_source("disk_bytes"),
            requests=self._by_source("requests"),
            tokens={name: sum(m[name] for m in self._models.values()) for name in Usage._fields},
            models={model: dict(self._models[model]) for model in sorted(self._models)},
            prompts=self._by_source("prompts"),
            tool_calls=self._by_source("tool_calls"),
            compactions=self._by_source("compactions"),
            needles=self._needles,
            common=common,
        )

    def _by_source(self, what: str) -> dict[str, int]:
        return {source: self._sums[what, source] for source in (CLAUDE, CODEX)}

    def _of_source(self, source: str) -> dict[str, int]:
        return {sort: n for (of, sort), n in sorted(self._sorts.items()) if of == source}
