"""Codex: counting, mirrors, boundaries of copied lines, twins; on the cases and on real logs."""

import itertools
import json
import random
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

import goldens
from siphon.folder import Folder
from siphon.globs import compiled
from siphon.log import Log
from siphon.records import (
    FileTouch,
    Message,
    Problem,
    Record,
    Relation,
    Request,
    Session,
    Tally,
    ToolCall,
)
from siphon.sources import sources
from siphon.sources.codex import reader
from siphon.sources.codex.lines import Info, Usage
from siphon.sources.codex.outcome import Result, of_output
from siphon.sources.codex.patches import Change, absolute, envelope, of_envelope
from siphon.sources.codex.prompts import Block, blocks
from siphon.sources.codex.session import made_at
from siphon.sources.codex.tools import joined, understood
from siphon.sources.codex.usage import Totals, count

CODEX = sources()["codex"]
CASES = goldens.HOMES / "codex"


def read(home: Path, path: str) -> list[Record]:
    return goldens.parsed(CODEX, home, "box", path)


def case(name: str) -> Iterator[tuple[str, list[Record]]]:
    home = CASES / name / "box"
    for path in goldens.logs(CODEX, home):
        yield path, read(home, path)


def rollouts(shared: Path) -> list[Path]:
    found = sorted((shared / "homes").glob("*/.codex/sessions/**/rollout-*.jsonl"))
    assert len(found) > 10, "the real logs are there"
    return found


def real(log: Path) -> list[Record]:
    home = next(parent.parent for parent in log.parents if parent.name == ".codex")
    return read(home, log.relative_to(home).as_posix())


def sample(shared: Path, tmp_path: Path, name: str) -> list[Record]:
    """A sample's records, read at the place where such a log would lie."""
    target = tmp_path / ".codex/sessions/2026/08/03" / f"rollout-2026-08-03T00-00-00-{name}.jsonl"
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(shared / "samples/codex" / f"{name}.jsonl", target)
    return read(tmp_path, target.relative_to(tmp_path).as_posix())


def events(log: Path) -> Iterator[dict[str, Any]]:
    for row in log.read_bytes().split(b"\n")[:-1]:
        line = json.loads(row)
        if line["type"] == "event_msg":
            yield line["payload"]


def counted_by_hand(log: Path) -> tuple[int, Counter[str]]:
    """Requests and tokens of a log that is no fork, by the counting rule and nothing of ours."""
    requests, tokens = 0, Counter[str]()
    total: dict[str, int] = {}
    for event in events(log):
        info = event.get("info") if event["type"] == "token_count" else None
        if not info or info["total_token_usage"] == total:
            continue
        now = info["total_token_usage"]
        grown = all(now[key] >= total.get(key, 0) for key in now)
        used = {key: now[key] - total.get(key, 0) for key in now} if grown else info["last_token_usage"]
        total, requests = now, requests + 1
        tokens["input"] += used["input_tokens"] - used["cached_input_tokens"]
        tokens["cached"] += used["cached_input_tokens"]
        tokens["output"] += used["output_tokens"]
        tokens["reasoning"] += used["reasoning_output_tokens"]
    return requests, tokens


def test_tokens_of_real_logs_are_those_counted_by_hand(shared: Path) -> None:
    for log in rollouts(shared):
        requests = [record for record in real(log) if isinstance(record, Request)]
        tokens = Counter[str]()
        for request in requests:
            tokens["input"] += request.input_tokens or 0
            tokens["cached"] += request.cache_read_tokens or 0
            tokens["output"] += request.output_tokens or 0
            tokens["reasoning"] += request.reasoning_tokens or 0
        assert (len(requests), +tokens) == (counted_by_hand(log)[0], +counted_by_hand(log)[1]), log.name


def test_the_last_total_of_a_real_log_is_the_sum_of_its_requests(shared: Path) -> None:
    """None of the real logs was reset, so that the writer's own total is the check."""
    for log in rollouts(shared):
        infos = [
            event["info"] for event in events(log) if event["type"] == "token_count" and event["info"]
        ]
        requests = [record for record in real(log) if isinstance(record, Request)]
        spent = sum(
            (r.input_tokens or 0) + (r.cache_read_tokens or 0) + (r.output_tokens or 0) for r in requests
        )
        assert spent == (infos[-1]["total_token_usage"]["total_tokens"] if infos else 0), log.name


def test_every_record_of_real_logs_is_known(shared: Path, tmp_path: Path) -> None:
    logs = [real(log) for log in rollouts(shared)]
    logs += [sample(shared, tmp_path, name) for name in ("small", "large", "schema_drift")]
    for records in logs:
        strange = [r for r in records if isinstance(r, Tally) and r.fate == "unknown"]
        broken = [r for r in records if isinstance(r, Problem) and "unfinished last line" not in r.what]
        assert (strange, broken) == ([], [])


def test_each_prompt_and_reply_of_real_logs_is_told_once(shared: Path) -> None:
    for log in rollouts(shared):
        told = Counter(event["type"] for event in events(log))
        kinds = Counter(record.kind for record in real(log) if isinstance(record, Message))
        assert kinds["prompt"] == told["user_message"], log.name
        assert kinds["reply"] == told["agent_message"], log.name
        assert kinds["thinking"] == told["agent_reasoning"], log.name


def test_what_the_model_said_in_real_logs_knows_its_request(shared: Path) -> None:
    """All but what was being said when the turn or the log broke off."""
    lost = said = 0
    for log in rollouts(shared):
        records = real(log)
        known = {record.native_id for record in records if isinstance(record, Request)}
        for record in records:
            if isinstance(record, ToolCall) or (
                isinstance(record, Message) and record.role == "assistant"
            ):
                said += 1
                lost += record.request is None
                assert record.request is None or record.request in known
    assert said > 1000
    assert lost < 10


def test_offset_and_length_lead_back_to_the_raw_record(shared: Path) -> None:
    for log in rollouts(shared):
        data = log.read_bytes()
        for record in real(log):
            if isinstance(record, (Message, ToolCall, Request)):
                assert record.offset is not None
                assert record.length is not None
                line = json.loads(data[record.offset : record.offset + record.length])
                if isinstance(record, ToolCall) and record.native_id:
                    assert record.native_id in (
                        line["payload"].get("call_id"),
                        line["payload"].get("id"),
                    )


@pytest.mark.parametrize("name", sorted(folder.name for folder in CASES.iterdir()))
def test_any_field_may_hold_anything(name: str, tmp_path: Path) -> None:
    """Values of other types than any release wrote cost at most their line."""
    chance = random.Random(name)
    home = tmp_path / "home"
    shutil.copytree(next(path for path in (CASES / name).iterdir() if path.is_dir()), home)
    for path in goldens.logs(CODEX, home):
        whole = (home / path).read_bytes()
        rows = whole.splitlines() if path.endswith(".jsonl") else []
        for _ in range(40 if rows else 0):
            at = chance.randrange(len(rows))
            try:
                value = json.loads(rows[at])
            except (ValueError, RecursionError):
                continue
            _replace(value, chance)
            changed = [*rows[:at], json.dumps(value).encode(), *rows[at + 1 :], b""]
            (home / path).write_bytes(b"\n".join(changed))
            assert any(isinstance(record, (Session, Tally, Problem)) for record in read(home, path))
        (home / path).write_bytes(whole)


ODD: list[Any] = [None, True, -1, 2**70, 1.5, "", "x", [], [None], [[]], {}, {"type": []}, {"type": "x"}]


def _replace(value: Any, chance: random.Random) -> None:
    """Put something odd in the place of one value, at any depth."""
    while isinstance(value, (dict, list)) and value:
        key: Any = chance.choice(list(value) if isinstance(value, dict) else range(len(value)))
        inner = value[key]
        if not isinstance(inner, (dict, list)) or not inner or chance.random() < 0.3:
            value[key] = chance.choice(ODD)
            return
        value = inner


def test_encrypted_content_is_never_told() -> None:
    seen = 0
    for folder in sorted(CASES.iterdir()):
        for path in goldens.logs(CODEX, folder / "box"):
            seen += b"gAAAAAB" in (folder / "box" / path).read_bytes()
            assert not any("gAAAAAB" in str(record) for record in read(folder / "box", path))
    assert seen >= 3


def usage(total: tuple[int, int, int] | None, last: tuple[int, int, int] | None) -> Info:
    def of(one: tuple[int, int, int] | None) -> Usage | None:
        if one is None:
            return None
        return Usage(
            input_tokens=one[0],
            cached_input_tokens=one[1],
            output_tokens=one[2],
            total_tokens=one[0] + one[2],
        )

    return Info(of(total), of(last))


def totals(input: int, cached: int, output: int) -> Totals:
    return Totals(input=input, cached=cached, output=output, total=input + output)


@pytest.mark.parametrize(
    ("info", "running", "last", "copied", "tokens"),
    [
        (usage((9, 4, 2), (9, 4, 2)), None, None, False, totals(9, 4, 2)),
        (usage((9, 4, 2), (9, 4, 2)), totals(9, 4, 2), None, False, None),
        (usage((12, 5, 3), (3, 1, 1)), totals(9, 4, 2), None, False, totals(3, 1, 1)),
        (usage((7, 0, 1), (7, 0, 1)), totals(9, 4, 2), None, False, totals(7, 0, 1)),
        (usage((7, 0, 1), None), totals(9, 4, 2), None, False, totals(7, 0, 1)),
        (usage((90, 40, 20), (9, 4, 2)), None, None, True, totals(9, 4, 2)),
        (usage((90, 40, 20), (9, 4, 2)), None, None, False, totals(90, 40, 20)),
        (usage(None, (9, 4, 2)), None, None, False, totals(9, 4, 2)),
        (usage(None, (9, 4, 2)), totals(9, 4, 2), totals(9, 4, 2), False, None),
        (usage((0, 0, 0), (0, 0, 0)), None, None, False, None),
        (usage(None, None), totals(9, 4, 2), None, False, None),
    ],
    ids=[
        "the first total counts whole",
        "the same total again counts nothing",
        "a grown total counts its growth",
        "a fallen total counts the last usage",
        "a fallen total without last counts whole",
        "a continued session's first total counts the last usage",
        "an own first total counts whole, whatever the last",
        "without total the last usage counts",
        "the same last usage again counts nothing",
        "zero is no request",
        "nothing is no request",
    ],
)
def test_a_token_count_counts_by_the_rule(
    info: Info, running: Totals | None, last: Totals | None, copied: bool, tokens: Totals | None
) -> None:
    assert count(info, running, last, copied).tokens == tokens


def test_a_delta_over_several_requests_says_so() -> None:
    assert count(usage((90, 0, 9), (30, 0, 3)), totals(30, 0, 3), None, False).several
    assert not count(usage((60, 0, 6), (30, 0, 3)), totals(30, 0, 3), None, False).several


def own(records: list[Record], kind: type[Record]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]


def test_a_fork_counts_only_its_own_whether_its_parent_is_held_or_not() -> None:
    held, absent = dict(case("fork_held")), dict(case("fork_absent"))
    for path, records in absent.items():
        mine = [one for one in own(records, Request) if not one.nested]
        assert mine == own(held[path], Request)
        assert own(records, Relation)[-1:] == own(held[path], Relation)
    parent = next(
        records for path, records in held.items() if path not in absent and own(records, Request)
    )
    copies = [one for records in absent.values() for one in own(records, Request) if one.nested]
    assert {one.native_id for one in copies} == {one.native_id for one in own(parent, Request)}


def test_a_parent_that_arrives_later_is_looked_for_where_it_would_lie(tmp_path: Path) -> None:
    home = CASES / "fork_held" / "box"
    parent, fork, *_ = goldens.logs(CODEX, home)
    log = Log(Folder(CASES / "fork_absent" / "box"), "box", fork)
    assert any(isinstance(record, Session) and record.partial for record in CODEX.parse(log))
    looked = [read.path for read in log.reads if read.kind == "glob"]
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    assert any(parent in Folder(tmp_path).glob(pattern) for pattern in looked)


def test_a_subagent_names_the_call_that_started_it() -> None:
    records = [record for _, found in case("subagents") for record in found]
    calls = {record.native_id for record in own(records, ToolCall)}
    started = [one for one in own(records, Relation) if one.call_native_id]
    assert len(started) == 3
    assert {one.call_native_id for one in started} <= calls


@pytest.mark.parametrize("order", list(itertools.permutations((3, 5, 7))))
def test_one_of_a_sessions_files_is_read_the_longest(tmp_path: Path, order: tuple[int, ...]) -> None:
    source = next((CASES / "mirrored/box").rglob("rollout-*.jsonl"))
    lines = source.read_bytes().splitlines(keepends=True)
    folder = tmp_path / source.parent.relative_to(CASES / "mirrored/box")
    archive = tmp_path / ".codex/archived_sessions"
    files = [folder / source.name, folder / f"{source.name}.zst", archive / source.name]
    for file, length in zip(files, order, strict=True):
        file.parent.mkdir(parents=True, exist_ok=True)
        data = b"".join(lines[:length])
        file.write_bytes(zstandard.compress(data) if file.suffix == ".zst" else data)
    read_ones = {}
    for file in files:
        records = read(tmp_path, file.relative_to(tmp_path).as_posix())
        if records != [Tally("twin", "skipped", 1)]:
            read_ones[file] = records
    assert list(read_ones) == [files[order.index(7)]]


def test_a_copy_on_another_host_has_the_same_ids() -> None:
    ids = []
    for host in ("desk", "laptop"):
        home = CASES / "hosts" / host
        (path,) = goldens.logs(CODEX, home)
        records = goldens.parsed(CODEX, home, host, path)
        said = [(one.seq, one.text, one.native_id, one.request) for one in own(records, Message)]
        ids.append((said, [(one.native_id, one.seq) for one in own(records, Request)]))
    (desk, desk_requests), (laptop, laptop_requests) = ids
    assert laptop == desk[: len(laptop)]
    assert laptop_requests == desk_requests[: len(laptop_requests)]
    assert len(laptop_requests) < len(desk_requests)


@pytest.mark.parametrize("name", ["mirrored", "tokens", "early", "paginated", "patches", "tools"])
def test_what_a_grown_log_told_before_keeps_its_place(name: str, tmp_path: Path) -> None:
    """seq of a message or call is the same in every longer version of the log."""
    ((path, whole),) = case(name)
    rows = (CASES / name / "box" / path).read_bytes().splitlines(keepends=True)
    final = {one.seq: one for one in [*own(whole, Message), *own(whole, ToolCall)]}
    log = tmp_path / path
    log.parent.mkdir(parents=True)
    for end in range(len(rows)):
        log.write_bytes(b"".join(rows[:end]))
        records = read(tmp_path, path)
        for call in own(records, ToolCall):
            assert final[call.seq].offset == call.offset
        for message in own(records, Message):
            later = final.get(message.seq)
            if message.role != "assistant":
                assert later is not None
                assert (later.text, later.kind) == (message.text, message.kind)


@pytest.mark.parametrize("held", [reader.HELD, 0], ids=["held", "read twice"])
def test_a_rollback_marks_what_it_took_back_and_its_tokens_stay(
    held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "HELD", held)
    ((_, records),) = case("rolledback")
    gone = {one.text for one in own(records, Message) if one.abandoned}
    assert gone == {"second", "answer 1", "third", "answer 2", "second, better", "better"}
    assert sum(one.input_tokens for one in own(records, Request)) == 4300


@pytest.mark.parametrize("size", [10, 20_000])
def test_a_line_once_more_is_left_out_and_another_of_its_moment_and_length_is_not(
    tmp_path: Path, size: int
) -> None:
    log = tmp_path / ".codex/sessions/rollout-2026-05-04T08-00-00-x.jsonl"
    log.parent.mkdir(parents=True)
    texts = [letter * size for letter in "abcabcd"]
    lines = [
        {
            "timestamp": "2026-05-04T08:00:00.000Z",
            "type": "event_msg",
            "payload": {"type": "agent_message", "message": text},
        }
        for text in texts
    ]
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    records = read(tmp_path, str(log.relative_to(tmp_path)))
    assert [one.text for one in records if isinstance(one, Message)] == [*texts[:3], texts[-1]]
    assert Tally("duplicate", "skipped", 3) in records


def test_a_log_too_long_to_be_held_tells_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows, its problems and their order."""
    homes = sorted(home for home in CASES.glob("*/*") if home.is_dir())
    logs = [(home, path) for home in homes for path in goldens.logs(CODEX, home)]
    held = [read(*one) for one in logs]
    monkeypatch.setattr(reader, "HELD", 2000)
    assert [read(*one) for one in logs] == held
    assert any(isinstance(record, Problem) for records in held for record in records)


def test_of_a_large_log_reading_holds_no_more_than_a_response(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the log takes no ten times the memory."""
    monkeypatch.setattr(reader, "HELD", 10_000)

    def peak(turns: int) -> int:
        path = f".codex/sessions/2026/05/04/rollout-2026-05-04T08-00-00-{turns}.jsonl"
        log = tmp_path / path
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("w") as file:
            for turn in range(turns):
                file.writelines(json.dumps(line) + "\n" for line in _turn(turn))
        tracemalloc.start()
        found = Counter(type(record) for record in CODEX.parse(Log(Folder(tmp_path), "box", path)))
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found[ToolCall] == found[Request] == turns
        return top

    assert peak(600) < 2 * peak(60)


def _turn(turn: int) -> Iterator[dict[str, Any]]:
    def item(**payload: Any) -> dict[str, Any]:
        return {"timestamp": "2026-05-04T08:00:00.000Z", "type": "response_item", "payload": payload}

    total = {"input_tokens": 100 * (turn + 1), "output_tokens": 10 * (turn + 1)}
    text = f"{turn} " + "x" * 2000
    yield item(type="message", role="user", content=[{"type": "input_text", "text": text}])
    yield item(
        type="function_call", name="exec_command", arguments='{"cmd":"ls"}', call_id=f"call_{turn}"
    )
    yield item(type="function_call_output", call_id=f"call_{turn}", output=text)
    yield item(type="message", role="assistant", content=[{"type": "output_text", "text": text}])
    info = {"total_token_usage": total, "last_token_usage": None}
    yield {
        "timestamp": "2026-05-04T08:00:00.000Z",
        "type": "event_msg",
        "payload": {"type": "token_count", "info": info},
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("fix it", [Block("prompt", "fix it")]),
        ("  ", []),
        ("<environment_context>x</environment_context>", "meta"),
        ("# AGENTS.md instructions for /w\n\nbe brief", "meta"),
        ("<user_instructions>x</user_instructions>", "meta"),
        ("<permissions instructions>x</permissions instructions>", "meta"),
        ("<skills_instructions>x</skills_instructions>", "meta"),
        ('<goal_context source="goal">x</goal_context>', "meta"),
        ("<turn_aborted>x</turn_aborted>", "meta"),
        ("<brand_new_wrapper>x</brand_new_wrapper>", "meta"),
        ("<subagent_notification>{}</subagent_notification>", "notice"),
        ("<div>make this blue</div>", "prompt"),
        ("<user_shell_command>ls</user_shell_command>", [Block("command", "!ls")]),
        ("# Context from my IDE setup:\n\n## My request for Codex:\ngo\n", [Block("prompt", "go")]),
        ("# Context from my IDE setup:\nno heading", "prompt"),
    ],
)
def test_a_user_text_is_split_by_who_wrote_it(text: str, expected: str | list[Block]) -> None:
    assert blocks(text) == ([Block(expected, text)] if isinstance(expected, str) else expected)  # type: ignore[arg-type]  # a kind's name


@pytest.mark.parametrize(
    ("output", "result"),
    [
        ("plain", Result("plain", "ok")),
        (None, Result(None, "ok")),
        (
            '{"output":"x","metadata":{"exit_code":2,"duration_seconds":0.5}}',
            Result("x", "error", 2, 500),
        ),
        ('{"output": 1}', Result('{"output": 1}', "ok")),
        ("exec command rejected by user", Result("exec command rejected by user", "rejected")),
        ("aborted by user after 3.2s", Result("aborted by user after 3.2s", "interrupted")),
        ("execution error: io", Result("execution error: io", "error")),
        ("failed to parse function arguments", Result("failed to parse function arguments", "error")),
        ("exec_command failed: no", Result("exec_command failed: no", "error")),
        ("the tests that failed pass now", Result("the tests that failed pass now", "ok")),
    ],
)
def test_an_output_tells_how_the_call_went(output: Any, result: Result) -> None:
    assert of_output(output) == result


def test_an_exit_code_in_the_printed_text_is_not_the_calls_own() -> None:
    printed = "Wall time: 0.1 seconds\nProcess running with session ID 4\nOutput:\nExit code: 9\n"
    assert of_output(printed) == Result(printed, "ok", None, 100)


def test_a_command_line_is_what_one_would_type() -> None:
    assert joined(["bash", "-lc", "ls | wc"]) == "ls | wc"
    assert joined(["C:\\Windows\\powershell.exe", "-NoProfile", "-Command", "dir"]) == "dir"
    assert joined(["git", "commit", "-m", "a b"]) == "git commit -m 'a b'"
    assert joined([]) is None


def test_a_patch_in_a_shell_command_is_found_and_its_text_only_there() -> None:
    patch = "*** Begin Patch\n*** Update File: a b.py\n*** Move to: c.py\n-x\n+y\n+z\n*** End Patch"
    assert envelope(f"apply_patch <<'EOF'\n{patch}\nEOF\n") == patch
    assert envelope(f"cat > p <<'EOF'\n{patch}\nEOF\n") is None
    assert of_envelope(patch) == [Change("a b.py", "delete"), Change("c.py", "edit", 2, 1)]
    ask = understood(
        "exec_command", json.dumps({"cmd": f"cd sub && apply_patch <<'E'\n{patch}\nE", "workdir": "/w"})
    )
    assert (ask.kind, ask.folder) == ("edit", "/w/sub")


@pytest.mark.parametrize(
    ("path", "folder", "expected"),
    [
        ("a.py", "/w", "/w/a.py"),
        ("./a.py", "/w/", "/w/a.py"),
        ("/x/a.py", "/w", "/x/a.py"),
        ("C:\\x\\a.py", "C:\\w", "C:\\x\\a.py"),
        ("a.py", "C:\\w", "C:\\w\\a.py"),
        ("a.py", None, "a.py"),
    ],
)
def test_a_path_is_told_from_its_folder(path: str, folder: str | None, expected: str) -> None:
    assert absolute(path, folder) == expected


def test_a_thread_id_holds_its_time_only_where_it_is_a_uuid_v7() -> None:
    assert made_at("019ed836-b1da-78f1-8a0c-e598363d10f4") == 1781743923674
    assert made_at("c3c4b301-27c8-4c70-b6e4-46b99fdf0236") is None
    assert made_at("019d-a") is None


def test_touched_files_are_those_of_calls_that_went_well() -> None:
    ((_, records),) = case("patches")
    status = {one.seq: one.status for one in own(records, ToolCall)}
    assert {status[one.call_seq] for one in own(records, FileTouch)} == {"ok"}
    assert set(status.values()) == {"ok", "error", "rejected"}


def test_a_loose_file_is_recognised_by_what_it_holds(shared: Path, tmp_path: Path) -> None:
    recognise = CODEX.recognise
    assert recognise is not None
    paths = [path for name in ("mirrored", "flat", "twins") for path, _ in case(name)]
    for path in (path for path in paths if "/2025/08/03/" not in path):  # that one has no header
        source = next(CASES.glob(f"*/box/{path}"))
        shutil.copy(source, tmp_path / source.name)
        place = recognise(Log(Folder(tmp_path), "loose", source.name))
        assert place is not None
        assert place.rpartition("/")[2] == source.name
        assert compiled(CODEX.globs[2 if place.endswith(".json") else 0]).fullmatch(place)
    for name in ("small", "large"):
        loose = Log(Folder(shared / "samples/codex"), "loose", f"{name}.jsonl")
        assert (recognise(loose) or "").startswith(".codex/sessions/202")
    other = next((shared / "homes").glob("*/.claude/projects/*/*.jsonl"))
    assert recognise(Log(Folder(other.parent), "loose", other.name)) is None


def test_a_session_is_reopened_by_its_id() -> None:
    assert CODEX.resume is not None
    assert CODEX.resume("019d-a") == "codex resume 019d-a"
