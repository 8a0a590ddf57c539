"""The search window: what is found, in which order, and what is said about it."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from claude_lines import START, Lines
from siphon import idspans
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.query import Term, parse
from siphon.search import SORTS, USUAL, Found, Query, asked, scoped, search
from siphon.snippet import head, marks, snippet
from siphon.window import SCOPES, WINDOW
from website import HOSTILE, LONG, PROMPTS, RICH, fleet

COMMON = 2300  # prompts with the word "tidal": more than a window holds


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    made = fleet(tmp_path_factory.mktemp("search"))
    many = Lines("00000009-aaaa-4000-8000-0000000000a9", start=START)
    for number in range(COMMON):
        many.prompt(f"tidal {number} {'quay' if number == 7 else ''}")
    many.write(made.config.hosts[0].home or Path())
    made.go()
    with closing(connect(made.database)) as connection:
        yield connection


def uids(found: Found) -> set[str]:
    return {hit.session for hit in found.hits}


@pytest.mark.parametrize(
    ("needle", "kind", "tool"),
    [
        ("needlethought", "thinking", None),
        ("needleinput", "tool_call", "Bash"),
        ("needleoutput", "tool_call", "Bash"),
        ("needlereply", "reply", None),
        ("tide table", "prompt", None),
    ],
)
def test_a_word_is_found_in_every_kind_of_text(
    db: sqlite3.Connection, needle: str, kind: str, tool: str | None
) -> None:
    hits = search(db, Query(f'"{needle}"')).hits
    assert (f"laptop/claude_code/{RICH}", kind, tool) in [
        (one.session, one.kind, one.tool) for one in hits
    ]
    assert all(one.snippet.marks for one in hits)


def test_newest_first_or_oldest_first_by_time(db: sqlite3.Connection) -> None:
    newest = [hit.ts or 0 for hit in search(db, Query("harbour", limit=200)).hits]
    oldest = [hit.ts or 0 for hit in search(db, Query("harbour", limit=200, sort="oldest")).hits]
    assert newest == sorted(newest, reverse=True)
    assert oldest == sorted(oldest)
    assert max(newest) > max(oldest)


def test_the_best_match_comes_first_by_relevance(db: sqlite3.Connection) -> None:
    found = search(db, Query("tidal quay", sort="relevance"))
    assert [hit.snippet.text for hit in found.hits] == ["tidal 7 quay"]


def test_relevance_weighs_the_rarer_word_and_the_shorter_text(db: sqlite3.Connection) -> None:
    hits = search(db, Query("harbour 17*", sort="relevance", limit=50)).hits
    lengths = [len(hit.snippet.text) for hit in hits]
    assert len(lengths) > 10 and lengths == sorted(lengths)


def test_every_word_must_occur_and_no_excluded_one(db: sqlite3.Connection) -> None:
    assert search(db, Query("tidal quay")).total == 1
    assert search(db, Query("harbour -number")).total == 0
    assert search(db, Query('"number 17 about"')).total == 1
    assert search(db, Query("harbo*")).total == PROMPTS


def test_a_window_that_holds_all_hits_is_complete(db: sqlite3.Connection) -> None:
    found = search(db, Query("harbour"))
    assert (found.total, found.counted, found.complete, found.window) == (
        PROMPTS,
        "exact",
        True,
        PROMPTS,
    )


def test_a_common_word_is_counted_in_full_and_its_window_said(db: sqlite3.Connection) -> None:
    found = search(db, Query("tidal"))
    assert (found.total, found.counted, found.complete) == (COMMON, "at least", False)
    assert found.window == WINDOW == sum(count for _, count in found.facets["host"])


def test_every_facet_of_a_complete_window_sums_to_the_hits(db: sqlite3.Connection) -> None:
    found = search(db, Query("the"))
    assert found.complete
    for name in ("host", "source", "kind", "role", "day"):
        assert sum(count for _, count in found.facets[name]) == found.total, name


def test_a_facet_chosen_gives_as_many_hits_as_it_said(db: sqlite3.Connection) -> None:
    found = search(db, Query("the"))
    for name, values in found.facets.items():
        for value, count in values[:5]:
            assert search(db, Query("the", filters=((name, value),))).total == count, (name, value)


def test_values_of_one_filter_are_alternatives_and_filters_combine(db: sqlite3.Connection) -> None:
    both = search(db, Query("the", filters=(("host", "laptop"), ("host", "build"))))
    assert both.total == search(db, Query("the")).total
    nothing = search(db, Query("harbour", filters=(("host", "build"),)))
    assert (nothing.total, nothing.complete) == (0, True)


def test_filters_may_stand_among_the_words(db: sqlite3.Connection) -> None:
    typed = search(db, Query("tool:Bash host:laptop needleinput"))
    assert [hit.tool for hit in typed.hits] == ["Bash"]
    assert dict(typed.query.filters) == {"tool": "Bash", "host": "laptop"}
    assert search(db, Query("file:tide.py")).hits[0].tool == "Edit"


def test_a_page_shows_a_few_hits_of_each_session_and_how_many_there_are(db: sqlite3.Connection) -> None:
    flat = search(db, Query("tide", limit=200))
    first, rest = (search(db, Query("tide", limit=2, offset=at, each=1)) for at in (0, 2))
    shown = [hit.session for hit in (*first.hits, *rest.hits)]
    assert shown == list(dict.fromkeys(hit.session for hit in flat.hits))[:4]
    assert first.found_in == len(uids(flat))
    assert {**first.sessions, **rest.sessions} == {
        uid: sum(hit.session == uid for hit in flat.hits) for uid in shown
    }


def test_a_tool_is_one_that_writes_logs_or_one_that_is_called(db: sqlite3.Connection) -> None:
    assert {hit.source for hit in search(db, Query("tool:codex", limit=200)).hits} == {"codex"}
    assert {hit.source for hit in search(db, Query("tool:Claude-Code")).hits} == {"claude_code"}
    assert {hit.tool for hit in search(db, Query("tool:bash", limit=200)).hits} >= {"Bash"}
    assert search(db, Query("needleinput HOST:x host:LAPTOP")).query.filters == (("host", "LAPTOP"),)


@pytest.mark.parametrize("name", ["host", "project", "branch", "repo", "source"])
def test_a_filter_on_sessions_leaves_out_no_hit(db: sqlite3.Connection, name: str) -> None:
    column = {"host": "s.host", "source": "s.source", "branch": "s.git_branch", "repo": "s.git_repo"}
    rows = db.execute(
        f"select {column.get(name, 'p.name')}, count(*) from messages m join sessions s on"
        " s.id = m.session_id left join projects p on p.id = s.project_id where m.copy_of is null"
        " and m.kind in ('prompt', 'command') and not s.hidden group by 1 having count(*) < 1500"
    ).fetchall()
    for value, count in rows:
        if value is not None:
            query = Query("", filters=((name, value),), scopes=("prompts",))
            assert (value, search(db, query).total) == (value, count)


def test_hours_without_a_time_are_the_first_ids() -> None:
    assert idspans._joined([-1, 1_772_359_200_000, 1_772_362_800_000])[1:] == [
        (idspans._id(1_772_359_200_000), idspans._id(1_772_366_460_000) - 1)
    ]


def test_days_bound_what_is_found(db: sqlite3.Connection) -> None:
    rich = search(
        db, Query("", filters=(("day", "2026-03-02"), ("session", f"laptop/claude_code/{RICH}")))
    )
    assert rich.total == len(rich.hits) > 5
    assert search(db, Query("needlethought since:2026-03-03")).total == 0
    assert search(db, Query("needlethought until:2026-03-02")).total == 1


def test_only_the_scopes_asked_for_are_looked_through(db: sqlite3.Connection) -> None:
    for scope in SCOPES:
        kinds = {hit.kind for hit in search(db, Query("hostile", scopes=(scope,), limit=200)).hits}
        expected = {
            "prompts": {"prompt"},
            "replies": {"reply"},
            "thinking": {"thinking"},
            "other": set(),
            "input": {"tool_call"},
            "output": {"tool_call"},
        }
        assert kinds == expected[scope], scope


def test_without_words_what_the_filters_let_through_is_listed(db: sqlite3.Connection) -> None:
    found = search(
        db, Query("", filters=(("session", f"laptop/claude_code/{LONG}"), ("kind", "prompt")))
    )
    assert (found.total, found.complete) == (PROMPTS, True)


def test_paging_gives_every_hit_of_the_window_once(db: sqlite3.Connection) -> None:
    pages = [
        search(db, Query("harbour", limit=100, offset=offset)).hits for offset in range(0, 300, 100)
    ]
    seen = [(hit.session, hit.seq) for page in pages for hit in page]
    assert len(seen) == len(set(seen)) == PROMPTS


@pytest.mark.parametrize("text", ['"', "-", "*", "🙂", "'", ":", "()", "^", "-*", '""'])
def test_what_has_no_letter_finds_nothing_and_says_why(db: sqlite3.Connection, text: str) -> None:
    found = search(db, Query(text))
    assert (found.hits, found.total, found.complete) == ([], 0, True)
    assert found.note == "no letter and no digit was given, so there is nothing to look for"


def test_only_exclusions_find_nothing_and_say_why(db: sqlite3.Connection) -> None:
    assert search(db, Query("-harbour")).note == "only exclusions were given; add a word that must occur"


@pytest.mark.parametrize(
    "text",
    [
        "AND",
        "OR NOT",
        "NEAR(a, 2)",
        "foo:bar",
        "text:x",
        'a "b',
        "a*b",
        "{a b}",
        "x" * 10_000,
        "a b " * 2500,
    ],
)
def test_what_fts5_would_take_for_syntax_is_words(db: sqlite3.Connection, text: str) -> None:
    for sort in SORTS:
        search(db, Query(text, sort=sort))


@settings(max_examples=150)
@given(text=st.text(max_size=60) | st.text("ab\"*-:() ^{}'", max_size=40))
def test_no_text_is_an_error(db: sqlite3.Connection, text: str) -> None:
    try:
        search(db, Query(text))
    except SiphonError as error:
        assert "is no day" in str(error)


def test_more_words_than_are_looked_for_are_said_so(db: sqlite3.Connection) -> None:
    note = search(db, Query(" ".join(f"w{number}" for number in range(100)))).note
    assert note == "only the first 64 words were looked for"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([("sort", "best")], "sort='best' is unknown; known: newest, oldest, relevance"),
        ([("in", "prompts,titles")], "in='titles' is unknown"),
        ([("colour", "red")], "no filter 'colour'; known: host"),
        ([("since", "yesterday")], "since='yesterday' is no day; it would be like 2026-01-31"),
        ([("limit", "0")], "limit=0 is out of range; it would be 1 to 200"),
        ([("limit", "x")], "limit='x' is no whole number"),
        ([("offset", "2001")], "offset=2001 is out of range"),
    ],
)
def test_a_wrong_argument_is_named_with_what_would_be_right(
    given: list[tuple[str, str]], says: str
) -> None:
    with pytest.raises(SiphonError, match=f"^{re.escape(says)}"):
        asked(given)


def test_a_page_looks_in_prompts_and_replies_unless_calls_are_asked_for() -> None:
    assert scoped(Query("tide")).scopes == USUAL
    assert scoped(Query("tool:Bash tide")).scopes == SCOPES
    assert scoped(Query("tide", filters=(("kind", "thinking"),))).scopes == SCOPES
    assert scoped(Query("tide", filters=(("kind", "prompt"),))).scopes == USUAL


def test_copies_are_found_once(db: sqlite3.Connection) -> None:
    """A resumed session holds the first one's messages again."""
    assert search(db, Query('"explain the cache"')).total == 1


def test_a_hostile_session_is_found_like_any_other(db: sqlite3.Connection) -> None:
    assert f"laptop/claude_code/{HOSTILE}" in uids(search(db, Query("hostile xxx*", limit=200)))


def test_words_phrases_prefixes_exclusions_and_filters_are_told_apart() -> None:
    words = parse('tide "low tide" har* -storm -"high seas" host:laptop "a"* http://x.y')
    assert words.wanted == (
        Term("tide"), Term("low tide"), Term("har", True), Term("a", True), Term("http://x.y"),
    )  # fmt: skip
    assert words.unwanted == (Term("storm"), Term("high seas"))
    assert words.filters == (("host", "laptop"),)


def test_a_snippet_shows_the_place_with_most_of_the_words() -> None:
    text = "tide " + "x " * 500 + "the tide and the ferry and the quay " + "y " * 500
    found = snippet(text, [Term("tide"), Term("ferry"), Term("quay")])
    assert found is not None
    assert [part for part, marked in found.pieces() if marked] == ["tide", "ferry", "quay"]
    assert found.text.startswith("…") and found.text.endswith("…")


def test_a_snippet_sees_words_as_the_index_does() -> None:
    assert marks("Tide_table TIDE tides", [Term("tide")]) == ((0, 4), (11, 15))
    assert marks("low\n\tTIDE", [Term("low tide")]) == ((0, 9),)
    assert marks("tides", [Term("tid", True)]) == ((0, 3),)
    assert snippet("nothing here", [Term("tide")]) is None
    assert head("a\n\nb  c").text == "a b c"


@given(text=st.text(max_size=400), word=st.from_regex(r"[a-zA-ZäİßÉ]{1,4}", fullmatch=True))
def test_marks_lie_in_the_snippet_and_do_not_overlap(text: str, word: str) -> None:
    found = snippet(f"{text} {word} {text}", [Term(word)])
    if found is None:
        return
    edges = [edge for mark in found.marks for edge in mark]
    assert edges == sorted(edges) and all(0 <= edge <= len(found.text) for edge in edges)
    assert "".join(part for part, _ in found.pieces()) == found.text
