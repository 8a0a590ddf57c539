"""Claude Code's part of a home: new sessions, and resumed, forked and doubled ones."""

import msgspec

from benchmarks.chance import iso, uuid4
from benchmarks.claude_log import ClaudeLog, Header, Json, opening
from benchmarks.claude_response import folder, respond
from benchmarks.claude_turns import begin, every_kind, prompt, turn
from benchmarks.truth import CLAUDE
from benchmarks.world import Needles, World, write

KINDS = (
    "prompt reply note thinking tool_input tool_input_after_newline output_head output_middle "
    "output_tail tool_error read_output edit write grep_output fetched queued_command slash_command "
    "api_error compaction_summary subagent_prompt subagent_thinking subagent_reply "
    "resumed_prompt resumed_reply forked_prompt forked_reply"
)
_LOST = ("teamName", "agentName", "slug", "sourceToolAssistantUUID")
"""What a fork drops from the lines it copies."""


def session(world: World, target: int, featured: bool) -> ClaudeLog:
    """A session of about `target` bytes, subagents in it; featured: with needles of all kinds."""
    era, model = opening(world.rng)
    header = Header(world.rng.choice(world.places), uuid4(world.rng), era, model)
    log = ClaudeLog(world, header, world.start(), Needles(world, KINDS) if featured else None)
    begin(log)
    if featured:
        every_kind(log)
    while log.spent < target:
        turn(log, target)
    save(log, "main")
    return log


def resume(log: ClaudeLog, target: int) -> ClaudeLog:
    """As old releases do: all lines again under a new session id, uuids kept, then new turns."""
    own = uuid4(log.rng)
    old, new = log.header.session.encode(), own.encode()
    copy = log.branch(own, [line.replace(old, new) for line in log.lines], "resumed_")
    return _go_on(log, copy, target, "resumed")


def fork(log: ClaudeLog, target: int) -> ClaudeLog:
    """As the SDK does: the chain again with new uuids and `forkedFrom`, the last line stamped anew."""
    own = uuid4(log.rng)
    copy = log.branch(own, [], "forked_")
    names: dict[str, str] = {}
    kept = [record for record in map(msgspec.json.decode, log.lines) if _chained(record, names, log)]
    for place, record in enumerate(kept, 1):
        stamp = {"timestamp": iso(copy.now)} if place == len(kept) else {}
        copy.record(_forked(record, names, log.header.session, own) | stamp)
    copy.parent = names[log.parent] if log.parent else None
    copy.meta({"type": "custom-title", "customTitle": log.world.text.phrase(4) + " (fork)"})
    return _go_on(log, copy, target, "forked")


def twin(log: ClaudeLog) -> None:
    """The same logs, byte for byte, in a second host's home."""
    host = log.world.elsewhere(log.header.place.host)
    if host:
        save(log, "twin", host)


def save(log: ClaudeLog, sort: str, host: str | None = None) -> None:
    """Write the session's logs and count them; the twin of a session doubles its subagents too."""
    home = log.world.folder / (host or log.header.place.host)
    log.companions[f"{folder(log.header)}/{log.header.session}.jsonl"] = b"".join(log.lines)
    for path, data in log.companions.items():
        write(home / path, data, log.now)
        if path.endswith(".jsonl"):
            tally = log.world.tally
            tally.log(CLAUDE, {sort, "subagent"} if "/subagents/" in path else {sort})
            tally.add("lines", CLAUDE, data.count(b"\n"))
            tally.add("bytes", CLAUDE, len(data))
            tally.add("disk_bytes", CLAUDE, len(data))


def _go_on(log: ClaudeLog, copy: ClaudeLog, target: int, sort: str) -> ClaudeLog:
    log.world.tally.copied(log.header.session, copy.header.session)
    prompt(copy)
    respond(copy, ())
    end = copy.size + target
    while copy.spent < end:
        turn(copy, end)
    save(copy, sort)
    return copy


def _chained(record: Json, names: dict[str, str], log: ClaudeLog) -> bool:
    """Give the line its new uuid; progress lines take their parent's and are left out."""
    uuid, parent = record.get("uuid"), record.get("parentUuid")
    if not isinstance(uuid, str):
        return False
    if record["type"] == "progress":
        names[uuid] = names[str(parent)]
        return False
    names[uuid] = uuid4(log.rng)
    return True


def _forked(record: Json, names: dict[str, str], old: str, new: str) -> Json:
    origin = {"sessionId": old, "messageUuid": record["uuid"]}
    changed = {key: names.get(str(record[key])) for key in ("uuid", "parentUuid")}
    if "logicalParentUuid" in record:
        changed["logicalParentUuid"] = names.get(str(record["logicalParentUuid"]))
    kept = {key: value for key, value in record.items() if key not in _LOST}
    if "session_id" in kept:
        kept["session_id"] = new
    return kept | changed | {"sessionId": new, "isSidechain": False, "forkedFrom": origin}
