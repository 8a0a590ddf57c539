"""A session as it is read: found by name, in order, in windows, with what each turn cost."""

import base64
import json
import re
import shlex
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from road import Road
from siphon.config import Config, HostConfig
from siphon.db import connect
from siphon.entries import USUAL, Call, Text, entries, files_touched, visible_seqs
from siphon.errors import SiphonError
from siphon.markdown import markdown
from siphon.pictures import Picture, pictures
from siphon.raw import records
from siphon.reading import body, call_line, gist
from siphon.resume import Resume, resume
from siphon.sessions import Header, UnknownSessionError, branches, children, find, header, parents
from siphon.sources._transcript import _title
from siphon.toolview import diff, parts
from siphon.transcript import Transcript, Window, transcript, window
from siphon.visible import visible
from website import ATTACKS, HOSTILE, LONG, PROMPTS, RICH

pytest_plugins = ["website_fixtures"]

PARENT = "0000000a-0000-4000-8000-00000000000a"
FORK = "00000072-0000-4000-8000-000000000072"
FORKED = "0000000e-0000-4000-8000-00000000000e"
RESUMED = "00000071-0000-4000-8000-000000000071"


@pytest.fixture(scope="module")
def db(road: Road) -> Iterator[sqlite3.Connection]:
    with closing(connect(road.database)) as connection:
        yield connection


def told(db: sqlite3.Connection, name: str) -> Header:
    return header(db, find(db, name))


def shown(db: sqlite3.Connection, name: str, at: int | None = None, density: str = USUAL) -> Window:
    return window(db, told(db, name).id, at, density)


def read(db: sqlite3.Connection, name: str, at: int | None = None) -> Transcript:
    return transcript(db, told(db, name).id, shown(db, name, at))


def seqs(page: Transcript) -> list[int]:
    return [entry.seq for turn in page.turns for entry in turn.entries]


# Finding


def test_a_beginning_of_the_native_id_is_enough_if_no_other_has_it(db: sqlite3.Connection) -> None:
    assert find(db, RICH[:8]) == f"laptop/claude_code/{RICH}"
    assert find(db, f"laptop/claude_code/{RICH[:8]}") == f"laptop/claude_code/{RICH}"
    assert find(db, f"laptop/claude_code/{RICH}") == f"laptop/claude_code/{RICH}"


def test_a_session_is_meant_before_its_own_subagents(db: sqlite3.Connection) -> None:
    assert find(db, PARENT[:9]) == f"laptop/claude_code/{PARENT}"


def test_an_ambiguous_name_lists_the_candidates(db: sqlite3.Connection) -> None:
    with pytest.raises(UnknownSessionError, match="means") as caught:
        find(db, "0000000")
    assert f"laptop/claude_code/{RICH}" in caught.value.candidates
    assert f"laptop/claude_code/{RICH}" in str(caught.value)


@pytest.mark.parametrize("name", ["", "zzz", "laptop/", "%", "_", "'"])
def test_a_name_that_means_nothing_says_how_to_list_sessions(db: sqlite3.Connection, name: str) -> None:
    with pytest.raises(UnknownSessionError):
        find(db, name + "nothing begins so")


# Windows


def test_windows_hold_every_visible_record_once_and_in_order(db: sqlite3.Connection) -> None:
    first = shown(db, LONG)
    numbers = [shown(db, LONG, start).number for start in first.starts]
    assert numbers == list(range(1, first.windows + 1))
    pages = [read(db, LONG, start) for start in first.starts]
    together = [seq for page in pages for seq in seqs(page)]
    assert together == visible_seqs(db, told(db, LONG).id, "tools")
    assert together == sorted(set(together))
    assert len(together) == first.records == 2 * PROMPTS


def test_a_permalink_lands_on_the_window_that_holds_its_record(db: sqlite3.Connection) -> None:
    for seq in visible_seqs(db, told(db, LONG).id, "tools")[::37]:
        assert seq in seqs(read(db, LONG, at=seq))


def test_a_record_that_is_hidden_widens_what_is_shown(db: sqlite3.Connection) -> None:
    session = told(db, RICH).id
    thought = next(one for one in entries(db, session, visible_seqs(db, session, "all"), "all")
                   if isinstance(one, Text) and one.kind == "thinking")  # fmt: skip
    wider = shown(db, RICH, thought.seq, "conversation")
    assert wider.density == "all"
    assert thought.seq in seqs(transcript(db, session, wider))


def test_a_record_that_is_not_there_lands_near_it(db: sqlite3.Connection) -> None:
    assert seqs(read(db, LONG, at=10**6))[-1] == visible_seqs(db, told(db, LONG).id, "tools")[-1]


def test_each_density_shows_more_than_the_one_before(db: sqlite3.Connection) -> None:
    for name in (RICH, LONG, PARENT, HOSTILE):
        shown = [
            set(visible_seqs(db, told(db, name).id, one))
            for one in ("prompts", "conversation", "tools", "all")
        ]
        assert all(less <= more for less, more in pairwise(shown))


# Turns


def test_the_outline_lists_every_prompt(db: sqlite3.Connection) -> None:
    outline = read(db, LONG).outline
    assert [one.text for one in outline] == [
        f"question number {n} about the harbour" for n in range(PROMPTS)
    ]


def test_the_turns_costs_add_up_to_the_sessions(db: sqlite3.Connection) -> None:
    for name in (RICH, LONG, PARENT):
        head = told(db, name)
        first = read(db, name)
        starts = shown(db, name).starts
        turns = [turn for start in starts for turn in read(db, name, start).turns]
        whole = {turn.seq: turn.usage for turn in turns}.values()
        assert sum(one.requests for one in whole) == head.requests == first.total.requests
        assert sum(one.tokens for one in whole) == head.tokens == first.total.tokens
        assert (
            sum(one.cost_nanousd or 0 for one in whole) == head.cost_nanousd == first.total.cost_nanousd
        )


def test_the_context_is_what_the_last_request_sent(db: sqlite3.Connection) -> None:
    assert {turn.usage.context_tokens for turn in read(db, RICH).turns} == {1110}


# Relations


def test_a_subagent_is_linked_both_ways_at_the_call_that_started_it(db: sqlite3.Connection) -> None:
    parent = told(db, PARENT)
    [child] = children(db, parent.id)
    assert (child.kind, child.at_uid) == ("subagent", parent.uid)
    call = next(one for one in entries(db, parent.id, [child.at_seq or 0], "all"))
    assert isinstance(call, Call) and call.kind == "agent"
    [back] = parents(db, told(db, str(child.uid)).id)
    assert (back.uid, back.at_uid, back.at_seq) == (parent.uid, parent.uid, child.at_seq)


def test_a_fork_shows_what_it_copied_and_says_where_it_was_first_said(db: sqlite3.Connection) -> None:
    page = read(db, FORK)
    found = [entry for turn in page.turns for entry in turn.entries]
    copied = [entry for entry in found if entry.origin == f"laptop/claude_code/{FORKED}"]
    assert len(copied) >= 2 and len(found) > len(copied)
    assert page.total.copies > 0
    assert [one.kind for one in parents(db, told(db, FORK).id)] == ["fork"]


def test_a_resumed_copy_shows_the_whole_and_bills_its_own_part(db: sqlite3.Connection) -> None:
    page = read(db, RESUMED)
    texts = [entry.text for turn in page.turns for entry in turn.entries if isinstance(entry, Text)]
    assert "explain the cache" in texts and "and when it is full?" in texts
    assert (page.total.requests, page.total.copies) == (1, 1)


def test_files_are_listed_with_the_call_that_touched_them_last(db: sqlite3.Connection) -> None:
    files = {file.path: file for file in files_touched(db, told(db, RICH).id)}
    edited = files["/home/ada/app/src/tide.py"]
    assert (edited.actions, edited.lines_added, edited.lines_removed) == (("edit",), 1, 1)
    [call] = entries(db, told(db, RICH).id, [edited.seq], "all")
    assert isinstance(call, Call) and call.name == "Edit"


# What a call shows


def _call(db: sqlite3.Connection, name: str) -> Call:
    session = told(db, RICH).id
    found = entries(db, session, visible_seqs(db, session, "all"), "all")
    return next(one for one in found if isinstance(one, Call) and one.name == name)


def test_an_edit_shows_as_a_diff(db: sqlite3.Connection) -> None:
    part = parts(_call(db, "Edit"))[0]
    assert (part.form, part.label) == ("diff", "+1 −1")
    assert "<del>-b = 2\n</del>" in part.html and "<ins>+b = 3\n</ins>" in part.html
    assert "<span> a = 1\n</span>" in part.html


def test_a_list_of_things_to_do_shows_as_one(db: sqlite3.Connection) -> None:
    part = parts(_call(db, "TodoWrite"))[0]
    assert part.form == "todo"
    assert 'aria-label="completed"' in part.html and "mend the table" in part.html
    assert call_line(_call(db, "TodoWrite"), None) == "1 of 2 done: mend the table"


@pytest.mark.parametrize(
    "block",
    [
        "<<<<<<< SEARCH\na = 1\nb = 2\n=======\na = 1\nb = 3\n>>>>>>> REPLACE\n",
        "------- SEARCH\na = 1\nb = 2\n=======\na = 1\nb = 3\n+++++++ REPLACE\n",
    ],
)
def test_old_lines_and_new_ones_show_as_a_diff(db: sqlite3.Connection, block: str) -> None:
    call = _call(db, "Edit")._replace(input=json.dumps({"path": "a.py", "edit": block * 2}), output=None)
    told = parts(call)
    assert [(part.form, part.label) for part in told][:2] == [("diff", "+1 −1")] * 2
    assert "<del>-b = 2\n</del><ins>+b = 3\n</ins>" in told[0].html
    other = call._replace(input=json.dumps({"path": "a.py", "edit": f"see\n{block}"}))
    assert "diff" not in [part.form for part in parts(other)]  # nothing that was said is left out


def test_a_written_file_shows_its_text(db: sqlite3.Connection) -> None:
    assert parts(_call(db, "Write"))[0].form == "file"


def test_long_output_is_cut_and_says_by_how_much(db: sqlite3.Connection) -> None:
    call = _call(db, "Bash")
    short, whole = parts(call)[-1], parts(call, None)[-1]
    assert whole.left_out == 0
    assert short.left_out == len(call.output or "") - short.html.count("needleoutput") * len(
        "src/tide.py:3: needleoutput\n"
    )
    assert 0 < len(short.html) < 3500 < len(whole.html)


def test_a_calls_line_leaves_out_the_sessions_folder(db: sqlite3.Connection) -> None:
    assert call_line(_call(db, "Edit"), "/home/ada/app") == "src/tide.py"


def test_a_diff_of_much_text_shows_what_went_and_what_came() -> None:
    old, new = "\n".join(f"a{n}" for n in range(2000)), "\n".join(f"b{n}" for n in range(2000))
    part = diff(old, new)
    assert part.label == "+2000 −2000"
    assert part.left_out > 0


# Safety


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_from_a_log_is_text(attack: str) -> None:
    html = markdown(attack)
    for forbidden in (
        "<script",
        "<img",
        "<iframe",
        "<style",
        "<base",
        "<svg",
        'href="javascript',
        "\x1b",
        "\u202e",
    ):
        assert forbidden not in html, html


@given(st.text(max_size=300))
def test_no_markdown_makes_a_tag_that_is_not_ours(text: str) -> None:
    html = markdown(text)
    allowed = (
        "p|br|hr|h3|h4|h5|h6|ul|ol|li|blockquote|pre|code|em|strong|s|a|span"
        "|table|thead|tbody|tr|th|td|div"
    )
    assert re.sub(rf"</?(?:{allowed})(?: [a-z-]+=\"[^\"<>]*\")*>", "", html).count("<") == 0


def test_links_lead_to_the_web_only_and_tell_nothing_of_us() -> None:
    html = markdown("[a](https://a.example/x) [b](src/b.py) [c](data:text/html,x) https://d.example.")
    assert html.count("<a ") == 2
    assert html.count('rel="noopener noreferrer nofollow"') == 2
    assert '<span class="nolink" title="src/b.py">b</span>' in html


def test_pictures_become_links() -> None:
    assert "<img" not in markdown("![map](https://a.example/m.png)")
    assert 'href="https://a.example/m.png"' in markdown("![map](https://a.example/m.png)")


def test_what_acts_on_a_terminal_is_made_visible() -> None:
    assert visible("\x1b[31mred\x1b[0m\x07") == "red␇"
    assert visible("a\r\nb\rc") == "a\nb\nc"
    assert visible("\u202egnp") == "[U+202E]gnp"
    assert visible("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == "link"


def test_a_long_prompt_is_folded_and_a_long_reply_is_not() -> None:
    prompt = Text(1, None, "user", "prompt", None, None, "line\n" * 60, False, (), None, None, False)
    assert body(prompt).long
    assert not body(prompt._replace(kind="reply")).long
    assert body(prompt._replace(text="short")).long is False


def test_a_huge_line_is_cut_and_said_so() -> None:
    reply = Text(
        1, None, "assistant", "reply", None, None, "x" * 5_000_000, False, (), None, None, False
    )
    assert body(reply).left_out == 5_000_000 - 30_000


# Raw records


def test_the_raw_record_is_the_logs_own_bytes(road: Road, db: sqlite3.Connection) -> None:
    head = told(db, RICH)
    log = ((road.config.hosts[0].home or Path()) / head.path).read_bytes()
    for entry in entries(db, head.id, visible_seqs(db, head.id, "all"), "all"):
        found = records(db, road.archive, head.id, entry.seq)
        assert len(found) == (2 if isinstance(entry, Call) else 1)
        for raw in found:
            assert log[raw.offset : raw.offset + len(raw.data)] == raw.data
            assert json.loads(raw.data)["sessionId"] == RICH


def test_a_record_that_is_not_there_has_no_raw_bytes(road: Road, db: sqlite3.Connection) -> None:
    with pytest.raises(SiphonError, match="has no place of its own"):
        records(db, road.archive, told(db, RICH).id, 10**6)


# Resuming


def _resume(db: sqlite3.Connection, road: Road, host: HostConfig, name: str = RICH) -> Resume:
    return resume(told(db, name), road.config._replace(hosts=(host,), ssh=Path("/home/me/.ssh")))


def test_a_session_of_this_machine_is_resumed_in_its_folder(db: sqlite3.Connection, road: Road) -> None:
    found = _resume(db, road, HostConfig("laptop", home=Path("/home/me")))
    assert found == Resume(f"cd /home/ada/app && claude --resume {RICH}", None)


def test_a_session_of_a_remote_host_is_resumed_over_ssh(db: sqlite3.Connection, road: Road) -> None:
    host = HostConfig("laptop", ssh="box.example", user="ada", port=2222, identity=Path("/k y"))
    found = _resume(db, road, host).command or ""
    words = shlex.split(found)
    assert words[:-1] == ["ssh", "-t", "-p", "2222", "-i", "/k y", "ada@box.example"]
    assert words[-1] == f"cd /home/ada/app && claude --resume {RICH}"


def test_each_home_of_a_host_is_resumed_by_whom_it_belongs_to(
    db: sqlite3.Connection, road: Road
) -> None:
    session = told(db, RICH)._replace(host="lab/ada")

    def found(host: HostConfig) -> Resume:
        return resume(session, road.config._replace(hosts=(host,)))

    lab = HostConfig("lab", ssh="lab.example", user="root", homes=("/home/*",), sudo=True)
    assert shlex.split(found(lab).command or "")[:3] == ["ssh", "-t", "ada@lab.example"]
    assert found(lab._replace(ssh=None)).note == "Run it as ada."
    box = HostConfig("lab/ada", command=("docker", "exec", "-i", "box", "sh"))
    assert found(box) == Resume(f"cd /home/ada/app && claude --resume {RICH}", "Run it on lab/ada.")


def test_another_home_on_this_machine_is_said_so(db: sqlite3.Connection, road: Road) -> None:
    note = _resume(db, road, HostConfig("laptop", home=Path("/mnt/old"))).note
    assert note == "Run it where /mnt/old is the home folder."


def test_a_host_that_is_not_configured_is_said_so(db: sqlite3.Connection, road: Road) -> None:
    note = _resume(db, road, HostConfig("other", home=Path("/home/me"))).note
    assert note == "Run it on laptop, which siphon.yml does not name (any more)."


def test_a_subagent_leads_to_the_session_it_comes_from(db: sqlite3.Connection, road: Road) -> None:
    [child] = children(db, told(db, PARENT).id)
    found = _resume(db, road, HostConfig("laptop", home=Path("/home/me")), str(child.uid))
    assert found.command is None
    assert found.note == "A subagent cannot be reopened by itself; go on with the session it comes from."


def test_a_log_gone_from_its_host_is_said_so(db: sqlite3.Connection, road: Road) -> None:
    config: Config = road.config._replace(hosts=(HostConfig("laptop", home=Path("/home/me")),))
    note = resume(told(db, RICH), config, gone=True).note or ""
    assert note.startswith("The log is no longer on the host")


def test_what_a_log_calls_its_folder_never_runs(
    db: sqlite3.Connection, road: Road, tmp_path: Path
) -> None:
    """The hostile session's folder closes a quotation and calls `touch pwned`."""
    for host in (HostConfig("laptop", home=Path("/home/me")), HostConfig("laptop", ssh="box.example")):
        command = _resume(db, road, host, HOSTILE).command or ""
        script = f'ssh() {{ shift 2; sh -c "$1"; }}; claude() {{ :; }}; {command}'
        subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_windows_is_written_for_windows(db: sqlite3.Connection, road: Road) -> None:
    head = told(db, RICH)._replace(cwd="C:\\Users\\Ada\\my app")
    found = resume(head, road.config._replace(hosts=(), ssh=Path("/x")))
    assert found.command == f'cd "C:\\Users\\Ada\\my app" && claude --resume {RICH}'


def test_a_native_id_that_would_run_is_quoted(db: sqlite3.Connection) -> None:
    head = told(db, RICH)._replace(native_id="x; touch pwned", cwd=None)
    assert resume(head, None).command == "claude --resume 'x; touch pwned'"


PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()


def test_a_picture_is_told_by_its_bytes_wherever_it_stands_in_a_record() -> None:
    block = {"type": "image", "source": {"type": "base64", "media_type": "text/html", "data": PNG}}
    svg = base64.b64encode(b"<svg onload='1'/>" * 9).decode()
    record = {"message": {"content": [block, {"data": svg}, {"url": f"data:image/png;base64,{PNG}"}]}}
    assert list(pictures([json.dumps(record).encode(), b"no json"])) == [
        Picture("image/png", base64.b64decode(PNG))
    ]


def test_a_fork_is_told_where_it_left(db: sqlite3.Connection) -> None:
    (branch,) = branches(db, told(db, FORKED).id)
    fork = read(db, FORK)
    copied = [entry for turn in fork.turns for entry in turn.entries if entry.origin]
    assert (branch.uid, branch.seq) == (told(db, FORK).uid, copied[-1].origin_seq)
    assert branches(db, told(db, LONG).id) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("**Reading the table**\n\nIt has `a` and __b__", "Reading the table It has a and b"),
        ("## Plan\n- one\n- two", "Plan one two"),
        ("2 * 3 * 4 and snake_case_name", "2 * 3 * 4 and snake_case_name"),
    ],
)
def test_a_folded_thought_shows_its_words_not_its_marks(text: str, line: str) -> None:
    said = Text(0, None, "assistant", "thinking", None, None, text, False, (), None, None, False)
    assert gist(said) == line


@pytest.mark.parametrize(
    ("prompt", "title"),
    [
        ("[[ ## user_query ## ]]\n\nWhat is 2+2?", "What is 2+2?"),
        ("# Task: mend the table\nIt leans.", "Task: mend the table"),
        ("[[ ## user_query ## ]]", "[[ ## user_query ## ]]"),
        ("\n#1 is the issue to close", "#1 is the issue to close"),
    ],
)
def test_a_title_out_of_a_prompt_leaves_its_frame_out(prompt: str, title: str) -> None:
    assert _title(prompt) == title
