"""Claude Code's responses: a line a block, tool results between them, subagents of their own."""

import msgspec

from benchmarks.chance import spread, token, uuid4
from benchmarks.claude_log import ClaudeLog, Header, Json, call_id
from benchmarks.claude_tools import MAKERS, Call, Maker
from benchmarks.truth import CLAUDE, Usage

_TAIL = "agentId: {} (for resuming this agent's work)\n<usage>total_tokens: {}\ntool_uses: {}</usage>"
_NESTED = ("type", "message", "requestId", "uuid", "timestamp")
_HAIKU = "claude-haiku-4-5-20251001"


def respond(log: ClaudeLog, makers: tuple[Maker, ...], thinks: bool = False) -> None:
    """One billed response and its tools' results; without makers it is a turn's reply."""
    calls = [maker(log) for maker in makers]
    blocks = _thought(log, thinks or log.rng.random() < 0.35)
    if not calls:
        blocks.append(_text(log.say("reply", spread(log.rng, 700, 0.9, 30, 9000))))
    elif log.rng.random() < 0.45:
        blocks.append(_text(log.say("note", spread(log.rng, 120, 0.7, 20, 2000))))
    lines = _stream(log, blocks + [_use(call) for call in calls], "tool_use" if calls else "end_turn")
    log.world.tally.add("tool_calls", CLAUDE, len(calls))
    for call, line in zip(calls, lines[len(lines) - len(calls) :], strict=True):
        _result(log, call, line, parallel=len(calls) > 1)


def chosen(log: ClaudeLog) -> tuple[Maker, ...]:
    """The calls of one response, as often as each is seen; subagents call none of their own."""
    if not log.header.agent and not log.world.small and log.rng.random() < 0.018:
        return (task,)
    count = log.rng.choices((1, 2, 3, 4), (76, 14, 7, 3))[0]
    return tuple(log.rng.choices(tuple(MAKERS), tuple(MAKERS.values()), k=count))


def task(log: ClaudeLog) -> Call:
    """A subagent: its own transcript below the session's folder, its reply as the call's result."""
    agent, called = f"a{log.rng.getrandbits(64):016x}"[: log.rng.choice((8, 17))], call_id(log.rng)
    model = _HAIKU if log.rng.random() < 0.5 else log.header.model
    header = log.header._replace(agent=agent, model=model)
    child = ClaudeLog(log.world, header, log.now + 9000, log.needles)
    brief = child.say("prompt", spread(log.rng, 700, 0.6, 100, 5000), also=log.header.session)
    child.line(user(child, brief))
    for _ in range(spread(log.rng, 9, 0.8, 1, 4 if log.needles else 50)):
        respond(child, chosen(child))
    reply = child.say("reply", spread(log.rng, 1500, 0.7, 100, 9000), also=log.header.session)
    _stream(child, [_text(reply)], "end_turn")
    _keep(log, child, called)
    return _returned(log, child, called, brief, reply)


def user(log: ClaudeLog, content: str | list[Json]) -> Json:
    """A user line's own fields: a prompt, a result, or what the harness says in the user's name."""
    head: Json = {"promptId": uuid4(log.rng)} if log.header.era.modern else {}
    return head | {"type": "user", "message": {"role": "user", "content": content}}


def folder(header: Header) -> str:
    """A project's folder below the home: the cwd with all but letters and digits made dashes."""
    slug = "".join(c if c.isascii() and c.isalnum() else "-" for c in header.place.cwd)
    return f".claude/projects/{slug}"


def _stream(log: ClaudeLog, blocks: list[Json], reason: str) -> list[str]:
    """Write one response, a line a block, each with the usage known by then; the lines' uuids."""
    total = spread(log.rng, 260, 0.9, 8, 12_000)
    outputs = _outputs(log, len(blocks), total)
    usage = log.usage(max(outputs))
    response, request = token(log.rng, "msg_01", 22), token(log.rng, "req_011C", 20)
    log.wait(5000)
    lines = []
    for block, output in zip(blocks, outputs, strict=True):
        stop = reason if output == total and log.header.era.modern else None
        message = _message(log, response, block, stop) | {"usage": log.logged(usage, output)}
        lines.append(log.line({"message": message, "requestId": request, "type": "assistant"}))
        log.wait(300)
    log.world.tally.request(CLAUDE, log.header.model, usage)
    return lines


def _message(log: ClaudeLog, response: str, block: Json, stop: str | None) -> Json:
    head: Json = {"model": log.header.model, "id": response, "type": "message", "role": "assistant"}
    return head | {"content": [block], "stop_reason": stop, "stop_sequence": None}


def _outputs(log: ClaudeLog, count: int, total: int) -> list[int]:
    """Output tokens as each line knew them: mostly a placeholder until the last one."""
    if count < 2 or log.rng.random() < 0.4:
        return [total] * count
    early, fate = min(total, log.rng.randrange(1, 30)), log.rng.random()
    if fate < 0.02:
        return [early] * count
    if fate < 0.05:
        return [early] * (count - 2) + [total, early]
    return [early] * (count - 1) + [total]


def _thought(log: ClaudeLog, thinks: bool) -> list[Json]:
    """A thinking block or none; modern releases often keep only its signature."""
    if not thinks:
        return []
    empty = log.header.era.modern and not log.needles and log.rng.random() < 0.4
    thought = "" if empty else log.say("thinking", spread(log.rng, 700, 0.9, 60, 9000))
    signature = log.world.text.opaque(spread(log.rng, 600, 0.7, 200, 4000))
    return [{"type": "thinking", "thinking": thought, "signature": signature}]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


def _use(call: Call) -> Json:
    block: Json = {"type": "tool_use", "id": call.id, "name": call.name, "input": call.input}
    return block | {"caller": {"type": "direct"}}


def _result(log: ClaudeLog, call: Call, line: str, parallel: bool) -> None:
    """The result below its own call's line, and what hooks and subagents tell meanwhile."""
    if parallel:
        log.parent = line
    elif not log.header.era.modern and log.rng.random() < 0.25:
        hook: Json = {"type": "hook_progress", "hookEvent": "PostToolUse", "command": "callback"}
        _progress(log, call, hook | {"hookName": f"PostToolUse:{call.name}"}, call.id)
    for data in call.progress:
        _progress(log, call, data, "agent_" + call.id)
    log.now += call.took
    log.wait(400)
    block: Json = {"tool_use_id": call.id, "type": "tool_result", "content": call.content}
    if call.error is not None:
        block["is_error"] = call.error
    detail: Json = {"toolUseResult": call.detail}
    shown = {} if log.header.agent and log.header.era.modern else detail
    log.line(user(log, [block]), shown | {"sourceToolAssistantUUID": line})


def _progress(log: ClaudeLog, call: Call, data: Json, own: str) -> None:
    log.line({"type": "progress", "data": data, "parentToolUseID": call.id, "toolUseID": own})


def _keep(log: ClaudeLog, child: ClaudeLog, called: str) -> None:
    stem = f"{folder(log.header)}/{log.header.session}/subagents/agent-{child.header.agent}"
    meta: Json = {"agentType": "Explore", "spawnDepth": 1, "toolUseId": called}
    log.companions[f"{stem}.jsonl"] = b"".join(child.lines)
    log.companions[f"{stem}.meta.json"] = msgspec.json.encode(meta)


def _returned(log: ClaudeLog, child: ClaudeLog, called: str, brief: str, reply: str) -> Call:
    """The call that a subagent ran for; its totals repeat what the agent's own log holds."""
    agent, took, spent = child.header.agent, child.now - log.now, child.context
    uses = sum(b'"tool_use_id"' in line for line in child.lines)
    asked: Json = {"description": log.world.text.phrase(4), "prompt": brief, "subagent_type": "Explore"}
    detail: Json = {"status": "completed", "prompt": brief, "agentId": agent}
    detail |= {"content": [_text(reply)], "totalDurationMs": took, "totalTokens": spent}
    usage = Usage(3, spent, 900, 0, 400)
    detail |= {"totalToolUseCount": uses, "usage": child.logged(usage, usage.output)}
    shown = [_text(reply), _text(_TAIL.format(agent, spent, uses))]
    name = "Agent" if log.header.era.modern else "Task"
    return Call(called, name, asked, shown, detail, None, took, _sightings(child, brief))


def _sightings(child: ClaudeLog, brief: str) -> tuple[Json, ...]:
    """The subagent's first messages, nested in the parent as some older releases do.

    Never where needles are: the parent would hold the subagent's, but its forks would not.
    """
    if child.header.era.modern or child.needles or child.rng.random() > 0.3:
        return ()
    made: list[Json] = []
    for record in map(msgspec.json.decode, child.lines[:6]):
        if record["type"] in ("user", "assistant"):
            kept = {key: record[key] for key in _NESTED if key in record}
            data: Json = {"message": kept, "normalizedMessages": [], "type": "agent_progress"}
            made.append(data | {"prompt": "" if made else brief, "agentId": child.header.agent})
    return tuple(made)
