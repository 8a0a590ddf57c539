"""`siphon coverage`: what was read of each tool's logs, what was left out and why, what nobody knew."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from siphon import figures
from siphon.cli import as_json, complain, config_of, emit
from siphon.coverage import Type, Version, types, versions
from siphon.db import connect
from siphon.sources import sources
from siphon.visible import visible


@click.command(name="coverage")
@click.argument("source", required=False)
@as_json
@click.pass_context
def coverage_(context: click.Context, source: str | None, json_: bool) -> None:
    """What is read of each tool's logs, by the tool's version, and what is not.

    With SOURCE (as `siphon sources` names it) each type of record is listed, and why it is skipped.
    A type that siphon does not know is told in any case: a new version of the tool writes it.
    """
    with closing(connect(config_of(context).database)) as connection:
        found, kinds = versions(connection, source), types(connection, source)
    unknown = [kind for kind in kinds if kind.fate == "unknown"]
    if json_:
        emit(as_data(found, kinds))
    else:
        _print(found, kinds if source is not None else [], source)
    for kind in unknown:
        complain(
            f"{_name(kind)}: {visible(kind.type)!r} is unknown:"
            f" {figures.plural(kind.records, 'record')} in {figures.plural(kind.logs, 'log')} not read"
        )


def as_data(found: Sequence[Version], kinds: Sequence[Type]) -> dict[str, Any]:
    """The JSON document."""
    return {
        "versions": [
            {**one._asdict(), "title": _title(one.source), "types": _types(one, kinds)} for one in found
        ],
        "unknown": [kind._asdict() for kind in kinds if kind.fate == "unknown"],
    }


def _types(version: Version, kinds: Iterable[Type]) -> list[dict[str, Any]]:
    return [
        {"type": kind.type, "fate": kind.fate, "records": kind.records, "logs": kind.logs,
         "reason": kind.reason}
        for kind in kinds
        if (kind.source, kind.version) == (version.source, version.version)
    ]  # fmt: skip


def _title(source: str) -> str:
    return sources()[source].title if source in sources() else source


def _name(one: Version | Type) -> str:
    return f"{_title(one.source)} {one.version or '(version not told)'}"


def _print(found: Sequence[Version], kinds: Sequence[Type], source: str | None) -> None:
    if not found:
        of = "any tool" if source is None else _title(source)
        return click.echo(f"no log of {of} is loaded; `siphon collect && siphon load` brings them")
    names = ("tool", "version", "logs", "records", "read", "skipped", "unknown", "problems",
             "sessions", "no project", "no model", "no time", "requests", "no price")  # fmt: skip
    _print_table(names, map(_row, found), right=2)
    if kinds:
        click.echo()
        rows = (
            (visible(kind.type), kind.fate, kind.version or "", f"{kind.records:,}", kind.reason or "")
            for kind in kinds
        )
        _print_table(("type", "fate", "version", "records", "why"), rows)
    return None


def _row(one: Version) -> tuple[str, ...]:
    counts = (
        one.logs, one.records, one.read_records, one.skipped_records, one.unknown_records, one.problems,
        one.sessions, one.sessions_without_project, one.sessions_without_model,
        one.sessions_without_time, one.requests, one.requests_without_price,
    )  # fmt: skip
    return (_title(one.source), one.version or "", *(f"{n:,}" for n in counts))


def _print_table(names: Sequence[str], rows: Iterable[Sequence[str]], right: int = 99) -> None:
    """`right`: the first column that is set flush right."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place >= right else "left", no_wrap=name != "why")
    for row in rows:
        table.add_row(*map(escape, row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
    else:
        Console(highlight=False, width=10_000, no_color=True).print(table)
