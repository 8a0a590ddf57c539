"""`siphon doctor`: what is wrong with this installation, and the way out."""

import click

from siphon import doctor as checks
from siphon.cli import as_json, config_of, emit
from siphon.cli_archive import now, shown
from siphon.config import Config
from siphon.errors import SiphonError
from siphon.figures import plural
from siphon.health import EXIT_CODES, Finding, worst
from siphon.health import as_json as told

_COLOURS = {"ok": "green", "info": "blue", "unknown": "magenta", "warning": "yellow", "error": "red"}


@click.command()
@click.option("--fix", is_flag=True, help="Put permissions right; nothing else is touched.")
@as_json
@click.pass_context
def doctor(context: click.Context, fix: bool, json_: bool) -> None:
    """Look at configuration, permissions, free space, archive and database; each with its way out.

    \b
    Exit codes, by the worst that was found: 0 ok or info, 3 unknown, 4 warning, 5 error.
    Whether hosts are collected in time: siphon health. Whether they can be reached: siphon hosts check.
    """
    at = now()
    try:
        config = config_of(context)
    except SiphonError as error:
        found = [Finding("error", "configuration", str(error))]
    else:
        found = [*(_fixed(config) if fix else []), *checks.doctor(config, at)]
    if json_:
        emit(told(found, at))
    else:
        for one in found:
            click.echo(_line(one))
    context.exit(EXIT_CODES[worst(found)])


def _fixed(config: Config) -> list[Finding]:
    count = checks.fix(config)
    done = Finding("info", "permissions", f"permissions put right {plural(count, 'time')}")
    return [done] if count else []


def _line(one: Finding) -> str:
    level = click.style(f"{one.level:8}", fg=_COLOURS[one.level], bold=one.level in ("warning", "error"))
    place = "/".join(filter(None, (one.host, one.path)))
    return f"{level} {one.check}: {f'{shown(place)}: ' if place else ''}{shown(one.what)}"
