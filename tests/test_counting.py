"""Each thing counted once: the counting cases, loaded the whole road, against sums made by hand."""

from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dump import totals
from goldens import HOMES
from road import Road, road
from siphon.db import connect


class Sum(NamedTuple):
    """Requests, tokens (input, cache read, cache write 5 min and 1 h, output), nano-USD."""

    requests: int
    input: int
    cache_read: int
    cache_write: int
    cache_write_1h: int
    output: int
    cost: int


CLAUDE = {
    "c01_streamed_lines": Sum(2, 6, 33000, 9300, 0, 159 + 14, 47_388_000),
    "c02_cache_classes": Sum(3, 30, 2500, 420, 1200, 120, 11_415_000),
    "c03_synthetic_error": Sum(0, 0, 0, 0, 0, 0, 0),
    "c04_no_request_id": Sum(1, 20, 0, 0, 0, 31, 525_000),
    "c05_unknown_model": Sum(1, 1000, 50, 70, 0, 20, 0),
    "c06_final_before_placeholder": Sum(1, 4, 500, 100, 0, 88, 1_857_000),
    "c07_web_searches": Sum(4, 250, 0, 0, 0, 150, 73_000_000),
    "c08_nested_in_progress": Sum(7, 35, 8200, 8230, 0, 323, 16_699_500),
    "c09_over_midnight": Sum(1, 10, 0, 0, 0, 30, 480_000),
    "c10_subagent": Sum(3, 412, 0, 300, 0, 124, 2_451_000),
    "c11_incomplete": Sum(4, 36, 400, 200, 0, 116, 2_718_000),
    "c12_replayed_side_chain": Sum(3, 25, 1900, 25, 0, 87, 2_043_750),
    "c13_resumed_copy": Sum(2, 230, 0, 0, 0, 46, 1_380_000),
    "c14_fork": Sum(3, 180, 0, 0, 0, 65, 1_515_000),
    "c15_inline_side_chain": Sum(6, 204, 0, 0, 0, 172, 3_192_000),
    "c16_old_cost": Sum(2, 2100, 0, 0, 0, 20, 6_600_000),
    "c17_torn_line": Sum(1, 5, 0, 0, 0, 12, 195_000),
    "c18_crlf": Sum(1, 5, 0, 0, 0, 14, 225_000),
    "c19_same_log_twice": Sum(1, 7, 0, 0, 0, 18, 291_000),
}


def _loaded(case: str, folder: Path) -> Road:
    homes = {home.name: home for home in (HOMES / case).iterdir() if home.is_dir()}
    fleet = road(folder, homes)
    fleet.go()
    return fleet


def _rows(fleet: Road, sql: str) -> list[tuple[Any, ...]]:
    with closing(connect(fleet.database)) as connection:
        return connection.execute(sql).fetchall()


@pytest.mark.parametrize("case", CLAUDE)
def test_what_was_billed_is_counted_once(case: str, tmp_path: Path) -> None:
    fleet = _loaded(f"claude_code/{case}", tmp_path)
    assert Sum(*totals(fleet.database).values()) == CLAUDE[case]


_RELATIONS = (
    "select r.kind, s.native_id, t.native_id, r.tool_call_id is not null from relations r"
    " join sessions s on s.id = r.session_id left join sessions t on t.id = r.target_id"
    " where not s.hidden order by 1, 2, 3"
)


def test_an_unknown_model_is_listed_with_its_tokens_and_has_no_cost(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c05_unknown_model", tmp_path)
    assert _rows(fleet, "select model, requests, input_tokens from unpriced_models") == [
        ("atlantis-1-preview", 1, 1000)
    ]
    assert _rows(fleet, "select cost_nanousd, cost_usd from billed_requests") == [(None, None)]


def test_a_request_over_midnight_belongs_to_the_day_of_its_first_line(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c09_over_midnight", tmp_path)
    (day,) = _rows(fleet, "select day, requests from usage_by_day")
    first = _rows(fleet, "select date(min(ts) / 1000, 'unixepoch') from messages where kind = 'reply'")
    assert day == (first[0][0], 1)


def test_a_subagent_is_linked_to_the_call_that_started_it(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c10_subagent", tmp_path)
    trunk = "0000000a-0000-4000-8000-00000000000a"
    assert _rows(fleet, _RELATIONS) == [("subagent", f"{trunk}/a10beef", trunk, 1)]


def test_a_nested_sighting_counts_only_where_its_own_log_is_gone(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c08_nested_in_progress", tmp_path)
    agents = _rows(
        fleet, "select native_id, requests, partial from sessions where not hidden and agent > ''"
    )
    known = _rows(
        fleet, "select native_id, requests from sessions where kind = 'subagent' and not hidden"
    )
    assert {(name.rpartition("/")[2], count) for name, count in known} == {
        ("a08f00d", 2),
        ("a08dead", 1),
    }
    assert all(count > 0 for _, count, _ in agents)


def test_a_request_whose_end_never_came_is_counted_and_flagged(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c11_incomplete", tmp_path)
    assert _rows(fleet, "select count(*) > 0, sum(incomplete) between 1 and 3 from billed_requests") == [
        (1, 1)
    ]


def test_a_resumed_copy_owns_only_what_is_its_own(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c13_resumed_copy", tmp_path)
    assert _rows(fleet, "select native_id, requests from sessions order by started_at, ended_at") == [
        ("0000000d-0000-4000-8000-00000000000d", 1),
        ("00000071-0000-4000-8000-000000000071", 1),
    ]
    assert _rows(fleet, _RELATIONS) == [
        (
            "continuation",
            "00000071-0000-4000-8000-000000000071",
            "0000000d-0000-4000-8000-00000000000d",
            0,
        )
    ]


def test_a_fork_with_new_ids_owns_only_what_is_its_own_and_names_its_parent(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c14_fork", tmp_path)
    parent, fork = "0000000e-0000-4000-8000-00000000000e", "00000072-0000-4000-8000-000000000072"
    assert dict(_rows(fleet, "select native_id, requests from sessions")) == {parent: 2, fork: 1}
    assert _rows(fleet, _RELATIONS) == [("fork", fork, parent, 0)]


def test_an_old_record_keeps_the_cost_it_states_beside_the_computed_one(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c16_old_cost", tmp_path)
    rows = _rows(fleet, "select cost_nanousd > 0, reported_nanousd > 0 from billed_requests")
    assert (1, 1) in rows


def test_the_same_log_in_two_places_is_two_sessions_linked_as_copies(tmp_path: Path) -> None:
    fleet = _loaded("claude_code/c19_same_log_twice", tmp_path)
    first = "laptop/claude_code/00000013-0000-4000-8000-000000000013"
    listed = _rows(fleet, "select uid, requests, copy from session_list order by uid")
    assert listed == [
        (first, 1, 0),
        (f"{first}~2", 0, 1),
        (first.replace("laptop", "server"), 0, 1),
    ]
    copies = _rows(fleet, "select uid, target_uid from session_tree where kind = 'copy' order by uid")
    assert copies == [(uid, first) for uid, _, copy in listed if copy]


def test_a_request_seen_partly_in_two_logs_has_the_most_of_each_number(tmp_path: Path) -> None:
    """The copy was cut while the answer still streamed; whichever log comes first, the end counts."""
    line = (
        '{{"type":"assistant","uuid":"{uuid}","parentUuid":null,"sessionId":"{session}","timestamp":'
        '"2026-03-01T10:00:0{second}.000Z","cwd":"/w","version":"2.1.0","isSidechain":false,"message":'
        '{{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-4-6","content":'
        '[{{"type":"text","text":"{text}"}}],"stop_reason":{stop},"usage":{{"input_tokens":4,'
        '"output_tokens":{output}}}}}}}\n'
    )
    early = line.format(uuid="u1", session="a", second=1, text="Hi", stop="null", output=2)
    late = line.format(uuid="u2", session="a", second=2, text="Hi all", stop='"end_turn"', output=90)
    for order in (("a", "b"), ("b", "a")):
        folder = tmp_path / "".join(order)
        home = folder / "laptop"
        projects = home / ".claude/projects/-w"
        projects.mkdir(parents=True)
        fleet = road(folder, {"laptop": home})
        for name in order:
            text = early + late if name == "b" else early
            (projects / f"{name}.jsonl").write_text(
                text.replace('"sessionId":"a"', f'"sessionId":"{name}"')
            )
            fleet.go()
        assert _rows(fleet, "select output_tokens, incomplete from billed_requests") == [(90, 0)]


CODEX_COUNTED = ("tokens", "twins", "mirrored", "rolledback", "fork_held", "fork_absent", "compacted")


@pytest.mark.parametrize("case", CODEX_COUNTED)
def test_codex_totals_are_those_the_writer_states_last(case: str, tmp_path: Path) -> None:
    """No native id is billed twice, in whatever log it is seen."""
    fleet = _loaded(f"codex/{case}", tmp_path)
    assert (
        _rows(fleet, "select native_id, count(*) from billed_requests group by 1 having count(*) > 1")
        == []
    )
    assert totals(fleet.database)["requests"] > 0
