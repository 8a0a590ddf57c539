"""OpenCode's real exports: what we sum equals a plain count that follows its page."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Tally, ToolCall
from siphon.sources import sources

OPENCODE = sources()["opencode"]


def parsed(home: Path) -> list[Record]:
    paths = goldens.logs(OPENCODE, home)
    return [record for path in paths for record in goldens.parsed(OPENCODE, home, "server", path)]


def counted(document: dict[str, Any]) -> Counter[str]:
    """Tokens of a document: those of its step-finish parts, else of its messages; reasoning is extra."""
    total: Counter[str] = Counter()
    for message in document["messages"]:
        if message["info"]["role"] != "assistant":
            continue
        finishes = [part for part in message["parts"] if part["type"] == "step-finish"]
        for tokens in [part["tokens"] for part in finishes] or [message["info"]["tokens"]]:
            total["input"] += tokens["input"]
            total["read"] += tokens["cache"]["read"]
            total["write"] += tokens["cache"]["write"]
            total["output"] += tokens["output"] + tokens["reasoning"]
            total["all"] += tokens.get("total", 0)
    return total


def test_token_sums_are_those_of_the_exports(shared: Path) -> None:
    files = sorted((shared / "homes/server/opencode-export").glob("*.json"))
    expected = sum((counted(json.loads(file.read_bytes())) for file in files), Counter[str]())
    requests = [r for r in parsed(shared / "homes/server") if isinstance(r, Request)]
    found = Counter(
        input=sum(r.input_tokens or 0 for r in requests),
        read=sum(r.cache_read_tokens or 0 for r in requests),
        write=sum(r.cache_write_tokens or 0 for r in requests),
        output=sum(r.output_tokens or 0 for r in requests),
    )
    assert found == Counter({k: v for k, v in expected.items() if k != "all"})
    assert found.total() == expected["all"], "the classes are disjoint: they add up to the totals"


def test_no_type_is_unknown_and_nothing_is_a_problem(shared: Path) -> None:
    home = shared / "homes/server"
    records = parsed(home)
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []
    assert sum(isinstance(r, ToolCall) for r in records) == 144
    paths = goldens.logs(OPENCODE, home)
    assert [p for path in paths for p in _problems(home, path)] == []


def _problems(home: Path, path: str) -> list[Any]:
    log = Log(Folder(home), "server", path)
    list(OPENCODE.parse(log))
    return log.problems


def test_offsets_lead_back_to_the_part(shared: Path) -> None:
    home = shared / "homes/server"
    path = "opencode-export/ses_2bef25635ffe8EzID0I1Oeymal.json"
    data = (home / path).read_bytes()
    for record in goldens.parsed(OPENCODE, home, "server", path):
        if isinstance(record, (Message, ToolCall, Request)):
            assert record.offset is not None and record.length is not None
            part = json.loads(data[record.offset : record.offset + record.length])
            assert part["id"] == record.native_id


@pytest.mark.parametrize("sample", ["cass", "storage_legacy", "storage_v2"])
def test_a_copied_tree_is_recognised_file_by_file(shared: Path, tmp_path: Path, sample: str) -> None:
    loose = shared / "samples/opencode" / sample
    recognise = OPENCODE.recognise
    assert recognise is not None
    for path in Folder(loose).files():
        place = recognise(Log(Folder(loose), "loose", path))
        assert (place is None) == (path == "migration")
        if place is not None:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_bytes((loose / path).read_bytes())
    records = parsed(tmp_path)
    assert any(isinstance(r, Message) and r.kind == "reply" for r in records)
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []
