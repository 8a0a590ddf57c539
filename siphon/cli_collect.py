"""`siphon collect`: fetch what is new from the hosts, or say what would be fetched."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import click

from siphon import figures
from siphon.archive import Archive
from siphon.cli import as_json, complain, config_of, emit
from siphon.collect import collect as fetch
from siphon.hostreport import HostReport
from siphon.progress import host_lines
from siphon.sourceof import source_of


@click.command(name="collect")
@click.argument("hosts", nargs=-1, metavar="[HOST]...")
@click.option("--dry-run", is_flag=True, help="Say what would be fetched; fetch nothing.")
@as_json
@click.pass_context
def collect_(context: click.Context, hosts: tuple[str, ...], dry_run: bool, json_: bool) -> None:
    """Fetch new log bytes from the hosts into the archive: from all that are due, or from those named.

    HOST is a name in siphon.yml, or one of the users or machines it leads to, as lab/ada.

    Nothing is written on a host, and nothing is ever deleted from the archive. One host that fails
    does not stop the others; the exit code is 1 then, and its name is told.
    """
    config = config_of(context)
    with host_lines(quiet=json_) as progress:
        reports = fetch(config, Archive(config.archive), hosts, dry_run=dry_run, progress=progress)
    if json_:
        emit([as_data(report) for report in reports])
    for report in () if json_ else reports:
        click.echo(f"{report.host}: {report.said()}")
        _print_planned(report)
    for error, names in _errors(reports).items():
        complain(f"{', '.join(names)}: {error}")
    context.exit(int(any(report.error is not None for report in reports)))


def _errors(reports: Sequence[HostReport]) -> dict[str, list[str]]:
    """What went wrong, and on which hosts: a full disk is told once."""
    found: dict[str, list[str]] = {}
    for report in reports:
        if report.error is not None:
            found.setdefault(report.error, []).append(report.host)
    return found


def as_data(report: HostReport) -> Mapping[str, Any]:
    """One object of the JSON document."""
    planned = [one._asdict() for one in report.planned]
    return {**report._asdict(), "changed": report.changed, "planned": planned}


def _print_planned(report: HostReport) -> None:
    """What a dry run would fetch, by tool and how it changed."""
    logs: Counter[tuple[str, str]] = Counter()
    sizes: Counter[tuple[str, str]] = Counter()
    for one in report.planned:
        key = (source_of(one.path) or "other", one.kind)
        logs[key] += 1
        sizes[key] += one.bytes
    for (source, kind), count in sorted(logs.items()):
        what = f"{figures.plural(count, 'log')} {kind}, {figures.bytes_(sizes[source, kind])}"
        click.echo(f"  {source:16} {what}")
