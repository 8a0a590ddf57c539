"""Claude Code: what goldens cannot say — laws over real logs, orders, sizes and damage."""

import json
import tracemalloc
from collections import Counter
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import goldens
from siphon.folder import Folder
from siphon.log import Log
from siphon.records import (
    FileTouch,
    Message,
    Problem,
    Record,
    Relation,
    Request,
    Session,
    ToolCall,
)
from siphon.sources import sources
from siphon.sources.claude_code import reading, spills
from siphon.sources.claude_code.prompts import Piece, pieces
from siphon.sources.claude_code.skips import READ, SKIPS
from siphon.sources.claude_code.spots import times_of
from siphon.times import millis

CLAUDE = sources()["claude_code"]
HOSTS = ("laptop", "server", "workstation")
SID = "00000000-0000-4000-8000-0000000000aa"
LOG = f".claude/projects/-home-ada-app/{SID}.jsonl"


def parse(home: Path, path: str) -> list[Record]:
    return goldens.parsed(CLAUDE, home, "host", path)


def user(uuid: str, content: object, **more: object) -> dict[str, Any]:
    return _line(uuid, "user", {"role": "user", "content": content}, **more)


def reply(uuid: str, blocks: list[dict[str, Any]], output: int, **more: object) -> dict[str, Any]:
    usage = {"input_tokens": 10, "output_tokens": output}
    body = {"id": "msg_1", "model": "claude-sonnet-4-5", "content": blocks, "usage": usage}
    return _line(uuid, "assistant", body, **more)


def _line(uuid: str, kind: str, message: dict[str, Any], **more: object) -> dict[str, Any]:
    line = {"type": kind, "uuid": uuid, "sessionId": SID, "timestamp": "2026-03-01T10:00:00Z"}
    return {**line, "message": message, **more}


def read(tmp_path: Path, lines: list[dict[str, Any]], path: str = LOG) -> list[Record]:
    """The records of a transcript of these lines."""
    file = tmp_path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return parse(tmp_path, path)


def of(kind: type, found: list[Record]) -> list[Any]:
    return [record for record in found if isinstance(record, kind)]


# Orders, growth, damage


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_response_uses_the_same_in_whatever_order_its_lines_stand(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    lines = [
        reply("a1", [{"type": "thinking", "thinking": "Hm."}], 3),
        reply("a2", [{"type": "text", "text": "I see."}], 3),
        reply("a3", [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}], 159),
    ]
    found = of(Request, read(tmp_path, [lines[place] for place in order]))
    assert [(r.native_id, r.input_tokens, r.output_tokens) for r in found] == [("msg_1", 10, 159)]


def test_a_result_finds_its_call_in_whichever_order_they_stand(tmp_path: Path) -> None:
    call = reply(
        "a1", [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"command": "x"}}], 9
    )
    result = user("u1", [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}])
    for lines in ([call, result], [result, call]):
        found = read(tmp_path, lines)
        rows = [(c.summary, c.output, c.status) for c in of(ToolCall, found)]
        assert rows == [("x", "done", "ok")]
        assert not [m for m in of(Message, found) if m.kind == "tool_result"]


_STAMPS = st.one_of(
    st.none(),
    st.datetimes(timezones=st.none() | st.timezones()).map(lambda moment: moment.isoformat()),
    st.datetimes().map(lambda moment: f" {moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"),
    st.sampled_from(["2026-03-01T10:00:00.123Z", "", "soon", "1772359200", 0, -1, 1772359200.5, 1e300]),
)


@given(st.lists(_STAMPS, max_size=6))
def test_a_lines_time_is_the_same_whatever_lines_stand_beside_it(stamps: list[Any]) -> None:
    since, until = 1_577_836_800_000, 4_102_444_800_000  # 2020 and 2100
    alone = [millis(stamp) for stamp in stamps]
    true = [ts if ts is not None and since <= ts < until else None for ts in alone]
    assert times_of(stamps) == (true, [ts for ts in true if ts is not None])


def test_small_and_large_logs_are_read_alike(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One by one reading, the other by two: the records are the same, and so are the problems."""
    homes = [home for case in CASES for home in case.hosts] + [shared / "homes" / host for host in HOSTS]
    logs = [(home, path) for home in homes for path in goldens.logs(CLAUDE, home)]
    small = [Counter(parse(home, path)) for home, path in logs]
    monkeypatch.setattr(reading, "HELD", 0)
    assert [Counter(parse(home, path)) for home, path in logs] == small


CASES = [case for case in goldens.cases() if case.source.name == "claude_code"]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_log_cut_anywhere_gives_numbers_that_its_whole_keeps(
    case: goldens.Case, tmp_path: Path
) -> None:
    """At every line's end and in the middle of every line."""
    for home in case.hosts:
        for path in goldens.logs(CLAUDE, home):
            whole = (home / path).read_bytes()
            numbers = _numbers(parse(home, path))
            for end in _ends(whole):
                (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / path).write_bytes(whole[:end])
                assert _numbers(parse(tmp_path, path)) <= numbers


def _numbers(found: list[Record]) -> set[tuple[str, int, str]]:
    """Rows that name themselves. An unfinished log may yet hold the result's call, the same in full."""
    return {
        (r.session, r.seq, r.native_id)
        for r in found
        if isinstance(r, Message | ToolCall) and r.native_id and getattr(r, "kind", "") != "tool_result"
    }


def _ends(whole: bytes) -> list[int]:
    ends, at = [], 0
    for line in whole.splitlines(keepends=True):
        ends += [at + len(line) // 2, at + len(line)]
        at += len(line)
    return ends


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=9))
def test_parents_in_circles_or_in_no_log_stop_nothing(tmp_path_factory: Any, links: list[Any]) -> None:
    lines = [
        user(f"u{n}", "text", parentUuid=f"u{parent}")
        if prompt
        else reply(f"u{n}", [], 1, parentUuid=f"u{parent}")
        for n, (parent, prompt) in enumerate(links)
    ]
    found = of(Message, read(tmp_path_factory.mktemp("home"), lines))
    prompts = sum(prompt for _, prompt in links)
    assert len(found) == prompts
    assert not found or not all(message.abandoned for message in found)


def test_memory_does_not_grow_with_a_large_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held is the line at hand, the open calls and a few numbers a response."""
    monkeypatch.setattr(reading, "HELD", 0)

    def peak(turns: int) -> int:
        file = tmp_path / LOG
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("w") as out:
            for n in range(turns):
                use = {
                    "type": "tool_use",
                    "id": f"toolu_{n}",
                    "name": "Bash",
                    "input": {"command": "cat"},
                }
                result = {"type": "tool_result", "tool_use_id": f"toolu_{n}", "content": f"{n:040000}"}
                for line in (reply(f"a{n}", [use], 9), user(f"r{n}", [result])):
                    out.write(json.dumps(line) + "\n")
        tracemalloc.start()
        for _ in CLAUDE.parse(Log(Folder(tmp_path), "host", LOG)):
            pass
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    few, many = peak(20), peak(400)
    assert many < few + 1_000_000, f"{few} bytes for 20 turns, {many} for 400"


# Details


@given(st.text())
def test_a_text_without_envelope_is_one_prompt_as_typed(text: str) -> None:
    if text.strip() and not text.lstrip("\ufeff").lstrip().startswith(
        ("<", "[", "Caveat", "This", "Stop")
    ):
        assert pieces(text) == [Piece("prompt", "user", text.lstrip("\ufeff"))]


@given(
    st.lists(st.sampled_from(["<system-reminder>", "</system-reminder>", "<ide_selection>", "hi", "\n"]))
)
def test_any_mixture_of_tags_ends_and_leaves_no_empty_piece(parts: list[str]) -> None:
    assert all(piece.text.strip() for piece in pieces("".join(parts)))


def test_read_and_skipped_types_are_apart_and_every_skip_has_its_reason() -> None:
    assert READ.isdisjoint(SKIPS)
    assert all(len(reason) > 10 for reason in SKIPS.values())
    assert CLAUDE.skips == SKIPS


def test_only_a_main_session_can_be_reopened() -> None:
    assert CLAUDE.resume is not None
    assert CLAUDE.resume(SID) == f"claude --resume {SID}"
    assert CLAUDE.resume(f"{SID}/a1b2c3") is None


def test_journals_and_snapshots_of_workflows_are_collected_but_are_no_logs() -> None:
    home = Path(__file__).parent / "homes/claude_code/workflow/laptop"
    assert [Path(path).name for path in goldens.logs(CLAUDE, home)][1:] == ["agent-a205.jsonl"]
    beside = {path for pattern in CLAUDE.beside for path in Folder(home).glob(pattern)}
    assert {Path(path).name for path in beside} == {"journal.jsonl", "agent-a205.meta.json", "wf_1.json"}


def test_an_agents_log_depends_on_its_trunk_only_where_no_meta_tells_its_call(tmp_path: Path) -> None:
    path = LOG.removesuffix(".jsonl") + "/subagents/agent-a1.jsonl"
    read(tmp_path, [user("u1", "go", isSidechain=True)], path)
    log = Log(Folder(tmp_path), "host", path)
    list(CLAUDE.parse(log))
    assert LOG in [read.path for read in log.reads]
    (tmp_path / path).with_suffix(".meta.json").write_text('{"toolUseId":"toolu_1"}')
    log = Log(Folder(tmp_path), "host", path)
    assert Relation(f"{SID}/a1", "subagent", SID, "toolu_1") in list(CLAUDE.parse(log))
    assert LOG not in [read.path for read in log.reads]


def test_a_counted_id_of_a_call_links_its_agent_all_the_same(tmp_path: Path) -> None:
    use = {"type": "tool_use", "id": "Agent:0", "name": "Agent", "input": {"prompt": "go"}}
    (call,) = of(ToolCall, read(tmp_path, [reply("a1", [use], 9)]))
    path = LOG.removesuffix(".jsonl") + "/subagents/agent-a1.jsonl"
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).with_suffix(".meta.json").write_text('{"toolUseId":"Agent:0"}')
    found = read(tmp_path, [user("u1", "go", isSidechain=True)], path)
    assert call.native_id == "a1/Agent:0"
    assert of(Relation, found) == [Relation(f"{SID}/a1", "subagent", SID, call.native_id)]


def test_a_spilled_output_of_any_size_is_read_in_part_and_counted_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spills, "_KEPT", 10)
    folder = tmp_path / LOG.removesuffix(".jsonl") / "tool-results"
    folder.mkdir(parents=True)
    (folder / "b1.txt").write_bytes(b"x" * 25)
    saved = f"/home/ada/{LOG.removesuffix('.jsonl')}/tool-results/b1.txt"
    text = f"<persisted-output>\nFull output saved to: {saved}\n"
    call = reply("a1", [{"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {}}], 9)
    result = user("u1", [{"type": "tool_result", "tool_use_id": "toolu_1", "content": text}])
    (found,) = of(ToolCall, read(tmp_path, [call, result]))
    assert found.output == "xxxxxxxxxx\n[… 15 more bytes in b1.txt …]"
    assert found.output_bytes == 25


def test_a_broken_character_in_a_tools_input_costs_neither_input_nor_path(tmp_path: Path) -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"file_path": "/a\ud83d.py"}}
    result = user("u1", [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}])
    found = read(tmp_path, [reply("a1", [use], 9), result])
    assert [touch.path for touch in of(FileTouch, found)] == ["/a\ufffd.py"]
    assert [json.loads(call.input) for call in of(ToolCall, found)] == [{"file_path": "/a\ufffd.py"}]
    assert len(of(Problem, found)) == 1


def test_a_log_of_metadata_alone_is_no_session(tmp_path: Path) -> None:
    found = read(tmp_path, [{"type": "summary", "summary": "Elsewhere", "leafUuid": "x"}])
    assert of(Session, found) == []


def test_a_line_of_a_hundred_megabytes_is_read(tmp_path: Path) -> None:
    file = tmp_path / LOG
    file.parent.mkdir(parents=True)
    with file.open("w") as out:
        out.write(json.dumps(user("u1", "x" * 100_000_000)) + "\n")
        out.write(json.dumps(user("u2", "after it")) + "\n")
    found = parse(tmp_path, LOG)
    assert [len(message.text) for message in of(Message, found)] == [100_000_000, 8]
