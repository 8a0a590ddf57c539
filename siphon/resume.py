"""The command that reopens a session where it was held: right for its tool, its folder and its host."""

import re
from collections.abc import Callable
from shlex import join, quote
from typing import NamedTuple

from siphon.config import Config, HostConfig
from siphon.sessions import Header
from siphon.sources import sources

_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")


class Resume(NamedTuple):
    """`command` is None where the session cannot be reopened; `note` says what to know about it."""

    command: str | None
    note: str | None


def resume(session: Header, config: Config | None, gone: bool = False) -> Resume:
    """How to go on with the session. `gone`: its log is no longer on the host."""
    again = _reopen(session)
    if again is None:
        return Resume(None, _why_not(session))
    here = _in_folder(again, session.cwd)
    host = _host(session.host, config)
    lost = "The log is no longer on the host; only siphon's archive still has it." if gone else None
    if host is not None and host.ssh is not None and host.command is None:
        return Resume(_over_ssh(host, _user(session.host, host), here), lost)
    notes = filter(None, (lost, _where(session.host, host, config)))
    return Resume(here, " ".join(notes) or None)


def _where(name: str, host: HostConfig | None, config: Config | None) -> str | None:
    """Where to run the command, if that is not plainly here."""
    if host is None:
        return f"Run it on {name}, which siphon.yml does not name (any more)."
    if host.homes is not None:
        return f"Run it as {_user(name, host)}."
    if host.home is None:
        return f"Run it on {name}."
    if config is not None and host.home != config.ssh.parent:
        return f"Run it where {host.home} is the home folder."
    return None


def _user(name: str, host: HostConfig) -> str | None:
    """Who logs in: of a host of many homes, whose home it is."""
    return host.user if host.homes is None else name.rpartition("/")[2]


def _reopen(session: Header) -> str | None:
    source = sources().get(session.source)
    command: Callable[[str], str | None] | None = source.resume if source else None
    if command is None or session.kind != "main" or not session.native_id.isprintable():
        return None
    # An id is text from a log, and the command will be pasted into a shell.
    return command(quote(session.native_id))


def _why_not(session: Header) -> str:
    if session.kind != "main":
        return f"A {session.kind} cannot be reopened by itself; go on with the session it comes from."
    source = sources().get(session.source)
    return f"{source.title if source else session.source} has no command that reopens a session."


def _host(name: str, config: Config | None) -> HostConfig | None:
    """The host itself, or that of many homes whose name begins so: lab/ada is on lab."""
    for host in config.hosts if config else ():
        if host.name == name or (host.homes is not None and name.startswith(f"{host.name}/")):
            return host
    return None


def _in_folder(command: str, folder: str | None) -> str:
    if not folder:
        return command
    if _WINDOWS.match(folder):
        return f'cd "{folder}" && {command}' if '"' not in folder else command
    return f"cd {quote(folder)} && {command}"


def _over_ssh(host: HostConfig, user: str | None, command: str) -> str:
    words = ["ssh", "-t"]
    if host.port is not None:
        words += ["-p", str(host.port)]
    if host.identity is not None:
        words += ["-i", str(host.identity)]
    target = host.ssh or host.name
    words.append(f"{user}@{target}" if user else target)
    return f"{join(words)} {quote(command)}"
