"""Each view against a slow, plain count of the tables, on real and made-up logs."""

import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conftest import CHECKOUT
from fleet import made
from road import Road, road
from siphon.retell import WEEKS

pytest_plugins = ["made_once_fixtures"]

HOUR = 3_600_000
GAP = 600_000
Row = dict[str, Any]


class Tables:
    """Every row of the tables in memory, with its session's host, source and project."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.projects = {row["id"]: row["name"] for row in self.all("projects")}
        self.sessions = {row["id"]: row for row in self.all("sessions")}
        self.requests = self.own("requests")
        self.calls = self.own("tool_calls")
        self.messages = self.own("messages")
        self.touches = self.all("file_touches")

    def all(self, table: str) -> list[Row]:
        return [dict(row) for row in self.connection.execute(f"select * from {table}")]

    def own(self, table: str) -> list[Row]:
        """Its rows that are no copies, with where they belong."""
        return [row | self.place(row) for row in self.all(table) if row["copy_of"] is None]

    def place(self, row: Row) -> Row:
        session = self.sessions[row["session_id"]]
        return {
            "host": session["host"],
            "source": session["source"],
            "project": self.projects.get(session["project_id"]),
            "project_id": session["project_id"],
        }


@pytest.fixture(scope="module", params=["real_road", "demo_road", "empty", "one source"])
def tables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    folder = tmp_path_factory.mktemp("views")
    match request.param:
        case "empty":
            way = road(folder, {"nothing": made(folder / "nothing")})
            way.go()
        case "one source":
            demo: Road = request.getfixturevalue("demo_road")
            way = road(folder, {"demo-gpu": demo.home("demo-gpu")})
            way = way._replace(config=way.config._replace(skip=("claude_code",)))
            way.go()
        case name:
            way = request.getfixturevalue(name)
    connection = sqlite3.connect(f"file:{way.database}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    return Tables(connection)


class Same:
    """Rows that are equal to others in any order, money up to a millionth of a dollar."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self.rows = sorted(rows, key=lambda row: repr([one for one in row if type(one) is not float]))

    def __eq__(self, other: object) -> bool:
        assert isinstance(other, Same)
        return len(self.rows) == len(other.rows) and all(
            len(a) == len(b) and all(map(_equal, a, b))
            for a, b in zip(self.rows, other.rows, strict=True)
        )

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.rows))


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and abs(a - b) < 1e-6
    return bool(a == b)


def view(tables: Tables, name: str, columns: Iterable[str]) -> Same:
    found = tables.connection.execute(f"select * from {name}")
    return Same(tuple(row[column] for column in columns) for row in found)


def hour(ts: int | None) -> int | None:
    return None if ts is None else ts - ts % HOUR


def counted(
    rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]], *sums: Callable[[Row], Any]
) -> Same:
    """(key …, sum …) of each group; a sum is None where every value is."""
    groups: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return Same((*name, *(_sum(map(one, group)) for one in sums)) for name, group in groups.items())


def _sum(values: Iterable[Any]) -> Any:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def usd(row: Row) -> float | None:
    nano = row["cost_nanousd"] if row["cost_nanousd"] is not None else row["reported_nanousd"]
    return None if nano is None else nano / 1e9


PLACE = ("host", "source", "project", "project_id")
TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_tokens", "cache_write_1h_tokens")


def place(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in PLACE)


def tokens(*names: str) -> list[Callable[[Row], int]]:
    def of(name: str) -> Callable[[Row], int]:
        return lambda row: row[name] or 0

    return [of(name) for name in names]


def prompt(row: Row) -> int:
    return sum(row[name] or 0 for name in TOKENS)


def test_cost_by_hour(tables: Tables) -> None:
    slow = counted(
        tables.requests,
        lambda row: (hour(row["ts"]), *place(row), row["model"] or None),
        lambda _: 1,
        *tokens(*TOKENS, "output_tokens", "reasoning_tokens"),
        lambda row: int(row["incomplete"]),
        lambda row: int(usd(row) is None),
        usd,
    )
    names = ("requests", *TOKENS, "output_tokens", "reasoning_tokens")
    more = ("incomplete_requests", "unpriced_requests", "cost_usd")
    assert view(tables, "cost_by_hour", ("hour", *PLACE, "model", *names, *more)) == slow


def test_models_over_time(tables: Tables) -> None:
    def day(row: Row) -> str | None:
        found = tables.connection.execute("select date(? / 1000, 'unixepoch')", [row["ts"]])
        return str(found.fetchone()[0]) if row["ts"] is not None else None

    slow = counted(
        tables.requests,
        lambda row: (day(row), row["model"] or None, row["source"]),
        lambda _: 1,
        prompt,
        usd,
    )
    columns = ("day", "model", "source", "requests", "prompt_tokens", "cost_usd")
    assert view(tables, "models_over_time", columns) == slow


def test_blocks_are_five_hours_each_and_hold_every_request_once(tables: Tables) -> None:
    begins: dict[str, list[int]] = defaultdict(list)
    timed = [row for row in tables.requests if row["ts"] is not None]
    for row in sorted(timed, key=lambda row: row["ts"]):
        found = begins[row["source"]]
        if not found or row["ts"] >= found[-1] + 5 * HOUR:
            found.append(row["ts"] - row["ts"] % HOUR)

    def block(row: Row) -> tuple[Any, ...]:
        return row["source"], max(begin for begin in begins[row["source"]] if begin <= row["ts"])

    slow = counted(timed, block, lambda _: 1, prompt, usd)
    found = Same(
        (row["source"], row["begin"], row["requests"], prompt(dict(row)), row["cost_usd"])
        for row in tables.connection.execute("select * from blocks")
    )
    assert found == slow


def test_a_blocks_burn_rate_is_by_the_hours_from_its_first_to_its_last_request(tables: Tables) -> None:
    for row in tables.connection.execute("select * from blocks"):
        hours = (row["last_hour"] - row["begin"]) // HOUR + 1
        assert 1 <= row["hours"] <= hours <= 5
        if row["cost_usd"] is not None:
            assert row["cost_usd_per_hour"] == pytest.approx(row["cost_usd"] / hours)
        assert row["tokens_per_minute"] == pytest.approx(
            (prompt(dict(row)) + row["output_tokens"]) / hours / 60
        )


def test_session_shapes_and_their_sum(tables: Tables) -> None:
    def shape(row: Row) -> str:
        entry = (row["entrypoint"] or "").lower()
        if row["kind"] != "main" or row["prompts"] == 0 or re.search("sdk|exec|mcp", entry):
            return "automated"
        minutes = (row["active_ms"] or 0) / 60_000
        limits = (("quick", 5), ("standard", 30), ("deep", 120))
        return next((name for name, limit in limits if minutes < limit), "marathon")

    shown = [
        row | tables.place({"session_id": row["id"]})
        for row in tables.sessions.values()
        if row["copy_of"] is None and not row["hidden"]
    ]
    one = counted(shown, lambda row: (row["uid"], shape(row)), lambda _: 1)
    assert view(tables, "session_shapes", ("session_uid", "shape")) == Same(key[:2] for key in one.rows)
    slow = counted(
        shown,
        lambda row: (shape(row), *place(row)),
        lambda _: 1,
        lambda row: row["active_ms"],
        lambda row: row["prompts"],
        lambda row: row["requests"],
    )
    columns = ("shape", *PLACE, "sessions", "active_ms", "prompts", "requests")
    assert view(tables, "sessions_by_shape", columns) == slow


def test_tools_by_hour(tables: Tables) -> None:
    def server(row: Row) -> str | None:
        found = re.match(r"(?:mcp__)?(.+?)__", row["name"]) if row["kind"] == "mcp" else None
        return found[1] if found else None

    slow = counted(
        tables.calls,
        lambda row: (hour(row["ts"]), *place(row), row["name"], row["kind"], server(row)),
        lambda _: 1,
        lambda row: int(row["status"] == "error"),
        lambda row: int(row["status"] == "rejected"),
        lambda row: int(row["status"] == "interrupted"),
        lambda row: int(row["duration_ms"] is not None),
        lambda row: row["duration_ms"],
        lambda row: row["lines_added"],
    )
    counts = ("calls", "errors", "rejections", "interruptions", "timed_calls")
    columns = ("hour", *PLACE, "name", "kind", "server", *counts, "duration_ms", "lines_added")
    assert view(tables, "tools_by_hour", columns) == slow


def test_mcp_usage(tables: Tables) -> None:
    slow = counted(
        [row for row in tables.calls if row["kind"] == "mcp"],
        lambda row: (row["source"], row["name"]),
        lambda _: 1,
        lambda row: int(row["status"] == "error"),
    )
    assert view(tables, "mcp_usage", ("source", "name", "calls", "errors")) == slow


def test_skills_commands_and_subagents(tables: Tables) -> None:
    skills = [row for row in tables.calls if row["name"].lower() == "skill" and row["input"]]
    found = tables.connection.execute("select coalesce(sum(uses), 0) from skill_usage").fetchone()
    assert found[0] == len(skills)
    commands = counted(
        [m for m in tables.messages if m["kind"] == "command" and (m["text"] or "").startswith("/")],
        lambda row: (*place(row), row["text"].split(" ")[0]),
        lambda _: 1,
    )
    assert view(tables, "command_usage", (*PLACE, "command", "uses")) == commands
    agents = counted(
        [
            row | tables.place({"session_id": row["id"]})
            for row in tables.sessions.values()
            if row["kind"] == "subagent" and row["copy_of"] is None and not row["hidden"]
        ],
        lambda row: (*place(row), row["agent"]),
        lambda _: 1,
        lambda row: row["requests"],
    )
    assert view(tables, "subagent_usage", (*PLACE, "agent", "sessions", "requests")) == agents


def test_files_and_languages(tables: Tables) -> None:
    own = {row["id"]: row for row in tables.calls}
    touched = [
        own[row["tool_call_id"]]
        | tables.place(row)
        | {"path": row["path"].replace("\\", "/"), "action": row["action"]}
        | {"added": row["lines_added"], "session_id": row["session_id"]}
        for row in tables.touches
        if row["tool_call_id"] in own and row["action"] != "search"
    ]
    changes = ("edit", "write", "delete")
    slow = counted(
        touched,
        lambda row: (*place(row), row["path"]),
        lambda row: int(row["action"] in changes),
        lambda row: int(row["action"] == "read"),
        lambda row: row["added"],
    )
    assert view(tables, "files", (*PLACE, "path", "edits", "reads", "lines_added")) == slow
    edits = sum(row["action"] in changes for row in touched)
    found = tables.connection.execute("select coalesce(sum(edits), 0) from languages").fetchone()
    assert found[0] == edits
    for row in tables.connection.execute("select path, language from files"):
        if row["path"].endswith((".py", ".pyi")):
            assert row["language"] == "Python"
        if "." not in row["path"].rpartition("/")[2]:
            assert row["language"] is None


def _moments(tables: Tables) -> dict[int, list[int]]:
    """Session → its records' times, in order."""
    found: dict[int, list[int]] = defaultdict(list)
    for row in (*tables.messages, *tables.calls):
        if row["ts"] is not None:
            found[row["session_id"]].append(row["ts"])
    return {session: sorted(times) for session, times in found.items()}


def test_active_time(tables: Tables) -> None:
    spans = [
        {"hour": hour(end), "ms": end - begin if end - begin <= GAP else 0, "session_id": session}
        for session, times in _moments(tables).items()
        for begin, end in zip(times[:1] + times, times, strict=False)
    ]
    slow = counted(
        [span | tables.place(span) for span in spans],
        lambda row: (row["hour"], *place(row)),
        lambda row: row["ms"],
    )
    assert view(tables, "active_time", ("hour", *PLACE, "active_ms")) == slow
    ((total,),) = tables.connection.execute("select coalesce(sum(active_ms), 0) from active_time")
    assert total == sum(row["active_ms"] or 0 for row in tables.sessions.values())


def test_busy_time_counts_each_moment_of_the_clock_once(tables: Tables) -> None:
    covered: set[int] = set()
    for times in _moments(tables).values():
        for begin, end in pairwise(times):
            if 0 < end - begin <= GAP:
                covered.update(range(begin // 100, end // 100))
    ((total, most),) = tables.connection.execute(
        "select coalesce(sum(busy_ms), 0), max(sessions) from busy_time"
    )
    # By tenths of a second, to hold them all in memory: each gap may be off by two of them.
    assert total == pytest.approx(100 * len(covered), abs=200 * (len(tables.messages) + 1))
    assert most is None or most >= 1


def test_cache_economics(tables: Tables) -> None:
    prices = {row["id"]: row for row in tables.all("prices")}

    def saved(row: Row) -> float | None:
        price = prices.get(row["price_id"])
        if price is None or price["input"] is None or price["cache_read"] is None:
            return None
        write = price["cache_write"] if price["cache_write"] is not None else price["input"]
        long = price["cache_write_1h"] if price["cache_write_1h"] is not None else price["input"]
        return (
            (row["cache_read_tokens"] or 0) * (price["input"] - price["cache_read"])
            - (row["cache_write_tokens"] or 0) * (write - price["input"])
            - (row["cache_write_1h_tokens"] or 0) * (long - price["input"])
        ) / 1e6  # fmt: skip

    slow = counted(
        tables.requests,
        lambda row: (hour(row["ts"]), *place(row), row["model"]),
        lambda _: 1,
        *tokens(*TOKENS),
        saved,
    )
    columns = ("hour", *PLACE, "model", "requests", *TOKENS, "saved_usd")
    assert view(tables, "cache_economics", columns) == slow


def test_context_use(tables: Tables) -> None:
    peaks: dict[str, int] = {}
    for row in tables.requests:
        if not row["aggregate"]:
            uid = tables.sessions[row["session_id"]]["uid"]
            peaks[uid] = max(peaks.get(uid, 0), prompt(row))
    summaries = Counter(
        tables.sessions[row["session_id"]]["uid"] for row in tables.messages if row["kind"] == "summary"
    )
    slow = Same((uid, peak, summaries[uid]) for uid, peak in peaks.items())
    assert view(tables, "context_use", ("session_uid", "peak_tokens", "compactions")) == slow


def test_errors(tables: Tables) -> None:
    bad = ("error", "rejected", "interrupted")
    tools = counted(
        [row for row in tables.calls if row["status"] in bad],
        lambda row: (hour(row["ts"]), *place(row), f"tool {row['status']}", row["kind"]),
        lambda _: 1,
    )
    apis = counted(
        [row for row in tables.messages if row["kind"] == "error"],
        lambda row: (hour(row["ts"]), *place(row), "api error", None),
        lambda _: 1,
    )
    slow = Same([*tools.rows, *apis.rows])
    assert view(tables, "errors", ("hour", *PLACE, "kind", "what", "errors")) == slow


# --- views.sql and coverage.sql ---

USAGE = ("requests", *TOKENS, "output_tokens", "reasoning_tokens", "unpriced_requests", "cost_usd")


def used(rows: Iterable[Row], key: Callable[[Row], tuple[Any, ...]]) -> Same:
    """USAGE by key."""
    sums = tokens(*TOKENS, "output_tokens", "reasoning_tokens")
    return counted(rows, key, lambda _: 1, *sums, lambda row: int(usd(row) is None), usd)


def utc_day(row: Row) -> str | None:
    ts = row["ts"]
    return None if ts is None else datetime.fromtimestamp(ts / 1000, UTC).date().isoformat()


@pytest.mark.parametrize(
    ("name", "column", "key"),
    [
        ("usage_by_day", "day", utc_day),
        ("usage_by_model", "model", lambda row: row["model"] or None),
        ("usage_by_project", "project_id", lambda row: row["project_id"]),
        ("usage_by_host", "host", lambda row: row["host"]),
        ("usage_by_source", "source", lambda row: row["source"]),
    ],
)
def test_usage_by_each_facet_is_the_plain_count(
    tables: Tables, name: str, column: str, key: Callable[[Row], Any]
) -> None:
    slow = used(tables.requests, lambda row: (key(row),))
    assert view(tables, name, (column, *USAGE)) == slow
    sessions = defaultdict(set)
    for row in tables.requests:
        sessions[key(row)].add(row["session_id"])
    found = tables.connection.execute(f"select {column}, sessions from {name}")
    assert dict(map(tuple, found)) == {name: len(ids) for name, ids in sessions.items()}


def test_usage_by_session_and_by_hour_and_billed_requests(tables: Tables) -> None:
    uids = {key: row["uid"] for key, row in tables.sessions.items()}
    by_session = used(tables.requests, lambda row: (uids[row["session_id"]],))
    # A session's cost is of its requests: None where none is known.
    assert view(tables, "usage_by_session", ("session_uid", *USAGE)) == by_session
    by_hour = used(
        tables.requests,
        lambda row: (hour(row["ts"]), uids[row["session_id"]], row["model"] or None, utc_day(row)),
    )
    found = tables.connection.execute("select *, cost_nanousd / 1e9 as cost_usd from usage")
    names = ("session_uid", "model", "day", *USAGE)
    assert (
        Same(
            (
                None if row["hour"] < 0 else row["hour"],
                *((row[name] or None) if name == "model" else row[name] for name in names),
            )
            for row in found
        )
        == by_hour
    )
    billed = Same(
        (uids[row["session_id"]], row["seq"], row["project"], usd(row)) for row in tables.requests
    )
    assert view(tables, "billed_requests", ("session_uid", "seq", "project", "cost_usd")) == billed


def test_session_list_shows_every_session_that_is_not_hidden(tables: Tables) -> None:
    messages, calls = (
        Counter(row["session_id"] for row in rows) for rows in (tables.messages, tables.calls)
    )
    prompts = Counter(row["session_id"] for row in tables.messages if row["kind"] == "prompt")
    slow = Same(
        (
            row["uid"],
            row["title"] or row["native_id"],
            prompts[key],
            messages[key],
            calls[key],
            row["copy_of"] is not None,
        )
        for key, row in tables.sessions.items()
        if not row["hidden"]
    )
    columns = ("uid", "title", "prompts", "messages", "tool_calls", "copy")
    assert view(tables, "session_list", columns) == slow


def test_activity_by_hour(tables: Tables) -> None:
    nothing = {"prompt": 0, "reply": 0, "call": 0, "bad": 0}
    acts = [
        nothing | row | {row["kind"]: 1} for row in tables.messages if row["kind"] in ("prompt", "reply")
    ]
    acts += [nothing | row for row in tables.messages if row["kind"] not in ("prompt", "reply")]
    acts += [nothing | row | {"call": 1, "bad": row["status"] == "error"} for row in tables.calls]
    slow = counted(
        acts,
        lambda row: (hour(row["ts"]), row["host"], row["source"], row["project"]),
        *tokens("prompt", "reply", "call", "bad"),
    )
    columns = ("hour", "host", "source", "project", "prompts", "replies", "tool_calls", "tool_errors")
    found = counted(
        map(dict, tables.connection.execute("select * from activity_by_hour")),
        lambda row: tuple(row[name] for name in columns[:4]),
        *tokens(*columns[4:]),
    )
    assert found == slow


def test_tool_usage(tables: Tables) -> None:
    slow = counted(
        tables.calls,
        lambda row: (row["source"], row["name"], row["kind"]),
        lambda _: 1,
        *(
            lambda row, status=status: int(row["status"] == status)
            for status in ("error", "rejected", "interrupted")
        ),
        *(lambda row, name=name: row[name] for name in ("duration_ms", "output_bytes", "lines_added")),
    )
    counts = (
        "calls",
        "errors",
        "rejections",
        "interruptions",
        "duration_ms",
        "output_bytes",
        "lines_added",
    )
    assert view(tables, "tool_usage", ("source", "name", "kind", *counts)) == slow


def test_file_edits(tables: Tables) -> None:
    own = {row["id"]: row for row in tables.calls}
    edits = [
        row | tables.place(row) | {"ts": own[row["tool_call_id"]]["ts"]}
        for row in tables.touches
        if row["tool_call_id"] in own and row["action"] in ("edit", "write", "delete")
    ]
    slow = counted(
        edits,
        lambda row: (row["host"], row["project"], row["path"]),
        lambda _: 1,
        lambda row: row["lines_added"],
    )
    assert view(tables, "file_edits", ("host", "project", "path", "edits", "lines_added")) == slow
    last: dict[tuple[Any, ...], int] = {}
    for row in edits:
        key = (row["host"], row["project_id"], row["path"])
        last[key] = max(last.get(key, 0), row["ts"] or 0)
    found = tables.connection.execute("select path, coalesce(last_ts, 0) from file_edits")
    assert Counter(map(tuple, found)) == Counter((key[2], ts) for key, ts in last.items())


def test_unpriced_models(tables: Tables) -> None:
    slow = counted(
        [row for row in tables.requests if row["cost_nanousd"] is None],
        lambda row: (row["model"], row["source"]),
        lambda _: 1,
        lambda row: row["output_tokens"],
    )
    assert view(tables, "unpriced_models", ("model", "source", "requests", "output_tokens")) == slow


def test_hosts_trees_and_problems(tables: Tables) -> None:
    logs, hosts = tables.all("logs"), tables.all("hosts")
    shown = [row for row in tables.sessions.values() if not row["hidden"]]
    slow = Same(
        (
            host["name"],
            sum(log["host"] == host["name"] for log in logs),
            sum(log["size"] for log in logs if log["host"] == host["name"]) or None,
            sum(row["host"] == host["name"] for row in shown),
        )
        for host in hosts
    )
    assert view(tables, "host_status", ("host", "logs", "bytes", "sessions")) == slow
    trees = Same(
        (tables.sessions[row["session_id"]]["uid"], row["kind"], row["target_native_id"])
        for row in tables.all("relations")
        if not tables.sessions[row["session_id"]]["hidden"]
    )
    assert view(tables, "session_tree", ("uid", "kind", "target_native_id")) == trees
    paths = {log["id"]: (log["host"], log["path"]) for log in logs}
    told = Same((*paths[row["log_id"]], row["line"], row["what"]) for row in tables.all("problems"))
    assert view(tables, "problem_list", ("host", "path", "line", "what")) == told


def test_coverage_by_type_and_by_version(tables: Tables) -> None:
    versions: dict[int, set[str | None]] = defaultdict(set)
    for session in tables.sessions.values():
        if not session["partial"]:
            versions[session["log_id"]].add(session["version"])
    logs = {log["id"]: log for log in tables.all("logs")}

    def version(log: int) -> str | None:
        known = versions[log] - {None}
        return "several" if len(known) > 1 else next(iter(known), None)

    found = Same((key, logs[key]["source"], version(key)) for key in logs)
    assert view(tables, "log_versions", ("log_id", "source", "version")) == found
    tallies = [
        {**row, **logs[row["log_id"]], "version": version(row["log_id"])}
        for row in tables.all("tallies")
    ]
    by_type = counted(
        tallies,
        lambda row: (row["source"], row["version"], row["type"], row["fate"]),
        lambda row: row["n"],
    )
    assert view(tables, "coverage_by_type", ("source", "version", "type", "fate", "records")) == by_type
    by_version = counted(
        [{**log, "version": version(key)} for key, log in logs.items()],
        lambda row: (row["source"], row["version"]),
        lambda _: 1,
        lambda row: row["size"],
        lambda row: row["problems"],
    )
    columns = ("source", "version", "logs", "bytes", "problems")
    assert view(tables, "coverage_by_version", columns) == by_version


def test_every_view_is_checked_here() -> None:
    files = ("views.sql", "report_views.sql", "coverage.sql")
    sql = "".join((CHECKOUT / "siphon" / name).read_text() for name in files)
    names = set(re.findall(r"create view (\w+)", sql)) - {"git_outcomes"}  # test_outcomes.py
    text = Path(__file__).read_text()
    assert [name for name in names if f'"{name}"' not in text and f"from {name}" not in text] == []
    assert WEEKS < 20, "the demo's hours fit the slow count's memory"
