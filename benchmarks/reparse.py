"""What ccusage-like tools do for each question: read every Claude Code log again, each response once.

`python -m benchmarks.reparse HOMES` prints requests and tokens by day as JSON; a plain orjson pass.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

CLASSES = ("input", "cache_read", "cache_write", "cache_write_1h", "output")


def daily(homes: Path) -> dict[str, dict[str, int]]:
    """Day (UTC) → requests and tokens: the largest of each class that a response was seen with."""
    usage: dict[str, list[int]] = {}
    first: dict[str, str] = {}
    for log in sorted(homes.glob("*/.claude/projects/**/*.jsonl")):
        for key, stamp, tokens in _sightings(log):
            known = usage.setdefault(key, tokens)
            usage[key] = list(map(max, known, tokens))
            first[key] = min(stamp, first.get(key, stamp))
    days: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(("requests", *CLASSES), 0))
    for key, tokens in usage.items():
        day = days[first[key][:10]]
        day["requests"] += 1
        for name, count in zip(CLASSES, tokens, strict=True):
            day[name] += count
    return dict(sorted(days.items()))


def _sightings(log: Path) -> Iterator[tuple[str, str, list[int]]]:
    with log.open("rb") as lines:
        for line in lines:
            try:
                record: dict[str, Any] = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            message = record.get("message")
            if (
                record.get("type") != "assistant"
                or not isinstance(message, dict)
                or "usage" not in message
            ):
                continue
            if message.get("model") == "<synthetic>":
                continue
            yield message["id"], record["timestamp"], _tokens(message["usage"])


def _tokens(usage: dict[str, Any]) -> list[int]:
    writes = usage.get("cache_creation") or {}
    long = writes.get("ephemeral_1h_input_tokens") or 0
    return [
        usage.get("input_tokens") or 0,
        usage.get("cache_read_input_tokens") or 0,
        (usage.get("cache_creation_input_tokens") or 0) - long,
        long,
        usage.get("output_tokens") or 0,
    ]


if __name__ == "__main__":
    print(json.dumps(daily(Path(sys.argv[1]))))
