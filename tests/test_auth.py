"""Who may read what: accounts, the door of the server, and limited readers, who see no word of the rest.

The fleet has two hosts and two projects. What the host reader may not see says "quokka" in every field,
what the project reader may not see says "wombat"; no answer to them may hold the word.
"""

import asyncio
import json
import re
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from claude_lines import START, Lines
from road import Road, road
from siphon import audit, auth, auth_tries
from siphon.auth import Account
from siphon.auth_gate import Door, admits
from siphon.auth_limits import Limits, Readers, holds_others, limited
from siphon.cli import siphon
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.raw import check_whole
from siphon.search import SORTS, Query, search
from siphon.serve import app, serve
from website import Answer, Site, served

API = "/-/siphon/api"
PASSWORD = "correct horse"
OPEN, SHUT, PARK, DEN = "open", "quokka-box", "park", "wombat-den"
READERS = {
    "host": (("quokka",), {"hosts": (OPEN,)}),
    "project": (("wombat",), {"projects": (PARK,)}),
    "both": (("quokka", "wombat"), {"hosts": (OPEN,), "projects": (PARK,)}),
}
# Session ids without a word: number of the host, number of the project.
IDS = {
    (host, project): f"0000000{h}-000{p}-4000-8000-00000000{h}{p}00"
    for h, host in enumerate((OPEN, SHUT), 1)
    for p, project in enumerate((PARK, DEN), 1)
}


def session_log(home: Path, host: str, project: str) -> None:
    words = " ".join(word for word in ("quokka", "wombat") if word in f"{host} {project}") or "plain"
    key = IDS[host, project]
    lines = Lines(key, cwd=f"/home/ada/{project}", start=START + timedelta(days=int(key[7])))
    lines.title(f"the title {words}")
    lines.prompt(f"the prompt {words}")
    lines.thinking(f"the thought {words}")
    lines.call("Bash", {"command": f"echo the {words}"}, f"the output {words}")
    lines.call(f"mcp__{words.replace(' ', '')}__the", {"query": words}, words, error=True)
    edited = {"file_path": f"/home/ada/{project}/{words}.py", "old_string": "the", "new_string": words}
    lines.call("Edit", edited, "ok")
    lines.reply(f"the reply {words}")
    # A model without price, a record type nobody knows, and a line that cannot be read.
    lines.lines[-1] = lines.lines[-1].replace("claude-sonnet-4-5-20250929", f"model-{words}")
    lines.lines[-1] = lines.lines[-1].replace('"gitBranch": "main"', f'"gitBranch": "branch-{words}"')
    lines.lines.append(json.dumps({"type": f"the-{words}", "sessionId": key}))
    lines.lines.append(f'{{"type": "user", the {words}')
    lines.write(home, f"-home-ada-{project}")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Road:
    folder = tmp_path_factory.mktemp("auth")
    homes = {host: folder / "homes" / host for host in (OPEN, SHUT)}
    for host, project in IDS:
        session_log(homes[host], host, project)
    made = road(folder, homes)
    made.go()
    file = auth.file_of(made.database)
    auth.add_user(file, Account("ada", "reader", "", 0), PASSWORD)
    auth.add_user(file, Account("root", "admin", "", 0), PASSWORD)
    for name, (_, limits) in READERS.items():
        auth.add_user(file, Account(name, "reader", "", 0, **limits), PASSWORD)
    return made


@pytest.fixture(scope="module")
def site(fleet: Road) -> Iterator[Site]:
    with served(fleet.config) as site:
        yield site


def _cookie(fleet: Road, name: str) -> str:
    accounts = auth.load(auth.file_of(fleet.database))
    user = next(one for one in accounts.users if one.name == name)
    return f"siphon={auth.login(accounts, user, _now())}"


def _now() -> int:
    import time

    return time.time_ns() // 1_000_000


def _post(site: Site, path: str, given: dict[str, str], **headers: str) -> Answer:
    data = urlencode(given).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(site.url + path, data=data, headers=named)
    return site.send(request)


# What a limited reader sees

START_PAGES = [
    "/",
    "/-/search?q=the&in=prompts,replies,thinking,other,input,output",
    "/-/search?in=prompts,replies,thinking,other,input,output",
    "/-/search?q=the&sort=relevance",
    "/-/sessions?kind=any",
    "/-/files",
    "/-/tools?days=all",
    "/-/fleet",
    "/-/problems",
    "/-/coverage",
    "/-/chart/activity",
    "/-/chart/cost",
    "/-/usage?by=project&since=2026-01-01",
    "/-/usage?by=host&since=2026-01-01",
    "/-/report?kind=cost&since=2026-01-01",
    "/-/session/0000000",
    *(f"{API}/{name}" for name in ("sessions", "messages", "requests", "files", "hosts", "status")),
    f"{API}/search?q=the",
    f"{API}/search?q=the&sort=relevance&in=output",
    f"{API}/problems",
    f"{API}/health",
    f"{API}/activity",
    f"{API}/tools?days=all",
    f"{API}/messages?format=ndjson",
    f"{API}/usage?by=host,project,model,session",
]
FORBIDDEN = [
    "/siphon",
    "/siphon/sessions",
    "/siphon/sessions.json",
    "/siphon/session_list.csv",
    "/siphon/messages?_search=the",
    "/siphon/-/query.json?sql=select+*+from+sessions",
    "/siphon.json?sql=select+*+from+sessions",
    "/siphon/sessions/1",
    "/siphon.db",
    "/-/databases.json",
    "/-/tables.json",
    "/-/config.json",
    "/-/plugins.json",
    "/-/threads.json",
    "/-/jump?q=the",
    "/-/notebooks",
    "/-/notebooks/",
    "/-/notebooks/cost/",
    "/-/%6eotebooks/cost/",
    "/%73iphon/sessions",
    "/~73iphon/sessions",
]


def _walked(site: Site, cookie: str) -> dict[str, Answer]:
    """Every page that links lead to from the first ones, and each session in every form."""
    waiting, seen = list(START_PAGES), {}
    for key in IDS.values():
        waiting += [f"/-/session/{key}", f"{API}/session/{key}"]
    while waiting and len(seen) < 250:
        path = waiting.pop(0).partition("#")[0]
        if path in seen or "logout" in path or "/static/" in path:
            continue
        answer = seen[path] = site.get(path, Cookie=cookie, Accept="text/html,*/*")
        if "location" in answer.headers:
            waiting.append(answer.headers["location"].removeprefix(site.url))
        if answer.headers.get("content-type", "").startswith("text/html"):
            links = re.findall(r'(?:href|action|src|data-\w+)="(/[^"]*)"', answer.text)
            waiting += [unescape(link) for link in links]
        if found := re.match(r"/-/session/([^?]+)$", path):
            forms = [f"export={form}&subagents=yes" for form in ("md", "html", "json", "raw", "zip")]
            shown = ["show=all", "find=the", *(f"raw={n}" for n in range(12)), "part=3"]
            waiting[:0] = [f"/-/session/{found[1]}?{more}" for more in (*forms, *shown)]
    return seen


def _unzipped(body: bytes) -> bytes:
    if not body.startswith(b"PK"):
        return body
    with ZipFile(BytesIO(body)) as found:
        return b"".join(name.encode() + found.read(name) for name in found.namelist())


def _holds(answer: Answer, words: tuple[str, ...]) -> bool:
    said = unquote(_unzipped(answer.body).decode(errors="replace") + str(answer.headers)).lower()
    return any(word in said for word in words)


@pytest.mark.parametrize("reader", READERS)
def test_no_page_no_json_no_export_and_no_raw_byte_tells_a_limited_reader_of_the_rest(
    fleet: Road, site: Site, reader: str
) -> None:
    words, _ = READERS[reader]
    seen = _walked(site, _cookie(fleet, reader))
    assert [path for path, answer in seen.items() if _holds(answer, words)] == []
    assert {answer.status for answer in seen.values()} <= {200, 302, 400, 403, 404}
    pages = {path.partition("?")[0] for path, answer in seen.items() if answer.status == 200}
    own = f"/-/session/{OPEN}/claude_code/{IDS[OPEN, PARK]}"
    assert {one.partition("?")[0] for one in START_PAGES} - pages <= {
        "/-/session/0000000",
        "/-/coverage",
    }
    assert own in pages and seen[f"{own}?export=raw&subagents=yes"].status == 200
    assert "the reply" in seen[f"{own}?export=md&subagents=yes"].text
    assert b"the reply" in _unzipped(seen[f"{own}?export=zip&subagents=yes"].body)


def test_who_reads_everything_meets_both_words_on_nearly_every_page(fleet: Road, site: Site) -> None:
    """Else the test above would prove nothing."""
    cookie = _cookie(fleet, "ada")
    without = [
        path
        for path in START_PAGES
        for word in ("quokka", "wombat")
        if not _holds(site.get(path, Cookie=cookie), (word,))
    ]
    usual = {
        "/-/chart/activity",
        "/-/chart/cost",
        "/-/usage",
        "/-/report",
        f"{API}/activity",
        f"{API}/health",
        f"{API}/status",
        f"{API}/hosts",
        "/-/fleet",
        "/",
    }
    assert {path for path in without if path.partition("?")[0] not in usual} <= {
        "/-/session/0000000",
        "/-/coverage",
    }


@pytest.mark.parametrize("reader", READERS)
def test_no_page_leads_a_limited_reader_where_they_may_not_go(
    fleet: Road, site: Site, reader: str
) -> None:
    actor = auth.Actor(reader, "reader", Limits(**READERS[reader][1]))
    cookie = _cookie(fleet, reader)
    led = {
        (path, link)
        for path in START_PAGES
        for link in re.findall(r'(?:href|action)="(/[^"#?]*)', site.get(path, Cookie=cookie).text)
        if not admits(actor, link)
    }
    assert led == set()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("path", FORBIDDEN)
def test_tables_sql_and_notebooks_are_closed_to_a_limited_reader(
    fleet: Road, site: Site, reader: str, path: str
) -> None:
    answer = site.get(path, Cookie=_cookie(fleet, reader))
    assert answer.status in (403, 404), path
    assert not _holds(answer, ("the title", "claude_code"))


@pytest.mark.parametrize("reader", READERS)
def test_what_is_out_of_the_limits_is_not_there(fleet: Road, site: Site, reader: str) -> None:
    words, limits = READERS[reader]
    cookie = _cookie(fleet, reader)
    mine = {
        pair: pair[0] in limits.get("hosts", pair) and pair[1] in limits.get("projects", pair)
        for pair in IDS
    }
    for pair, key in IDS.items():
        uid = f"{pair[0]}/claude_code/{key}"
        for path in (f"{API}/session/{key}", f"{API}/session/{uid}", f"/-/follow/{uid}"):
            assert site.get(path, Cookie=cookie).status == (200 if mine[pair] else 404)
    told = site.get(f"{API}/sessions", Cookie=cookie).json()
    assert told["total"] == len(told["sessions"]) == sum(mine.values())
    for word in words:
        found = site.get(f"{API}/search?q={word}", Cookie=cookie).json()
        assert (found["total"], found["hits"], found["window"]) == (0, [], 0)
        assert not any(found["facets"].values())
    total = site.get(f"{API}/search?q=the", Cookie=cookie).json()
    assert total["total"] == sum(hit["count"] for hit in total["facets"]["host"])


def test_the_data_of_one_reader_is_never_another_s_304(fleet: Road, site: Site) -> None:
    tag = site.get(f"{API}/sessions", Cookie=_cookie(fleet, "ada")).headers["etag"]
    again = site.get(f"{API}/sessions", Cookie=_cookie(fleet, "ada"), If_None_Match=tag)
    other = site.get(f"{API}/sessions", Cookie=_cookie(fleet, "host"), If_None_Match=tag)
    assert (again.status, other.status) == (304, 200)


# The connection that enforces it


def _tables(database: Path, kind: str) -> list[str]:
    with closing(connect(database)) as connection:
        sql = "select name from sqlite_master where type = ? and name not like 'sqlite_%'"
        names = [row[0] for row in connection.execute(sql, [kind])]
    return [name for name in names if "_fts" not in name]


def test_limits_that_cover_everything_show_every_row_of_every_table_and_view(fleet: Road) -> None:
    """A new table needs a rule, or a column that tells whose rows it holds: else it is empty here."""
    everything = Limits((OPEN, SHUT), None)
    hidden = {"runs"}  # loads are of all hosts at once
    with closing(connect(fleet.database)) as whole, closing(limited(fleet.database, everything)) as part:
        for name in (*_tables(fleet.database, "table"), *_tables(fleet.database, "view")):
            sql = f"select count(*) from {name}"
            if name not in hidden:
                assert part.execute(sql).fetchone()[0] == whole.execute(sql).fetchone()[0], name


@pytest.mark.parametrize(
    "sql",
    [
        "select title from main.sessions",
        "select text from main.messages",
        "select text from main.messages_fts",
        "select s.title from main.session_list s",
        "select m.title from sessions s join main.sessions m",
        "select (select max(title) from main.sessions)",
        "select title from sessions union select title from main.sessions",
        "attach ':memory:' as other",
        "delete from sessions",
        "create temp table mine (a)",
        "drop view temp.sessions",
        "insert into limit_hosts values ('quokka-box')",
        "update temp.limit_hosts set name = 'quokka-box'",
        "select load_extension('x')",
        "pragma writable_schema = on",
    ],
)
def test_sqlite_itself_refuses_what_goes_round_the_limits(fleet: Road, sql: str) -> None:
    with (
        closing(limited(fleet.database, Limits((OPEN,)))) as connection,
        pytest.raises(sqlite3.DatabaseError, match=r"not authorized|prohibited|cannot modify"),
    ):
        connection.execute(sql).fetchall()


def test_a_table_that_no_rule_knows_is_empty(fleet: Road, tmp_path: Path) -> None:
    database = tmp_path / "copy.db"
    with closing(connect(fleet.database)) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
        new.executescript("create table novel (word text); insert into novel values ('quokka');")
        new.executescript("create view novelty as select word from novel;")
    with closing(limited(database, Limits((OPEN,)))) as connection:
        assert connection.execute("select * from novel").fetchall() == []
        assert connection.execute("select * from novelty").fetchall() == []


def test_a_log_of_several_projects_is_not_handed_out_whole(fleet: Road, tmp_path: Path) -> None:
    database = tmp_path / "mixed.db"
    with closing(connect(fleet.database)) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
        new.executescript(
            "update sessions set log_id = (select min(log_id) from sessions), native_id = uid;"
            "update logs set error = 'quokka wombat', reads = 'wombat';"
        )
    for limits in (Limits((OPEN,)), Limits(None, (PARK,))):
        with closing(limited(database, limits)) as connection:
            (log, session) = connection.execute("select log_id, id from sessions").fetchone()
            assert holds_others(connection, log)
            with pytest.raises(SiphonError, match="holds other sessions too"):
                check_whole(connection, session)
    assert connection is not None
    with closing(limited(database, Limits(None, (PARK,)))) as connection:
        assert [tuple(row) for row in connection.execute("select error, reads from logs")] == [
            (None, None)
        ]
        assert connection.execute("select * from problems").fetchall() == []
        assert connection.execute("select * from tallies").fetchall() == []
    with closing(connect(database)) as connection:
        assert not holds_others(connection, log)


def test_parts_of_a_host_belong_to_it(fleet: Road, tmp_path: Path) -> None:
    database = tmp_path / "parts.db"
    with closing(connect(fleet.database)) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
        new.execute("update sessions set host = 'gpu/ada' where host = 'open'")
        new.execute("update sessions set host = 'gpu-2' where host = 'quokka-box'")
        new.commit()
    with closing(limited(database, Limits(("gpu",)))) as connection:
        hosts = connection.execute("select distinct host from sessions").fetchall()
        assert [row[0] for row in hosts] == ["gpu/ada"]


def test_a_database_built_anew_is_read_with_the_limits_anew(fleet: Road, tmp_path: Path) -> None:
    database = tmp_path / "again.db"
    with closing(connect(fleet.database)) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
    readers = Readers(database)

    def titles(connection: sqlite3.Connection) -> set[str]:
        return {row[0] for row in connection.execute("select title from sessions")}

    before = readers.read(Limits((OPEN,)), titles)
    with closing(sqlite3.connect(database)) as changed:
        changed.execute("create table another (session_id integer)")
        changed.execute("update sessions set host = iif(host = 'open', 'quokka-box', 'open')")
        changed.commit()
    after = readers.read(Limits((OPEN,)), titles)
    readers.close()
    assert len(before) == len(after) == 2 and not before & after


@pytest.mark.parametrize("again", [False, True])
def test_sessions_that_come_into_the_limits_or_leave_them_do_so_at_once(
    fleet: Road, tmp_path: Path, again: bool
) -> None:
    database = tmp_path / "moved.db"
    with closing(connect(fleet.database)) as old, closing(sqlite3.connect(database)) as new:
        old.backup(new)
    readers = Readers(database)

    def seen(connection: sqlite3.Connection) -> tuple[set[str], set[str]]:
        found = connection.execute(
            "select m.text from messages_fts f join messages m on m.id = f.rowid"
            " where messages_fts match 'prompt'"
        )
        every = connection.execute("select text from messages where kind = 'prompt'")
        return {row[0] for row in found}, {row[0] for row in every}

    before = readers.read(Limits((OPEN,)), seen)
    if again:  # where what was asked has failed, and its transaction with it
        with pytest.raises(sqlite3.OperationalError):
            readers.read(Limits((OPEN,)), lambda one: one.execute("select * from nowhere"))
    with closing(sqlite3.connect(database)) as changed:
        changed.execute("update sessions set host = iif(host = 'open', 'quokka-box', 'open')")
        changed.commit()
    after = readers.read(Limits((OPEN,)), seen)
    readers.close()
    assert before[0] == before[1] and after[0] == after[1]
    assert before[0] and after[0] and not before[0] & after[0]


@pytest.mark.parametrize("words", ["the", "prompt", "plain", "wombat"])
@pytest.mark.parametrize("more", [(), (("kind", "prompt"),), (("source", "claude_code"),)])
@pytest.mark.parametrize("sort", SORTS)
def test_a_limited_search_finds_what_a_search_of_that_host_finds(
    fleet: Road, words: str, more: tuple[tuple[str, str], ...], sort: str
) -> None:
    with (
        closing(connect(fleet.database)) as whole,
        closing(limited(fleet.database, Limits((OPEN,)))) as part,
    ):
        asked = Query(words, (("host", OPEN), *more), sort=sort, limit=100)
        theirs = search(part, asked._replace(filters=more))
        assert theirs.hits == search(whole, asked).hits and theirs.complete


# The door


def test_before_there_is_an_account_this_machine_reads_everything(tmp_path: Path) -> None:
    made = road(tmp_path, {OPEN: tmp_path / "homes"})
    session_log(tmp_path / "homes", OPEN, PARK)
    made.go()
    with served(made.config) as site:
        assert site.get("/siphon/sessions").status == 200
        auth.add_user(auth.file_of(made.database), Account("ada", "reader", "", 0), PASSWORD)
        assert site.get("/siphon/sessions").status == 401
        auth.remove(auth.file_of(made.database), "ada")
        assert site.get("/siphon/sessions").status == 200


@pytest.mark.parametrize(
    "path", ["/", "/siphon.json", f"{API}/status", "/-/notebooks/", "/-/login/x", "/x"]
)
def test_who_does_not_log_in_reads_nothing(site: Site, path: str) -> None:
    answer = site.get(path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert not _holds(answer, ("quokka", "wombat", "claude"))


def test_a_browser_is_led_to_the_login_page_and_back(fleet: Road, site: Site) -> None:
    led = site.get("/-/search?q=the", Accept="text/html")
    assert (led.status, led.headers["location"]) == (302, "/-/login?next=/-/search%3Fq%3Dthe")
    page = site.get(led.headers["location"])
    assert page.status == 200 and 'value="/-/search?q=the"' in page.text
    given = {"name": "ada", "password": PASSWORD, "next": "/-/search?q=the"}
    entered = _post(site, "/-/login", given)
    assert (entered.status, entered.headers["location"]) == (302, "/-/search?q=the")
    cookie = entered.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    there = site.get("/-/search?q=the", Cookie=cookie.partition(";")[0])
    assert there.status == 200 and "ada" in there.text
    out = _post(site, "/-/logout", {}, Cookie=cookie.partition(";")[0])
    assert out.headers["location"] == "/-/login" and 'siphon=""' in out.headers["set-cookie"]
    last = list(audit.notes(fleet.config.archive))[-1]
    assert (last["what"], last["by"], last["ok"]) == ("login", "ada", True)


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\n/x"]
)
def test_the_login_page_leads_to_no_other_site(site: Site, place: str) -> None:
    given = {"name": "ada", "password": PASSWORD, "next": place}
    assert _post(site, "/-/login", given).headers["location"] == "/"


def test_wrong_passwords_are_refused_and_then_made_to_wait(fleet: Road, site: Site) -> None:
    statuses: list[int] = []
    while 429 not in statuses and len(statuses) < 12:  # a slow machine outlasts the first waits
        statuses.append(_post(site, "/-/login", {"name": "zoe", "password": "x"}).status)
    assert statuses[: auth_tries.FREE] == [401] * auth_tries.FREE
    assert statuses[-1] == 429
    assert _post(site, "/-/login", {"name": "ada", "password": "wrong"}).status == 401
    noted = [one for one in audit.notes(fleet.config.archive) if one["what"] == "login"]
    assert {(one["by"], one["ok"]) for one in noted} >= {("unknown", False), ("ada", False)}
    assert "zoe" not in (fleet.config.archive / audit.FILE).read_text()


def test_each_wrong_password_doubles_the_wait() -> None:
    tries = auth_tries.Tries()
    waits = []
    for _ in range(14):
        waits.append(tries.wait("ada", 0))
        tries.wrong("ada", 0)
    assert waits == [0] * 5 + [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]
    tries.right("ada")
    assert tries.wait("ada", 0) == 0


def test_a_login_ends_with_the_user_the_password_and_the_time(tmp_path: Path) -> None:
    file = tmp_path / "x.auth.json"
    auth.add_user(file, Account("ada", "reader", "", 0), PASSWORD)
    accounts = auth.load(file)
    cookie = auth.login(accounts, accounts.users[0], 1000)
    assert auth.by_login(accounts, cookie, 1000) == accounts.users[0]
    assert auth.by_login(accounts, cookie, 1000 + auth.LOGIN_MS) is None
    assert auth.by_login(accounts, cookie[:-1] + ("0" if cookie[-1] != "0" else "1"), 1000) is None
    later = cookie.replace(str(1000 + auth.LOGIN_MS), str(2000 + auth.LOGIN_MS))
    assert auth.by_login(accounts, later, 1000) is None
    auth.remove(file, "ada")
    assert auth.by_login(auth.load(file), cookie, 1000) is None
    auth.add_user(file, Account("ada", "reader", "", 0), "another password")
    assert auth.by_login(auth.load(file), cookie, 1000) is None


def test_a_token_opens_the_api_until_it_ends_or_is_removed(fleet: Road, site: Site) -> None:
    file = auth.file_of(fleet.database)
    text = auth.add_token(file, Account("cron", "reader", "", 0, hosts=(OPEN,)))
    given = f"Bearer {text}"
    answer = site.get(f"{API}/sessions", Authorization=given)
    assert answer.status == 200 and not _holds(answer, ("quokka",))
    assert site.get("/siphon/sessions.json", Authorization=given).status == 403
    for wrong in (
        f"{given}x",
        "Bearer siphon_00000000_x",
        "Bearer dstok_x",
        "Basic YWRhOng=",
        "Bearer ",
    ):
        assert site.get(f"{API}/sessions", Authorization=wrong).status == 401, wrong
    # A token that is refused is not made good by a login.
    both = {"Authorization": f"{given}x", "Cookie": _cookie(fleet, "ada")}
    assert site.get(f"{API}/sessions", **both).status == 401
    auth.remove(file, "cron")
    assert site.get(f"{API}/sessions", Authorization=given).status == 401
    ended = auth.add_token(file, Account("old", "reader", "", 0, expires_at=1))
    assert site.get(f"{API}/sessions", Authorization=f"Bearer {ended}").status == 401
    auth.remove(file, "old")


def test_secrets_stand_nowhere(fleet: Road, site: Site) -> None:
    file = auth.file_of(fleet.database)
    text = auth.add_token(file, Account("shown", "reader", "", 0))
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text() and text.split("_", 2)[2] not in file.read_text()
    auth.remove(file, "shown")
    cookie = _cookie(fleet, "root")
    for path in ("/-/config.json", "/-/plugins.json", "/-/settings.json"):
        answer = site.get(path, Cookie=cookie)
        assert answer.status == 200
        assert "scrypt" not in answer.text and str(file.name) not in answer.text
    assert site.get("/-/config.json", Cookie=_cookie(fleet, "ada")).status == 403


def test_a_file_that_others_can_read_lets_nobody_in(tmp_path: Path) -> None:
    made = road(tmp_path, {OPEN: tmp_path / "homes"})
    session_log(tmp_path / "homes", OPEN, PARK)
    made.go()
    file = auth.file_of(made.database)
    auth.add_user(file, Account("ada", "reader", "", 0), PASSWORD)
    file.chmod(0o640)
    with pytest.raises(SiphonError, match="chmod 600"):
        auth.load(file)
    with served(made.config) as site:
        assert site.get("/").status == 503
    file.chmod(0o600)
    file.write_text("{")
    with pytest.raises(SiphonError, match="cannot be read"):
        auth.load(file)


def test_listening_wider_needs_an_account(fleet: Road, tmp_path: Path) -> None:
    bare = fleet.config._replace(database=tmp_path / "none.db")
    with pytest.raises(SiphonError, match="siphon auth add-user"):
        serve(bare, host="0.0.0.0")


class _Heard:
    """What an app answers to one request, without a server."""

    def __init__(self, app_: Any, path: str, kind: str = "http", **headers: str) -> None:
        self.messages: list[Any] = []
        named = {
            "host": "127.0.0.1",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        scope = {
            "type": kind, "path": path, "raw_path": path.encode(), "query_string": b"", "method": "GET",
            "headers": [(name.encode(), value.encode()) for name, value in named.items()],
        }  # fmt: skip
        asyncio.run(app_(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        return {"type": "websocket.connect"}

    async def _send(self, message: Any) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0].get("status") or self.messages[0]["code"])


async def _within(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


def test_a_server_that_others_reach_lets_nobody_in_without_accounts(tmp_path: Path) -> None:
    file = tmp_path / "none.auth.json"
    for path in ("/", f"{API}/status", "/-/notebooks/", "/siphon"):
        assert _Heard(Door(_within, file, wide=True), path).status == 401
        assert _Heard(Door(_within, file), path).status == 200


@pytest.mark.parametrize(
    ("host", "names", "wide", "status"),
    [
        ("localhost:8001", (), False, 200),
        ("[::1]:8001", (), False, 200),
        ("192.168.1.5:8001", (), False, 403),
        ("192.168.1.5:8001", (), True, 401),
        ("[fd00::1]:8001", (), True, 401),
        ("evil.example", (), True, 403),
        ("siphon.example.org", ("siphon.example.org",), False, 200),
        ("SIPHON.example.org:443", ("siphon.example.org",), False, 200),
        ("other.example.org", ("siphon.example.org",), False, 403),
    ],
)
def test_only_our_names_are_answered_and_addresses_where_others_reach_us(
    tmp_path: Path, host: str, names: tuple[str, ...], wide: bool, status: int
) -> None:
    door = Door(_within, tmp_path / "none.auth.json", names, wide)
    assert _Heard(door, "/", host=host).status == status


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_a_page_of_another_site_is_sent_away(fleet: Road, kind: str) -> None:
    door = Door(_within, auth.file_of(fleet.database))
    cookie = _cookie(fleet, "ada")
    for origin in ("https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost"):
        refused = _Heard(door, "/-/notebooks/cost/ws", kind, origin=origin, cookie=cookie)
        assert refused.status in (403, 4403)
    assert _Heard(door, "/", kind, origin="http://127.0.0.1", cookie=cookie).status == 200
    silent = {"origin": "null", "sec_fetch_site": "same-origin"}
    assert _Heard(door, "/", kind, cookie=cookie, **silent).status == 200


@pytest.mark.parametrize(("reader", "code"), [(None, 4401), ("host", 4403), ("project", 4403)])
def test_the_notebooks_websocket_asks_who_it_is_too(fleet: Road, reader: str | None, code: int) -> None:
    cookie = {} if reader is None else {"cookie": _cookie(fleet, reader)}
    app_ = app(fleet.config)
    assert _Heard(app_, "/-/notebooks/cost/ws", "websocket", **cookie).status == code


def test_who_reads_everything_gets_tables_sql_and_notebooks(fleet: Road, site: Site) -> None:
    for name in ("ada", "root"):
        cookie = _cookie(fleet, name)
        for path in ("/siphon/sessions.json", "/siphon/-/query.json?sql=select+1", "/-/notebooks/"):
            assert site.get(path, Cookie=cookie).status == 200, path


# The command


def _run(config: Path, *words: str, given: str | None = None) -> tuple[int, str]:
    done = CliRunner().invoke(siphon, ["--config", str(config), "auth", *words], input=given)
    return done.exit_code, done.output


def test_the_command_adds_lists_and_removes(tmp_path: Path) -> None:
    config = tmp_path / "siphon.yml"
    config.write_text(f"archive: {tmp_path}/archive\ndatabase: {tmp_path}/siphon.db\n")
    code, said = _run(
        config, "add-user", "ada", "--host", "laptop", "--password-stdin", given="long enough\n"
    )
    assert (code, said) == (0, "ada may log in, reads only host laptop\n")
    code, said = _run(config, "token", "cron", "--days", "7")
    token = said.splitlines()[0]
    assert code == 0 and token.startswith("siphon_")
    listed = json.loads(_run(config, "list", "--json")[1])
    told = [(one["kind"], one["name"], one["role"], one["hosts"]) for one in listed]
    assert told == [("user", "ada", "reader", ["laptop"]), ("token", "cron", "reader", None)]
    assert token.split("_", 2)[2] not in json.dumps(listed)
    assert _run(config, "remove", "cron")[0] == 0
    assert "ada" in _run(config, "list")[1] and "cron" not in _run(config, "list")[1]
    noted = [one["what"] for one in audit.notes(tmp_path / "archive")]
    assert noted == ["user-add", "token-add", "token-drop"]


@pytest.mark.parametrize(
    "words",
    [
        ("add-user", "a b", "--password-stdin"),
        ("add-user", "ada", "--role", "admin", "--host", "laptop", "--password-stdin"),
        ("remove", "nobody"),
    ],
)
def test_the_command_says_what_is_wrong(tmp_path: Path, words: tuple[str, ...]) -> None:
    config = tmp_path / "siphon.yml"
    config.write_text(f"archive: {tmp_path}/archive\n")
    done = CliRunner().invoke(siphon, ["--config", str(config), "auth", *words], input="long enough\n")
    assert isinstance(done.exception, SiphonError)
    assert not list(tmp_path.glob("*.auth.json"))
