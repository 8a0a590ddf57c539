"""siphon export: a session to keep or to hand on."""

import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import click

from siphon.archive import Archive
from siphon.cli import config_of
from siphon.db import connect
from siphon.errors import SiphonError
from siphon.export import FORMS, Wanted, export
from siphon.private import create
from siphon.sessions import find


@click.command(name="export")
@click.argument("session")
@click.option(
    "--as",
    "form",
    type=click.Choice(list(FORMS)),
    help="md, html (one file), json; raw: the log as its host has it; zip: the logs, with a manifest."
    " Else as the name of --to ends, else md.",
)
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else stdout."
)
@click.option("--subagents", is_flag=True, help="With the sessions of subagents (not in raw).")
@click.option("--no-output", is_flag=True, help="Without what tools gave back (md, html, json).")
@click.pass_context
def export_(
    context: click.Context,
    session: str,
    form: str | None,
    to: Path | None,
    subagents: bool,
    no_output: bool,
) -> None:
    """Save a session. SESSION is its uid, or as much of its native id as no other begins with.

    \b
    siphon export 648777e5                                 # Markdown on stdout
    siphon export 648777e5 --to session.html
    siphon export 648777e5 --subagents --to session.zip    # original bytes, with hashes
    """
    form = form or _by_name(to)
    if to is None and form == "zip" and sys.stdout.isatty():
        raise SiphonError("a ZIP file is nothing to read; name a file with --to")
    config = config_of(context)
    wanted = Wanted(output=not no_output, subagents=subagents)
    with closing(connect(config.database)) as connection:
        uid = find(connection, session)
        _write(to, export(connection, Archive(config.archive), uid, form, wanted))


def _by_name(to: Path | None) -> str:
    ending = "" if to is None else to.suffix.removeprefix(".")
    return ending if ending in FORMS else "raw" if ending == "jsonl" else "md"


def _write(to: Path | None, blocks: Iterator[bytes]) -> None:
    if to is None:
        for block in blocks:
            sys.stdout.buffer.write(block)
        sys.stdout.buffer.flush()
        return
    size = 0
    # Nobody is to find half of it under its name.
    part = to.absolute().with_name(f".{to.name}.part")
    try:
        part.unlink(missing_ok=True)
        with create(part) as file:
            size = sum(map(file.write, blocks))
        part.replace(to)
    except OSError as error:
        raise SiphonError(f"{to}: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
    click.echo(f"{to}: {size:,} bytes", err=True)
