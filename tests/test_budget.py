"""Budgets: what was spent of the caps, by whom, in whose days, and what the exit code says."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from siphon import db, zones
from siphon.budget import EXITS, Spent, check, said, worst
from siphon.budgetconfig import Budget
from siphon.cli import siphon
from siphon.config import load_config
from siphon.errors import SiphonError

USD = 10**9
HOUR = 3_600_000
UTC_ZONE = zones.zone("UTC")


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-11-19T12:00")  # a Thursday


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Two hosts with a tool and a project each, and nothing spent."""
    connection = sqlite3.connect(tmp_path / "siphon.db", isolation_level=None)
    connection.executescript(db.script("schema.sql"))
    db.index(connection)
    db.seal(connection)
    for number, (host, source) in enumerate((("laptop", "codex"), ("gpu", "claude_code")), 1):
        connection.execute(
            "insert into projects (id, key, name) values (?, ?, ?)", [number, host, f"p{number}"]
        )
        connection.execute(
            "insert into sessions (id, uid, host, source, native_id, log_id, kind, project_id)"
            " values (?, ?, ?, ?, ?, ?, 'main', ?)",
            [number, f"{host}/{source}/n", host, source, "n", number, number],
        )
    yield connection
    connection.close()


def spend(connection: sqlite3.Connection, at: str, usd: float | None, session: int = 1) -> None:
    """One request in the hour of a moment."""
    hour = ms(at) - ms(at) % HOUR
    cost = None if usd is None else round(usd * USD)
    connection.execute(
        "insert into usage_hours values"
        " (?, ?, 'm', 1, ?, 0, 1, 0, 0, 0, 1, 0, 0, ?, null, 1, null, null)",
        [session, hour, int(usd is None), cost],
    )


def one(
    connection: sqlite3.Connection, budget: Budget, zone: zones.Zone = UTC_ZONE, ts: int = NOW
) -> Spent:
    (found,) = check(connection, (budget,), zone, ts)
    return found


def capped(period: str, usd: float, **more: Any) -> Budget:
    return Budget("b", ((period, round(usd * USD)),), **more)


@pytest.mark.parametrize(
    ("spent", "state"), [(None, "within"), (7.99, "within"), (8, "near"), (9.99, "near"), (10, "over")]
)
def test_a_cap_is_near_from_its_soft_share_on_and_passed_at_itself(
    database: sqlite3.Connection, spent: float | None, state: str
) -> None:
    spend(database, "2026-11-19T09:30", spent)
    found = one(database, capped("daily", 10))
    assert (found.state, found.spent) == (state, round((spent or 0) * USD))
    assert found.unpriced_requests == (spent is None)


def test_weeks_begin_on_monday_and_months_on_the_first(database: sqlite3.Connection) -> None:
    for day in ("2026-10-31", "2026-11-01", "2026-11-15", "2026-11-16", "2026-11-19", "2026-11-20"):
        spend(database, f"{day}T10:00", 1)
    spent = {
        period: one(database, capped(period, 100)).spent // USD
        for period in ("daily", "weekly", "monthly")
    }
    assert spent == {"daily": 1, "weekly": 2, "monthly": 4}


def test_a_slow_steady_burn_is_seen_before_the_cap_is_near(database: sqlite3.Connection) -> None:
    for day in range(1, 19):
        spend(database, f"2026-11-{day:02}T10:00", 2)
    month = one(database, capped("monthly", 55))
    assert (month.spent // USD, month.pace, month.state) == (36, 2 * USD, "on course")
    assert month.headed == 36 * USD + 2 * USD * 23 // 2  # 11.5 days are left
    assert said(month) == "b: $36.00 of $55.00 this month (65%); on course for $59.00"
    assert one(database, capped("monthly", 60)).state == "within"


def test_days_that_each_keep_their_cap_are_seen_where_their_mean_is_near_it(
    database: sqlite3.Connection,
) -> None:
    for day in range(12, 19):
        spend(database, f"2026-11-{day}T10:00", 4.5)
    found = one(database, capped("daily", 5))
    assert (found.spent, found.state, found.pace) == (0, "on course", 45 * USD // 10)
    spike = one(database, capped("daily", 5), ts=ms("2026-11-30T12:00"))
    assert spike.state == "within"


def test_a_budget_counts_only_its_hosts_projects_and_tools(database: sqlite3.Connection) -> None:
    spend(database, "2026-11-19T10:00", 3, session=1)
    spend(database, "2026-11-19T10:00", 5, session=2)
    spent = [
        one(database, capped("daily", 100, **whose)).spent // USD
        for whose in ({}, {"hosts": ("gpu",)}, {"projects": ("p1",)}, {"sources": ("codex",)},
                      {"hosts": ("gpu",), "sources": ("codex",)})
    ]  # fmt: skip
    assert spent == [8, 5, 3, 3, 0]


def test_today_is_that_of_the_zone(database: sqlite3.Connection) -> None:
    spend(database, "2026-11-18T23:30", 3)
    berlin, utc = (
        one(database, capped("daily", 5), zones.zone(name)) for name in ("Europe/Berlin", "UTC")
    )
    assert (berlin.spent // USD, utc.spent) == (3, 0)


def test_the_exit_code_is_that_of_the_worst(database: sqlite3.Connection) -> None:
    spend(database, "2026-11-19T10:00", 9)
    budgets = (capped("monthly", 100), capped("daily", 10), capped("weekly", 9))
    found = check(database, budgets, UTC_ZONE, NOW)
    assert [one.state for one in found] == ["over", "near", "within"]
    assert EXITS[worst(found)] == 4
    assert EXITS[worst(found[1:])] == 3
    assert EXITS[worst([])] == 0


def test_the_configuration_is_read_and_its_faults_told(tmp_path: Path) -> None:
    file = tmp_path / "siphon.yml"

    def read(text: str) -> tuple[Budget, ...]:
        file.write_text(f"budgets:\n{text}\n")
        return load_config(file, {"HOME": str(tmp_path)}, tmp_path).budgets

    assert read("  all: {daily: 12.50, monthly: $600, soft: 90%}\n  gpu: {hosts: [gpu], weekly: 5}") == (
        Budget("all", (("daily", 12_500_000_000), ("monthly", 600 * USD)), soft=90),
        Budget("gpu", (("weekly", 5 * USD),), hosts=("gpu",)),
    )
    for text, word in (
        ("  a: {}", "caps nothing"),
        ("  a: {daily: 0}", "above 0"),
        ("  a: {daily: cheap}", "above 0"),
        ("  a: {daily: 1, soft: 0%}", "share of the cap"),
        ("  a: {yearly: 1}", "unknown key"),
        ("  a: {daily: 1, sources: [kodex]}", "unknown source"),
    ):
        with pytest.raises(SiphonError, match=word):
            read(text)


def test_the_command_says_what_is_spent_and_exits_with_it(
    database: sqlite3.Connection, tmp_path: Path
) -> None:
    def run(text: str, *words: str) -> Any:
        (tmp_path / "siphon.yml").write_text(f"database: {tmp_path}/siphon.db\n{text}")
        return CliRunner().invoke(siphon, ["--config", f"{tmp_path}/siphon.yml", "budget", *words])

    assert isinstance(run("").exception, SiphonError)
    well = run("budgets: {all: {daily: 5}}")
    assert (well.exit_code, "within" in well.stdout) == (0, True)
    quiet = run("budgets: {all: {daily: 5}}", "--quiet")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M")
    spend(database, now, 7)
    over = run("budgets: {all: {daily: 5}}", "--timezone", "UTC")
    assert over.exit_code == 4 and "passed: all: $7.00 of $5.00 today (140%)" in over.stderr
    (told,) = json.loads(run("budgets: {all: {monthly: 8}}", "--json", "--timezone", "UTC").stdout)
    assert (told["state"], told["spent_usd"], told["cap_usd"]) == ("near", 7.0, 8.0)
    with closing(sqlite3.connect(tmp_path / "siphon.db")) as connection:
        assert connection.execute("select count(*) from usage_hours").fetchone() == (1,)
