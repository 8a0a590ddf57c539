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
    host = _host(session.host, config)
    here = _in_folder(again, session.cwd)
    note = "The log is no longer on the host; only siphon's archive still has it." if gone else None
    if host is None:
        return Resume(
            here, note or f"Run it on {session.host}, which siphon.yml does not name (any more)."
        )
    if host.ssh is not None:
        return Resume(_over_ssh(host, here), note)
    if config is not None and host.home != config.ssh.parent:
        return Resume(here, note or f"Run it where {host.home} is the home folder.")
    return Resume(here, note)


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
    return next((host for host in config.hosts if host.name == name), None) if config else None


def _in_folder(command: str, folder: str | None) -> str:
    if not folder:
        return command
    if _WINDOWS.match(folder):
        return f'cd "{folder}" && {command}' if '"' not in folder else command
    return f"cd {quote(folder)} && {command}"


def _over_ssh(host: HostConfig, command: str) -> str:
    words = ["ssh", "-t"]
    if host.port is not None:
        words += ["-p", str(host.port)]
    if host.identity is not None:
        words += ["-i", str(host.identity)]
    target = host.ssh or host.name
    words.append(f"{host.user}@{target}" if host.user else target)
    return f"{join(words)} {quote(command)}"
