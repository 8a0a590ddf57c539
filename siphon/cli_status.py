"""`siphon status`: every host as it stands, what is loaded, and what could not be read."""

import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from siphon import api, figures
from siphon.archive import Archive
from siphon.cli import as_json, config_of, emit
from siphon.cli_read import console
from siphon.db import connect
from siphon.fleet import HostStatus, fleet
from siphon.sources import sources
from siphon.visible import visible


@click.command()
@click.option("--problems", is_flag=True, help="List the parts of logs that could not be read.")
@click.option("--limit", default=1000, show_default=True, help="Problems to list.")
@as_json
@click.pass_context
def status(context: click.Context, problems: bool, limit: int, json_: bool) -> None:
    """Every host as it stands, what is loaded, how fresh it is, and what could not be read.

    \b
    well         collected in time; "news" tells when it last had something new
    late         the last success is too long ago, though nothing failed: nobody collects
    silent       it pushes its logs, and has stopped
    unreachable  it does not answer
    failing      it answers, but collecting fails
    never, off, kept   not yet collected; disabled; no longer in siphon.yml
    """
    config = config_of(context)
    with closing(connect(config.database)) as connection:
        if problems:
            found = api.problems(connection, [("limit", str(limit))])
            return emit(found) if json_ else _print_problems(found)
        now = time.time_ns() // 1_000_000
        hosts = fleet(connection, Archive(config.archive), config, now)
        found = api.status(connection, hosts)
        return emit(found) if json_ else _print_status(found, hosts, now)


def _print_problems(found: dict[str, Any]) -> None:
    for one in found["failed_logs"]:
        click.echo(f"{one['host']}/{one['path']}: not loaded: {one['error']}")
    for one in found["problems"]:
        place = f":{one['line']}" if one["line"] is not None else ""
        offset = f" (byte {one['offset']})" if one["offset"] is not None else ""
        click.echo(f"{one['host']}/{one['path']}{place}: {visible(one['what'])}{offset}")
    click.echo(figures.plural(found["total"], "problem"), err=True)


def _print_status(found: dict[str, Any], hosts: Sequence[HostStatus], now: int) -> None:
    click.echo(
        f"{figures.plural(found['sessions'], 'session')} from {figures.plural(found['logs'], 'log')}"
        f" ({figures.bytes_(found['bytes'])}), loaded {figures.stamp(found['loaded_at'])} UTC"
    )
    _print_table(_HOST_COLUMNS, [_host_row(one, now) for one in hosts])
    for one in hosts:
        if one.error is not None:
            click.echo(f"{one.host}: {visible(one.error)}")
    _print_table(
        ("tool", "sessions", "logs", "bytes", "problems"),
        [
            (
                row["title"], row["sessions"], row["logs"], figures.bytes_(row["bytes"] or 0),
                row["problems"] or 0,
            )
            for row in found["sources"]
        ],
    )  # fmt: skip
    for row in found["unpriced_models"]:
        model = row["model"] or "a model that the logs do not name"
        requests = figures.plural(row["requests"], "request")
        click.echo(f"no price is known for {model} ({_title(row['source'])}, {requests})")
    if found["problems"] or found["failed_logs"]:
        click.echo(
            f"{figures.plural(found['problems'], 'part')} of logs could not be read, and"
            f" {figures.plural(found['failed_logs'], 'log')} not at all;"
            " list them: siphon status --problems"
        )


_HOST_COLUMNS = (
    "host", "state", "seen", "collected", "news", "next try", "logs", "bytes", "changed", "problems",
    "sessions",
)  # fmt: skip


def _host_row(one: HostStatus, now: int) -> tuple[str, ...]:
    return (
        one.host,
        one.state if one.running_since is None else f"{one.state}, at work",
        _ago(one.seen_at, now),
        _ago(one.collected_at, now),
        _ago(one.news_at, now),
        _due(one, now),
        figures.count(one.logs),
        figures.bytes_(one.bytes),
        figures.count(one.changed),
        figures.count(one.problems + one.failed_logs + one.unfetched),
        figures.count(one.sessions),
    )


def _ago(at: int | None, now: int) -> str:
    return "–" if at is None else f"{figures.duration(max(0, now - at))} ago"


def _due(one: HostStatus, now: int) -> str:
    if one.next_run_at is None:
        return "–"
    if one.next_run_at <= now:
        return "now"
    return f"in {figures.duration(one.next_run_at - now)}"


def _title(source: str) -> str:
    return sources()[source].title if source in sources() else source


def _print_table(names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        table.add_column(name)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    console().print(table)
