"""search, show, sessions and status on the command line: what the API answers, or for people."""

import json
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from siphon import api, cli
from siphon.archive import Archive
from siphon.config import load_config
from siphon.db import connect
from siphon.fleet import fleet as hosts
from website import LONG, PROMPTS, RICH, fleet


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cli")
    made = fleet(folder)
    made.go()
    hosts = "".join(f"  {host.name}: {{home: {host.home}}}\n" for host in made.config.hosts)
    (folder / "siphon.yml").write_text(f"archive: archive\ndatabase: siphon.db\nhosts:\n{hosts}")
    return folder


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> Done:
        code = cli.run(["--config", str(folder / "siphon.yml"), *words])
        return Done(code, *capsys.readouterr())

    return run


SEARCHED = [("q", "tide"), ("host", "laptop"), ("sort", "newest"), ("limit", "20"), ("offset", "0")]
ASKED = {
    "search tide --host laptop": lambda one: api.search(one, SEARCHED),
    "sessions --limit 3 --sort cost": lambda one: api.sessions(one, [("sort", "cost"), ("limit", "3")]),
    f"show {RICH[:8]}": lambda one: api.session(one, RICH[:8], [("show", "tools")]),
    "status --problems": lambda one: api.problems(one, [("limit", "1000")]),
}


@pytest.mark.parametrize("line", ASKED)
def test_json_is_what_the_api_answers_and_nothing_else(run: Any, folder: Path, line: str) -> None:
    done = run(*line.split(), "--json")
    connection = connect(folder / "siphon.db")
    assert done.code == 0
    assert json.loads(done.out) == json.loads(json.dumps(ASKED[line](connection)))
    assert done.err == ""
    connection.close()


def test_status_as_json_is_what_the_api_answers(run: Any, folder: Path) -> None:
    done = run("status", "--json")
    config = load_config(folder / "siphon.yml", {}, folder)
    with closing(connect(folder / "siphon.db")) as connection:
        told = api.status(connection, hosts(connection, Archive(config.archive), config, 0))
    found = json.loads(done.out)
    for one, other in zip(found["hosts"], told["hosts"], strict=True):
        assert one.pop("lag") > 0 == other.pop("lag")  # the clock went on
    assert found == json.loads(json.dumps(told))


def test_a_search_prints_where_and_what(run: Any) -> None:
    done = run("search", "needlereply")
    assert f"laptop/claude_code/{RICH}" in done.out
    assert "print('needlereply')" in done.out
    assert done.err == "1 hit\n"


def test_words_to_exclude_are_no_options(run: Any) -> None:
    assert run("search", "harbour", "-number").err == "0 hits\n"


def test_a_beginning_of_the_id_shows_the_session(run: Any) -> None:
    done = run("show", RICH[:8])
    assert done.out.startswith(f"Everything at once\nlaptop/claude_code/{RICH}\n")
    assert "fix the tide table" in done.out and "Edit src/tide.py  (+1 −1" in done.out


def test_the_whole_of_a_long_session_is_shown(run: Any) -> None:
    out = run("show", LONG).out
    assert [f"question number {number} about" in out for number in range(PROMPTS)] == [True] * PROMPTS


def test_a_part_of_a_session_is_shown(run: Any) -> None:
    out = run("show", LONG, "--at", "100", "--limit", "2", "--show", "conversation").out
    assert out.count("\n#") == 2


def test_an_ambiguous_session_lists_candidates_and_fails(run: Any) -> None:
    done = run("show", "0000000")
    assert done.code == 1
    assert f"\n  laptop/claude_code/{RICH}  2026-03-02 10:00  Everything at once\n" in done.err
    assert done.out == ""


def test_an_unknown_session_says_how_to_list_them(run: Any) -> None:
    done = run("show", "nothing", "--json")
    assert (done.code, done.out) == (1, "")
    assert done.err == "siphon: no session 'nothing'; `siphon sessions` lists them\n"


def test_wrong_arguments_are_one_line(run: Any) -> None:
    done = run("search", "x", "--since", "soon")
    assert (done.code, done.err) == (1, "siphon: since='soon' is no day; it would be like 2026-01-31\n")
    assert run("search").code == 2
    assert run("search", "x", "--sort", "best").code == 2


def test_a_database_that_is_not_there_says_what_makes_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "siphon.yml").write_text("archive: archive\n")
    assert cli.run(["--config", str(tmp_path / "siphon.yml"), "sessions"]) == 1
    assert "`siphon load` makes it" in capsys.readouterr().err


def test_sessions_and_status_are_tables(run: Any) -> None:
    listed = run("sessions")
    assert any("Everything at once" in line and RICH in line for line in listed.out.splitlines())
    status = run("status").out
    assert status.splitlines()[0].startswith("14 sessions from 13 logs") or "sessions from" in status
    assert "laptop" in status and "Claude Code" in status


def test_what_acts_on_a_terminal_is_not_printed(run: Any) -> None:
    for words in (("search", "hostile", "--limit", "200"), ("show", "00000003"), ("sessions",)):
        assert "\x1b]" not in run(*words).out and "\u202e" not in run(*words).out
