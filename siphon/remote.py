"""Hosts behind a line: over SSH, or through a command run here."""

from collections.abc import Callable, Sequence

from siphon.commandline import CommandLine
from siphon.hosts import Host
from siphon.probed import ProbedHost
from siphon.reach import Asked, Part, Reached
from siphon.shellhost import ShellHost


def reach_by_ssh(asked: Asked) -> Reached:
    """One connection, to one home."""
    from siphon.sftp import SftpHost
    from siphon.ssh import connect, login_of
    from siphon.sshline import SshLine

    host = asked.host
    connection = connect(login_of(host), asked.config.ssh)
    home = _from_login(host.remote_home)
    line = SshLine(connection, host.command or ())
    means: list[Callable[[], Host]] = [lambda: ShellHost(line, host.name, home)]
    if host.command is None:
        means.append(lambda: SftpHost(connection, host.name, home))
    return _one(host.name, means, connection.close)


def reach_by_command(asked: Asked) -> Reached:
    """One home behind a shell."""
    host = asked.host
    line = CommandLine(host.command or ())
    return _one(
        host.name, [lambda: ShellHost(line, host.name, _from_login(host.remote_home))], line.close
    )


def _one(name: str, means: Sequence[Callable[[], Host]], close: Callable[[], None]) -> Reached:
    return Reached([Part(name, lambda: ProbedHost(name, means, lambda: None))], close)


def _from_login(home: str | None) -> str:
    """The home as seen from where a login lands, "" being that itself."""
    if home is None or home in ("~", "~/"):
        return ""
    return home.removeprefix("~/")
