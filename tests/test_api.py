"""The JSON that scripts read: as openapi.yml says, errors that help, and the same after a rebuild."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import CHECKOUT
from road import Road
from siphon.db import connect
from website import LONG, PROMPTS, RICH, Site, fleet, served

OPENAPI = yaml.safe_load((CHECKOUT / "plugins" / "openapi.yml").read_text(encoding="utf-8"))
API = "/-/siphon/api"
ASKED = {  # path in openapi.yml → what is asked of it
    "/search": ["", "?q=tide", "?q=tide&sort=relevance&in=prompts&host=laptop", "?q=%22&limit=1"],
    "/sessions": ["", "?sort=cost&limit=3", "?sort=-title&kind=subagent", "?q=once&host=laptop"],
    "/session/{name}": ["", "?limit=5&show=prompts", "?after=3&limit=2", "?at=4"],
    "/status": [""],
    "/problems": ["", "?host=laptop&limit=1"],
    "/messages": ["", "?limit=3&kind=prompt&host=laptop", "?fields=session,seq,text&since=2026-03-02"],
    "/requests": ["", "?limit=3&fields=cost_usd,model", "?day=2026-03-02"],
    "/usage": ["", "?by=model,host", "?by=session&source=codex", "?by=hour&until=2026-03-01"],
    "/activity": ["", "?host=laptop"],
    "/files": ["", "?path=tide&host=laptop"],
    "/tools": ["", "?days=all&source=claude_code", "?since=2026-03-02"],
    "/hosts": [""],
    "/health": [""],
}


@pytest.fixture(scope="module")
def road(tmp_path_factory: pytest.TempPathFactory) -> Road:
    made = fleet(tmp_path_factory.mktemp("api"))
    made.go()
    return made


@pytest.fixture(scope="module")
def site(road: Road) -> Iterator[Site]:
    with served(road.config) as site:
        yield site


def schema(path: str, status: str) -> dict[str, Any]:
    """What openapi.yml says that the route answers."""
    answer = OPENAPI["paths"][path]["get"]["responses"][status]
    if "$ref" in answer:
        answer = OPENAPI["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return {**answer["content"]["application/json"]["schema"], "components": OPENAPI["components"]}


def wrong(path: str, status: str, value: object) -> list[str]:
    """What of the value is not as openapi.yml says."""
    found = Draft202012Validator(schema(path, status)).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


def test_every_route_is_described_and_asked_here() -> None:
    assert set(OPENAPI["paths"]) == set(ASKED)


@pytest.mark.parametrize(
    ("path", "query"), [(path, query) for path, queries in ASKED.items() for query in queries]
)
def test_an_answer_is_as_described(site: Site, path: str, query: str) -> None:
    answer = site.get(API + path.replace("{name}", RICH) + query)
    assert answer.status == 200
    assert wrong(path, "200", answer.json()) == []


def test_every_kind_of_session_is_as_described(site: Site) -> None:
    for one in site.get(f"{API}/sessions").json()["sessions"]:
        answer = site.get(f"{API}/session/{one['uid']}?limit=1000")
        assert wrong("/session/{name}", "200", answer.json()) == [], one["uid"]


def test_the_description_is_served(site: Site) -> None:
    found = site.get(f"{API}/openapi.json").json()
    assert found["openapi"] == "3.1.0"
    assert set(found["paths"]) == set(OPENAPI["paths"])


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/search?colour=red", "no filter 'colour'"),
        ("/search?sort=best", "sort='best' is unknown"),
        ("/search?limit=201", "limit=201 is out of range"),
        ("/search?since=soon", "since='soon' is no day"),
        ("/sessions?colour=red", "no filter 'colour'"),
        ("/sessions?sort=best", "sort='best' is unknown"),
        ("/sessions?cursor=nonsense", "cursor='nonsense' is none of ours"),
        ("/sessions?limit=0", "limit='0' is out of range"),
        (f"/session/{RICH}?show=some", "show='some' is unknown"),
        (f"/session/{RICH}?limit=-1", "limit='-1' is out of range"),
        (f"/session/{RICH}?colour=red", "'colour' is unknown here"),
        ("/status?colour=red", "'colour' is unknown here"),
        ("/problems?limit=x", "limit='x' is out of range"),
        ("/messages?colour=red", "no filter 'colour'"),
        ("/messages?fields=colour", "no field 'colour'"),
        ("/messages?cursor=nonsense!", "cursor='nonsense!' is none of ours"),
        ("/requests?format=xml", "format='xml' is unknown"),
        ("/usage?by=colour", "by='colour' is unknown"),
        ("/activity?since=soon", "since='soon' is no day"),
        ("/files?colour=red", "'colour' is unknown here"),
        ("/tools?days=8", "days='8' is unknown"),
        ("/hosts?colour=red", "'colour' is unknown here"),
        ("/health?colour=red", "'colour' is unknown here"),
    ],
)
def test_bad_input_is_400_with_what_and_the_way_out(site: Site, path: str, error: str) -> None:
    answer = site.get(API + path)
    value = answer.json()
    route = "/session/{name}" if path.startswith("/session/") else path.partition("?")[0]
    assert (answer.status, value["status"], value["error"]) == (400, 400, error)
    assert value["hint"]
    assert wrong(route, "400", value) == []


def test_an_unknown_session_is_404_and_an_ambiguous_one_lists_candidates(site: Site) -> None:
    unknown = site.get(f"{API}/session/nothing")
    assert unknown.status == 404
    assert wrong("/session/{name}", "404", unknown.json()) == []
    ambiguous = site.get(f"{API}/session/0000000")
    assert ambiguous.status == 404
    assert f"laptop/claude_code/{RICH}" in ambiguous.json()["candidates"]


def test_an_unknown_route_is_404_and_names_the_description(site: Site) -> None:
    answer = site.get(f"{API}/nothing")
    assert answer.status == 404
    assert answer.json()["hint"] == "/-/siphon/api/openapi.json lists what there is"


def test_nothing_changed_is_304_until_something_does(road: Road, site: Site) -> None:
    first = site.get(f"{API}/status")
    tag = first.headers["etag"]
    assert site.get(f"{API}/status", If_None_Match=tag).status == 304
    assert site.get(f"{API}/status?x=1", If_None_Match=tag).status == 400
    road.load(rebuild=True)
    again = site.get(f"{API}/status", If_None_Match=tag)
    assert again.status == 200
    assert again.headers["etag"] != tag


def test_cursors_lead_through_all_sessions_once(site: Site) -> None:
    whole = site.get(f"{API}/sessions?limit=500").json()
    for sort in ("started", "-started", "title", "cost", "-tokens"):
        found, cursor = [], ""
        while True:
            page = site.get(f"{API}/sessions?limit=4&sort={sort}{cursor}").json()
            found += [one["uid"] for one in page["sessions"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert sorted(found) == sorted(one["uid"] for one in whole["sessions"]), sort
        assert len(found) == whole["total"]


def test_after_leads_through_all_records_once(site: Site) -> None:
    found, after = [], -1
    while after is not None:
        page = site.get(f"{API}/session/{LONG}?limit=90&after={after}").json()
        found += [record["seq"] for record in page["records"]]
        after = page["next"]
    assert len(found) == len(set(found)) == page["total"] == 2 * PROMPTS
    assert found == sorted(found)


@pytest.mark.parametrize("name", ["messages", "requests"])
def test_cursors_and_lines_give_all_rows_once(road: Road, site: Site, name: str) -> None:
    with closing(connect(road.database)) as connection:
        count = connection.execute(COUNTED[name]).fetchone()[0]
    found, cursor = [], ""
    while cursor is not None:
        page = site.get(
            f"{API}/{name}?limit=300&fields=session,seq,native_id{cursor and '&cursor=' + cursor}"
        ).json()
        found += page[name]
        cursor = page["next"]
    lines = site.get(f"{API}/{name}?format=ndjson&fields=session,seq,native_id")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.splitlines()] == found
    assert len(found) == count


COUNTED = {
    "messages": "select count(*) from messages m join sessions s on s.id = m.session_id"
    " where m.copy_of is null and not s.hidden",
    "requests": "select count(*) from billed_requests",
}


@pytest.mark.parametrize(
    "by", ["day", "hour", "model", "host", "source", "project", "session", "day,model"]
)
def test_every_sum_over_a_grouping_is_the_total(site: Site, by: str) -> None:
    [total] = site.get(f"{API}/usage?by=,").json()["usage"]
    parts = site.get(f"{API}/usage?by={by}").json()["usage"]
    for name in ("requests", "input_tokens", "cache_read_tokens", "output_tokens", "unpriced_requests"):
        assert sum(part[name] for part in parts) == total[name], name
    assert sum(part["cost_usd"] or 0 for part in parts) == pytest.approx(total["cost_usd"])


def test_a_rebuild_changes_no_answer(road: Road, site: Site) -> None:
    paths = ["/sessions?limit=500", "/search?q=the&limit=200", f"/session/{RICH}", f"/session/{LONG}"]
    before = [site.get(API + path).json() for path in paths]
    road.load(rebuild=True)
    assert [site.get(API + path).json() for path in paths] == before


def test_no_integer_id_of_the_database_leaves_it(site: Site) -> None:
    for path in (
        "/sessions",
        "/search?q=the",
        f"/session/{RICH}",
        "/status",
        "/problems",
        "/messages",
        "/files",
    ):
        assert not re.search(r'"(?:id|\w+_id)":\d', site.get(API + path).text), path


def test_urls_lead_to_the_record(site: Site) -> None:
    hit = site.get(f"{API}/search?q=needleoutput").json()["hits"][0]
    assert hit["url"] == f"/-/session/laptop/claude_code/{RICH}?at={hit['seq']}#m{hit['seq']}"
    page = site.get(hit["url"].partition("#")[0])
    assert page.status == 200
    assert f'id="m{hit["seq"]}"' in page.text


def test_marks_are_where_the_words_stand(site: Site) -> None:
    for hit in site.get(f"{API}/search?q=tide").json()["hits"]:
        assert [hit["snippet"][start:end].lower() for start, end in hit["marks"]] in (
            ["tide"] * len(hit["marks"]),
        )


def test_two_windows_of_facets_are_told_apart(site: Site) -> None:
    found = site.get(f"{API}/search?q=the").json()
    assert found["complete"] is True
    assert sum(one["count"] for one in found["facets"]["host"]) == found["total"] == found["window"]
