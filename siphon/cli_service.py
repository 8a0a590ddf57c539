"""`siphon service`: `siphon up` as a service of this machine's user."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from siphon import units
from siphon.cli import complain, config_of
from siphon.errors import SiphonError


@click.group()
def service() -> None:
    """Run `siphon up` as a service: a systemd user unit, or a launchd agent on macOS."""


@service.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8001, show_default=True)
@click.option("--print", "show", is_flag=True, help="Print the file and where it belongs; do nothing.")
@click.pass_context
def install(context: click.Context, host: str, port: int, show: bool) -> None:
    """Install and start it; again, to change host, port or configuration."""
    one = _unit(context, host, port)
    if show:
        click.echo(one.text, nl=False)
        click.echo(f"{one.path}", err=True)
        return
    units.install(one)
    click.echo(f"{one.path} is installed and started: http://{host}:{port}")
    click.echo(one.note)


@service.command()
@click.pass_context
def status(context: click.Context) -> None:
    """Whether it runs, as the system tells it."""
    one = _installed(context)
    context.exit(_shown(one.status))


@service.command()
@click.option("-f", "--follow", is_flag=True, help="Go on as new lines come.")
@click.option("-n", "--lines", type=click.IntRange(1), default=100, show_default=True)
@click.pass_context
def logs(context: click.Context, follow: bool, lines: int) -> None:
    """What it said."""
    one = _installed(context)
    context.exit(_shown(one.follow if follow else [*one.logs, str(lines)]))


@service.command()
@click.pass_context
def uninstall(context: click.Context) -> None:
    """Stop it and remove its file. Archive and database stay."""
    one = _unit(context)
    try:
        units.uninstall(one)
    finally:
        if not one.path.exists():
            click.echo(f"{one.path} is not there any more")


def _unit(context: click.Context, host: str = "127.0.0.1", port: int = 8001) -> units.Unit:
    config = config_of(context)
    home = config.ssh.parent
    config_home = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    return units.unit(units.up_command(config.path, host, port, os.environ), home, config_home)


def _installed(context: click.Context) -> units.Unit:
    one = _unit(context)
    if not one.path.exists():
        raise SiphonError(f"{one.path} is not there: `siphon service install` installs it")
    return one


def _shown(words: Sequence[str]) -> int:
    """Run a command of the system in the open; its exit code."""
    if shutil.which(words[0]) is None:
        complain(f"{words[0]} is not on this machine: nothing here runs services")
        return 1
    sys.stdout.flush()
    return subprocess.run(words, check=False).returncode
