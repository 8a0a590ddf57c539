"""Aider: sums against a plain count, and what tells a prompt from an answer's heading."""

import re
from decimal import Decimal
from pathlib import Path

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally, ToolCall
from siphon.sources import sources

HISTORY = ".aider.chat.history.md"


def _read(home: Path, path: str) -> list[Record]:
    return goldens.parsed(sources()["aider"], home, "server", path)


def _count(text: str) -> Decimal:
    return Decimal(text.rstrip("k").replace(",", "")) * (1000 if text.endswith("k") else 1)


def test_tokens_and_cost_of_the_real_history_equal_a_plain_count(shared: Path) -> None:
    home = shared / "homes" / "server"
    requests = [r for r in _read(home, f"project/{HISTORY}") if isinstance(r, Request)]
    text = (home / "project" / HISTORY).read_text()
    lines = re.findall(r"^> Tokens: [^\n]*received[^\n]*(?:\nCost: [^\n]*)?", text, re.MULTILINE)
    sent = read = written = received = cost = Decimal(0)
    for line in lines:
        found = {what: _count(n) for n, what in re.findall(r"(\d[\d.,]*k?) (sent|cache|received)", line)}
        writes = re.search(r"([\d.,]+k?) cache write", line)
        reads = re.search(r"([\d.,]+k?) (?:cache hit|cached)", line)
        hits, fresh = (_count(m[1]) if m else Decimal(0) for m in (reads, writes))
        held = hits + fresh
        sent += found["sent"] - (held if found["sent"] >= held else 0)
        read, written, received = read + hits, written + fresh, received + found["received"]
        if dollars := re.search(r"\$([\d.]+) (?:request|message)", line):
            cost += Decimal(dollars[1])
    assert len(requests) == len(lines) == 839
    assert sum(r.input_tokens or 0 for r in requests) == sent
    assert sum(r.cache_read_tokens or 0 for r in requests) == read
    assert sum(r.cache_write_tokens or 0 for r in requests) == written
    assert sum(r.output_tokens or 0 for r in requests) == received
    assert sum(r.reported_nanousd or 0 for r in requests) == cost * 1_000_000_000


def test_runs_prompts_and_edits_of_the_real_history_equal_a_plain_count(shared: Path) -> None:
    home = shared / "homes" / "server"
    records = _read(home, f"project/{HISTORY}")
    text = (home / "project" / HISTORY).read_text()
    # Whatever stands above the first header is a session of unknown start.
    assert sum(isinstance(r, Session) for r in records) == 1 + len(
        re.findall(r"^# aider chat started at ", text, re.MULTILINE)
    )
    edits = re.findall(r"^> (?:Applied edit to|Creating empty file) .*$", text, re.MULTILINE)
    assert sum(isinstance(r, ToolCall) and r.name != "run" for r in records) == len(edits)
    said = [r for r in records if isinstance(r, Message) and r.role == "user"]
    blocks = re.findall(r"(?:^####(?: .*)?  \n)+", text, re.MULTILINE)
    passed_on = sum(r.n for r in records if isinstance(r, Tally) and r.fate == "skipped")
    assert len(said) + passed_on == len(blocks)


def test_no_record_type_of_the_real_history_and_the_sample_is_unknown(shared: Path) -> None:
    records = _read(shared / "homes" / "server", f"project/{HISTORY}")
    records += _read(shared / "samples", f"aider/cass/{HISTORY}")
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []


def test_only_four_folders_below_the_home_are_looked_into() -> None:
    case = next(c for c in goldens.cases() if (c.source.name, c.name) == ("aider", "odd-bytes"))
    found = goldens.logs(case.source, case.hosts[0])
    assert (case.hosts[0] / f"a/b/c/d/e/{HISTORY}").exists()
    assert max(path.count("/") for path in found) == 4


def test_a_loose_history_is_recognised_by_its_header(shared: Path) -> None:
    recognise = sources()["aider"].recognise
    assert recognise is not None
    home = Folder(shared / "homes" / "server")
    assert recognise(Log(home, "loose", f"project/{HISTORY}")) == f"project/{HISTORY}"
    other = next(iter(home.files(".pi")))
    assert recognise(Log(home, "loose", other)) is None
