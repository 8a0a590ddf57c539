"""Hosts behind SSH: one connection, to one home or to those of many users."""

from siphon import users
from siphon.errors import SiphonError, UnfitError
from siphon.here import by_shell, from_login, parts
from siphon.hosts import Host
from siphon.line import Line
from siphon.lshost import LsHost
from siphon.probed import Means, ProbedHost
from siphon.reach import Asked, Part, Reached
from siphon.sftp import SftpHost, session
from siphon.shellhost import ShellHost
from siphon.ssh import StrictConnection, connect, login_of
from siphon.sshline import SshLine
from siphon.users import Homes, UserHome


def reach_by_ssh(asked: Asked) -> Reached:
    """Connect, and find the homes. What each can do, its first listing finds out."""
    name = asked.host.name
    connection = connect(login_of(asked.host), asked.config.ssh)
    line = SshLine(connection, asked.host.command or ())

    def probed(home: str, owner: int | None = None) -> Host:
        if asked.host.command is not None:
            return ProbedHost(name, by_shell(line, name, home, owner))
        script = SshLine(connection, ["sh"])
        means: list[Means] = [
            lambda: ShellHost(line, name, home, owner),
            lambda: SftpHost(connection, name, home, owner),
            lambda: LsHost(script, name, home, owner),
        ]
        return ProbedHost(name, means)

    def opened(home: UserHome) -> Host:
        if not asked.host.sudo or home.user == connection.user:
            return probed(home.folder, home.owner)
        own = SshLine(connection, users.sudo(home), "/")  # he may not enter the folder we are in
        return ProbedHost(name, by_shell(own, name, home.folder, home.owner))

    if asked.host.homes is None:
        one = probed(from_login(asked.host.remote_home))
        return Reached([Part(name, lambda: one)], connection.close)
    try:
        found = _homes(connection, line, asked)
    except BaseException:
        connection.close()
        raise
    return Reached(parts(asked, found, opened), connection.close, found.problems)


def _homes(connection: StrictConnection, line: Line, asked: Asked) -> Homes:
    """The users' homes, told by the shell or, where there is none, by SFTP."""
    patterns = asked.host.homes or ()
    try:
        return users.by_shell(line, asked.host.name, patterns)
    except UnfitError:
        if asked.host.sudo or asked.host.command:
            raise
    for word in patterns:
        if "/" not in word:
            raise SiphonError(f"homes: {word}: without a shell there name the folder, as /home/{word}")
    return users.by_sftp(session(connection), patterns)
