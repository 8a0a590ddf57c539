"""Amp's threads, counted again by hand. No real ones are published: the fixtures follow the page."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources.amp import SOURCES, recognise, resume

SOURCE = SOURCES[0]
CASES = Path(__file__).parent / "homes" / "amp"


def threads(case: str) -> list[tuple[dict[str, Any], list[Record]]]:
    home = CASES / case / "box"
    found = []
    for path in Folder(home).files():
        records = list(SOURCE.parse(Log(Folder(home), "box", path)))
        found.append((json.loads((home / path).read_bytes()), records))
    return found


def counted(thread: dict[str, Any]) -> Counter[str]:
    """A message's usage, else the ledger's entry that leads to it; OpenAI's cache writes are input."""
    ledger = {e["toMessageId"]: e for e in thread.get("usageLedger", {}).get("events", ())}
    sums: Counter[str] = Counter()
    for message in thread["messages"]:
        if usage := message.get("usage"):
            openai = usage["model"].startswith("gpt-")
            written = usage["cacheCreationInputTokens"]
            sums["input"] += usage["inputTokens"] + (written if openai else 0)
            sums["write"] += 0 if openai else written
            sums["read"] += usage["cacheReadInputTokens"]
            sums["output"] += usage["outputTokens"]
        elif tokens := ledger.get(message["messageId"], {}).get("tokens"):
            sums["input"] += tokens["input"]
            sums["read"] += tokens.get("cacheReadInputTokens", 0)
            sums["output"] += tokens["output"]
    return sums


def test_tokens_equal_an_independent_count() -> None:
    for thread, records in threads("tokens") + threads("ordinary") + threads("forks"):
        requests = [r for r in records if isinstance(r, Request)]
        sums = Counter(
            input=sum(r.input_tokens or 0 for r in requests),
            write=sum(r.cache_write_tokens or 0 for r in requests),
            read=sum(r.cache_read_tokens or 0 for r in requests),
            output=sum(r.output_tokens or 0 for r in requests),
        )
        assert +sums == +counted(thread), thread["id"]


def test_the_kinds_of_input_add_up_to_the_tools_own_total() -> None:
    for thread, records in threads("tokens") + threads("ordinary"):
        totals = [m["usage"]["totalInputTokens"] for m in thread["messages"] if m.get("usage")]
        ledger = {
            e["toMessageId"] for e in thread.get("usageLedger", {}).get("events", ()) if e["tokens"]
        }
        paid = [r for r in records if isinstance(r, Request) and r.model]
        if not ledger:
            sums = [
                (r.input_tokens or 0) + (r.cache_read_tokens or 0) + (r.cache_write_tokens or 0)
                for r in paid
            ]
            assert sums == totals


def test_a_fork_copies_ids_so_that_nothing_is_counted_twice() -> None:
    found = {
        thread["id"]: {r.native_id for r in records if isinstance(r, Message | ToolCall | Request)}
        for thread, records in threads("forks")
    }
    origin, fork, *others = [found[own] for own in sorted(found)]
    assert len(origin & fork) == 3, "prompt, call, and the reply with its request"
    assert all(not (origin & other) for other in others)


def test_a_thread_in_several_files_is_read_once_from_the_newest() -> None:
    sessions = [
        r.native_id for _, records in threads("twins") for r in records if isinstance(r, Session)
    ]
    assert len(sessions) == len(set(sessions)) == 2
    prompts = {r.text for _, records in threads("twins") for r in records if isinstance(r, Message)}
    assert prompts == {"newest", "the document's id counts"}


def test_the_shared_sample_reads_though_its_id_is_not_amps(shared: Path) -> None:
    log = Log(Folder(shared / "samples"), "loose", "amp/cass/thread-001.json")
    records = list(SOURCE.parse(log))
    said = [(r.kind, r.text, r.ts) for r in records if isinstance(r, Message)]
    assert said == [("prompt", "Hello", 1700000000000), ("reply", "Hi there", 1700000005000)]
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []
    assert recognise(log) is None


def test_an_export_is_recognised_by_its_id() -> None:
    home = CASES / "ordinary" / "box"
    (path,) = Folder(home).files()
    assert recognise(Log(Folder(home), "loose", path)) == path
    assert resume("T-1") == "amp threads continue T-1"
