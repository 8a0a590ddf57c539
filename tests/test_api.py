"""The JSON that scripts read: as openapi.yml says, errors that help, and the same after a rebuild."""

import json
import re
import urllib.request
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml
from jsonschema import Draft202012Validator

from conftest import CHECKOUT
from road import Road
from siphon import api_routes, bulk
from siphon.db import connect
from website import LONG, PROMPTS, RICH, Site, fleet, served

pytest_plugins = ["website_fixtures"]

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


def schema(path: str, status: str) -> dict[str, Any]:
    """What openapi.yml says that the route answers."""
    answers = OPENAPI["paths"][path]["get"]["responses"]
    answer = answers.get(status, answers["default"])
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
def test_an_answer_is_as_described(website: Site, path: str, query: str) -> None:
    answer = website.get(API + path.replace("{name}", RICH) + query)
    assert answer.status == 200
    assert wrong(path, "200", answer.json()) == []


def test_every_kind_of_session_is_as_described(website: Site) -> None:
    for one in website.get(f"{API}/sessions").json()["sessions"]:
        answer = website.get(f"{API}/session/{one['uid']}?limit=1000")
        assert wrong("/session/{name}", "200", answer.json()) == [], one["uid"]


def test_the_description_is_served(website: Site) -> None:
    found = website.get(f"{API}/openapi.json").json()
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
        ("/messages?limit=", "limit= is empty"),
        ("/messages?session=x&since=soon", "since='soon' is no day"),
        ("/hosts?colour=red", "'colour' is unknown here"),
        ("/health?colour=red", "'colour' is unknown here"),
    ],
)
def test_bad_input_is_400_with_what_and_the_way_out(website: Site, path: str, error: str) -> None:
    answer = website.get(API + path)
    value = answer.json()
    route = "/session/{name}" if path.startswith("/session/") else path.partition("?")[0]
    assert (answer.status, value["status"], value["error"]) == (400, 400, error)
    assert value["hint"]
    assert wrong(route, "400", value) == []


def test_an_unknown_session_is_404_and_an_ambiguous_one_lists_candidates(website: Site) -> None:
    unknown = website.get(f"{API}/session/nothing")
    assert unknown.status == 404
    assert wrong("/session/{name}", "404", unknown.json()) == []
    ambiguous = website.get(f"{API}/session/0000000")
    assert ambiguous.status == 404
    assert f"laptop/claude_code/{RICH}" in ambiguous.json()["candidates"]


def test_an_unknown_route_is_404_and_names_the_description(website: Site) -> None:
    answer = website.get(f"{API}/nothing")
    assert answer.status == 404
    assert answer.json()["hint"] == "/-/siphon/api/openapi.json lists what there is"


def test_nothing_changed_is_304_until_something_does(road: Road, website: Site) -> None:
    first = website.get(f"{API}/sessions")
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}', "*"):
        again = website.get(f"{API}/sessions", If_None_Match=known)
        assert (again.status, again.body) == (304, b"")
    assert website.get(f"{API}/sessions?limit=3", If_None_Match=tag).status == 200
    assert website.get(f"{API}/sessions?x=1", If_None_Match=tag).status == 400
    road.load(rebuild=True)
    again = website.get(f"{API}/sessions", If_None_Match=tag)
    assert again.status == 200
    assert again.headers["etag"] != tag


@pytest.mark.parametrize("path", [path for path in ASKED if path != "/session/{name}"])
def test_every_answer_has_a_tag(website: Site, path: str) -> None:
    assert re.fullmatch('"[0-9a-f]{24}"', website.get(API + path).headers["etag"])


def test_cursors_lead_through_all_sessions_once(website: Site) -> None:
    whole = website.get(f"{API}/sessions?limit=500").json()
    for sort in ("started", "-started", "title", "cost", "-tokens"):
        found, cursor = [], ""
        while True:
            page = website.get(f"{API}/sessions?limit=4&sort={sort}{cursor}").json()
            found += [one["uid"] for one in page["sessions"]]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        assert sorted(found) == sorted(one["uid"] for one in whole["sessions"]), sort
        assert len(found) == whole["total"]


def test_cursors_lead_through_all_records_once(website: Site) -> None:
    found, cursor = [], ""
    while cursor is not None:
        page = website.get(f"{API}/session/{LONG}?limit=90{cursor and '&cursor=' + cursor}").json()
        found += [record["seq"] for record in page["records"]]
        cursor = page["next"]
    assert len(found) == len(set(found)) == page["total"] == 2 * PROMPTS
    assert found == sorted(found)


@pytest.mark.parametrize("name", ["messages", "requests"])
def test_all_rows_come_once_in_pages_and_in_lines(road: Road, website: Site, name: str) -> None:
    with closing(connect(road.database)) as connection:
        count = connection.execute(COUNTED[name]).fetchone()[0]
    assert len(_both(website, f"/{name}?fields=session,seq,native_id", name, 300)) == count


@pytest.mark.parametrize(
    ("path", "rows", "limit"),
    [
        ("/search?q=the", "hits", 60),
        ("/sessions?sort=cost", "sessions", 4),
        (f"/session/{LONG}?show=prompts", "records", 70),
        ("/messages?session=laptop/claude_code/" + LONG, "messages", 90),
        ("/requests?host=build", "requests", 20),
        ("/messages?host=build&kind=prompt", "messages", 2),
        ("/usage?by=session,model", "usage", 5),
        ("/activity", "activity", 3),
        ("/files", "files", 2),
        ("/hosts", "hosts", None),
    ],
)
def test_every_list_comes_in_pages_and_in_lines(
    website: Site, path: str, rows: str, limit: int | None
) -> None:
    assert _both(website, path, rows, limit)


def _both(website: Site, path: str, rows: str, limit: int | None) -> list[Any]:
    """The rows by pages; by lines, asked for in both ways, they are the same, and each comes once."""
    link = "&" if "?" in path else "?"
    found, cursor = [], ""
    while cursor is not None:
        more = [f"limit={limit}"] if limit else []
        more += [f"cursor={cursor}"] if cursor else []
        page = website.get(f"{API}{path}{link}{'&'.join(more)}").json()
        found += page[rows]
        cursor = page["next"]
    lines = website.get(f"{API}{path}{link}format=ndjson")
    accepted = website.get(API + path, Accept="application/x-ndjson")
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in lines.text.split("\n")[:-1]] == found
    assert accepted.text == lines.text
    assert len({json.dumps(row, sort_keys=True) for row in found}) == len(found)
    return found


def test_a_stream_of_so_many_lines_has_so_many(website: Site) -> None:
    for limit in (1, 7, 400):
        lines = website.get(f"{API}/messages?format=ndjson&limit={limit}").text.split("\n")[:-1]
        assert len(lines) == limit
    wrong = website.get(f"{API}/messages?format=ndjson&colour=red")
    assert (wrong.status, wrong.json()["error"]) == (400, "no filter 'colour'")


@pytest.mark.parametrize("budget", [1, 3, 50])
def test_a_page_that_looked_far_enough_leads_on_though_it_is_not_full(
    road: Road, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    with closing(connect(road.database)) as connection:
        for ask, name in ((bulk.messages, "messages"), (bulk.requests, "requests")):
            given = [("host", "build"), ("limit", "5")]
            monkeypatch.setattr(bulk, "TRIED", 10**6)
            whole = ask(connection, [*given[:1], ("limit", "1000")])[name]
            monkeypatch.setattr(bulk, "TRIED", budget)
            found, cursor, pages = [], [], 0
            while cursor is not None:
                page = ask(connection, [*given, *cursor])
                found += page[name]
                pages += 1
                cursor = None if page["next"] is None else [("cursor", page["next"])]
            assert found == whole and pages >= len(whole) / 5


def test_newest_rows_come_first_and_those_without_time_last(road: Road) -> None:
    with closing(connect(road.database, write=True)) as connection:
        connection.execute("update requests set ts = null where seq % 7 = 3")
        page = bulk.requests(connection, [("limit", "1000"), ("fields", "ts")])
        stamps = [row["ts"] for row in page["requests"]]
        known = [ts for ts in stamps if ts is not None]
        assert stamps == sorted(known, reverse=True) + [None] * (len(stamps) - len(known))
        assert 0 < len(known) < len(stamps)
        first = bulk.requests(connection, [("limit", str(len(known) + 1)), ("fields", "ts")])
        rest = bulk.requests(connection, [("limit", "1000"), ("cursor", first["next"])])
        assert len(first["requests"]) + len(rest["requests"]) == len(stamps)
    road.load(rebuild=True)


@pytest.mark.parametrize(
    ("path", "rows"),
    [("/search?q=tide", "hits"), ("/sessions", "sessions"), ("/files", "files"), ("/hosts", "hosts"),
     (f"/session/{RICH}", "records"), ("/usage?by=host,model", "usage")],
)  # fmt: skip
def test_of_every_list_single_fields_can_be_asked(website: Site, path: str, rows: str) -> None:
    whole = website.get(API + path).json()
    names = list(whole[rows][0])[:2]
    link = "&" if "?" in path else "?"
    found = website.get(f"{API}{path}{link}fields={','.join(names)}").json()
    assert found[rows] == [{name: row[name] for name in names if name in row} for row in whole[rows]]
    assert website.get(f"{API}{path}{link}fields=colour").status == 400


@pytest.mark.parametrize("name", ["messages", "requests"])
def test_days_narrow_down_a_session_too(website: Site, name: str) -> None:
    of = f"{API}/{name}?session=laptop/claude_code/{RICH}&limit=1000"
    whole = website.get(of).json()[name]
    assert whole and website.get(f"{of}&day=2026-03-02").json()[name] == whole
    assert website.get(f"{of}&since=2026-03-03").json()[name] == []


def test_values_of_one_filter_are_alternatives(website: Site) -> None:
    parts = [
        website.get(f"{API}/usage?by=host&host={host}").json()["usage"] for host in ("laptop", "build")
    ]
    both = website.get(f"{API}/usage?by=host&host=laptop&host=build").json()["usage"]
    assert both == [*parts[1], *parts[0]]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"])
@pytest.mark.parametrize("name", ["usage", "activity"])
def test_days_weeks_and_months_are_those_of_the_zone(website: Site, name: str, zone: str) -> None:
    hours = website.get(f"{API}/{name}?by=hour&limit=10000").json()[name]
    measure = "requests" if name == "usage" else "prompts"
    at = ZoneInfo(zone)
    for by in ("day", "week", "month"):
        counts: dict[str, int] = {}
        for row in hours:
            day = datetime.fromtimestamp(row["hour"] / 1000, at).date()
            key = {"day": day, "week": day - timedelta(days=day.weekday()), "month": f"{day:%Y-%m}"}[by]
            counts[str(key)] = counts.get(str(key), 0) + row[measure]
        found = website.get(f"{API}/{name}?by={by}&timezone={zone}").json()
        assert found["timezone"] == zone
        assert {row[by]: row[measure] for row in found[name]} == counts
    first = datetime.fromtimestamp(hours[0]["hour"] / 1000, at).date()
    own = website.get(f"{API}/{name}?by=day&day={first}&timezone={zone}").json()[name]
    assert [row["day"] for row in own] == [str(first)]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/status", "/sessions", f"/session/{RICH}", "/openapi.json"])
def test_other_methods_are_405_and_say_so(website: Site, method: str, path: str) -> None:
    answer = website.send(urllib.request.Request(website.url + API + path, data=b"", method=method))
    assert (answer.status, answer.json()["status"]) == (405, 405)
    assert "GET" in answer.headers["allow"]
    assert set(answer.json()) == {"error", "hint", "status"}


def test_what_siphon_did_not_expect_is_a_500_in_the_usual_form(
    website: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("secret of the inside")

    route = api_routes.ROUTES["sessions"]._replace(ask=broken)
    monkeypatch.setitem(api_routes.ROUTES, "sessions", route)
    answer = website.get(f"{API}/sessions?limit=77")
    assert (answer.status, answer.json()["status"]) == (500, 500)
    assert set(answer.json()) == {"error", "hint", "status"} and "secret" not in answer.text


def test_before_there_is_a_database_errors_have_the_usual_form(tmp_path: Path) -> None:
    with served(fleet(tmp_path).config) as website:
        answer = website.get(f"{API}/sessions")
        assert (answer.status, answer.json()["status"]) == (503, 503)
        assert set(answer.json()) == {"error", "hint", "status"}


def shape(*values: Any) -> Any:
    """What values have in common: keys of objects, the one shape of a list's items, names of types."""
    if all(isinstance(value, dict) for value in values):
        keys = dict.fromkeys(key for value in values for key in value)
        return {key: shape(*(value[key] for value in values if key in value)) for key in keys}
    if all(isinstance(value, list) for value in values):
        items = [item for value in values for item in value]
        kinds = {item.get("type") if isinstance(item, dict) else None for item in items}
        by_kind = [
            [i for i in items if isinstance(i, dict) and i.get("type") == kind]
            for kind in sorted(kinds, key=str)
        ]
        return (
            [shape(*items)] if kinds <= {None} and items else [shape(*some) for some in by_kind if some]
        )
    return "|".join(sorted({_type(value) for value in values}))


def _type(value: Any) -> str:
    names = {
        dict: "object",
        list: "array",
        str: "string",
        bool: "boolean",
        int: "number",
        float: "number",
    }
    return "null" if value is None else names[type(value)]


@pytest.mark.parametrize("path", ASKED)
def test_the_shape_of_every_answer_is_pinned(website: Site, path: str, accept: bool) -> None:
    """Scripts rely on it: only ever add to these files."""
    names = [RICH, LONG] if "{name}" in path else [""]
    urls = [API + path.replace("{name}", name) + query for name in names for query in ASKED[path]]
    found = shape(*(website.get(url).json() for url in urls if "fields=" not in url))
    file = Path(__file__).parent / "api_shapes" / f"{path.strip('/').partition('/')[0]}.json"
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    if accept:
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), f"pytest {Path(__file__).name} --accept"


COUNTED = {
    "messages": "select count(*) from messages m join sessions s on s.id = m.session_id"
    " where m.copy_of is null and not s.hidden",
    "requests": "select count(*) from billed_requests",
}


@pytest.mark.parametrize(
    "by", ["day", "hour", "model", "host", "source", "project", "session", "day,model"]
)
def test_every_sum_over_a_grouping_is_the_total(website: Site, by: str) -> None:
    [total] = website.get(f"{API}/usage?by=,").json()["usage"]
    parts = website.get(f"{API}/usage?by={by}").json()["usage"]
    for name in ("requests", "input_tokens", "cache_read_tokens", "output_tokens", "unpriced_requests"):
        assert sum(part[name] for part in parts) == total[name], name
    assert sum(part["cost_usd"] or 0 for part in parts) == pytest.approx(total["cost_usd"])


def test_a_rebuild_changes_no_answer(road: Road, website: Site) -> None:
    paths = ["/sessions?limit=500", "/search?q=the&limit=200", f"/session/{RICH}", f"/session/{LONG}"]
    before = [website.get(API + path).json() for path in paths]
    road.load(rebuild=True)
    assert [website.get(API + path).json() for path in paths] == before


def test_no_integer_id_of_the_database_leaves_it(website: Site) -> None:
    for path in (
        "/sessions",
        "/search?q=the",
        f"/session/{RICH}",
        "/status",
        "/problems",
        "/messages",
        "/files",
    ):
        assert not re.search(r'"(?:id|\w+_id)":\d', website.get(API + path).text), path


def test_urls_lead_to_the_record(website: Site) -> None:
    hit = website.get(f"{API}/search?q=needleoutput").json()["hits"][0]
    assert hit["url"] == f"/-/session/laptop/claude_code/{RICH}?at={hit['seq']}#m{hit['seq']}"
    page = website.get(hit["url"].partition("#")[0])
    assert page.status == 200
    assert f'id="m{hit["seq"]}"' in page.text


def test_marks_are_where_the_words_stand(website: Site) -> None:
    for hit in website.get(f"{API}/search?q=tide").json()["hits"]:
        assert [hit["snippet"][start:end].lower() for start, end in hit["marks"]] in (
            ["tide"] * len(hit["marks"]),
        )


def test_two_windows_of_facets_are_told_apart(website: Site) -> None:
    found = website.get(f"{API}/search?q=the").json()
    assert found["complete"] is True
    assert sum(one["count"] for one in found["facets"]["host"]) == found["total"] == found["window"]
