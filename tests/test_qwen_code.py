"""Qwen Code's sample transcripts, counted again by hand."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally
from siphon.sources import gemini_cli
from siphon.sources.qwen_code import SOURCES, recognise, resume

SOURCE = SOURCES[0]


def samples(shared: Path) -> dict[str, list[Record]]:
    folder = Folder(shared / "samples")
    logs = [Log(folder, "loose", path) for path in folder.files() if path.startswith("qwen/")]
    assert len(logs) == 6
    return {log.path: list(SOURCE.parse(log)) for log in logs}


def lines(shared: Path, path: str) -> list[dict[str, Any]]:
    """Each object, also where two are glued on one line."""
    text, found = (shared / "samples" / path).read_text(), []
    while text.strip():
        value, end = json.JSONDecoder().raw_decode(text.strip())
        found.append(value)
        text = text.strip()[end:]
    return found


def test_tokens_equal_an_independent_count(shared: Path) -> None:
    """cachedContent is inside prompt, thoughts beside candidates; one request a uuid."""
    for path, records in samples(shared).items():
        counted: Counter[str] = Counter()
        usages = {
            e["uuid"]: e.get("usageMetadata") for e in lines(shared, path) if e["type"] == "assistant"
        }
        for usage in filter(None, usages.values()):
            cached = usage.get("cachedContentTokenCount", 0)
            counted["input"] += usage["promptTokenCount"] - cached
            counted["read"] += cached
            counted["output"] += usage["candidatesTokenCount"] + usage.get("thoughtsTokenCount", 0)
        requests = [r for r in records if isinstance(r, Request)]
        sums = Counter(
            input=sum(r.input_tokens or 0 for r in requests),
            read=sum(r.cache_read_tokens or 0 for r in requests),
            output=sum(r.output_tokens or 0 for r in requests),
        )
        assert +sums == +counted, path
        assert {r.native_id for r in requests} == set(usages), path


def test_prompts_are_what_was_typed_before_hooks_added_to_it(shared: Path) -> None:
    typed = {
        r.text
        for rs in samples(shared).values()
        for r in rs
        if isinstance(r, Message) and r.kind == "prompt"
    }
    assert typed == {
        "Inspect the synthetic fixture.",
        "This record deliberately carries the wrong session ID.",
        "Begin the active-chain fixture.",
        "Continue from the rewound branch.",
        'Inspect {"glued": "objects"} safely.',
        "Inspect a compact-ID synthetic fixture.",
    }


def test_a_rewound_branch_is_abandoned_and_does_not_name_the_session(shared: Path) -> None:
    records = samples(shared)["qwen/019f0000-0000-7000-8000-000000000004.jsonl"]
    gone = [r.text for r in records if isinstance(r, Message) and r.abandoned]
    assert gone == ["Discarded branch answer."]
    assert [r.title for r in records if isinstance(r, Session)] == ["Active branch title"]


def test_no_type_is_unknown(shared: Path) -> None:
    unknown = [
        r for rs in samples(shared).values() for r in rs if isinstance(r, Tally) and r.fate == "unknown"
    ]
    assert unknown == []


def test_samples_are_recognised_by_content(shared: Path) -> None:
    folder = Folder(shared / "samples")
    places = {path: recognise(Log(folder, "loose", path)) for path in folder.files()}
    assert sorted(path for path, place in places.items() if place) == sorted(samples(shared))
    chats = ".qwen/projects/-tmp-as-qwen-fixture-project/chats"
    own = "019f0000-0000-7000-8000-000000000001"
    assert places[f"qwen/{own}.jsonl"] == f"{chats}/{own}.jsonl"


def test_an_old_document_is_told_from_gemini_clis_by_its_models() -> None:
    home = Path(__file__).parent / "homes" / "qwen_code" / "old_format" / "box"
    (path,) = [path for path in Folder(home).files() if path.endswith("77777777.json")]
    log = Log(Folder(home), "loose", path)
    assert recognise(log) == path
    assert gemini_cli.recognise(log) is None


def test_a_subagent_cannot_be_resumed() -> None:
    assert resume("abc") == "qwen --resume abc"
    assert resume("abc/explore-1") is None
