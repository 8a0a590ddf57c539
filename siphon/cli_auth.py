"""`siphon auth`: who may log in to the pages, and with what."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from siphon import audit, auth, figures
from siphon.auth import Account
from siphon.cli import as_json, config_of, emit
from siphon.config import Config
from siphon.errors import SiphonError

_DAY_MS = 86_400_000


@click.group(name="auth")
def auth_() -> None:
    """Who may log in: users with passwords, tokens for scripts.

    Before there is any, whoever reaches the pages reads everything, and they are served to this machine
    only. Afterwards everybody must log in, and `siphon serve --host 0.0.0.0` is possible.
    """


def _limits(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what may be read."""
    for option in (
        click.option(
            "--project",
            "projects",
            multiple=True,
            help="Only this project, by name or as host/owner/name (more than one: any of them).",
        ),
        click.option(
            "--host",
            "hosts",
            multiple=True,
            help="Only sessions of this host (more than one: any of them).",
        ),
        click.option("--role", type=click.Choice(auth.ROLES), default="reader", show_default=True),
    ):
        command = option(command)
    return command


@auth_.command(name="add-user")
@click.argument("name")
@_limits
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.pass_context
def add_user(
    context: click.Context,
    name: str,
    role: str,
    hosts: tuple[str, ...],
    projects: tuple[str, ...],
    password_stdin: bool,
) -> None:
    """Let NAME log in with a password, which is asked for."""
    config = config_of(context)
    user = _account(auth.check_name(name), role, hosts, projects)
    password = sys.stdin.readline().rstrip("\n") if password_stdin else _asked()
    _note(config, "user-add", user)
    auth.add_user(_file(config), user, password)
    click.echo(f"{name} may log in, {_may(user)}")


def _asked() -> str:
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))


@auth_.command()
@click.argument("name")
@_limits
@click.option(
    "--days", type=click.IntRange(1, 36500), help="How long it holds; else until it is removed."
)
@click.pass_context
def token(
    context: click.Context,
    name: str,
    role: str,
    hosts: tuple[str, ...],
    projects: tuple[str, ...],
    days: int | None,
) -> None:
    """Make a token called NAME for scripts, and print it: it is shown this once.

    \b
    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8001/-/siphon/api/status
    """
    config = config_of(context)
    made = _account(auth.check_name(name), role, hosts, projects, days)
    _note(config, "token-add", made)
    click.echo(auth.add_token(_file(config), made))
    click.echo(f"siphon: keep it now; it is shown this once; it {_may(made)}", err=True)


@auth_.command(name="list")
@as_json
@click.pass_context
def list_(context: click.Context, json_: bool) -> None:
    """The users and tokens, and what each may read."""
    accounts = auth.load(_file(config_of(context)))
    found = (*accounts.users, *accounts.tokens)
    if json_:
        return emit([auth.as_json(one) for one in found])
    for one in found:
        end = f", until {figures.stamp(one.expires_at)} UTC" if one.expires_at else ""
        kind = "user" if one.id is None else f"token {one.id}"
        click.echo(f"{one.name:20} {kind:16} {_may(one)}{end}")
    if not found:
        click.echo(
            "nobody has to log in, and only this machine is served; see `siphon auth add-user --help`"
        )
    return None


@auth_.command()
@click.argument("name")
@click.pass_context
def remove(context: click.Context, name: str) -> None:
    """Take out the user NAME, or the tokens of that name or id; they are out at their next request."""
    config = config_of(context)
    accounts = auth.load(_file(config))
    for one in (*accounts.users, *accounts.tokens):
        if name in (one.name, one.id):
            _note(config, "user-drop" if one.id is None else "token-drop", one)
    for one in auth.remove(_file(config), name):
        click.echo(f"removed: {one.name} ({'user' if one.id is None else f'token {one.id}'})")


def _account(
    name: str, role: str, hosts: tuple[str, ...], projects: tuple[str, ...], days: int | None = None
) -> Account:
    if role == "admin" and (hosts or projects):
        raise SiphonError("an admin reads everything; leave --host and --project out, or the role")
    now = _now()
    end = None if days is None else now + days * _DAY_MS
    return Account(name, role, "", now, hosts or None, projects or None, expires_at=end)


def _may(account: Account) -> str:
    if account.role == "admin":
        return "reads and sees everything (admin)"
    if account.limits is None:
        return "reads everything"
    of = [f"host {', '.join(account.hosts)}"] if account.hosts else []
    of += [f"project {', '.join(account.projects)}"] if account.projects else []
    return f"reads only {' and '.join(of)}"


def _file(config: Config) -> Path:
    return auth.file_of(config.database)


def _note(config: Config, what: str, one: Account) -> None:
    hosts, projects = list(one.hosts or ()), list(one.projects or ())
    facts = {"name": one.name, "id": one.id, "role": one.role}
    audit.note(config.archive, what, at=_now(), hosts=hosts, projects=projects, **facts)


def _now() -> int:
    return time.time_ns() // 1_000_000
