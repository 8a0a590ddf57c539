"""`siphon report`: cost, activity or team of some days, in one file to send."""

import time
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import click

from siphon import zones
from siphon.choice import Choice
from siphon.cli import config_of
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.report import KINDS, build, written

_FORMS = (".html", ".md", ".csv")
_USUAL_DAYS = 30


@click.command()
@click.argument("kind", type=click.Choice(KINDS), default="cost", metavar="[KIND]")
@click.option("--since", metavar="DAY", help="From this day on; else the last 30 days.")
@click.option("--until", metavar="DAY", help="Up to and with this day; else today.")
@click.option("--host", "hosts", multiple=True, metavar="HOST", help="Only of this host.")
@click.option("--source", "sources", multiple=True, metavar="SOURCE", help="Only of this tool.")
@click.option("--project", "projects", multiple=True, metavar="PROJECT", help="Only of this project.")
@click.option(
    "--timezone", metavar="ZONE", help="Days of this zone (Europe/Berlin, UTC); else this machine's."
)
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .html, .md or .csv file to write; else Markdown on stdout.",
)
@click.option(
    "--email-ready", is_flag=True, help="Markdown to paste into a mail: no pictures, a subject."
)
@click.pass_context
def report(
    context: click.Context,
    kind: str,
    since: str | None,
    until: str | None,
    hosts: tuple[str, ...],
    sources: tuple[str, ...],
    projects: tuple[str, ...],
    timezone: str | None,
    to: Path | None,
    email_ready: bool,
) -> None:
    """A report to send: one file, nothing else needed to read it, no network.

    \b
    KIND is cost (if left out), activity (time at work, prompts, tools, languages) or
    team (machines and tools side by side).

    \b
    Examples:
      siphon report --since 2026-11-01 --to cost.html
      siphon report activity --since 2026-11-01 --until 2026-11-30 --to november.md
      siphon report team --to team.csv
      siphon report cost --email-ready
    """
    zone = zones.zone(timezone)
    last = _day(until) or _today(zone)
    first = _day(since) or last - timedelta(days=_USUAL_DAYS - 1)
    if first > last:
        raise SiphonError(f"--since {first} is after --until {last}; give them the other way round")
    chosen = Choice(first, last, False, hosts, sources, projects, zone)
    form = _form(to, email_ready)
    with closing(connect(config_of(context).database)) as connection:
        text = written(build(connection, kind, chosen), form)
    if to is None:
        return click.echo(text, nl=False)
    try:
        to.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SiphonError(f"{to}: {error.strerror}") from None
    return click.echo(f"{to}: {len(text.encode()):,} bytes", err=True)


def _form(to: Path | None, email_ready: bool) -> str:
    if email_ready:
        if to is not None and to.suffix != ".md":
            raise SiphonError(f"--email-ready is Markdown; write it to a .md file, not {to.name}")
        return "mail"
    if to is not None and to.suffix not in _FORMS:
        raise SiphonError(f"{to}: reports are written as {', '.join(_FORMS)}")
    return ".md" if to is None else to.suffix


def _today(zone: zones.Zone) -> date:
    return zones.local(time.time_ns() // 1_000_000, zone).date()


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SiphonError(f"{text!r} is no day; write it as 2026-01-31") from None
