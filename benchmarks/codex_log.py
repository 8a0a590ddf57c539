"""One Codex rollout in the making: its lines, its clock and its running token totals."""

from random import Random
from typing import NamedTuple

import msgspec

from benchmarks.chance import iso, spread, token, uuid7
from benchmarks.truth import CODEX, Needle, Usage
from benchmarks.world import DAY, Needles, Place, World

Json = dict[str, object]
MODELS = ("gpt-5.4", "gpt-5.3-codex", "gpt-5.1-codex-max", "gpt-5-codex", "gpt-5.4-mini")
MODEL_WEIGHTS = (6, 5, 3, 3, 1)
WINDOW = 258_400


class Release(NamedTuple):
    """A release and its habits: ids on turns and items, cache writes in the totals."""

    version: str
    modern: bool
    writes: bool


RELEASES = (
    Release("0.41.0", modern=False, writes=False),
    Release("0.118.0", modern=True, writes=False),
    Release("0.142.2", modern=True, writes=True),
)
RELEASE_WEIGHTS = (2, 4, 4)


class Totals(NamedTuple):
    """As token_count states them: input includes cached and written, output includes reasoning."""

    input: int = 0
    cached: int = 0
    written: int = 0
    output: int = 0
    reasoning: int = 0

    def plus(self, other: "Totals") -> "Totals":
        return Totals(*(a + b for a, b in zip(self, other, strict=True)))

    def usage(self) -> Usage:
        """The same in classes that do not overlap."""
        fresh = self.input - self.cached - self.written
        return Usage(fresh, self.cached, self.written, 0, self.output)

    def logged(self, writes: bool) -> Json:
        made: Json = {"input_tokens": self.input, "cached_input_tokens": self.cached}
        if writes:
            made["cache_write_input_tokens"] = self.written
        made |= {"output_tokens": self.output, "reasoning_output_tokens": self.reasoning}
        return made | {"total_tokens": self.input + self.output}


class Header(NamedTuple):
    """What stays the same through one rollout."""

    place: Place
    thread: str
    release: Release
    started: int


class CodexLog:
    """Lines so far, and what the next one needs to know."""

    def __init__(self, world: World, header: Header, model: str, needles: Needles | None) -> None:
        self.world, self.header, self.model, self.needles = world, header, model, needles
        self.rng = world.rng
        self.now = header.started
        self.lines: list[bytes] = []
        self.size = 0
        self.turn = ""
        self.totals = Totals()
        self.context = 0
        self.prefix = ""  # of the kinds of needles
        self._counted = 0

    def wait(self, median: float) -> None:
        self.now += spread(self.rng, median, 0.9, 1, 5_400_000)

    def add(self, line: bytes) -> None:
        self.lines.append(line)
        self.size += len(line)

    def emit(self, kind: str, payload: Json) -> None:
        record = {"timestamp": iso(self.now), "type": kind, "payload": payload}
        self.add(msgspec.json.encode(record) + b"\n")

    def event(self, kind: str, payload: Json) -> None:
        self.emit("event_msg", {"type": kind} | payload)

    def item(self, kind: str, payload: Json) -> None:
        """A response item; modern releases say which turn it belongs to."""
        tail: Json = {"internal_chat_message_metadata_passthrough": {"turn_id": self.turn}}
        body: Json = {"type": kind} | payload
        self.emit("response_item", body | tail if self.header.release.modern else body)

    def item_id(self, prefix: str) -> Json:
        return {"id": f"{prefix}_{self.rng.getrandbits(200):050x}"} if self.header.release.modern else {}

    def call_id(self) -> str:
        return token(self.rng, "call_", 24)

    def say(self, kind: str, size: int) -> str:
        return self.planted(kind, self.world.text.prose(size))

    def planted(self, kind: str, text: str, share: float = 0.6) -> str:
        """The text, with this session's needle of the kind in it if there is one left."""
        if not self.needles:
            return text
        host, name = self.header.place.host, self.prefix + kind
        where = Needle("", name, CODEX, host, self.header.thread, [], [])
        return self.needles.plant(name, text, where, share)

    def bill(self) -> None:
        """One request: its token_count, now and then repeated or preceded by one without info."""
        last = self._last()
        self.totals = self.totals.plus(last)
        if self.rng.random() < 0.05:
            self._count(None)
        for _ in range(self.rng.choices((1, 2, 3), (85, 12, 3))[0]):
            self._count(last)
            self.wait(300)
        self.world.tally.request(CODEX, self.model, last.usage())

    def compacted(self) -> None:
        """The context holds the summary alone; in some releases the totals begin again."""
        if self.totals.input > 4 * self.context and self.rng.random() < 0.4:
            self.totals = Totals()
        self.context, self._counted = 9000, self.size

    def branch(self) -> "CodexLog":
        """A later rollout of the same project that goes on with this one's totals; no lines yet."""
        started = self.now + self.rng.randrange(600_000, 2 * DAY)
        header = self.header._replace(thread=uuid7(self.rng, started), started=started)
        other = CodexLog(self.world, header, self.model, self.needles)
        other.totals, other.context = self.totals, self.context
        return other

    def replayed(self) -> None:
        """What the log holds so far was counted elsewhere."""
        self._counted = self.size

    def _last(self) -> Totals:
        fresh = max(120, (self.size - self._counted) // 5)
        self._counted = self.size
        if not self.context:
            fresh += self.rng.randrange(4000, 12_000)
        cached, self.context = self.context // 128 * 128, self.context + fresh
        written = fresh // 2 if self.header.release.writes else 0
        output = spread(self.rng, 240, 0.9, 10, 9000)
        return Totals(self.context, cached, written, output, output // 3)

    def _count(self, last: Totals | None) -> None:
        writes = self.header.release.writes
        info: Json | None = None
        if last:
            totals: Json = {"total_token_usage": self.totals.logged(writes)}
            info = totals | {"last_token_usage": last.logged(writes), "model_context_window": WINDOW}
        used: Json = {"used_percent": self.rng.randrange(90), "window_minutes": 300}
        used["resets_at"] = self.now // 1000
        limits: Json = {"limit_id": "codex", "primary": used, "credits": None, "plan_type": "pro"}
        self.event("token_count", {"info": info, "rate_limits": limits})


def opening(rng: Random) -> tuple[Release, str]:
    """A release and a model to begin a rollout with."""
    return rng.choices(RELEASES, RELEASE_WEIGHTS)[0], rng.choices(MODELS, MODEL_WEIGHTS)[0]
