"""Antigravity: tokens against an independent reading of the wire, one session of many files."""

import json
import subprocess
import sys
from pathlib import Path

import antigravity_stores
import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Message, Record, Request, Session, Tally
from siphon.sources import sources
from siphon.sources.antigravity.generations import of_blob

SAMPLE = "antigravity/cass/brain/aaaa1111-bbbb-2222-cccc-333344445555/.system_generated/logs"


def _read(home: Path, path: str) -> list[Record]:
    return goldens.parsed(sources()["antigravity"], home, "laptop", path)


def _home(case: str) -> Path:
    found = (c for c in goldens.cases() if (c.source.name, c.name) == ("antigravity", case))
    return next(found).hosts[0]


def _plain(blob: bytes) -> dict[int, int | bytes]:
    """The last value of each field: varints and length-delimited ones."""
    found: dict[int, int | bytes] = {}
    numbers: list[int] = []
    at = 0
    while at < len(blob):
        numbers.clear()
        for _ in range(2):  # the tag; then the number or the length
            value = shift = 0
            while True:
                value |= (blob[at] & 127) << shift
                shift, at = shift + 7, at + 1
                if blob[at - 1] < 128:
                    break
            numbers.append(value)
        tag, value = numbers
        found[tag >> 3] = value
        if tag & 7 == 2:
            found[tag >> 3], at = blob[at : at + value], at + value
    return found


def test_a_real_generation_equals_a_plain_reading_of_its_bytes(shared: Path) -> None:
    file = shared / "samples" / "antigravity" / "cli-current" / "gen-metadata.json"
    (row,) = json.loads(file.read_text())["rows"]
    blob = bytes.fromhex(row["hex"])
    chat = _plain(_bytes(_plain(blob)[1]))
    usage = _plain(_bytes(chat[4]))
    found = of_blob(blob, "fallback")
    assert found is not None
    assert (found.input, found.output, found.thinking) == (usage[2], usage[3], usage[9])
    assert found.output == found.thinking + _number(usage[10])  # thinking is part of the output
    assert (found.cache_read, 5 in usage) == (0, False)  # left out where it is zero
    assert (found.id, found.model, found.steps) == ("fixture-response-1", "gemini-3.1-pro", (2, 3))


def _bytes(value: int | bytes) -> bytes:
    assert isinstance(value, bytes)
    return value


def _number(value: int | bytes) -> int:
    assert isinstance(value, int)
    return value


def test_the_stores_of_the_cases_are_what_their_script_writes(tmp_path: Path) -> None:
    """Page by page but for SQLite's own version, which it writes into the header."""
    script = Path(antigravity_stores.__file__)
    copy = tmp_path / script.name
    copy.write_text(script.read_text())
    subprocess.run([sys.executable, copy], check=True)
    made = sorted((tmp_path / "homes").rglob("*.db"))
    assert len(made) == 4
    for file in made:
        committed = antigravity_stores.HOMES.parent.parent / file.relative_to(tmp_path)
        assert committed.stat().st_size <= 50_000
        assert _dump(file) == _dump(committed)


def _dump(store: Path) -> list[str]:
    with Log(Folder(store.parent), "laptop", store.name).sqlite() as db:
        return list(db.iterdump())


def test_tokens_of_a_conversation_are_those_of_its_store_each_response_once() -> None:
    home = _home("transcript")
    records = [r for path in goldens.logs(sources()["antigravity"], home) for r in _read(home, path)]
    requests = [r for r in records if isinstance(r, Request)]
    counts = [
        (r.input_tokens, r.cache_read_tokens, r.cache_write_tokens, r.output_tokens) for r in requests
    ]
    assert counts == [(1000, 0, 0, 90), (50, 900, 7, 20)]


def test_a_conversation_of_many_files_is_one_session() -> None:
    for case in ("transcript", "store", "artifacts", "malformed"):
        home = _home(case)
        records = [r for path in goldens.logs(sources()["antigravity"], home) for r in _read(home, path)]
        sessions = [r.native_id for r in records if isinstance(r, Session)]
        assert sessions and len(sessions) == len(set(sessions))


def test_a_sidecar_that_lags_behind_its_store_is_not_read() -> None:
    home = _home("store")
    (path,) = [p for p in goldens.logs(sources()["antigravity"], home) if p.endswith(".db")]
    texts = [r.text for r in _read(home, path) if isinstance(r, Message)]
    assert "what is in a.py?" in texts and "read it for me" not in texts


def test_no_record_type_of_the_samples_is_unknown(shared: Path) -> None:
    samples = shared / "samples"
    paths = [f"{SAMPLE}/transcript_full.jsonl", "antigravity/cli_small.jsonl"]
    paths += ["antigravity/cli_schema_drift.jsonl"]
    paths += [
        "antigravity/cli-current/brain/fixture-current-cli/.system_generated/logs/transcript.jsonl"
    ]
    records = [r for path in paths for r in _read(samples, path)]
    assert [r for r in records if isinstance(r, Tally) and r.fate == "unknown"] == []
    assert sum(isinstance(r, Message) and r.kind == "prompt" for r in records) == 4


def test_loose_files_are_recognised_by_one_source(shared: Path) -> None:
    folder = Folder(shared / "samples")
    id = SAMPLE.split("/")[3]
    for path, place in (
        (f"{SAMPLE}/transcript.jsonl", f"brain/{id}/.system_generated/logs/transcript.jsonl"),
        (f"antigravity/cass/conversations/{id}.db", f"conversations/{id}.db"),
    ):
        log = Log(folder, "loose", path)
        claims = {
            s.name: found for s in sources().values() if s.recognise and (found := s.recognise(log))
        }
        assert claims == {"antigravity": f".gemini/antigravity-ide/{place}"}
