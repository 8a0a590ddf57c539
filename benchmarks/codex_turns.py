"""Turns of a Codex session: prompts, reasoning, commands, patches, plans, compaction."""

from collections.abc import Callable

import msgspec

from benchmarks.chance import iso, spread, uuid7
from benchmarks.codex_log import WINDOW, CodexLog, Json
from benchmarks.truth import CODEX

_SANDBOX = "<permissions instructions>\nFilesystem sandboxing defines which files can be written.\n"


def begin(log: CodexLog, origin: Json | None = None) -> None:
    """session_meta, and what is put before the first prompt."""
    place, release = log.header.place, log.header.release
    meta: Json = {"session_id": log.header.thread} if release.modern else {}
    meta |= {"id": log.header.thread, "timestamp": iso(log.now), "cwd": place.cwd}
    meta |= {"originator": "codex_cli_rs", "cli_version": release.version, "source": "cli"}
    meta |= origin or {}
    if release.modern:
        told = log.world.text.prose(300 if log.world.small else 12_000)
        meta |= {"model_provider": "openai", "base_instructions": {"text": f"You are Codex. {told}"}}
    commit = f"{log.rng.getrandbits(160):040x}"
    git: Json = {"commit_hash": commit, "branch": place.branch, "repository_url": place.repo}
    log.emit("session_meta", meta | {"git": git})


def preamble(log: CodexLog) -> None:
    text, cwd = log.world.text, log.header.place.cwd
    long = 300 if log.world.small else 5000
    if log.header.release.modern:
        parts = [_SANDBOX + text.prose(long), "<collaboration_mode>" + text.prose(long // 4)]
        log.item("message", {"role": "developer", "content": [_input(part) for part in parts]})
    guide = f"# AGENTS.md instructions for {cwd}\n\n<INSTRUCTIONS>\n{text.prose(long)}\n</INSTRUCTIONS>"
    env = f"<environment_context>\n  <cwd>{cwd}</cwd>\n  <shell>zsh</shell>\n</environment_context>"
    log.item("message", {"role": "user", "content": [_input(guide), _input(env)]})


def turn(log: CodexLog, target: int) -> None:
    """A prompt and what follows from it, until the answer or until the log is large enough."""
    _open(log)
    rounds = log.rng.randrange(1, 3) if log.world.small else spread(log.rng, 7, 0.9, 1, 60)
    for _ in range(rounds):
        if log.size >= target:
            break
        respond(log, log.rng.choices(tuple(MAKERS), tuple(MAKERS.values()))[0])
        if log.context > WINDOW * 0.85:
            compact(log)
    answer(log)


def every_kind(log: CodexLog) -> None:
    """One turn with all kinds of text in it."""
    _open(log)
    for maker in (command, script, long_output, patch, plan):
        respond(log, maker, thinks=True)
    compact(log)
    answer(log)


def respond(log: CodexLog, maker: "Maker", thinks: bool = False) -> None:
    """One billed response that calls a tool."""
    log.wait(4000)
    _think(log, thinks or log.rng.random() < 0.25)
    if log.rng.random() < 0.5:
        _speak(log, log.say("note", spread(log.rng, 160, 0.6, 30, 1500)), "commentary")
    maker(log)
    log.world.tally.add("tool_calls", CODEX)
    log.bill()


def answer(log: CodexLog) -> None:
    """The turn's last response."""
    log.wait(4000)
    _think(log, log.rng.random() < 0.25)
    text = log.say("reply", spread(log.rng, 700, 0.8, 40, 6000))
    _speak(log, text, "final_answer")
    log.bill()
    if log.header.release.modern:
        done: Json = {"turn_id": log.turn, "last_agent_message": text}
        log.event("task_complete", done | {"completed_at": log.now // 1000, "duration_ms": 114_483})


def command(log: CodexLog) -> None:
    path = log.world.text.path()
    asked = f"cd {log.header.place.cwd} && rg -n {log.world.text.name()} {path}"
    _execute(log, log.planted("call_input", asked), log.world.text.output(_size(log)))


def script(log: CodexLog) -> None:
    """A command of several lines: inside the arguments its newlines are escaped twice."""
    first = log.planted("call_input_after_newline", "").lstrip()
    asked = f"python3 - <<'PY'\n{first}\n{log.world.text.code(400)}PY"
    _execute(log, asked, log.world.text.output(_size(log)))


def long_output(log: CodexLog) -> None:
    text = log.world.text.output(49_000)
    for kind, share in (("output_head", 0.001), ("output_middle", 0.5), ("output_tail", 1.0)):
        text = log.planted(kind, text, share)
    _execute(log, f"cat {log.world.text.path()}", text)


def patch(log: CodexLog) -> None:
    """apply_patch, its result, and the event that tells the same once more."""
    path, call = log.world.text.path(), log.call_id()
    old = log.world.text.code(spread(log.rng, 150, 0.8, 20, 2000)).rstrip("\n").split("\n")
    code = log.world.text.code(spread(log.rng, 300, 0.9, 20, 6000))
    new = log.planted("patch", code.rstrip("\n")).split("\n")
    body = "\n".join(["@@"] + [f"-{line}" for line in old] + [f"+{line}" for line in new])
    text = f"*** Begin Patch\n*** Update File: {path}\n{body}\n*** End Patch"
    asked: Json = log.item_id("ctc") | {"status": "completed", "call_id": call}
    log.item("custom_tool_call", asked | {"name": "apply_patch", "input": text})
    log.wait(200)
    told = f"Success. Updated the following files:\nM {path}\n"
    if log.header.release.modern:
        diff = f"@@ -1,{len(old)} +1,{len(new)} @@{body[2:]}\n"
        changes: Json = {path: {"type": "update", "unified_diff": diff, "move_path": None}}
        ended: Json = {"call_id": call, "turn_id": log.turn, "stdout": told, "stderr": ""}
        ended |= {"success": True, "changes": changes, "status": "completed"}
        log.event("patch_apply_end", ended)
    shown = f"Exit code: 0\nWall time: 0 seconds\nOutput:\n{told}"
    log.item("custom_tool_call_output", {"call_id": call, "output": shown})


def plan(log: CodexLog) -> None:
    call, states = log.call_id(), ("completed", "in_progress", "pending")
    steps = [{"step": log.world.text.phrase(7), "status": state} for state in states]
    steps[0]["step"] = log.planted("plan", steps[0]["step"])
    asked: Json = {"explanation": log.world.text.phrase(9), "plan": steps}
    _call(log, "update_plan", asked, call)
    log.item("function_call_output", {"call_id": call, "output": "Plan updated"})


def compact(log: CodexLog) -> None:
    """A summary with copies of what it stands for, which are not messages again."""
    log.wait(20_000)
    kept = log.world.text.prose(6000 if not log.world.small else 300)
    history = [{"type": "message", "role": "user", "content": [_input(kept)]}]
    summary = log.say("compaction_summary", 3000)
    log.emit("compacted", {"message": summary, "replacement_history": history})
    log.event("context_compacted", {})
    log.compacted()
    log.world.tally.add("compactions", CODEX)
    if log.header.release.modern:
        _context(log)


Maker = Callable[[CodexLog], None]
MAKERS: dict[Maker, float] = {command: 78, script: 5, patch: 13, plan: 4}


def _open(log: CodexLog) -> None:
    """A turn's first lines: the prompt stands there as item and as event."""
    log.wait(120_000)
    if log.rng.random() < 0.04:
        log.model = "gpt-5.4" if log.model != "gpt-5.4" else "gpt-5.3-codex"
    log.turn = uuid7(log.rng, log.now)
    if log.header.release.modern:
        log.event("task_started", {"turn_id": log.turn, "model_context_window": WINDOW})
    if not log.context:
        preamble(log)
    _context(log)
    text = log.say("prompt", spread(log.rng, 130, 1.0, 8, 6000))
    log.item("message", {"role": "user", "content": [_input(text)]})
    log.event("user_message", {"message": text, "images": [], "local_images": [], "text_elements": []})
    log.world.tally.add("prompts", CODEX)


def _context(log: CodexLog) -> None:
    turn_id: Json = {"turn_id": log.turn} if log.header.release.modern else {}
    policy: Json = {"approval_policy": "never", "sandbox_policy": {"type": "danger-full-access"}}
    settings: Json = {"model": log.model, "effort": "high", "summary": "auto"}
    log.emit("turn_context", turn_id | {"cwd": log.header.place.cwd} | policy | settings)


def _think(log: CodexLog, aloud: bool) -> None:
    """Reasoning, mostly only encrypted; a summary stands there as event and as item."""
    summary: list[Json] = []
    if aloud:
        thought = log.say("reasoning", spread(log.rng, 300, 0.7, 30, 3000))
        text = f"**{log.world.text.phrase(4)}**\n\n{thought}"
        log.event("agent_reasoning", {"text": text})
        summary = [{"type": "summary_text", "text": text}]
    item: Json = log.item_id("rs") | {"summary": summary, "content": None}
    item["encrypted_content"] = log.world.text.opaque(spread(log.rng, 700, 0.6, 200, 4000))
    log.item("reasoning", item)


def _speak(log: CodexLog, text: str, phase: str) -> None:
    modern: Json = {"phase": phase} if log.header.release.modern else {}
    log.event("agent_message", {"message": text} | modern)
    content: Json = {"content": [{"type": "output_text", "text": text}]}
    log.item("message", log.item_id("msg") | {"role": "assistant"} | content | modern)


def _execute(log: CodexLog, asked: str, output: str) -> None:
    call, code = log.call_id(), 1 if log.rng.random() < 0.08 else 0
    if log.header.release.modern:
        _call(log, "exec_command", {"cmd": asked, "workdir": log.header.place.cwd}, call)
        head = f"Chunk ID: {log.rng.getrandbits(24):06x}\nWall time: 0.1597 seconds\n"
        shown = f"{head}Process exited with code {code}\nOutput:\n{output}"
    else:
        _call(log, "shell", {"command": ["bash", "-lc", asked], "timeout_ms": 10_000}, call)
        metadata: Json = {"exit_code": code, "duration_seconds": 0.2}
        shown = msgspec.json.encode({"output": output, "metadata": metadata}).decode()
    log.wait(500)
    log.item("function_call_output", {"call_id": call, "output": shown})


def _call(log: CodexLog, name: str, asked: Json, call: str) -> None:
    arguments = msgspec.json.encode(asked).decode()
    named: Json = {"name": name, "arguments": arguments, "call_id": call}
    log.item("function_call", log.item_id("fc") | named)


def _input(text: str) -> Json:
    return {"type": "input_text", "text": text}


def _size(log: CodexLog) -> int:
    return spread(log.rng, 300 if log.world.small else 1000, 1.4, 20, 48_000)
