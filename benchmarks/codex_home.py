"""Codex's part of a home: new rollouts, forks that replay their parent, doubled and packed ones."""

import re

import zstandard

from benchmarks.chance import iso, uuid7
from benchmarks.codex_log import RELEASES, CodexLog, Header, opening
from benchmarks.codex_turns import begin, every_kind, turn
from benchmarks.truth import CODEX
from benchmarks.world import Needles, World, write

KINDS = (
    "prompt reply note reasoning call_input call_input_after_newline output_head output_middle "
    "output_tail patch plan compaction_summary forked_prompt forked_reply"
)


def session(world: World, target: int, featured: bool) -> CodexLog:
    """A rollout of about `target` bytes; featured: with needles of all kinds. Some are packed."""
    release, model = opening(world.rng)
    release = RELEASES[-1] if featured else release  # only modern ones can be forked
    started = world.start()
    header = Header(world.rng.choice(world.places), uuid7(world.rng, started), release, started)
    log = CodexLog(world, header, model, Needles(world, KINDS) if featured else None)
    begin(log)
    if featured:
        every_kind(log)
    while log.size < target or not log.turn:
        turn(log, target)
    save(log, {"main", "zst"} if world.rng.random() < 0.05 else {"main"})
    return log


def fork(log: CodexLog, target: int) -> None:
    """A rollout that begins with all of its parent's lines and goes on with its totals."""
    copy = log.branch()
    copy.prefix = "forked_"
    begin(copy, {"forked_from_id": log.header.thread})
    rewritten = log.rng.random() < 0.5
    stamp = f'{{"timestamp":"{iso(copy.now)}"'.encode()
    for line in log.lines:
        copy.add(re.sub(rb'^\{"timestamp":"[^"]*"', stamp, line) if rewritten else line)
    copy.replayed()
    log.world.tally.copied(log.header.thread, copy.header.thread)
    end = copy.size + target
    while copy.size < end:
        turn(copy, end)
    save(copy, {"forked"})


def twin(log: CodexLog) -> None:
    """The same rollout, byte for byte, in a second host's home."""
    host = log.world.elsewhere(log.header.place.host)
    if host:
        save(log, {"twin"}, host)


def save(log: CodexLog, sorts: set[str], host: str | None = None) -> None:
    started = iso(log.header.started)[:19]
    name = f"rollout-{started.replace(':', '-')}-{log.header.thread}.jsonl"
    home = log.world.folder / (host or log.header.place.host)
    path = home / ".codex/sessions" / started[:10].replace("-", "/") / name
    plain = b"".join(log.lines)
    packed = zstandard.ZstdCompressor().compress(plain) if "zst" in sorts else None
    write(path.with_name(name + ".zst") if packed else path, packed or plain, log.now)
    tally = log.world.tally
    tally.log(CODEX, sorts)
    tally.add("lines", CODEX, len(log.lines))
    tally.add("bytes", CODEX, len(plain))
    tally.add("disk_bytes", CODEX, len(packed or plain))
