"""Zed's threads: usage by its page's rule, loose files."""

import shutil
from pathlib import Path

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import Request
from siphon.sources import sources

ZED = sources()["zed"]
CASE = goldens.HOMES / "zed/threads/laptop"
STORE = ".local/share/zed/threads/threads.db"


def test_a_threads_usage_is_its_total_or_else_of_its_prompts_never_both() -> None:
    found = [
        (r.session[-1], r.input_tokens, r.output_tokens, r.aggregate, r.incomplete)
        for r in goldens.parsed(ZED, CASE, "laptop", STORE)
        if isinstance(r, Request)
    ]
    expected = [("1", 12, 300, False, True), ("2", 500, 40, True, False), ("3", 7, 8, True, False)]
    assert found == expected


def test_loose_stores_and_text_threads_are_recognised(tmp_path: Path) -> None:
    text = "Library/Application Support/Zed/conversations/Tides - 1.zed.json"
    shutil.copy(CASE / STORE, tmp_path / "copy.db")
    shutil.copy(goldens.HOMES / "zed/text/mac" / text, tmp_path / "chat.json")
    assert ZED.recognise is not None
    assert ZED.recognise(Log(Folder(tmp_path), "loose", "copy.db")) == STORE
    place = ZED.recognise(Log(Folder(tmp_path), "loose", "chat.json"))
    assert place == ".local/share/zed/conversations/chat.zed.json"


def test_the_shared_logs_hold_no_thread_of_zed(shared: Path) -> None:
    """Should one be added, this fails, and its sums are to be checked here."""
    for home in sorted((shared / "homes").iterdir()):
        if home.is_dir():
            assert goldens.logs(ZED, home) == []
