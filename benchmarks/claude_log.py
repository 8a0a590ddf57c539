"""One Claude Code transcript in the making: its envelope, its clock, its chain of uuids."""

from random import Random
from typing import NamedTuple

import msgspec

from benchmarks.chance import iso, spread, token, uuid4
from benchmarks.truth import CLAUDE, Needle, Usage
from benchmarks.world import DAY, Needles, Place, World

Json = dict[str, object]


class Era(NamedTuple):
    """A release and its habits: where the envelope's fields stand, and what usage holds."""

    version: str
    modern: bool
    nested: bool  # usage has the cache_creation object


ERAS = (
    Era("1.0.83", modern=False, nested=False),
    Era("2.1.37", modern=False, nested=True),
    Era("2.1.71", modern=False, nested=True),
    Era("2.1.187", modern=True, nested=True),
    Era("2.1.218", modern=True, nested=True),
)
ERA_WEIGHTS = (1, 4, 3, 4, 4)
MODELS = (
    "claude-opus-4-6",
    "claude-sonnet-4-5-20250929",
    "claude-opus-4-5-20251101",
    "claude-sonnet-4-6",
    "claude-haiku-4-5-20251001",
)
MODEL_WEIGHTS = (8, 7, 4, 4, 2)
FULL = 155_000
"""Tokens of context at which the tool compacts."""


class Header(NamedTuple):
    """What stays the same through one transcript."""

    place: Place
    session: str
    era: Era
    model: str
    agent: str | None = None


class ClaudeLog:
    """Lines so far, and what the next one needs to know."""

    def __init__(self, world: World, header: Header, ts: int, needles: Needles | None) -> None:
        self.world, self.header, self.now, self.needles = world, header, ts, needles
        self.rng: Random = world.rng
        self.lines: list[bytes] = []
        self.size = 0
        self.companions: dict[str, bytes] = {}  # subagents' logs and metas, by path below the home
        self.prefix = "subagent_" if header.agent else ""  # of the kinds of needles
        self.parent: str | None = None
        self.context = 0
        self._counted = 0
        self._hour = self.rng.random() < 0.4 and header.era.nested
        self._front, self._back = _envelope(header)

    @property
    def native_id(self) -> str:
        header = self.header
        return f"{header.session}/agent-{header.agent}" if header.agent else header.session

    @property
    def spent(self) -> int:
        """Bytes of this log and of the subagents it called."""
        return self.size + sum(map(len, self.companions.values()))

    def wait(self, median: float) -> None:
        self.now += spread(self.rng, median, 0.9, 1, 5_400_000)

    def record(self, record: Json) -> None:
        line = msgspec.json.encode(record) + b"\n"
        self.lines.append(line)
        self.size += len(line)

    def meta(self, record: Json) -> None:
        """A line without uuid, outside the chain."""
        self.record(record | {"sessionId": self.header.session})

    def line(self, body: Json, after: Json | None = None, uuid: str | None = None) -> str:
        """A line of the chain; `after` follows the timestamp. Returns its uuid."""
        own = uuid or uuid4(self.rng)
        self.record(
            {"parentUuid": self.parent, "isSidechain": self.header.agent is not None}
            | self._front
            | body
            | {"uuid": own, "timestamp": iso(self.now)}
            | (after or {})
            | self._back
        )
        self.parent = own
        return own

    def say(self, kind: str, size: int, also: str | None = None) -> str:
        return self.planted(kind, self.world.text.prose(size), also=also)

    def planted(self, kind: str, text: str, share: float = 0.6, also: str | None = None) -> str:
        """The text, with this session's needle of the kind in it if there is one left."""
        if not self.needles:
            return text
        others, name = [also] if also else [], self.prefix + kind
        where = Needle("", name, CLAUDE, self.header.place.host, self.native_id, others, [])
        return self.needles.plant(name, text, where, share)

    def usage(self, output: int) -> Usage:
        """The next request's: everything so far is read from the cache, the rest is written to it."""
        fresh = max(90, (self.size - self._counted) // 6)
        self._counted = self.size
        if not self.context:
            fresh += self.rng.randrange(9000, 26_000)
        read, self.context = self.context, self.context + fresh
        hour = fresh if self._hour else 0
        if self.header.era.nested and self.rng.random() < 0.03:
            hour = fresh // 5
        return Usage(self.rng.randrange(1, 12), read, fresh - hour, hour, output)

    def logged(self, usage: Usage, output: int) -> Json:
        """The usage object of one line of a response; `output` tokens had come by then."""
        five, hour = usage.cache_write, usage.cache_write_1h
        era = self.header.era
        flat: Json = {
            "input_tokens": usage.input,
            "cache_creation_input_tokens": five + hour,
            "cache_read_input_tokens": usage.cache_read,
        }
        split: Json = {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour}
        if not era.nested:
            return flat | {"output_tokens": output, "service_tier": "standard"}
        if not era.modern:
            place: Json = {"service_tier": "standard", "inference_geo": "not_available"}
            return flat | {"cache_creation": split, "output_tokens": output} | place
        return _modern_usage(flat, split, output)

    def branch(self, session: str, lines: list[bytes], prefix: str) -> "ClaudeLog":
        """A later log of another session: `lines`, copied from this one, and then its own."""
        header = self.header._replace(session=session)
        other = ClaudeLog(self.world, header, self.now, self.needles)
        other.lines, other.size, other.prefix = list(lines), sum(map(len, lines)), prefix
        other.context, other.parent, other._counted = self.context, self.parent, other.size
        other.now += self.rng.randrange(600_000, 2 * DAY)
        return other

    def compacted(self) -> None:
        """After a compaction the context holds the summary alone."""
        self.context, self._counted = 12_000, self.size


def opening(rng: Random) -> tuple[Era, str]:
    """A release and a model to begin a session with."""
    return rng.choices(ERAS, ERA_WEIGHTS)[0], rng.choices(MODELS, MODEL_WEIGHTS)[0]


def call_id(rng: Random) -> str:
    return token(rng, "toolu_01", 22)


def _envelope(header: Header) -> tuple[Json, Json]:
    place = header.place
    common: Json = {
        "cwd": place.cwd,
        "sessionId": header.session,
        "version": header.era.version,
        "gitBranch": place.branch,
    }
    if header.agent:
        common["agentId"] = header.agent
    if header.era.modern:
        return {}, {"session_id": header.session, "userType": "external", "entrypoint": "cli"} | common
    return {"userType": "external"} | common, {}


def _modern_usage(flat: Json, split: Json, output: int) -> Json:
    whole = flat | {"output_tokens": output}
    return whole | {
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": "standard",
        "cache_creation": split,
        "inference_geo": "not_available",
        "iterations": [whole | {"cache_creation": split, "type": "message"}],
        "speed": "standard",
    }
