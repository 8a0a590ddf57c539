"""Whose log a loose file is: each sample and each hand-written log is known for what it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import goldens
from goldens import Case
from road import copied, road
from siphon.folder import Folder
from siphon.loose import file_loose
from siphon.recognise import places

UNKNOWN = "no tool is known that writes such a log; `siphon sources` lists those that are"
NOT_OURS = {
    "amp/cass/thread-001.json": "no thread's id: a reader's invention",
    "antigravity/small.md": "Markdown like any other; only its path could tell",
    "antigravity/cli-current/gen-metadata.json": "a reader's note on a store's row",
    "codex/schema_drift.jsonl": "names neither its session nor the time it began",
    "droid/stream_json_large.jsonl": "what `droid exec` prints, which no log keeps",
    "droid/stream_json_schema_drift.jsonl": "what `droid exec` prints, which no log keeps",
    "droid/stream_json_small.jsonl": "what `droid exec` prints, which no log keeps",
    "gemini/schema_drift.json": "no session's id: a reader's invention",
    "grok/chat_history.jsonl": "a tool that is not read",
    "grok/subagent/chat_history.jsonl": "a tool that is not read",
    "grok/subagent/summary.json": "a tool that is not read",
    "grok/summary.json": "a tool that is not read",
    "hermes/large.json": "a tool that is not read",
    "hermes/schema_drift.json": "a tool that is not read",
    "hermes/small.json": "a tool that is not read",
    "kimi/assistant_tools.state.json": "a companion away from its log, under another name",
    "kimi/state.json": "a companion away from its log",
}
SOURCES = {"claude": "claude_code", "copilot": "copilot_cli", "droid": "factory_droid"} | {
    "gemini": "gemini_cli",
    "qwen": "qwen_code",
}


def test_every_sample_is_known_as_its_tool_s(shared: Path, tmp_path: Path) -> None:
    filed = file_loose(road(tmp_path, {}).archive, [shared / "samples"], "samples")
    names = {one.file.removeprefix(f"{shared}/samples/"): one for one in filed}
    assert {name: one.left_out for name, one in names.items() if one.source is None} == dict.fromkeys(
        NOT_OURS, UNKNOWN
    )
    wrong = {
        name: one.source
        for name, one in names.items()
        if one.source is not None and one.source != SOURCES.get(name.split("/")[0], name.split("/")[0])
    }
    assert wrong == {}
    assert len({one.path for one in filed if one.path}) == len(names) - len(NOT_OURS)


def _flat(case: Case) -> Iterator[tuple[Path, str]]:
    """Each log of a case with no more of its path than its folder's name."""
    for home in case.hosts:
        for path in goldens.logs(case.source, home):
            yield home / path, "/".join(path.split("/")[-2:])


# Which of two names for one format a file bears, only its path can tell.
SAME = {
    "kilo_code": "roo_code", "oh_my_pi": "pi", "openclaude": "claude_code", "traex": "codex",
    "kilo_cli": "opencode", "roo_code": "cline",
}  # fmt: skip


@pytest.mark.parametrize("source", sorted({case.source.name for case in goldens.cases()}))
def test_no_other_tool_claims_a_log_by_its_content(source: str, tmp_path: Path) -> None:
    wrong, known = [], 0
    for case in goldens.cases():
        for number, (file, name) in enumerate(_flat(case) if case.source.name == source else ()):
            folder = tmp_path / f"{case.name}{number}"
            copied(folder / Path(name).parent, file.parent, [file.name])
            (told,) = places(Folder(folder), [name]).values()
            if told and [one.source for one in told] not in ([source], [SAME.get(source)]):
                wrong.append((file, told))
            known += bool(told)
    assert wrong == []
    assert known
