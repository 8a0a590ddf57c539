"""Claude Code: laws over real logs, which lie beside the checkout."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Problem, Record, Request, Tally, ToolCall
from siphon.sources import sources

CLAUDE = sources()["claude_code"]
HOSTS = ("laptop", "server", "workstation")
USAGE = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)


def parse(home: Path, path: str) -> list[Record]:
    return goldens.parsed(CLAUDE, home, "host", path)


def of(kind: type, found: list[Record]) -> list[Any]:
    return [record for record in found if isinstance(record, kind)]


def real(shared: Path) -> Iterator[tuple[Path, str, list[Record]]]:
    """Every real transcript: (home, path, records)."""
    for home in (*(shared / "homes" / host for host in HOSTS), shared / "growth"):
        paths = goldens.logs(CLAUDE, home) or sorted(p.name for p in home.glob("claude-*.jsonl"))
        for path in paths:
            yield home, path, parse(home, path)


def test_no_type_of_line_in_real_logs_is_unknown(shared: Path) -> None:
    for _, path, found in real(shared):
        assert [t for t in of(Tally, found) if t.fate == "unknown"] == [], path


def test_real_logs_are_read_without_a_problem(shared: Path) -> None:
    assert [p for _, _, found in real(shared) for p in of(Problem, found)] == []


def test_every_line_is_tallied_once(shared: Path) -> None:
    for home, path, found in real(shared):
        lines = sum(1 for line in (home / path).read_bytes().split(b"\n") if line.strip())
        assert sum(tally.n for tally in of(Tally, found)) == lines


def test_tokens_of_real_logs_are_what_an_independent_count_gives(shared: Path) -> None:
    """Per response the maximum of each count over its lines, a subagent's sightings in progress too."""
    for home, path, found in real(shared):
        counted = Counter[str]()
        for usage in _independent(home / path):
            counted.update(usage)
        ours = Counter[str]()
        for request in of(Request, found):
            ours.update({name: getattr(request, name) or 0 for name in USAGE})
        assert +ours == +counted, path


def _independent(log: Path) -> Iterator[dict[str, int]]:
    responses: dict[object, dict[str, int]] = defaultdict(dict)
    for raw in log.read_bytes().splitlines():
        line = json.loads(raw)
        for owner in (line, (line.get("data") or {}).get("message") or {}):
            message = owner.get("message")
            if owner.get("type") != "assistant" or message["model"] == "<synthetic>":
                continue
            for name, n in _classes(message["usage"]).items():
                known = responses[message["id"]]
                known[name] = max(known.get(name, 0), n)
    yield from responses.values()


def _classes(usage: dict[str, Any]) -> dict[str, int]:
    parts = usage.get("cache_creation") or {}
    hour = parts.get("ephemeral_1h_input_tokens", 0)
    return {
        "input_tokens": usage["input_tokens"],
        "cache_read_tokens": usage["cache_read_input_tokens"],
        "cache_write_tokens": usage["cache_creation_input_tokens"] - hour,
        "cache_write_1h_tokens": hour,
        "output_tokens": usage["output_tokens"],
    }


def test_no_envelope_of_the_harness_is_taken_for_a_prompt(shared: Path) -> None:
    envelopes = ("<", "[Request interrupted", "Caveat:", "This session is being continued")
    for _, path, found in real(shared):
        for message in of(Message, found):
            if message.kind == "prompt":
                assert not (message.text or "").lstrip().startswith(envelopes), path


def test_prompts_of_real_logs_are_as_many_as_were_typed(shared: Path) -> None:
    """Counted by hand: in the growing log eleven typed ones and one that was queued."""
    home = shared / "homes/laptop"
    path = next(p for p in goldens.logs(CLAUDE, home) if "410c9611" in p)
    prompts = [m for m in of(Message, parse(home, path)) if m.kind == "prompt"]
    assert len(prompts) == 12
    assert "hey, kebab does not matter to vamp" in [m.text for m in prompts]


def test_a_log_that_grows_keeps_its_numbers(shared: Path) -> None:
    steps = [_steps(shared, path) for path in sorted((shared / "growth").glob("claude-*.jsonl"))]
    assert len(steps) > 2
    for before, after in pairwise(steps):
        assert before.items() <= after.items()


def _steps(shared: Path, path: Path) -> dict[tuple[str, int], str | None]:
    """What stands at each place of each session; the growing log's copies have names of their own."""
    rows = [r for r in parse(shared / "growth", path.name) if isinstance(r, Message | ToolCall)]
    return {(row.session.removeprefix(path.stem), row.seq): row.native_id for row in rows}


def test_a_finished_response_of_a_release_that_writes_stop_reasons_is_complete(shared: Path) -> None:
    home = shared / "homes/workstation"
    found = [r for path in goldens.logs(CLAUDE, home) for r in of(Request, parse(home, path))]
    assert len(found) > 400
    assert not any(request.incomplete for request in found)


def test_loose_logs_are_recognised_by_content(shared: Path) -> None:
    assert CLAUDE.recognise is not None
    folder = shared / "samples"
    seen = {
        path.relative_to(folder).as_posix(): CLAUDE.recognise(Log(Folder(folder), "host", name))
        for path in sorted(folder.rglob("*.jsonl"))
        if (name := path.relative_to(folder).as_posix())
    }
    ours = {path: target for path, target in seen.items() if path.startswith("claude/")}
    agent = "0a1b2c3d-4e5f-4061-8071-2a3b4c5d6e7f"
    assert ours == {
        "claude/large.jsonl": ".claude/projects/-tmp-large/ses_stage0_large.jsonl",
        "claude/schema_drift.jsonl": ".claude/projects/-tmp-project/ses_stage0_drift.jsonl",
        "claude/small.jsonl": ".claude/projects/-tmp/ses_stage0_small.jsonl",
        f"claude/subagent/{agent}.jsonl": f".claude/projects/-tmp/{agent}.jsonl",
        f"claude/subagent/{agent}/subagents/agent-a0ad4f44468bdf20d.jsonl": (
            ".claude/projects/-tmp/agent-a0ad4f44468bdf20d.jsonl"
        ),
    }
    assert [path for path, target in seen.items() if target and path not in ours] == []
