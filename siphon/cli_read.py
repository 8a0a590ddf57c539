"""The commands that read the database; with --json they print what the API answers."""

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text as Styled

from siphon import api, figures
from siphon.cli import as_json, config_of, emit
from siphon.db import connect
from siphon.entries import DENSITIES, USUAL, Call, Entry, entries, visible_seqs
from siphon.reading import LABELS, RELATIONS, STATUS, call_figures, call_line
from siphon.search import Found, asked, search
from siphon.session_list import SORTS, Asked, Listed
from siphon.session_list import asked as asked_sessions
from siphon.session_list import sessions as list_sessions
from siphon.sessions import Header, find, header, parents
from siphon.sources import sources
from siphon.urls import Arguments
from siphon.visible import visible

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


@contextmanager
def _database(context: click.Context) -> Iterator[sqlite3.Connection]:
    with closing(connect(config_of(context).database)) as connection:
        yield connection


def console() -> Console:
    """Plain text where nobody looks: no colours, and lines as long as they are."""
    if sys.stdout.isatty():
        return Console(highlight=False)
    return Console(highlight=False, width=10_000, no_color=True)


def _given(**options: Any) -> Arguments:
    """What the options say, as the API takes it."""
    given: Arguments = []
    for name, value in options.items():
        for one in value if isinstance(value, tuple) else (value,):
            if one is not None:
                given.append((name.rstrip("_"), str(one)))
    return given


def _filter(name: str, what: str) -> Decorator:
    return click.option(f"--{name}", multiple=True, metavar=name.upper(), help=f"Only {what}.")


_host = _filter("host", "of this host (more than one: of any of them)")
_source = _filter("source", "of this tool, as `siphon sources` names it")
_project = _filter("project", "of this project")
_since = click.option("--since", metavar="DAY", help="From this UTC day on, such as 2026-01-31.")
_until = click.option("--until", metavar="DAY", help="Up to and with this UTC day.")


# A word may begin with "-": what it excludes is no option of ours.
@click.command(name="search", context_settings={"ignore_unknown_options": True})
@click.argument("words", nargs=-1, required=True, metavar="QUERY")
@_host
@_source
@_project
@_filter("repo", "of this repository")
@_filter("kind", "of this kind: prompt, reply, thinking, command, …, tool_call")
@_filter("model", "by this model")
@_filter("tool", "calls of this tool, such as Bash")
@_filter("file", "calls that touched a file with this in its path")
@_since
@_until
@click.option(
    "--in", "in_", metavar="PARTS", help="Look in: prompts, replies, thinking, other, input, output."
)
@click.option(
    "--sort", type=click.Choice(["newest", "oldest", "relevance"]), default="newest", show_default=True
)
@click.option("--limit", default=20, show_default=True, help="Hits to print, up to 200.")
@click.option("--offset", default=0, help="Hits to leave out before them.")
@as_json
@click.pass_context
def search_(context: click.Context, /, words: tuple[str, ...], json_: bool, **options: Any) -> None:
    """Find words in prompts, replies, thinking, tool input and tool output.

    \b
    siphon search flaky test            both words
    siphon search '"flaky test"'        the phrase
    siphon search 'flak* -windows'      words that begin so; not with this one
    siphon search tool:Bash npm host:laptop since:2026-01-31
    """
    given = _given(q=" ".join(words), **options)
    with _database(context) as connection:
        if json_:
            return emit(api.search(connection, given))
        return _print_found(search(connection, asked(given)))


def _print_found(found: Found) -> None:
    screen = console()
    last = None
    for hit in found.hits:
        if hit.session != last:
            last = hit.session
            where = " · ".join(filter(None, (_title(hit.source), hit.host, hit.project)))
            screen.print(f"\n[bold]{escape(visible(hit.title or hit.session))}[/bold]", soft_wrap=True)
            screen.print(f"[dim]{escape(visible(f'{where}  {hit.session}'))}[/dim]", soft_wrap=True)
        line = Styled(
            f"  {figures.stamp(hit.ts)}  #{hit.seq:<5} {visible(hit.tool or hit.kind):<10} ", style="dim"
        )
        for piece, marked in hit.snippet.pieces():
            line.append(visible(piece), style="bold reverse" if marked else "not dim")
        screen.print(line, soft_wrap=True)
    least = "" if found.counted == "exact" else " or more"
    seen = "" if found.complete else f", looked through the newest {found.window:,}"
    click.echo(f"{figures.plural(found.total, 'hit')}{least}{seen}", err=True)
    if found.note:
        click.echo(f"siphon: {found.note}", err=True)


def _title(source: str) -> str:
    return sources()[source].title if source in sources() else source


@click.command()
@click.argument("session")
@click.option("--show", "density", type=click.Choice(list(DENSITIES)), default=USUAL, show_default=True)
@click.option("--at", type=int, help="Begin at this record (the number after # in a search).")
@click.option("--after", type=int, help="Begin after this record.")
@click.option("--limit", type=click.IntRange(1), help="Records to print; all, if not given.")
@as_json
@click.pass_context
def show(
    context: click.Context,
    session: str,
    density: str,
    at: int | None,
    after: int | None,
    limit: int | None,
    json_: bool,
) -> None:
    """Print a session. SESSION is its uid, or as much of its native id as no other begins with."""
    with _database(context) as connection:
        if json_:
            given = _given(show=density, at=at, after=after, limit=limit)
            return emit(api.session(connection, session, given))
        head = header(connection, find(connection, session))
        _print_head(connection, head)
        seqs = visible_seqs(connection, head.id, density)
        seqs = [seq for seq in seqs if (at is None or seq >= at) and (after is None or seq > after)]
        for start in range(0, len(seqs[:limit]), 200):
            for entry in entries(connection, head.id, seqs[:limit][start : start + 200], density):
                click.echo(_entry(entry, head))
    return None


def _print_head(connection: sqlite3.Connection, head: Header) -> None:
    click.echo(click.style(visible(head.title or head.native_id), bold=True))
    click.echo(
        f"{head.uid}\n{_title(head.source)} on {head.host}, {figures.stamp(head.started_at)} UTC,"
        f" {figures.duration(head.active_ms)} at work, {figures.plural(head.prompts, 'prompt')},"
        f" {figures.plural(head.tool_calls, 'tool call')}, {figures.count(head.tokens)} tokens,"
        f" {figures.usd(head.cost_usd)}"
    )
    for one in parents(connection, head.id):
        click.echo(f"{RELATIONS[one.kind][0]} {one.uid or one.native_id}")


def _entry(entry: Entry, head: Header) -> str:
    mark = click.style(f"\n#{entry.seq} {figures.stamp(entry.ts, '%H:%M:%S')} ", dim=True)
    if isinstance(entry, Call):
        notes = [*call_figures(entry), *filter(None, [STATUS.get(entry.status)])]
        note = click.style(f"  ({', '.join(notes)})", dim=True) if notes else ""
        return f"{mark}{click.style(visible(entry.name), fg='cyan')} {call_line(entry, head.cwd)}{note}"
    label = click.style(LABELS.get(entry.kind, entry.kind), bold=entry.kind == "prompt", fg="green")
    return f"{mark}{label}{' (abandoned)' if entry.abandoned else ''}\n{visible(entry.text or '')}"


@click.command()
@_host
@_source
@_project
@_filter("repo", "of this repository")
@_filter("branch", "on this branch")
@_filter("kind", "of this kind: main, subagent, …")
@_filter("model", "with this model")
@_since
@_until
@click.option("--q", metavar="WORDS", help="Only with these words in title, folder or id.")
@click.option(
    "--sort",
    default="started",
    show_default=True,
    help=f"{', '.join(SORTS)}; -name turns it round.",
)
@click.option("--limit", default=30, show_default=True)
@click.option("--cursor", help="Go on where a page ended, as its 'next' says.")
@as_json
@click.pass_context
def sessions(context: click.Context, /, json_: bool, **options: Any) -> None:
    """List sessions, newest first."""
    given = _given(**options)
    with _database(context) as connection:
        if json_:
            return emit(api.sessions(connection, given))
        query: Asked = asked_sessions(given)
        page = list_sessions(connection, query)
    table = Table(box=None, pad_edge=False, show_edge=False, header_style="dim")
    for name in ("began (UTC)", "tool", "host", "project", "title", "prompts", "tokens", "cost", "id"):
        right = name in ("prompts", "tokens", "cost")
        table.add_column(name, justify="right" if right else "left", no_wrap=name != "title")
    for one in page.sessions:
        table.add_row(*map(escape, _session_row(one)))
    console().print(table)
    click.echo(f"{len(page.sessions)} of {figures.plural(page.total, 'session')}", err=True)
    return None


def _session_row(one: Listed) -> tuple[str, ...]:
    return (
        figures.stamp(one.started_at),
        _title(one.source),
        one.host,
        visible(one.project or ""),
        visible(figures.one_line(one.title or "", 80)),
        figures.count(one.prompts),
        figures.count(one.tokens),
        figures.usd(one.cost_usd),
        visible(one.native_id),
    )
