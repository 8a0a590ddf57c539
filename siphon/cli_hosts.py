"""`siphon hosts`: the hosts of siphon.yml: list them, look at one, trust its key."""

import hmac
import shlex
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from siphon import figures
from siphon.cli import as_json, complain, config_of, emit
from siphon.errors import SiphonError

if TYPE_CHECKING:
    from siphon.config import Config, HostConfig
    from siphon.hostcheck import Checked
    from siphon.knownhosts import StrangerError


@click.group(name="hosts")
def hosts_() -> None:
    """The hosts of siphon.yml: list them, look at one before it is collected, trust its key."""


@hosts_.command(name="list")
@as_json
@click.pass_context
def list_(context: click.Context, json_: bool) -> None:
    """The hosts, the way to each, and what is special about it."""
    config = config_of(context)
    rows = [_row(host) for host in config.hosts]
    if json_:
        return emit(rows)
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        click.echo(f"{row['name']:{width}}  {row['way']}{_settings(row['settings'])}")
    return None


def _row(host: "HostConfig") -> dict[str, Any]:
    settings: dict[str, Any] = {
        "enabled": None if host.enabled else False,
        "homes": host.homes,
        "sudo": host.sudo or None,
        "sources": host.sources,
        "paths": host.paths or None,
        "skip_paths": host.skip_paths or None,
        "limit": host.limit,
        "every": host.every,
        "hours": [f"{_clock(begin)}-{_clock(end)}" for begin, end in host.hours] or None,
    }
    said = {key: value for key, value in settings.items() if value is not None}
    return {"name": host.name, "transport": host.transport, "way": _way(host), "settings": said}


def _way(host: "HostConfig") -> str:
    through = f" through {shlex.join(host.command)}" if host.command else ""
    if host.ssh is not None:
        port = "" if host.port is None else f" port {host.port}"
        user = "" if host.user is None else f"{host.user}@"
        return f"ssh {user}{host.ssh}{port}{through}"
    if host.bucket is not None:
        return f"bucket {host.bucket.url}"
    if host.inbox is not None:
        return f"inbox {host.inbox}"
    return f"here{through}" if through or host.home is None else f"here, {host.home}"


def _settings(settings: dict[str, Any]) -> str:
    return "".join(f"; {_setting(key, value)}" for key, value in settings.items())


def _setting(key: str, value: Any) -> str:
    if key == "limit":
        return f"limit {figures.bytes_(value)} a run"
    if key == "every":
        return f"every {figures.duration(value * 1000)}"
    if key == "enabled":
        return "not enabled"
    return key if value is True else f"{key} {', '.join(value)}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@hosts_.command()
@click.argument("name", required=False)
@as_json
@click.pass_context
def check(context: click.Context, name: str | None, json_: bool) -> None:
    """Connect to a host (or to all), find out what it can do, and say what would be collected.

    Nothing is collected. The exit code is 1 if a host cannot be reached or listed.
    """
    from siphon.hostcheck import check as look

    config = config_of(context)
    checked = []
    for host in _named(config, name):
        for one in look(config, host):
            checked.append(one)
            if not json_:
                _print(one)
    if json_:
        emit([{**one._asdict(), "found": [tool._asdict() for tool in one.found]} for one in checked])
    context.exit(int(any(one.error is not None for one in checked)))


def _print(one: "Checked") -> None:
    if one.error is not None:
        return complain(f"{one.host}: {one.error}")
    click.echo(f"{one.host}: reached{'' if one.tools is None else ', read with ' + one.tools}")
    for tool in one.found:
        size = f"{figures.plural(tool.logs, 'log')}, {figures.bytes_(tool.bytes)}"
        click.echo(f"  {tool.source:16} {size}, from {figures.stamp(tool.oldest)} UTC on")
    if one.tools is not None and not one.found:
        click.echo("  no logs of any tool")
    if one.links:
        click.echo(f"  {figures.plural(one.links, 'link')} not followed")
    for problem in one.problems:
        complain(f"{one.host}: {problem}")
    return None


def _named(config: "Config", name: str | None) -> "Sequence[HostConfig]":
    if name is None:
        return [host for host in config.hosts if host.enabled]
    found = [host for host in config.hosts if host.name == name]
    if not found:
        known = ", ".join(host.name for host in config.hosts)
        raise SiphonError(f"unknown host {name!r}; known hosts: {known}")
    return found


@hosts_.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Accept without asking; not a key that has changed.")
@click.option(
    "--fingerprint",
    "expected",
    multiple=True,
    metavar="SHA256:…",
    help="Accept keys with this fingerprint, and no other (once for each gateway and host).",
)
@click.pass_context
def trust(context: click.Context, name: str, yes: bool, expected: tuple[str, ...]) -> None:
    """Show the key of a host, and of each gateway to it, and on your word write it to known_hosts.

    Compare the fingerprint with what the machine itself says: ssh-keygen -lf /etc/ssh/ssh_host_….pub
    """
    from siphon.ssh import login_of
    from siphon.trust import accept, stranger

    config = config_of(context)
    (host,) = _named(config, name)
    if host.ssh is None:
        raise SiphonError(f"{name}: it is not reached over SSH; there is no key to trust")
    accepted: set[tuple[str, str]] = set()
    while (found := _stranger(stranger, login_of(host), config, bool(accepted))) is not None:
        _ask(found, yes, expected)
        file = accept(found, config.ssh)
        if (found.host.known_as, found.key) in accepted:
            raise SiphonError(f"{file}: a key written there is not kept; see UserKnownHostsFile")
        accepted.add((found.host.known_as, found.key))
        click.echo(f"written to {file}")
    if not accepted:
        click.echo(f"{name}: its key is known already; nothing to do")


def _stranger(look: Any, login: Any, config: "Config", accepted: bool) -> "StrangerError | None":
    """The next key to be accepted; once one was, a login that fails later is only told."""
    try:
        found: StrangerError | None = look(login, config.ssh)
    except SiphonError as error:
        if not accepted:
            raise
        complain(f"its key is known now, but: {error}")
        return None
    return found


def _ask(found: "StrangerError", yes: bool, expected: tuple[str, ...]) -> None:
    """Return if the key is to be accepted. Raises SiphonError if it is not."""
    what = f"{found.host.name}: the key of {found.host.known_as}"
    click.echo(f"{what}: {found.fingerprint}")
    for line in found.known:
        click.echo(f"  it has CHANGED: known is {line.fingerprint} ({line.file}:{line.line})")
    if expected:
        if any(_same(found.fingerprint, each) for each in expected):
            return
        raise SiphonError(f"{what} has none of the fingerprints given; nothing was written")
    if found.known and yes:
        raise SiphonError(f"{what} has changed; accept it with --fingerprint, not with --yes")
    if yes:
        return
    if not sys.stdin.isatty():
        raise SiphonError(f"{what}: nobody to ask here; give --fingerprint or --yes")
    if not click.confirm("Is that the machine's own? Trust it"):
        raise SiphonError(f"{what} was not accepted; nothing was written")


def _same(fingerprint: str, given: str) -> bool:
    """Whether `ssh-ed25519 SHA256:…` is what was given, with or without the kind."""
    own = fingerprint.rpartition(":")[2]
    return hmac.compare_digest(own.encode(), given.rpartition(":")[2].rstrip("=").encode())
