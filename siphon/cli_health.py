"""`siphon health`: is all well, for people and for monitors."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import click

from siphon.archive import Archive
from siphon.cli import as_json, config_of, emit
from siphon.config import Config
from siphon.db import connect
from siphon.health import EXIT_CODES, Finding, health, worst
from siphon.health import as_json as shown
from siphon.visible import visible

_COLOURS = {"ok": "green", "info": "blue", "unknown": "magenta", "warning": "yellow", "error": "red"}


@click.command()
@as_json
@click.pass_context
def health_(context: click.Context, json_: bool) -> None:
    """Whether all is well: hosts, archive, database, logs that are stuck, what will be lost.

    \b
    Exit codes, by the worst that was found:
      0  ok, or info: worth knowing
      3  unknown: it cannot be told
      4  warning: somebody should look
      5  error: logs are lost, or nothing can be searched, until somebody acts
    (1: siphon itself failed; 2: wrong usage.)

    What is late, stuck or hopeless is said in siphon.yml, under health:
      lag: 600          # seconds without a success of a host; else twice its interval
      stuck_after: 2400 # seconds an archived log may wait to be loaded; else four times the lag
      stuck: info       # how bad a stuck log is
      tries: 5          # parses that fail before a log is quarantined
    """
    config = config_of(context)
    now = time.time_ns() // 1_000_000
    with _database(config) as connection:
        findings = health(connection, Archive(config.archive), config, now)
    if json_:
        emit(shown(findings, now))
    else:
        for one in findings:
            click.echo(_line(one))
    context.exit(EXIT_CODES[worst(findings)])


@contextmanager
def _database(config: Config) -> Iterator[sqlite3.Connection | None]:
    if not config.database.exists():
        yield None
        return
    with closing(connect(config.database)) as connection:
        yield connection


def _line(one: Finding) -> str:
    level = click.style(f"{one.level:8}", fg=_COLOURS[one.level], bold=one.level in ("warning", "error"))
    place = "/".join(filter(None, (one.host, one.path))) or one.check
    return f"{level} {visible(place)}: {visible(one.what)}"
