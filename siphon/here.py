"""Ways that begin on this machine: a home, the homes of its users, a command that gives a shell."""

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from siphon import users
from siphon.commandline import CommandLine
from siphon.hosts import Host
from siphon.line import Line
from siphon.local import LocalHost
from siphon.lshost import LsHost
from siphon.probed import Means, ProbedHost
from siphon.reach import Asked, Part, Reached
from siphon.shellhost import ShellHost
from siphon.users import Homes, UserHome


def reach(asked: Asked) -> Reached:
    """A home of this machine, or those of many users."""
    inboxes = [host.inbox for host in asked.config.hosts if host.inbox is not None]  # not our own logs
    without = [asked.archive.root, *inboxes]
    if asked.host.homes is None:
        one = LocalHost(asked.host.home or asked.config.ssh.parent, without)
        return Reached([Part(asked.host.name, lambda: one)], one.close)

    def opened(home: UserHome) -> Host:
        if not asked.host.sudo or home.owner == os.geteuid():
            return LocalHost(Path(home.folder), without, home.owner)
        line = CommandLine(users.sudo(home))
        return ProbedHost(asked.host.name, by_shell(line, asked.host.name, home.folder, home.owner))

    found = users.here(asked.host.homes)
    return Reached(parts(asked, found, opened), lambda: None, found.problems)


def reach_by_command(asked: Asked) -> Reached:
    """What is behind a shell: one home, or those of many users."""
    name, line = asked.host.name, CommandLine(asked.host.command or ())
    if asked.host.homes is None:
        one = ProbedHost(name, by_shell(line, name, from_login(asked.host.remote_home)))
        return Reached([Part(name, lambda: one)], line.close)

    def opened(home: UserHome) -> Host:
        return ProbedHost(name, by_shell(line, name, home.folder, home.owner))

    found = users.by_shell(line, name, asked.host.homes)
    return Reached(parts(asked, found, opened), line.close, found.problems)


def parts(asked: Asked, found: Homes, opened: Callable[[UserHome], Host]) -> list[Part]:
    """A host of the archive for each home."""
    return [Part(f"{asked.host.name}/{home.name}", partial(opened, home)) for home in found.homes]


def by_shell(line: Line, name: str, home: str, owner: int | None = None) -> list[Means]:
    """How a home behind a shell may be read."""
    return [lambda: ShellHost(line, name, home, owner), lambda: LsHost(line, name, home, owner)]


def from_login(home: str | None) -> str:
    """The home as seen from where a login lands, "" being that itself."""
    if home is None or home in ("~", "~/"):
        return ""
    return home.removeprefix("~/")
