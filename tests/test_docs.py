"""What the documentation says is so: it is made from the sources, and its example runs."""

import re
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import goldens
import siphon.sources
from conftest import CHECKOUT
from goldens import Case
from road import road
from siphon.coverage import types
from siphon.db import connect
from siphon.docs import page
from siphon.sources import sources
from test_sources import hangs_together

DOCS = CHECKOUT / "docs"


def test_the_page_of_sources_is_what_the_sources_say() -> None:
    assert (DOCS / "sources.md").read_text() == page(), "python -m siphon.docs > docs/sources.md"


def test_every_source_says_what_its_tool_does_not_say_and_its_evidence_s_date() -> None:
    assert [one.name for one in sources().values() if not one.gaps] == []
    assert [
        one.name for one in sources().values() if not re.search(r"\d{4}-\d\d-\d\d$", one.evidence)
    ] == []


def _blocks() -> list[tuple[str, str]]:
    """The page's code blocks, each with its language."""
    return re.findall(
        r"^```(\w+)\n(.*?)^```$", (DOCS / "add-a-tool.md").read_text(), re.DOTALL | re.MULTILINE
    )


@pytest.fixture
def robin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Case]:
    """The page's example as it says: one more file beside the sources, one more case."""
    (_, log), (_, code), (_, expected) = _blocks()
    folder = tmp_path / "sources"
    file = tmp_path / "homes/robin/example/laptop/.robin/chats/c1.jsonl"
    for path, content in {
        folder / "robin.py": code, file: log, file.parents[3] / "expected.jsonl": expected
    }.items():  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(siphon.sources, "__path__", [*siphon.sources.__path__, str(folder)])
    sources.cache_clear()
    yield Case(sources()["robin"], "example", file.parents[3])
    sources.cache_clear()
    del sys.modules["siphon.sources.robin"]


def test_the_example_of_a_tool_reads_as_the_page_says(robin: Case) -> None:
    assert goldens.text(robin) == (robin.folder / "expected.jsonl").read_text()


def test_one_more_file_is_all_that_a_tool_needs(robin: Case, tmp_path: Path) -> None:
    fleet = road(tmp_path / "fleet", {home.name: home for home in robin.hosts})
    fleet.go()
    with closing(connect(fleet.database)) as connection:
        told = connection.execute(
            "select uid, cwd, requests, input_tokens, cache_read_tokens, output_tokens from sessions"
        ).fetchall()
        fates = [(kind.type, kind.fate, kind.reason) for kind in types(connection)]
    assert told == [("laptop/robin/c1", "/home/ada/app", 1, 100, 800, 12)]
    assert fates == [
        ("perch", "unknown", None),
        ("mood", "skipped", "the mascot's face"),
        ("answer", "read", None),
        ("begin", "read", None),
        ("prompt", "read", None),
    ]


def test_the_example_keeps_the_laws_of_all_sources(robin: Case) -> None:
    (home,) = robin.hosts
    (path,) = goldens.logs(robin.source, home)
    lines = (home / path).read_bytes().splitlines(keepends=True)
    for damaged in ([*lines, *lines], lines[1:], lines[::-1], [b"[]\n", b'{"type": {}}\n'], []):
        (home / path).write_bytes(b"".join(damaged))
        hangs_together(goldens.parsed(robin.source, home, home.name, path))
