"""The server: what it serves, to whom, with which headers, and while the database changes under it."""

import asyncio
import re
import socket
import sqlite3
import threading
from base64 import b64encode
from contextlib import closing
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

from conftest import CHECKOUT
from road import Road
from siphon import serve as serving
from siphon.assets import assets
from siphon.auth_gate import Message
from siphon.errors import SiphonError
from siphon.serve import _listener, serve
from website import HOSTILE, LONG, RICH, Site, fleet, served, until

pytest_plugins = ["website_fixtures"]

OURS = (
    "/",
    "/-/search",
    "/-/search?q=tide",
    "/-/search?q=hostile&in=prompts,replies,thinking,input,output",
    "/-/search?sort=best",
    "/-/sessions",
    "/-/sessions?kind=any&sort=cost",
    f"/-/session/laptop/claude_code/{RICH}",
    f"/-/session/laptop/claude_code/{RICH}?show=all&find=needleoutput",
    f"/-/session/laptop/claude_code/{RICH}?part=3",
    f"/-/session/laptop/claude_code/{LONG}",
    f"/-/session/laptop/claude_code/{HOSTILE}?show=all",
    "/-/session/nothing",
)
THEIRS = ("/siphon", "/siphon/sessions", "/siphon/session_list", "/siphon/messages?_search=tide", "/-/")


class _Seen(HTMLParser):
    """What a page would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if (tag == "script" and "src" not in given) or tag in (
            "style",
            "iframe",
            "object",
            "embed",
            "base",
        ):
            self.inline.append(tag)
        self.inline += [name for name in given if name == "style" or name.startswith("on")]
        self.fetched += [
            given[name] or "" for name in ("src", "srcset", "data", "poster") if name in given
        ]
        if tag == "link":
            self.fetched.append(given.get("href") or "")
        if (given.get("href") or "").lower().startswith("javascript:"):
            self.inline.append("javascript:")


def _seen(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    return seen


@pytest.mark.parametrize("path", OURS)
def test_in_our_pages_only_our_own_files_are_styles_and_scripts(website: Site, path: str) -> None:
    """Those inside a page are named in the policy by their hashes."""
    answer = website.get(path)
    assert answer.headers["content-type"].startswith("text/html")
    assert "unsafe-inline" not in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    seen = _seen(answer.text)
    inside = re.findall(r"<(style|script)>(.*?)</\1>", answer.text, re.DOTALL)
    assert seen.inline == [tag for tag, _ in inside]
    named = re.findall(r"(style|script)-src 'self' ([^;]+)", answer.headers["content-security-policy"])
    for tag, text in inside:
        assert f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" in dict(named)[tag]
    assert seen.fetched and all(url.startswith("/-/") for url in seen.fetched), seen.fetched


@pytest.mark.parametrize("path", THEIRS)
def test_datasettes_own_pages_have_our_bar_and_fetch_only_from_here(website: Site, path: str) -> None:
    answer = website.get(path)
    assert answer.status == 200
    assert 'action="/-/search"' in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert [url for url in _seen(answer.text).fetched if not url.startswith(("/", website.url))] == []


@pytest.mark.parametrize(
    "path", [*THEIRS, "/siphon/-/query?sql=select+1", "/siphon/sessions/1", "/nothing"]
)
def test_of_datasettes_scripts_only_those_of_its_templates_run(website: Site, path: str) -> None:
    answer = website.get(path)
    policy = dict(
        part.split(maxsplit=1) for part in answer.headers["content-security-policy"].split("; ")
    )
    sources = policy["script-src"].split()
    assert "'self'" in sources and "'unsafe-inline'" not in sources and "'unsafe-eval'" not in sources
    [nonce] = [one.removeprefix("'nonce-").rstrip("'") for one in sources if one.startswith("'nonce-")]
    inline = [tag for tag in re.findall(r"<script[^>]*>", answer.text) if "src=" not in tag]
    if path != "/nothing":
        assert inline and all(f'nonce="{nonce}"' in tag for tag in inline)
    assert [one for one in _seen(answer.text).inline if one.startswith("on")] == []
    again = website.get(path).headers["content-security-policy"]
    assert again != answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", [*OURS, *THEIRS, "/-/siphon/api/status", "/-/siphon/static/siphon.css"])
def test_every_answer_says_what_browsers_must_not_do(website: Site, path: str) -> None:
    headers = website.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] in ("same-origin", "no-referrer")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("site", "policy"),
    [("none", None), ("same-origin", None), ("same-site", "same-origin"), ("cross-site", "same-origin")],
)
def test_a_page_that_another_site_may_have_opened_is_cut_off_from_it(
    website: Site, site: str, policy: str | None
) -> None:
    for path in ("/", "/siphon", "/-/session/laptop/claude_code/none", "/-/notebooks/"):
        headers = website.get(path, **{"Sec-Fetch-Site": site}).headers
        assert headers.get("cross-origin-opener-policy") == policy
    assert website.get("/").headers["cross-origin-opener-policy"] == "same-origin"  # does not tell


@pytest.mark.parametrize(
    "name", ["evil.example", "evil.example:8001", "127.0.0.1.evil.example", "[::2]:80"]
)
def test_a_name_of_another_site_that_leads_here_reads_nothing(website: Site, name: str) -> None:
    for path in ("/", "/siphon.json", "/-/siphon/api/status", "/-/notebooks/", "/-/notebooks/cost/"):
        answer = website.get(path, Host=name)
        assert (answer.status, answer.text.count("laptop")) == (403, 0)


@pytest.mark.parametrize("name", ["localhost", "localhost:1", "127.0.0.1:80", "[::1]:80", "LOCALHOST"])
def test_our_own_names_are_answered(website: Site, name: str) -> None:
    assert website.get("/-/siphon/api/status", Host=name).status == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org"])
def test_wider_than_loopback_is_refused(road: Road, host: str) -> None:
    with pytest.raises(SiphonError, match="sessions are private"):
        serve(road.config, host=host)


def test_a_port_in_use_is_one_clear_line(road: Road, website: Site) -> None:
    port = int(website.url.rpartition(":")[2])
    with pytest.raises(SiphonError, match=f"cannot listen on 127.0.0.1:{port}: .*; choose another port"):
        serve(road.config, port=port)


def test_small_answers_are_sent_at_once() -> None:
    """A connection without TCP_NODELAY waits 40 ms for the other side's acknowledgement."""
    with _listener("127.0.0.1", 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_nothing_can_be_written(road: Road, website: Site) -> None:
    before = road.database.read_bytes()
    for sql in ("delete from sessions", "insert into meta values ('a', 'b')", "attach 'x.db' as x"):
        answer = website.get(f"/siphon/-/query.json?sql={sql.replace(' ', '+')}")
        assert answer.status in (400, 403), sql
    assert website.get("/siphon.db").status in (403, 404)
    assert road.database.read_bytes() == before


def test_sql_that_takes_too_long_is_stopped(website: Site) -> None:
    sql = "with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n"
    answer = website.get(f"/siphon/-/query.json?sql={sql.replace('+', '%2B').replace(' ', '+')}")
    assert answer.status == 400


def test_notebooks_are_listed_below_the_pages(website: Site) -> None:
    assert website.get("/-/notebooks").status == 302
    assert 'href="/-/notebooks/cost/"' in website.get("/-/notebooks/").text


def test_what_is_configured_is_never_published(road: Road, website: Site) -> None:
    for path in (
        "/-/config.json",
        "/-/metadata.json",
        "/-/settings.json",
        "/-/plugins.json",
        "/-/databases.json",
    ):
        answer = website.get(path)
        assert "homes/laptop" not in answer.text and str(road.config.archive) not in answer.text, path


# The database under it


def test_a_database_that_is_not_there_yet_is_served_once_it_is(tmp_path: Path) -> None:
    made = fleet(tmp_path)
    with served(made.config) as website:
        missing = website.get("/")
        assert missing.status == 503
        assert f"Nothing is loaded yet: {made.database.name} is not there." in missing.text
        assert missing.headers["refresh"] == "5"
        made.go()
        assert website.get(f"/-/session/laptop/claude_code/{RICH}").status == 200


def test_a_file_that_is_no_database_says_so_and_how_to_mend_it(tmp_path: Path) -> None:
    made = fleet(tmp_path)
    made.database.write_bytes(bytes(range(1, 256)) * 40)
    with served(made.config) as website:
        told = website.get("/")
        assert (told.status, told.headers["content-type"]) == (503, "text/plain; charset=utf-8")
        assert f"{made.database.name} cannot be read: file is not a database." in told.text.lower()
        assert "`siphon load --rebuild` makes it anew" in told.text
        assert website.get("/-/siphon/api/status").json()["status"] == 503
        made.collect()
        made.load(rebuild=True)
        assert website.get("/").status == 200


def test_the_home_page_is_made_before_anybody_asks(road: Road) -> None:
    place = serving.Site(road.config, wide=False)

    async def life() -> None:
        heard: asyncio.Queue[Message] = asyncio.Queue()
        told: asyncio.Queue[Message] = asyncio.Queue()
        running = asyncio.create_task(place.door({"type": "lifespan"}, heard.get, told.put))
        await heard.put({"type": "lifespan.startup"})
        assert await told.get() == {"type": "lifespan.startup.complete"}
        while not {"home.html", "session.html"} <= {name for _, name in place.templates.cache or ()}:
            await asyncio.sleep(0.01)
        await heard.put({"type": "lifespan.shutdown"})
        await running

    asyncio.run(asyncio.wait_for(life(), 60))


def test_a_database_put_in_the_place_of_another_is_served(tmp_path: Path) -> None:
    made = fleet(tmp_path)
    made.go()
    with served(made.config) as website:
        assert website.get("/-/siphon/api/status").json()["sessions"] > 5
        made.database.unlink()
        with closing(sqlite3.connect(made.database.with_name("other.db"))) as other:
            other.execute("vacuum")
        made.load(rebuild=True)
        assert website.get("/-/siphon/api/status").json()["sessions"] > 5


def test_pages_are_whole_while_the_database_is_built_anew(tmp_path: Path) -> None:
    made = fleet(tmp_path)
    made.go()
    paths = (
        "/-/search?q=tide",
        f"/-/session/laptop/claude_code/{RICH}",
        "/-/siphon/api/sessions?limit=500",
    )
    with served(made.config) as website:
        first = [website.get(path).body for path in paths]
        stop, bad = threading.Event(), []

        def ask() -> None:
            while not stop.is_set():
                for path, body in zip(paths, first, strict=True):
                    answer = website.get(path)
                    if answer.status != 200 or answer.body != body:
                        bad.append((path, answer.status, answer.text[:200]))

        thread = threading.Thread(target=ask)
        thread.start()
        for _ in range(3):
            made.load(rebuild=True)
        stop.set()
        thread.join()
        assert bad == []


def test_a_line_that_is_loaded_is_on_the_page(tmp_path: Path) -> None:
    made = fleet(tmp_path)
    made.go()
    with served(made.config) as website:
        assert website.get("/-/siphon/api/search?q=afterthought").json()["total"] == 0
        log = next((made.config.hosts[0].home or Path()).rglob(f"{RICH}.jsonl"))
        line = log.read_text().splitlines()[1]
        line = line.replace("fix the tide table", "an afterthought").replace("00a2-1", "00a2-99")
        with log.open("a") as file:
            file.write(line + "\n")
        made.go()
        until(lambda: website.get("/-/siphon/api/search?q=afterthought").json()["total"] == 1)


# What is said about the data


def _layout(database: Path) -> dict[str, set[str]]:
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("select name from sqlite_master where type in ('table', 'view')")
        return {
            name: {row[1] for row in connection.execute(f'pragma table_info("{name}")')}
            for (name,) in names.fetchall()
        }


def test_every_column_of_every_table_and_view_is_described(road: Road) -> None:
    words = yaml.safe_load((assets() / "metadata.yml").read_text(encoding="utf-8"))
    told = words["databases"]["siphon"]["tables"]
    internal = re.compile(r"\w+_fts_(config|content|data|docsize|idx)|sqlite_\w+")
    for name, columns in _layout(road.database).items():
        if internal.fullmatch(name):
            continue
        assert name in told, f"metadata.yml does not describe {name}"
        assert set(told[name].get("columns", {})) == columns, name
        assert told[name].get("title"), name


def test_metadata_describes_nothing_that_is_not_there(road: Road) -> None:
    words = yaml.safe_load((assets() / "metadata.yml").read_text(encoding="utf-8"))
    assert set(words["databases"]["siphon"]["tables"]) <= set(_layout(road.database))


def test_descriptions_stand_on_the_tables_pages(website: Site) -> None:
    page = website.get("/siphon/session_list").text
    assert "<h1>Session list (view)</h1>" in page
    assert "Time at work (ms)." in page


def test_internals_are_hidden_and_settings_apply(website: Site) -> None:
    page = website.get("/siphon").text
    assert ">messages</a>" in page
    assert ">messages_fts_data</a>" not in page and ">meta</a>" not in page
    settings = website.get("/-/settings.json").json()
    assert (settings["default_page_size"], settings["suggest_facets"], settings["allow_download"]) == (
        25, False, False,
    )  # fmt: skip


def test_datasettes_search_uses_the_full_text_index(website: Site) -> None:
    found = website.get("/siphon/messages.json?_search=needlereply&_shape=array").json()
    assert [row["kind"] for row in found] == ["reply"]
    calls = website.get("/siphon/tool_calls.json?_search=needleinput&_shape=array").json()
    assert [row["name"] for row in calls] == ["Bash"]


def test_rows_lead_to_our_pages(website: Site) -> None:
    assert (
        f'<a href="/-/session/laptop/claude_code/{RICH}">Everything at once</a>'
        in website.get("/siphon/session_list").text
    )
    assert re.search(
        rf'<a href="/-/session/laptop/claude_code/{HOSTILE}\?at=\d+#m\d+">#\d+</a>',
        website.get("/siphon/messages").text,
    )


def test_the_assets_of_a_checkout_are_found() -> None:
    assert assets() == CHECKOUT


# Session pages


def test_a_beginning_of_the_id_leads_to_the_session(website: Site) -> None:
    answer = website.get(f"/-/session/{RICH[:8]}?at=4")
    assert answer.status == 302
    assert answer.headers["location"] == f"/-/session/laptop/claude_code/{RICH}?at=4#m4"


def test_an_unknown_session_is_404_and_an_ambiguous_one_lists_links(website: Site) -> None:
    assert website.get("/-/session/nothing").status == 404
    ambiguous = website.get("/-/session/0000000")
    assert ambiguous.status == 404
    assert f'<a href="/-/session/laptop/claude_code/{RICH}">' in ambiguous.text


def test_the_raw_record_is_text_that_no_browser_runs(road: Road, website: Site) -> None:
    answer = website.get(f"/-/session/laptop/claude_code/{HOSTILE}?raw=1")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer.headers["content-security-policy"]
    log = next((road.config.hosts[0].home or Path()).rglob(f"{HOSTILE}.jsonl"))
    assert answer.body.splitlines()[0] in log.read_bytes().splitlines()


@pytest.mark.parametrize(
    "query", ["raw=999999", "part=999999", "raw=x", "at=x", "show=some", "colour=red"]
)
def test_bad_input_is_a_page_that_says_what_is_wrong(website: Site, query: str) -> None:
    answer = website.get(f"/-/session/laptop/claude_code/{RICH}?{query}")
    assert answer.status == 400
    assert '<div class="sorry">' in answer.text


@pytest.mark.parametrize(
    "query", ["sort=best", "in=titles", "since=soon", "limit=0", "colour=red", "offset=9999"]
)
def test_a_bad_search_is_a_page_that_says_what_is_wrong(website: Site, query: str) -> None:
    answer = website.get(f"/-/search?q=tide&{query}")
    assert answer.status == 400
    assert '<div class="sorry">' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/-/session/../../etc/passwd",
        "/-/siphon/static/../../metadata.yml",
        "/-/siphon/static/%2e%2e/session.py",
        "/-/session/%2e%2e%2f%2e%2e%2fetc%2fpasswd?raw=1",
    ],
)
def test_no_page_serves_a_file_outside(website: Site, path: str) -> None:
    answer = website.get(path)
    assert answer.status in (302, 400, 403, 404)
    assert "root:x:" not in answer.text and "hookimpl" not in answer.text


def test_search_says_what_it_looked_through(website: Site) -> None:
    assert "complete" in website.get("/-/search?q=harbour").text
    nothing = website.get("/-/search?q=nosuchword").text
    assert "Nothing found" in nothing and "Look everywhere" not in nothing.split("Nothing found")[0]
    elsewhere = website.get("/-/search?q=needleoutput").text
    assert "Nothing in prompts and replies; this is what everything else holds." in elsewhere
    assert "<mark>needleoutput</mark>" in elsewhere


def test_filters_live_in_the_url_and_can_be_removed(website: Site) -> None:
    page = website.get("/-/search?q=the&host=laptop&source=claude_code").text
    assert 'href="/-/search?q=the&amp;source=claude_code"' in page
    assert 'href="/-/search?q=the&amp;host=laptop"' in page
