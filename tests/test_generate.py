"""The generated corpus: the same from the same seed, and counted here again by other means."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from benchmarks.generate import generate
from benchmarks.truth import Truth

SCRIPT = Path(__file__).resolve().parent.parent / "benchmarks" / "generate.py"
CLASSES = ("input", "cache_read", "cache_write", "cache_write_1h", "output")


class Corpus(NamedTuple):
    folder: Path
    truth: Truth


@pytest.fixture(scope="module", params=[3.0, 16.0], ids="{:.0f}MB".format)
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """A small one, and one in which rare releases and copies meet."""
    folder = tmp_path_factory.mktemp("corpus")
    return Corpus(folder, generate(folder, request.param, hosts=3, seed=5))


def plain(path: Path) -> bytes:
    """A log's bytes, unpacked if it is packed."""
    data = path.read_bytes()
    return zstandard.ZstdDecompressor().decompress(data) if path.suffix == ".zst" else data


def logs(folder: Path, tool: str) -> list[Path]:
    return sorted(p for p in folder.glob(f"*/{tool}/**/*") if ".jsonl" in p.name)


def native_id(path: Path) -> str:
    if ".codex" in path.parts:
        return path.name.split(".")[0][-36:]
    if path.parent.name == "subagents":
        return f"{path.parents[1].name}/{path.stem}"
    return path.stem


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in plain(path).split(b"\n")[:-1]]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_seed_and_size_give_the_same_bytes(tmp_path: Path) -> None:
    generate(tmp_path / "a", 1.0, hosts=2, seed=9)
    command = [sys.executable, str(SCRIPT), str(tmp_path / "b"), "--megabytes", "1", "--hosts", "2"]
    told = subprocess.run([*command, "--seed", "9", "--json"], capture_output=True, check=True)
    assert tree(tmp_path / "a") == tree(tmp_path / "b")
    assert json.loads(told.stdout) == json.loads((tmp_path / "a" / "truth.json").read_bytes())


def test_another_seed_gives_other_sessions(tmp_path: Path) -> None:
    generate(tmp_path / "a", 1.0, seed=1)
    generate(tmp_path / "b", 1.0, seed=2)
    assert not set(tree(tmp_path / "a")) & set(tree(tmp_path / "b")) - {"truth.json"}


def test_every_line_is_a_json_object_and_ends_with_a_newline(corpus: Corpus) -> None:
    for path in logs(corpus.folder, ".claude") + logs(corpus.folder, ".codex"):
        assert plain(path).endswith(b"\n")
        assert all(isinstance(record, dict) and record["type"] for record in records(path))


def test_three_quarters_of_the_bytes_are_claude_codes(corpus: Corpus) -> None:
    claude = sum(len(plain(path)) for path in logs(corpus.folder, ".claude"))
    codex = sum(len(plain(path)) for path in logs(corpus.folder, ".codex"))
    assert corpus.truth.bytes == {"claude_code": claude, "codex": codex}
    assert abs(claude / (claude + codex) - 0.75) < 0.03


def test_a_corpus_is_as_large_as_asked_for(corpus: Corpus, request: pytest.FixtureRequest) -> None:
    asked = request.node.callspec.params["corpus"] * 1e6
    assert abs(sum(corpus.truth.bytes.values()) / asked - 1) < 0.05


def test_the_sessions_of_the_truth_are_the_logs_on_disk(corpus: Corpus) -> None:
    claude, codex = logs(corpus.folder, ".claude"), logs(corpus.folder, ".codex")
    told = corpus.truth.sessions
    assert told["claude_code"]["all"] == len(claude)
    assert told["claude_code"]["subagent"] == sum("subagents" in path.parts for path in claude)
    assert told["codex"]["all"] == len(codex)
    assert told["codex"].get("zst", 0) == sum(path.suffix == ".zst" for path in codex)
    copies = len(claude) + len(codex) - len({native_id(path) for path in claude + codex})
    assert sum(sorts.get("twin", 0) for sorts in told.values()) == copies
    lines = {"claude_code": claude, "codex": codex}
    assert corpus.truth.lines == {k: sum(map(len, map(records, v))) for k, v in lines.items()}


def billed_by_claude(folder: Path) -> dict[str, Counter[str]]:
    """By message id: the field-wise maximum of all its lines anywhere."""
    found: dict[str, Counter[str]] = {}
    for record in (r for path in logs(folder, ".claude") for r in records(path)):
        message = record.get("message", {})
        if record["type"] == "assistant" and message["model"] != "<synthetic>":
            name = f"{message['model']} {message['id']}"
            found[name] = found.get(name, Counter()) | classes(message["usage"])
    return found


def classes(usage: dict[str, Any]) -> Counter[str]:
    hour = usage.get("cache_creation", {}).get("ephemeral_1h_input_tokens", 0)
    values = (
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        usage["cache_creation_input_tokens"] - hour,
        hour,
        usage["output_tokens"],
    )
    return Counter(dict(zip(CLASSES, values, strict=True)))


def own_records(path: Path) -> Iterator[dict[str, Any]]:
    """A rollout's lines without those that a fork repeats from its parent."""
    lines = records(path)
    metas = [line for line in lines if line["type"] == "session_meta"]
    parents = {meta["payload"]["id"] for meta in metas[1:]}
    replay = 0
    if parents:
        parent = next(p for p in logs(path.parents[6], ".codex") if metas[1]["payload"]["id"] in p.name)
        replay = 1 + len(records(parent))
    yield from lines[replay:]


def billed_by_codex(folder: Path) -> dict[str, list[Counter[str]]]:
    """By model: what each token_count adds, repeated ones and doubled rollouts left out."""
    found: dict[str, list[Counter[str]]] = {}
    for path in {native_id(path): path for path in logs(folder, ".codex")}.values():
        model, before = "", None
        for record in own_records(path):
            payload = record["payload"]
            model = payload["model"] if record["type"] == "turn_context" else model
            info = payload.get("info") if payload.get("type") == "token_count" else None
            if info and info["total_token_usage"] != before:
                before = info["total_token_usage"]
                last = info["last_token_usage"]
                written = last.get("cache_write_input_tokens", 0)
                fresh = last["input_tokens"] - last["cached_input_tokens"] - written
                values = (fresh, last["cached_input_tokens"], written, 0, last["output_tokens"])
                found.setdefault(model, []).append(Counter(dict(zip(CLASSES, values, strict=True))))
    return found


def test_requests_and_tokens_of_the_truth_are_those_of_the_lines(corpus: Corpus) -> None:
    claude, codex = billed_by_claude(corpus.folder), billed_by_codex(corpus.folder)
    models: dict[str, Counter[str]] = {}
    for name, usage in claude.items():
        models.setdefault(name.split()[0], Counter()).update({"requests": 1} | usage)
    for model, usages in codex.items():
        for usage in usages:
            models.setdefault(model, Counter()).update({"requests": 1} | usage)
    kept = {model: Counter(sums) for model, sums in corpus.truth.models.items()}
    assert kept == models
    assert corpus.truth.requests == {
        "claude_code": len(claude),
        "codex": sum(map(len, codex.values())),
    }
    assert corpus.truth.tokens == {name: sum(m[name] for m in models.values()) for name in CLASSES}


def test_running_totals_grow_by_what_was_last_used_or_begin_again(corpus: Corpus) -> None:
    for path in logs(corpus.folder, ".codex"):
        counts = [
            r["payload"]["info"] for r in records(path) if r["payload"].get("type") == "token_count"
        ]
        before: Counter[str] = Counter()
        for info in filter(None, counts):
            total, last = Counter(info["total_token_usage"]), Counter(info["last_token_usage"])
            assert total in (before, before + last, last)
            before = total


def test_tool_calls_of_the_truth_are_distinct_calls_in_the_lines(corpus: Corpus) -> None:
    claude = {
        block["id"]
        for path in logs(corpus.folder, ".claude")
        for record in records(path)
        if record["type"] == "assistant"
        for block in record["message"]["content"]
        if block["type"] == "tool_use"
    }
    codex = {
        record["payload"]["call_id"]
        for path in logs(corpus.folder, ".codex")
        for record in records(path)
        if record["payload"].get("type") in ("function_call", "custom_tool_call")
    }
    assert corpus.truth.tool_calls == {"claude_code": len(claude), "codex": len(codex)}


def typed(record: dict[str, Any]) -> bool:
    """Did a person type this line? Commands, summaries and subagents' tasks are not typed."""
    if record["type"] == "attachment":
        return bool(record["attachment"]["type"] == "queued_command")
    if record["type"] != "user" or record["isSidechain"] or record.get("isCompactSummary"):
        return False
    content = record["message"]["content"]
    return isinstance(content, str) and not content.startswith(("<command-", "<local-command-"))


def test_prompts_of_the_truth_are_what_was_typed(corpus: Corpus) -> None:
    claude = {
        record.get("forkedFrom", {}).get("messageUuid", record["uuid"])
        for path in logs(corpus.folder, ".claude")
        for record in records(path)
        if typed(record)
    }
    codex = [
        record
        for path in {native_id(path): path for path in logs(corpus.folder, ".codex")}.values()
        for record in own_records(path)
        if record["payload"].get("type") == "user_message"
    ]
    assert corpus.truth.prompts == {"claude_code": len(claude), "codex": len(codex)}


def test_every_parent_stands_before_its_child_in_the_same_log(corpus: Corpus) -> None:
    for path in logs(corpus.folder, ".claude"):
        seen: set[str | None] = {None}
        for record in filter(lambda r: "uuid" in r, records(path)):
            assert record["parentUuid"] in seen
            seen.add(record["uuid"])


def test_needles_stand_in_the_sessions_that_the_truth_names_and_nowhere_else(corpus: Corpus) -> None:
    texts: dict[str, bytes] = {}
    for path in logs(corpus.folder, ".claude") + logs(corpus.folder, ".codex"):
        texts[native_id(path)] = plain(path)
    for needle in corpus.truth.needles:
        holders = {name for name, text in texts.items() if needle.word.encode() in text}
        assert holders == {needle.session, *needle.also, *needle.copies}, needle


def test_needles_are_many_of_many_kinds_and_some_are_copied(corpus: Corpus) -> None:
    needles = corpus.truth.needles
    assert len({needle.word for needle in needles}) == len(needles) >= 40
    kinds = Counter((needle.source, needle.kind) for needle in needles)
    assert len(kinds) >= 36
    copied = {needle.source for needle in needles if needle.copies}
    assert copied == {"claude_code", "codex"}


def test_a_needle_after_a_newline_follows_its_escape_in_the_line(corpus: Corpus) -> None:
    """The word must not be taken for `n` and the word by who reads the line without decoding it."""
    found = Counter[str]()
    for needle in corpus.truth.needles:
        if needle.kind.endswith("after_newline"):
            paths = [p for p in corpus.folder.rglob("*.jsonl*") if needle.session in p.name]
            assert any(b"\\n" + needle.word.encode() in plain(path) for path in paths)
            found[needle.source] += 1
    assert set(found) == {"claude_code", "codex"}


def test_all_copies_and_oddities_are_in_a_small_corpus(corpus: Corpus) -> None:
    lines = b"".join(plain(path) for path in logs(corpus.folder, ".*"))
    marks = {
        *("forkedFrom", "forked_from_id", "structuredPatch", "originalFile", "isCompactSummary"),
        *("queued_command", "isApiErrorMessage", "compact_boundary", "<command-name>", "hook_progress"),
        *('"info":null', "replacement_history", "*** Begin Patch", '"agentId":"'),
    }
    assert {mark for mark in marks if mark.encode() not in lines} == set()
    sorts = set(corpus.truth.sessions["claude_code"])
    assert sorts == {"all", "main", "subagent", "resumed", "forked", "twin"}


def test_so_many_small_logs_can_be_asked_for(tmp_path: Path) -> None:
    truth = generate(tmp_path, 0, seed=4, sessions=200)
    assert len(logs(tmp_path, ".claude") + logs(tmp_path, ".codex")) == 200
    assert sum(truth.bytes.values()) / 200 < 30_000
