"""bench load: what a load costs, beside a bare decode of the same bytes in the same run."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from benchmarks.measure import Cost, siphon
from siphon.search import Query, search


def bench(corpus: Path, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield (what, figure) as they are measured. `corpus` holds homes by host and truth.json."""
    config = configured(corpus, folder)
    siphon("collect", config=config)
    size, decoding = bare_decode(corpus)
    yield "corpus", f"{size / 1e6:.0f} MB of JSONL in {len(list(_logs(corpus)))} logs"
    yield "bare decode (msgspec, untyped)", f"{decoding:.2f} CPU-s"
    cold = siphon("load", "--json", config=config)
    database = folder / "siphon.db"
    yield (
        "cold load",
        (
            f"{cold.cpu:.2f} CPU-s = {cold.cpu / decoding:.1f} x the decode; {cold.wall:.1f} s;"
            f" largest process {cold.memory / 1e6:.0f} MB"
        ),
    )
    yield "database", f"{database.stat().st_size / size:.2f} x the input"
    again = siphon("load", "--json", config=config)
    yield "nothing changed", f"{again.cpu:.2f} CPU-s"
    yield from _appended(corpus, config)
    yield "needles found", _needles(corpus, database)
    yield "totals", _totals(corpus, database)


def configured(corpus: Path, folder: Path) -> Path:
    hosts = sorted(path for path in corpus.iterdir() if path.is_dir())
    lines = [f"archive: {folder / 'archive'}", f"database: {folder / 'siphon.db'}", "hosts:"]
    lines += [f"  {host.name}: {{home: {host}}}" for host in hosts]
    config = folder / "siphon.yml"
    config.write_text("\n".join(lines) + "\n")
    return config


def _logs(corpus: Path) -> Iterator[Path]:
    for path in corpus.rglob("*"):
        if path.name.endswith((".jsonl", ".jsonl.zst")):
            yield path


def bare_decode(corpus: Path) -> tuple[int, float]:
    """(bytes, CPU seconds) of decoding every line of every log, and nothing else."""
    decode = msgspec.json.Decoder().decode
    size, spent = 0, 0.0
    for path in _logs(corpus):
        data = path.read_bytes()
        if path.suffix == ".zst":
            data = zstandard.ZstdDecompressor().stream_reader(data).read()
        size += len(data)
        start = time.process_time()
        for line in data.split(b"\n"):
            if line:
                try:
                    decode(line)
                except msgspec.DecodeError:
                    continue
        spent += time.process_time() - start
    return size, spent


def _appended(corpus: Path, config: Path) -> Iterator[tuple[str, str]]:
    """A prompt more in ten Claude Code logs, then taken away again."""
    grown = sorted(path for path in corpus.glob("*/.claude/projects/*/*.jsonl"))[:10]
    sizes = [path.stat().st_size for path in grown]
    for path in grown:
        prompt = {
            "type": "user",
            "uuid": f"{path.stem}-more",
            "sessionId": path.stem,
            "timestamp": "2026-09-01T12:00:00.000Z",
            "message": {"role": "user", "content": "one more line"},
        }
        with path.open("ab") as file:
            file.write(msgspec.json.encode(prompt) + b"\n")
    try:
        siphon("collect", config=config)
        cost = siphon("load", "--json", config=config)
    finally:
        for path, size in zip(grown, sizes, strict=True):
            with path.open("r+b") as file:
                file.truncate(size)
    done: dict[str, Any] = json.loads(cost.output)
    yield "one line appended to 10 logs", f"{cost.cpu:.2f} CPU-s, {done['rows']} rows written"


def _needles(corpus: Path, database: Path) -> str:
    needles = json.loads((corpus / "truth.json").read_text())["needles"]
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        found = sum(search(connection, Query(needle["word"])).total > 0 for needle in needles)
    return f"{found} of {len(needles)}"


def _totals(corpus: Path, database: Path) -> str:
    truth = json.loads((corpus / "truth.json").read_text())
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        row = connection.execute(
            "select count(*), sum(input_tokens), sum(cache_read_tokens), sum(cache_write_tokens),"
            " sum(cache_write_1h_tokens), sum(output_tokens) from billed_requests"
        ).fetchone()
    names = ("input", "cache_read", "cache_write", "cache_write_1h", "output")
    wanted = (sum(truth["requests"].values()), *(truth["tokens"][name] for name in names))
    return "as the generator says" if row == wanted else f"WRONG: {row}, the generator says {wanted}"


def cost_line(cost: Cost) -> str:
    return f"{cost.cpu:.2f} CPU-s, {cost.wall:.1f} s"
