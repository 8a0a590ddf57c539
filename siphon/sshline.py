"""Commands over an SSH connection: to the login's shell, or to one that a command gives there."""

import shlex
from collections.abc import Sequence

import paramiko

from siphon.errors import SiphonError, UnfitError
from siphon.hosts import BLOCK
from siphon.line import ERRORS_KEPT, Running, script, started, told
from siphon.ssh import StrictConnection
from siphon.stream import IDLE_SECONDS, Stream


class SshLine:
    """Commands over a connection: to the login's shell, or to one that `through` gives there."""

    def __init__(
        self, connection: StrictConnection, through: Sequence[str] = (), folder: str = ""
    ) -> None:
        """`folder` is where `through` is to run, if that matters."""
        self.connection = connection
        self.through = shlex.join(through)
        if folder:
            self.through = f"cd {shlex.quote(folder)} && {self.through}"

    @property
    def wire(self) -> int:
        return self.connection.wire

    def run(self, command: str, words: bytes = b"") -> Running:
        if self.through:
            return _Channel(self.connection, self.through.encode(), script(command, words))
        return _Channel(self.connection, command.encode(errors="surrogateescape"), words)

    def close(self) -> None:
        self.connection.close()


class _Channel:
    """A command over SSH."""

    def __init__(self, connection: StrictConnection, command: bytes, words: bytes) -> None:
        try:
            self._channel: paramiko.Channel = connection.create_session()
        except (paramiko.SSHException, EOFError) as error:
            raise SiphonError(f"the connection broke off: {error or 'no answer'}") from error
        self._channel.settimeout(IDLE_SECONDS)
        try:
            self._channel.exec_command(command)
        except paramiko.SSHException as error:
            raise UnfitError(f"no command may be run there: {error}") from error
        self._errors = bytearray()
        self._threads = started((self._send, (words,)), (self._listen, ()))
        self.out = Stream(self._receive)

    def errors(self) -> list[str]:
        return told(self._threads, self._errors)

    def __enter__(self) -> "_Channel":
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def _receive(self) -> bytes:
        try:
            return self._channel.recv(BLOCK)
        except TimeoutError as error:
            raise SiphonError(f"no answer for {IDLE_SECONDS} seconds") from error

    def _send(self, words: bytes) -> None:
        try:
            self._channel.sendall(words)
            self._channel.shutdown_write()
        except OSError:
            return  # the command ended without hearing all; its output tells

    def _listen(self) -> None:
        try:
            while block := self._channel.recv_stderr(BLOCK):
                self._errors += block[: max(0, ERRORS_KEPT - len(self._errors))]
        except OSError:
            return  # silent for too long, or closed
