"""Pi, oh-my-pi and OpenClaw: sums against an independent count, files found elsewhere."""

import json
from pathlib import Path

import pytest

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Record, Request, Session, Tally
from siphon.sources import sources

CLASSES = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "output_tokens")


def _read(name: str, home: Path, path: str) -> list[Record]:
    return goldens.parsed(sources()[name], home, "server", path)


def test_tokens_and_cost_of_the_real_logs_equal_a_plain_count(shared: Path) -> None:
    home = shared / "homes" / "server"
    paths = goldens.logs(sources()["pi"], home)
    assert len(paths) == 2
    for path in paths:
        requests = [record for record in _read("pi", home, path) if isinstance(record, Request)]
        found = [sum(getattr(r, name) or 0 for r in requests) for name in CLASSES]
        cost = sum(r.reported_nanousd or 0 for r in requests)
        entries = [json.loads(line) for line in (home / path).read_text().split("\n") if line]
        usages = [
            e["message"]["usage"] for e in entries if e.get("message", {}).get("role") == "assistant"
        ]
        counted = [sum(u[key] for u in usages) for key in ("input", "cacheRead", "cacheWrite", "output")]
        assert (len(requests), found) == (len(usages), counted)
        assert cost == sum(round(u["cost"]["total"] * 1e9) for u in usages)


def test_no_record_type_of_the_real_logs_and_samples_is_unknown(shared: Path) -> None:
    home = shared / "homes" / "server"
    records = [r for path in goldens.logs(sources()["pi"], home) for r in _read("pi", home, path)]
    records += _read("pi", shared / "samples", "pi/small.jsonl")
    for name in ("small", "large", "schema_drift"):
        records += _read("openclaw", shared / "samples", f"openclaw/{name}.jsonl")
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []


@pytest.mark.parametrize(
    ("path", "name", "place"),
    [
        (
            "pi/small.jsonl",
            "pi",
            ".pi/agent/sessions/--tmp-as-agent-fixture-project--/"
            "2026-05-12T01-02-27-657Z_019e19b4-eb48-746a-aa6b-8dfcfa37954b.jsonl",
        ),
        (
            "openclaw/schema_drift.jsonl",
            "openclaw",
            ".openclaw/agents/main/sessions/openclaw-stage0-drift.jsonl",
        ),
    ],
)
def test_a_loose_file_is_recognised_by_one_source(
    shared: Path, path: str, name: str, place: str
) -> None:
    family = ("pi", "oh_my_pi", "openclaw")
    log = Log(Folder(shared / "samples"), "loose", path)
    places = {each: recognise(log) for each in family if (recognise := sources()[each].recognise)}
    assert places == {**dict.fromkeys(family), name: place}


def test_a_session_that_was_migrated_keeps_its_requests_identity(tmp_path: Path) -> None:
    """Opening an old file gives its entries ids; its fork that was not opened has none."""
    case = next(c for c in goldens.cases() if (c.source.name, c.name) == ("pi", "version-1"))
    home = case.hosts[0]
    (path,) = goldens.logs(case.source, home)
    migrated = []
    for number, line in enumerate((home / path).read_text().splitlines()):
        entry = json.loads(line)
        if entry["type"] == "session":
            entry["version"] = 3
        else:
            entry |= {"id": f"{number:08x}", "parentId": f"{number - 1:08x}" if number > 1 else None}
        migrated.append(json.dumps(entry))
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text("\n".join(migrated[:-1]) + "\n")
    before, after = (
        {r.native_id for r in _read("pi", h, path) if isinstance(r, Request)} for h in (home, tmp_path)
    )
    assert before == after and len(before) == 3


def test_one_session_of_twins_is_read_once() -> None:
    case = next(c for c in goldens.cases() if (c.source.name, c.name) == ("openclaw", "twins"))
    home = case.hosts[0]
    records = [r for path in goldens.logs(case.source, home) for r in _read("openclaw", home, path)]
    assert sum(isinstance(r, Request) for r in records) == 1
    assert sum(r.n for r in records if isinstance(r, Tally) and r.type == "twin") == 2
    assert sum(isinstance(r, Session) for r in records) == 3
